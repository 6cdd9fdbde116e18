import { describe, expect, test } from 'vitest';
import { AssertionError } from '../base/assert.ts';
import type { DeliverEffect } from '../bus/broker-protocol.ts';
import type { TaskEnded } from '../kernel/effects.ts';
import type { InputBody } from '../kernel/inputs.ts';
import type { ResourceRequest } from '../scheduler/request.ts';
import { SubmitterClient } from './submitter-client.ts';

const retry = 5;
const request: ResourceRequest = {
  cpuMilli: 1000,
  memoryMib: 0,
  gpuCount: 0,
  gpuMilli: 0,
  gpuModels: [],
  machineCount: 1,
};

class Bench {
  readonly sent: InputBody[] = [];
  readonly wakes: number[] = [];
  readonly answers: [number, boolean, string][] = [];
  readonly ended: number[] = [];
  readonly client: SubmitterClient;

  constructor(acknowledgeEvery = 3, acknowledgeMicros = 50) {
    this.client = new SubmitterClient(
      { submitter: 4, retryMicros: retry, acknowledgeEvery, acknowledgeMicros },
      {
        send: (message) => void this.sent.push(message),
        wakeAt: (timeMicros) => void this.wakes.push(timeMicros),
        answered: (submission, accepted, reason) => void this.answers.push([submission, accepted, reason]),
        ended: (end) => void this.ended.push(end.submission),
      },
    );
  }

  submit(nowMicros: number): number {
    return this.client.submit(request, 10, 0, 'tenant', nowMicros);
  }

  accept(submission: number, nowMicros: number): void {
    this.client.receive({ kind: 'submissionAccepted', submitter: 4, submission }, nowMicros);
  }

  refuse(submission: number, nowMicros: number): void {
    const code = 'SIRA_QUEUE_FULL';
    this.client.receive({ kind: 'submissionRefused', submitter: 4, submission, code, reason: 'full' }, nowMicros);
  }

  /** The end of submission `offset + 1`. */
  deliver(offset: number, nowMicros: number, attempt = 1): void {
    const payload: TaskEnded = {
      task: offset + 1,
      submission: offset + 1,
      outcome: 'completed',
      attempts: 1,
      attempt: 1,
      agent: 0,
      serviceMicros: 1,
    };
    const deliver: DeliverEffect = {
      kind: 'deliver',
      subscriber: 'submitter/4',
      subscription: 'submitter/4/ends',
      topic: 'tasks/ended/4',
      offset,
      attempt,
      producer: 'kernel',
      sequence: offset + 1,
      payload,
      correlation: null,
    };
    this.client.receive(deliver, nowMicros);
  }

  /** What was sent since the last call. */
  take(): string[] {
    return this.sent.splice(0).map((message) => {
      switch (message.kind) {
        case 'taskSubmitted':
          return `submit ${message.submission} settled ${message.settled}`;
        case 'taskCancelled':
          return `cancel ${message.submission}`;
        case 'acknowledge':
          return `acknowledge ${message.offset}`;
        default:
          return message.kind;
      }
    });
  }
}

/** Subscribed at time 0. */
function ready(...options: ConstructorParameters<typeof Bench>): Bench {
  const bench = new Bench(...options);
  bench.client.start(0);
  bench.client.receive(
    {
      kind: 'subscribed',
      subscriber: 'submitter/4',
      subscription: 'submitter/4/ends',
      topic: 'tasks/ended/4',
      resumed: false,
      offset: 0,
    },
    0,
  );
  bench.take();
  return bench;
}

describe('submissions', () => {
  test('carry the task, numbered from 1, and what is settled', () => {
    const bench = ready();
    expect(bench.submit(1)).toBe(1);
    expect(bench.sent).toEqual([
      {
        kind: 'taskSubmitted',
        submitter: 4,
        submission: 1,
        settled: 0,
        request,
        estimateMicros: 10,
        priority: 0,
        tenant: 'tenant',
      },
    ]);
    bench.submit(1);
    bench.submit(1);
    bench.accept(2, 2);
    bench.submit(2);
    bench.accept(1, 3);
    bench.submit(3);
    expect(bench.take()).toEqual([
      'submit 1 settled 0',
      'submit 2 settled 0',
      'submit 3 settled 0',
      'submit 4 settled 0',
      'submit 5 settled 2',
    ]);
    for (const submission of [3, 4, 5]) bench.accept(submission, 3);
    bench.submit(4);
    expect(bench.take()).toEqual(['submit 6 settled 5']);
  });

  test('each is repeated until it is answered, accepted or refused, and the answer is passed on once', () => {
    const bench = ready();
    bench.submit(0);
    bench.submit(2);
    bench.submit(2);
    bench.take();
    bench.accept(2, 3);
    bench.client.wake(retry);
    expect(bench.take()).toEqual(['submit 1 settled 0']);
    bench.client.wake(7);
    expect(bench.take()).toEqual(['submit 3 settled 0']);
    bench.refuse(1, 8);
    bench.refuse(1, 8);
    bench.accept(1, 8);
    bench.accept(2, 8);
    bench.client.wake(12);
    expect(bench.take()).toEqual(['submit 3 settled 0']);
    bench.accept(3, 13);
    bench.client.wake(100);
    expect(bench.take()).toEqual([]);
    expect(bench.answers).toEqual([
      [2, true, ''],
      [1, false, 'full'],
      [3, true, ''],
    ]);
    expect(bench.client.unansweredCount).toBe(0);
  });

  test('the shell is asked for one wake at a time', () => {
    const bench = ready();
    for (let count = 0; count < 100; count++) bench.submit(1);
    // One for the subscription, which was answered meanwhile, serves them all.
    expect(bench.wakes).toEqual([retry]);
    bench.client.wake(retry);
    expect(bench.wakes).toEqual([retry, 1 + retry]);
  });

  test('the subscription is asked for until it stands', () => {
    const bench = new Bench();
    bench.client.start(0);
    expect(bench.sent).toMatchObject([
      { topic: 'tasks/ended/4', mode: 'exclusive', start: 'earliest', inFlightMax: 12 },
    ]);
    bench.client.wake(retry);
    bench.client.wake(2 * retry);
    expect(bench.take()).toEqual(['subscribe', 'subscribe', 'subscribe']);
  });
});

describe('ends', () => {
  test('are taken once each, in whatever order they come', () => {
    const bench = ready(100);
    for (const offset of [2, 0, 2, 1, 0, 4]) bench.deliver(offset, 1);
    expect(bench.ended).toEqual([3, 1, 2, 5]);
  });

  test('are acknowledged by number, up to the first that is missing', () => {
    const bench = ready(3);
    bench.deliver(0, 1);
    bench.deliver(1, 1);
    expect(bench.take()).toEqual([]);
    bench.deliver(2, 1);
    expect(bench.take()).toEqual(['acknowledge 2']);
    for (const offset of [3, 5, 6]) bench.deliver(offset, 2);
    expect(bench.take()).toEqual(['acknowledge 3']);
    for (const offset of [4, 7, 8]) bench.deliver(offset, 3);
    expect(bench.take()).toEqual(['acknowledge 8']);
  });

  test('are acknowledged by time when few come', () => {
    const bench = ready(3, 50);
    bench.deliver(0, 10);
    bench.deliver(1, 40);
    bench.client.wake(59);
    expect(bench.take()).toEqual([]);
    bench.client.wake(60);
    expect(bench.take()).toEqual(['acknowledge 1']);
    bench.client.wake(200);
    expect(bench.take()).toEqual([]);
  });

  test('a copy is acknowledged again: the first acknowledgement may be lost', () => {
    const bench = ready(1);
    bench.deliver(0, 1);
    bench.deliver(0, 40, 2);
    expect(bench.take()).toEqual(['acknowledge 0', 'acknowledge 0']);
    expect(bench.ended).toEqual([1]);
  });

  test('nothing is acknowledged before the first came; a gap that lasts is asked for again', () => {
    const bench = ready(2, 50);
    bench.deliver(1, 1);
    bench.deliver(2, 1);
    expect(bench.take()).toEqual([]);
    bench.client.wake(51);
    expect(bench.take()).toEqual(['subscriberConnected']);
    bench.deliver(0, 52, 2);
    bench.deliver(1, 52, 2);
    expect(bench.take()).toEqual(['acknowledge 2']);
    expect(bench.ended).toEqual([2, 3, 1]);
    bench.client.wake(500);
    expect(bench.take()).toEqual([]);
  });
});

describe('cancellations', () => {
  test('are repeated until the end is known', () => {
    const bench = ready();
    bench.submit(0);
    bench.accept(1, 0);
    bench.take();
    bench.client.cancel(1, 1);
    bench.client.cancel(1, 2);
    expect(bench.take()).toEqual(['cancel 1']);
    bench.client.wake(6);
    bench.client.wake(11);
    expect(bench.take()).toEqual(['cancel 1', 'cancel 1']);
    bench.deliver(0, 12);
    for (const at of [16, 21, 26]) bench.client.wake(at);
    expect(bench.take().filter((line) => line.startsWith('cancel'))).toEqual([]);
  });

  test('end with a refusal', () => {
    const bench = ready();
    bench.submit(0);
    bench.client.cancel(1, 0);
    bench.refuse(1, 1);
    bench.take();
    bench.client.wake(50);
    expect(bench.take()).toEqual([]);
  });

  test('of what was never submitted are a defect', () => {
    const bench = ready();
    bench.submit(0);
    expect(() => bench.client.cancel(2, 0)).toThrow(AssertionError);
    expect(() => bench.client.cancel(0, 0)).toThrow(AssertionError);
  });
});

test('a gap that shows in a full batch is asked for again, though nothing else wakes the submitter', () => {
  const bench = ready(1, 50);
  for (let number = 1; number <= 2; number++) bench.accept(bench.submit(0), 0);
  bench.take();
  bench.client.wake(bench.wakes.at(-1) as number);
  bench.wakes.splice(0);
  // The first end is lost; the second is a full batch.
  bench.deliver(1, 10);
  expect(bench.wakes).toEqual([60]);
  bench.client.wake(60);
  expect(bench.take()).toContain('subscriberConnected');
});

test('who remembers nothing resumes: what has no answer is sent again under its number, and ends go on where they were acknowledged', () => {
  const bench = new Bench(1, 50);
  bench.client.resume(7, 0);
  bench.client.start(100);
  for (const submission of [3, 6])
    bench.client.submitAgain({ submission, request, estimateMicros: 10, priority: 0, tenant: 'tenant' }, 100);
  expect(bench.take()).toEqual(['subscribe', 'submit 3 settled 0', 'submit 6 settled 0']);
  // An end of the former life comes before the kernel says where it stands.
  bench.deliver(2, 101);
  bench.take();
  bench.client.receive(
    {
      kind: 'subscribed',
      subscriber: 'submitter/4',
      subscription: 'submitter/4/ends',
      topic: 'tasks/ended/4',
      resumed: true,
      offset: 4,
    },
    102,
  );
  bench.deliver(4, 103);
  expect(bench.take()).toEqual(['acknowledge 4']);
  expect(bench.submit(104)).toBe(8);
  expect(bench.take()).toEqual(['submit 8 settled 2']);
  bench.accept(3, 105);
  bench.client.wake(100 + retry);
  expect(bench.take()).toContain('submit 6 settled 0');
});

test('of many that are overdue only so many are on their way at once, and each answer sends the next', () => {
  const bench = ready(64, 50);
  for (let number = 1; number <= 200; number++) bench.submit(0);
  bench.take();
  bench.client.wake(retry);
  const first = bench.take();
  expect(first).toHaveLength(64);
  expect(first[63]).toBe('submit 64 settled 0');
  // One that was not repeated is answered: it was late, and makes no room.
  bench.accept(100, retry + 1);
  expect(bench.take()).toEqual([]);
  bench.accept(1, retry + 1);
  bench.accept(2, retry + 1);
  expect(bench.take()).toEqual(['submit 65 settled 0', 'submit 66 settled 0']);
  // Without an answer the same are repeated.
  bench.client.wake(2 * retry);
  expect(bench.take()).toHaveLength(62);
  let answered = 0;
  for (let round = 3; answered < 300 && bench.client.unansweredCount > 0; round++) {
    for (let number = 3; number <= 200; number++, answered++) bench.accept(number, round * retry + 2);
  }
  expect(bench.client.unansweredCount).toBe(0);
});

test('on a new connection it subscribes anew and says everything again that has no answer', () => {
  const bench = new Bench();
  bench.client.start(0);
  bench.submit(1);
  bench.submit(1);
  bench.client.cancel(2, 2);
  bench.accept(2, 3);
  bench.sent.length = 0;
  bench.client.reconnected(4);
  expect(bench.sent.map((message) => [message.kind, 'submission' in message ? message.submission : 0])).toEqual([
    ['subscribe', 0],
    ['taskSubmitted', 1],
    ['taskCancelled', 2],
  ]);
});

test('one that was there before takes ends from where they were acknowledged', () => {
  const bench = new Bench(3);
  bench.client.resume(7, 5);
  expect(bench.submit(0)).toBe(8);
  bench.deliver(4, 1);
  bench.deliver(6, 1);
  bench.deliver(5, 1);
  expect(bench.ended).toEqual([7, 6]);
  expect(bench.sent.filter((message) => message.kind === 'acknowledge').at(-1)).toMatchObject({ offset: 6 });
});

test('a gap that asking does not fill is asked for now and then, however much is delivered', () => {
  const bench = new Bench(1);
  bench.client.start(0);
  let asked = 0;
  let subscribed = 0;
  // Ends below 2 were acknowledged by a former life, and the answer that says so is lost.
  for (let now = 1; now <= 500; now++) {
    for (let offset = 2; offset < 40; offset++) bench.deliver(offset, now);
    const said = bench.take();
    asked += said.filter((kind) => kind === 'subscriberConnected').length;
    subscribed += said.filter((kind) => kind === 'subscribe').length;
  }
  // After a few times in vain the answer that was lost is asked for.
  expect(asked).toBe(3);
  expect(asked + subscribed).toBeGreaterThan(5);
  expect(asked + subscribed).toBeLessThanOrEqual(11);
});
