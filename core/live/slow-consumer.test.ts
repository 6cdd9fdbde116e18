// A submitter that does not read its ends, and an agent that does not read its dispatches, cost the others nothing: what they are
// sent waits for them, bounded, and everybody else's work goes on.

import { credentials } from '@grpc/grpc-js';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { AgentServiceClient } from '../proto/generated/sira/v1/agent_service.ts';
import { SubmissionServiceClient } from '../proto/generated/sira/v1/submission_service.ts';
import { parametersToMessages } from './client/work.ts';
import { arrayFrom, tensorFrom } from './client.ts';
import { LiveFixture, until } from './live-fixture.contract.ts';

let fixture: LiveFixture;
beforeEach(async () => {
  fixture = await LiveFixture.start();
});
afterEach(() => fixture.end());

test('work and results of others flow beside streams that nobody reads', { timeout: 180_000 }, async () => {
  const big = 512 * 1024;
  fixture.agents({
    name: 'worker',
    functions: {
      // Half a megabyte for each task: more than any buffer on the way holds.
      fill: () => ({ bytes: tensorFrom(new Uint8Array(big), [big]) }),
      echo: (inputs) => inputs,
    },
    resources: { cpuMilli: 100_000 },
  });
  const address = fixture.running.grpc.address;
  const client = new SubmissionServiceClient(address, credentials.createInsecure());
  fixture.atEnd(() => client.close());
  const stream = client.attach();
  stream.on('error', () => {});
  stream.write({ message: { $case: 'hello', value: { submitter: 'deaf', inFlightMax: 1000 } } });
  const work = { function: 'fill', parameters: parametersToMessages({}), inputs: [], traceparent: '', tracestate: '' };
  const more = { request: undefined, tenant: '', gang: undefined, checkpointMicros: 0, size: 0, priority: 0 };
  for (let submission = 1; submission <= 100; submission++)
    stream.write({
      message: { $case: 'submit', value: { submission, settled: 0, estimateMicros: 1000, work, ...more } },
    });
  // It reads nothing: no listener for what comes.
  stream.pause();
  const deafAgents = new AgentServiceClient(address, credentials.createInsecure());
  fixture.atEnd(() => deafAgents.close());
  const deafAgent = deafAgents.connect();
  deafAgent.on('error', () => {});
  deafAgent.pause();
  deafAgent.write({
    message: {
      $case: 'hello',
      value: {
        ...{ name: 'deaf-agent', incarnation: 1, connection: 1, running: [], sentMicros: 1, models: [] },
        resources: { cpuMilli: 100_000, memoryMib: 1000, gpuCount: 0, gpuModel: '' },
        capabilities: new Map([['fill', 1]]),
        labels: new Map(),
      },
    },
  });
  const { live } = fixture.running;
  await until(() => live.kernel.counts.placements >= 50);
  const tester = await fixture.submitter();
  const before = process.memoryUsage().rss;
  const millis: number[] = [];
  for (let count = 0; count < 40; count++) {
    const begin = performance.now();
    const end = await tester.run({ function: 'echo', inputs: { x: tensorFrom(Float64Array.of(count), [1]) } });
    millis.push(performance.now() - begin);
    expect(arrayFrom(end.outputs.x!)).toEqual(Float64Array.of(count));
  }
  millis.sort((left, right) => left - right);
  expect(millis[20], 'half of them').toBeLessThan(1000);
  expect(process.memoryUsage().rss - before).toBeLessThan(400 * 1024 ** 2);
  expect(live.refusal).toBeUndefined();
  stream.cancel();
  deafAgent.cancel();
});
