// Many submitters at once, and impatient ones: what waits for the disk stays bounded, and everybody is served.

import { credentials } from '@grpc/grpc-js';
import { afterEach, expect, test } from 'vitest';
import type { InputBody } from '../../kernel/inputs.ts';
import {
  type AttachResponse,
  SubmissionServiceClient,
  type TaskSubmission,
} from '../../proto/generated/sira/v1/submission_service.ts';
import { LiveFixture, until } from '../live-fixture.contract.ts';

let fixture: LiveFixture;
afterEach(() => fixture.end());

/** Counts inputs of a kind that were given and are not durable. */
function watch(kind: InputBody['kind']): { readonly most: () => number; readonly given: () => number } {
  const { live } = fixture.running;
  const give = live.give.bind(live);
  let given = 0;
  let waiting = 0;
  let most = 0;
  live.give = (body) => {
    const status = give(body);
    if (status.ok && body.kind === kind) {
      given++;
      most = Math.max(most, ++waiting);
    }
    return status;
  };
  fixture.atEnd(
    live.listen({
      released({ body }) {
        if (body.kind === kind) waiting--;
      },
    }),
  );
  return { most: () => most, given: () => given };
}

test('of submitters that come by the hundred only so many wait for the disk, and all are welcome and served', async () => {
  fixture = await LiveFixture.start({ durability: 'powerFailure' });
  fixture.agents({
    name: 'worker',
    functions: { echo: (inputs) => inputs },
    resources: { cpuMilli: 1e6, memoryMib: 1e6 },
  });
  const attaching = watch('subscribe');
  const address = fixture.running.grpc.address;
  // One connection, so that all hellos come in one turn of the event loop.
  const client = new SubmissionServiceClient(address, credentials.createInsecure());
  fixture.atEnd(() => client.close());
  const count = 600;
  const welcome = new Set<number>();
  const accepted = new Set<number>();
  for (let number = 0; number < count; number++) {
    const stream = client.attach();
    stream.on('error', () => {});
    stream.on('data', ({ message }: AttachResponse) => {
      if (message?.$case === 'welcome') welcome.add(number);
      if (message?.$case === 'accepted') accepted.add(number);
    });
    stream.write({ message: { $case: 'hello', value: { submitter: `s-${number}`, inFlightMax: 16 } } });
    // What comes behind a hello that waits is not lost, and not taken for a stream without one.
    stream.write({ message: { $case: 'submit', value: submissionOf(1) } });
  }
  await until(() => welcome.size === count && accepted.size === count);
  expect(attaching.given()).toBe(count);
  expect(attaching.most()).toBeGreaterThan(100);
  // The next is given before this test hears of the one that is released.
  expect(attaching.most()).toBeLessThanOrEqual(257);
});

test('a submission that is sent again while the disk has yet to take it is one input', async () => {
  fixture = await LiveFixture.start({ durability: 'powerFailure' });
  const submitted = watch('taskSubmitted');
  const client = new SubmissionServiceClient(fixture.running.grpc.address, credentials.createInsecure());
  fixture.atEnd(() => client.close());
  const stream = client.attach();
  let answers = 0;
  stream.on('error', () => {});
  stream.on('data', ({ message }: AttachResponse) => {
    if (message?.$case === 'accepted') answers++;
  });
  stream.write({ message: { $case: 'hello', value: { submitter: 's', inFlightMax: 16 } } });
  for (let times = 0; times < 50; times++) stream.write({ message: { $case: 'submit', value: submissionOf(1) } });
  await until(() => answers > 0);
  expect(submitted.given()).toBeLessThan(10);
  const before = answers;
  stream.write({ message: { $case: 'submit', value: submissionOf(1) } });
  await until(() => answers > before);
});

function submissionOf(submission: number): TaskSubmission {
  return {
    submission,
    settled: 0,
    request: { cpuMilli: 1, memoryMib: 1, gpuCount: 0, gpuMilli: 1000, gpuModels: [], machineCount: 1 },
    estimateMicros: 1000,
    priority: 0,
    tenant: '',
    gang: undefined,
    checkpointMicros: 0,
    size: 1,
    work: { function: 'echo', parameters: new Map(), inputs: [], traceparent: '', tracestate: '' },
  } as unknown as TaskSubmission;
}
