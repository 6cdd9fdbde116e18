// Tasks handed over in one call and asked for in another, over HTTP as curl does it and over gRPC: once under one key, also across
// restarts of the kernel; with the status of what was not taken; and not for everybody to see.

import { credentials, type ServiceError, status } from '@grpc/grpc-js';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { SubmissionServiceClient, type WaitResponse } from '../../proto/generated/sira/v1/submission_service.ts';
import { TaskOutcome } from '../../proto/generated/sira/v1/work.ts';
import { tensorsOfMessages, tensorsToMessages } from '../client/tensors.ts';
import { arrayFrom, TensorView, tensorFrom } from '../client.ts';
import { LiveFixture, until } from '../live-fixture.contract.ts';

let fixture: LiveFixture;
let begun = 0;
let release: (() => void)[] = [];
beforeEach(async () => {
  begun = 0;
  release = [];
  fixture = await LiveFixture.start({ settings: { 'scheduler.queueLengthMax': 3, 'scheduler.attemptsMax': 1 } });
  fixture.agents({
    name: 'worker',
    functions: {
      double: ({ x }) => {
        begun++;
        return {
          y: tensorFrom(
            (arrayFrom(x!) as Float64Array).map((value) => 2 * value),
            x!.shape,
          ),
        };
      },
      big: () => ({ y: TensorView.from('int64', [1], [2n ** 62n]) }),
      fail: () => {
        throw new Error('it is broken');
      },
      wait: () => {
        begun++;
        return new Promise((resolve) => void release.push(() => resolve({})));
      },
    },
    resources: { cpuMilli: 1000 },
  });
});
afterEach(() => fixture.end());

const x = { name: 'x', shape: [2], datatype: 'FP64', data: [1.5, 2] };
// biome-ignore lint/suspicious/noExplicitAny: what an answer holds is what is tested
type Answer = Omit<Response, 'json'> & { json(): Promise<any> };

const post = (body: object, headers = {}): Promise<Answer> => fixture.fetch('/v1/tasks', 'POST', body, headers);
const result = (task: number, waitMicros = 20_000_000): Promise<Answer> =>
  fixture.fetch(`/v1/tasks/${task}/result?waitMicros=${waitMicros}`);
const key = (text: string) => ({ 'idempotency-key': text });

test('a request hands a task over, another waits for its result', async () => {
  const answer = await post({ function: 'double', inputs: [x] });
  const { task, result: where } = await answer.json();
  expect([answer.status, answer.headers.get('location')]).toEqual([202, where]);
  const end = await (await result(task)).json();
  expect(end).toMatchObject({ task, outcome: 'completed', agent: 'worker', attempts: 1, failure: '' });
  expect(end.outputs).toEqual([{ name: 'y', shape: [2], datatype: 'FP64', data: [3, 4] }]);
  expect((await fixture.ask(`/v1/tasks/${task}`)).task).toMatchObject({ task, outcome: 'completed' });
  const { task: broken } = await (await post({ function: 'fail' })).json();
  expect(await (await result(broken)).json()).toMatchObject({
    outcome: 'failed',
    failure: 'it is broken',
    outputs: [],
  });
  const { task: big } = await (await post({ function: 'big' })).json();
  expect(await (await result(big)).text()).toContain('"data":[4611686018427387904]');
});

test('a key is one task, while it runs, when it has ended, and when the kernel has started again', async () => {
  const first = await (await post({ function: 'double', inputs: [x] }, key('one'))).json();
  await result(first.task);
  const again = await Promise.all([1, 2, 3].map(async () => (await post({ function: 'fail' }, key('one'))).json()));
  expect(again.map(({ task }) => task)).toEqual([first.task, first.task, first.task]);
  const open = await (await post({ function: 'wait' }, key('two'))).json();
  await until(() => begun === 2);
  await fixture.restart();
  await fixture.running.grpc.tasks.opened;
  expect((await (await post({ function: 'fail' }, key('one'))).json()).task).toBe(first.task);
  expect((await (await post({ function: 'fail' }, key('two'))).json()).task).toBe(open.task);
  expect(await (await result(first.task)).json()).toMatchObject({ outcome: 'completed', outputs: [{ data: [3, 4] }] });
  expect(await (await result(open.task, 0)).json()).toEqual({ task: open.task, outcome: null });
  release[0]?.();
  expect(await (await result(open.task)).json()).toMatchObject({ task: open.task, outcome: 'completed' });
  expect(begun).toBe(2);
});

test('what does not fit is refused in words; a full queue says when to come again, and gives way to who is more important', async () => {
  const invalid = await post({ function: 'double', inputs: [{ ...x, datatype: 'FP63' }] });
  expect(invalid.status).toBe(400);
  expect((await invalid.json()).detail).toContain('datatype');
  expect((await post({ functions: 'double' })).status).toBe(400);
  expect((await result(999_999, 0)).status).toBe(404);
  const wait = { function: 'wait', request: { cpuMilli: 1000 } };
  const tasks: number[] = [];
  for (let number = 0; number < 4; number++) {
    tasks.push((await (await post(wait)).json()).task);
    if (number === 0) await until(() => begun === 1);
  }
  const full = await post(wait, key('later'));
  expect([full.status, (await full.json()).code]).toEqual([429, 'SIRA_QUEUE_FULL']);
  expect(Number(full.headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
  const important = await (await post({ ...wait, priority: 5 }, key('later'))).json();
  const shed = await (await result(tasks[3]!)).json();
  expect(shed).toMatchObject({ outcome: 'dropped', failure: expect.stringContaining('SIRA_QUEUE_FULL') });
  release[0]?.();
  await until(() => begun === 2);
  release[1]?.();
  expect(await (await result(important.task)).json()).toMatchObject({ outcome: 'completed' });
});

test('the same over gRPC', async () => {
  const client = new SubmissionServiceClient(fixture.running.grpc.address, credentials.createInsecure());
  fixture.atEnd(() => client.close());
  const ask = <Response>(call: (back: (error: ServiceError | null, response: Response) => void) => unknown) =>
    new Promise<Response>((resolve, reject) => {
      call((error, response) => (error === null ? resolve(response) : reject(error)));
    });
  const work = {
    function: 'double',
    parameters: new Map(),
    inputs: tensorsToMessages({ x: tensorFrom(Float64Array.of(4), [1]) }),
    traceparent: '',
    tracestate: '',
  };
  const rest = { request: undefined, estimateMicros: 0, priority: 0, tenant: '', checkpointMicros: 0, size: 0 };
  const submit = (idempotencyKey: string) =>
    ask<{ task: number }>((back) => client.submit({ idempotencyKey, work, ...rest }, back));
  const wait = (task: number) => ask<WaitResponse>((back) => client.wait({ task, timeoutMicros: 20_000_000 }, back));
  const { task } = await submit('k');
  expect((await submit('k')).task).toBe(task);
  const { ended } = await wait(task);
  expect(ended).toMatchObject({ task, outcome: TaskOutcome.COMPLETED, agent: 'worker' });
  expect(arrayFrom(tensorsOfMessages(ended!.outputs).y!)).toEqual(Float64Array.of(8));
  await expect(wait(77_777)).rejects.toMatchObject({ code: status.NOT_FOUND });
  const nothing = ask((back) => client.submit({ idempotencyKey: '', work: undefined, ...rest }, back));
  await expect(nothing).rejects.toMatchObject({ code: status.INVALID_ARGUMENT });
});
