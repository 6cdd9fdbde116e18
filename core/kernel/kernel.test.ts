import { describe, expect, test } from 'vitest';
import { AssertionError } from '../base/assert.ts';
import type { Effect, TaskEnded } from './effects.ts';
import { endsSubscriber, endsSubscription, endsTopic, Kernel } from './kernel.ts';
import { cpuRequest, helloFrom, KernelDriver, plainProfile, submissionOf } from './kernel-driver.ts';

const second = 1_000_000;
const lease = 40 * second;
const retry = 5 * second;

/** Two agents, `alpha` and `beta`, of four cores each, at time 0. */
function cluster(...options: ConstructorParameters<typeof KernelDriver>): KernelDriver {
  const driver = new KernelDriver(...options);
  driver.give(helloFrom('alpha'));
  driver.give(helloFrom('beta'));
  driver.end();
  return driver;
}

/** One task on `alpha`: attempt 1, dispatched. */
function dispatched(...options: ConstructorParameters<typeof KernelDriver>): KernelDriver {
  const driver = cluster(...options);
  driver.give(submissionOf(1));
  driver.end();
  return driver;
}

function running(...options: ConstructorParameters<typeof KernelDriver>): KernelDriver {
  const driver = dispatched(...options);
  driver.accept(1);
  return driver;
}

function ends(driver: KernelDriver, effects: readonly Effect[] = driver.effects): TaskEnded[] {
  return driver.of('deliver', effects).map((effect) => effect.payload as TaskEnded);
}

function kinds(effects: readonly Effect[]): string[] {
  return effects.map((effect) => effect.kind).filter((kind) => kind !== 'wakeAt');
}

describe('the life of a task', () => {
  test('hello, submission, dispatch, result, end', () => {
    const driver = new KernelDriver();
    driver.give(helloFrom('alpha', { sentMicros: 7 }));
    expect(driver.of('agentRegistered')).toEqual([
      {
        kind: 'agentRegistered',
        gateway: 0,
        name: 'alpha',
        agent: 0,
        incarnation: 1,
        helloSentMicros: 7,
        leaseMicros: lease,
        heartbeatIntervalMicros: 10 * second,
        stop: [],
      },
    ]);
    driver.give(submissionOf(1), 100);
    expect(kinds(driver.effects)).toEqual(['subscribed', 'submissionAccepted']);
    expect(driver.kernel.awaitsInstantEnd).toBe(true);
    driver.end();
    expect(kinds(driver.effects)).toEqual(['decisionMade', 'dispatch']);
    expect(driver.of('decisionMade')[0]?.record).toMatchObject({
      decision: 1,
      task: 1,
      submission: 1,
      attempt: 1,
      outcome: 'placed',
      machines: [0],
      feasibleCount: 1,
    });
    expect(driver.of('dispatch')).toEqual([
      {
        kind: 'dispatch',
        agent: 0,
        incarnation: 1,
        task: 1,
        attempt: 1,
        order: 1,
        submitter: 1,
        submission: 1,
        machines: [0],
        deviceMasks: [0],
      },
    ]);
    expect(driver.kernel.awaitsInstantEnd).toBe(false);
    expect(kinds(driver.accept(1))).toEqual([]);
    driver.finish(1, { serviceMicros: 77 });
    expect(kinds(driver.effects)).toEqual(['resultRecorded', 'deliver']);
    expect(driver.of('deliver')[0]).toMatchObject({
      subscriber: endsSubscriber(1),
      subscription: endsSubscription(1),
      topic: endsTopic(1),
      offset: 0,
      attempt: 1,
    });
    expect(ends(driver)).toEqual([
      { task: 1, submission: 1, outcome: 'completed', attempts: 1, attempt: 1, agent: 0, serviceMicros: 77 },
    ]);
    expect(driver.kernel.control.taskCountNow).toBe(0);
    expect(driver.kernel.counts).toMatchObject({ inputs: 5, placements: 1 });
  });

  test('an end is delivered until it is acknowledged, and then no more', () => {
    const driver = running();
    driver.finish(1);
    expect(ends(driver)).toHaveLength(1);
    driver.beat([0, 1]);
    expect(ends(driver, driver.pass(29 * second))).toHaveLength(0);
    expect(driver.of('deliver', driver.pass(30 * second))[0]).toMatchObject({ offset: 0, attempt: 2 });
    driver.give({
      kind: 'acknowledge',
      timeMicros: driver.nowMicros,
      subscriber: endsSubscriber(1),
      subscription: endsSubscription(1),
      offset: 0,
      cumulative: true,
    });
    for (let at = 31; at < 300; at += 5) expect(ends(driver, driver.pass(at * second))).toHaveLength(0);
  });

  test('a task that fits nowhere waits, with the reason, until something is freed', () => {
    const driver = cluster();
    const request = { ...cpuRequest, cpuMilli: 3000 };
    for (const submission of [1, 2, 3]) driver.give(submissionOf(submission, { request }));
    driver.end();
    const outcomes = driver.of('decisionMade').map(({ record }) => [record.submission, record.outcome]);
    expect(outcomes).toEqual([
      [1, 'placed'],
      [2, 'placed'],
      [3, 'waits'],
    ]);
    expect(driver.of('decisionMade')[2]?.record.reasonCounts.slice(0, 6)).toEqual([0, 0, 0, 0, 2, 0]);
    expect(driver.kernel.awaitsInstantEnd).toBe(false);
    driver.accept(1);
    driver.finish(1);
    expect(driver.kernel.awaitsInstantEnd).toBe(true);
    driver.end();
    expect(driver.of('dispatch')).toMatchObject([{ submission: 3, attempt: 3, agent: 0, order: 2 }]);
  });
});

describe('what comes twice, late or from somebody else', () => {
  test('a repeated submission is one task, and is answered again', () => {
    const driver = cluster();
    driver.give(submissionOf(1));
    driver.give(submissionOf(1));
    expect(driver.of('submissionAccepted')).toHaveLength(1);
    driver.end();
    expect(driver.of('dispatch')).toHaveLength(1);
    driver.accept(1);
    driver.finish(1);
    driver.give(submissionOf(1));
    expect(kinds(driver.effects)).toEqual(['submissionAccepted']);
    expect(driver.kernel.awaitsInstantEnd).toBe(false);
  });

  test('a submission that its submitter calls settled needs no answer', () => {
    const driver = cluster();
    driver.give(submissionOf(1));
    driver.give(submissionOf(2, { settled: 1 }));
    expect(kinds(driver.give(submissionOf(1)))).toEqual([]);
  });

  test('two submitters count their submissions apart', () => {
    const driver = cluster();
    driver.give(submissionOf(1));
    driver.give(submissionOf(1, { submitter: 2 }));
    driver.end();
    expect(driver.of('dispatch').map(({ submitter, task }) => [submitter, task])).toEqual([
      [1, 1],
      [2, 2],
    ]);
    driver.finish(2);
    expect(driver.of('deliver')[0]?.topic).toBe(endsTopic(2));
  });

  test('an acceptance that comes twice, for nothing, or from another agent changes nothing', () => {
    const driver = running();
    const before = driver.kernel.save();
    for (const [attempt, agent, incarnation] of [
      [1, 0, 1],
      [2, 0, 1],
      [1, 1, 1],
      [1, 0, 2],
      [1, 7, 1],
    ] as const) {
      expect(kinds(driver.accept(attempt, agent, incarnation))).toEqual([]);
    }
    expect(driver.kernel.save().control).toEqual(before.control);
  });

  test('a result counts once; each copy gets its receipt', () => {
    const driver = running();
    expect(kinds(driver.finish(1))).toEqual(['resultRecorded', 'deliver']);
    expect(kinds(driver.finish(1))).toEqual(['resultRecorded']);
    expect(kinds(driver.finish(1, { outcome: 'failed' }))).toEqual(['resultRecorded']);
    expect(kinds(driver.accept(1))).toEqual([]);
  });

  test('a result counts only from the agent and incarnation that lead the attempt', () => {
    const driver = running();
    for (const wrong of [{ agent: 1 }, { incarnation: 2 }, { incarnation: 0 }, { agent: 9 }, { agent: -1 }]) {
      expect(kinds(driver.finish(1, wrong))).toEqual(['resultRecorded']);
    }
    expect(driver.kernel.control.scheduler.attempts.size).toBe(1);
    expect(ends(driver, driver.finish(1))).toHaveLength(1);
  });

  test('a result may come before the acceptance', () => {
    const driver = dispatched();
    expect(ends(driver, driver.finish(1))).toHaveLength(1);
    expect(kinds(driver.accept(1))).toEqual([]);
    for (let at = 5; at <= 30; at += 5) expect(driver.of('dispatch', driver.pass(at * second))).toEqual([]);
  });

  test('a result of the attempt before does not end the task', () => {
    const driver = running();
    driver.give(helloFrom('alpha', { incarnation: 2 }));
    driver.end();
    expect(driver.of('dispatch')).toMatchObject([{ task: 1, attempt: 2, incarnation: 2, order: 1 }]);
    expect(kinds(driver.finish(1))).toEqual(['resultRecorded']);
    expect(kinds(driver.finish(1, { incarnation: 2 }))).toEqual(['resultRecorded']);
    expect(ends(driver, driver.finish(2, { incarnation: 2 }))).toMatchObject([{ submission: 1, attempts: 2 }]);
  });

  test('an old incarnation is refused, and its heartbeats keep nothing alive', () => {
    const driver = running();
    driver.give(helloFrom('alpha', { incarnation: 2 }), second);
    driver.give(helloFrom('alpha', { incarnation: 1 }));
    expect(driver.of('agentRefused')).toMatchObject([
      { name: 'alpha', incarnation: 1, reason: 'incarnation is older than the one known' },
    ]);
    driver.nowMicros = 20 * second;
    driver.beat([0, 1], [1, 1]);
    driver.pass(second + lease + 1);
    expect(driver.of('agentStateChanged')).toMatchObject([{ agent: 0, to: 'dead', reason: 'lease expired' }]);
  });

  test('a hello that was overtaken settles nothing; a newer connection settles what runs', () => {
    const driver = running();
    driver.give(helloFrom('alpha', { connection: 1, running: [] }));
    expect(driver.of('agentRegistered')).toMatchObject([{ agent: 0, stop: [] }]);
    expect(driver.kernel.control.scheduler.attempts.size).toBe(1);

    const stranger = { task: 99, attempt: 99 };
    driver.give(helloFrom('alpha', { connection: 2, running: [{ task: 1, attempt: 1 }, stranger] }));
    expect(driver.of('agentRegistered')).toMatchObject([{ stop: [stranger] }]);
    driver.end();
    expect(driver.of('dispatch')).toEqual([]);

    // It may have begun what it does not name since it said so.
    driver.give(helloFrom('alpha', { connection: 3, running: [] }));
    expect(driver.of('stop')).toMatchObject([{ task: 1, attempt: 1 }]);
    driver.end();
    expect(driver.of('dispatch')).toEqual([]);
    driver.finish(1, { outcome: 'stopped', serviceMicros: 0 });
    driver.end();
    expect(driver.of('dispatch')).toMatchObject([{ task: 1, attempt: 2 }]);
    // The connection before says again what it ran: it is an old story.
    driver.give(helloFrom('alpha', { connection: 2, running: [{ task: 1, attempt: 1 }] }));
    expect(driver.of('agentRegistered')).toMatchObject([{ stop: [] }]);
  });

  test('a dispatch on its way is no loss when the agent reconnects', () => {
    const driver = dispatched();
    driver.give(helloFrom('alpha', { connection: 2, running: [] }));
    driver.end();
    expect(driver.of('dispatch')).toEqual([]);
    expect(driver.of('dispatch', driver.pass(retry))).toMatchObject([{ attempt: 1 }]);
  });
});

describe('agents come and go', () => {
  test('other resources than at first are refused', () => {
    const driver = running();
    const resources = { cpuMilli: 8000, memoryMib: 16_384, gpuCount: 0, gpuModel: '' };
    driver.give(helloFrom('alpha', { incarnation: 2, resources }));
    expect(driver.of('agentRefused')[0]?.reason).toBe('resources differ from the first registration');
    expect(ends(driver, driver.finish(1))).toHaveLength(1);
  });

  test('machines that no column can hold are refused, and the kernel goes on', () => {
    const driver = new KernelDriver();
    const reasonOf = (name: string, gpuCount: number, gpuModel: string): string | undefined => {
      driver.give(helloFrom(name, { resources: { cpuMilli: 1, memoryMib: 1, gpuCount, gpuModel } }));
      return driver.of('agentRefused')[0]?.reason;
    };
    expect(reasonOf('a', 17, 'T4')).toBe('a machine has 0 to 16 GPUs, not 17');
    expect(reasonOf('a', 0.5, 'T4')).toBe('a machine has 0 to 16 GPUs, not 0.5');
    expect(reasonOf('a', Number.NaN, 'T4')).toBe('resources are not finite and non-negative');
    expect(reasonOf('a', 1, '')).toBe('a GPU model has a name');
    for (let model = 0; model < 30; model++) expect(reasonOf(`m${model}`, 16, `model-${model}`)).toBeUndefined();
    expect(reasonOf('m30', 1, 'model-30')).toBe('there are more than 30 GPU models');
    expect(reasonOf('m31', 1, 'model-3')).toBeUndefined();
    expect(driver.of('agentRegistered')[0]?.agent).toBe(30);
  });

  test('silence makes suspect, a heartbeat clears it, the end of the lease kills and the task moves on', () => {
    const driver = running();
    const changes = (): string[] =>
      driver.of('agentStateChanged').map(({ agent, from, to, reason }) => `${agent} ${from} ${to}: ${reason}`);
    const beats = (agents: number[], at: number): void => {
      driver.nowMicros = at * second;
      driver.beat(agents);
    };
    beats([0, 1], 10);
    for (const at of [20, 30, 40]) beats([1], at);
    driver.pass(48 * second);
    expect(changes()).toEqual(['0 ready suspect: heartbeat overdue']);
    driver.give(submissionOf(2));
    driver.end();
    expect(driver.of('dispatch')).toMatchObject([{ agent: 1 }]);
    beats([0, 1], 49);
    expect(changes()).toEqual(['0 suspect ready: heartbeat returned']);
    for (const at of [59, 69, 79]) beats([1], at);
    driver.pass(88 * second);
    expect(changes()).toEqual(['0 ready suspect: heartbeat overdue']);
    driver.pass(49 * second + lease);
    expect(changes()).toEqual([]);
    driver.pass(49 * second + lease + 1);
    expect(changes()).toEqual(['0 suspect dead: lease expired']);
    driver.end();
    expect(driver.of('dispatch')).toMatchObject([{ task: 1, attempt: 3, agent: 1 }]);
    // The former owner is heard no more, and must come back as somebody new.
    expect(kinds(driver.finish(1))).toEqual(['resultRecorded']);
    driver.give(helloFrom('alpha'));
    expect(driver.of('agentRefused')[0]?.reason).toBe('incarnation is dead');
    driver.give(helloFrom('alpha', { incarnation: 2 }));
    expect(driver.of('agentRegistered')).toMatchObject([{ agent: 0, incarnation: 2 }]);
    expect(ends(driver, driver.finish(3, { agent: 1 }))).toMatchObject([{ submission: 1, attempts: 2, agent: 1 }]);
  });

  test('a restart loses what ran: it is placed anew, its orders count from 1', () => {
    const driver = running();
    driver.give(submissionOf(2));
    driver.end();
    expect(driver.of('dispatch')).toMatchObject([{ agent: 0, order: 2 }]);
    driver.give(helloFrom('alpha', { incarnation: 5, running: [{ task: 1, attempt: 1 }] }));
    expect(driver.of('agentRegistered')).toMatchObject([{ incarnation: 5, stop: [{ task: 1, attempt: 1 }] }]);
    driver.end();
    expect(driver.of('dispatch')).toMatchObject([
      { task: 1, attempt: 3, incarnation: 5, order: 1 },
      { task: 2, attempt: 4, incarnation: 5, order: 2 },
    ]);
  });

  test('a draining agent keeps its work and gets no more', () => {
    const driver = running();
    driver.give({ kind: 'agentDraining', agent: 0, incarnation: 0 });
    expect(driver.of('agentStateChanged')).toEqual([]);
    driver.give({ kind: 'agentDraining', agent: 0, incarnation: 1 });
    expect(driver.of('agentStateChanged')).toMatchObject([{ agent: 0, from: 'ready', to: 'draining' }]);
    driver.give(submissionOf(2));
    driver.end();
    expect(driver.of('dispatch')).toMatchObject([{ agent: 1 }]);
    expect(driver.of('decisionMade')[0]?.record.reasonCounts.slice(0, 6)).toEqual([1, 1, 0, 0, 0, 0]);
    expect(ends(driver, driver.finish(1))).toHaveLength(1);
  });

  test('a task over several machines is stopped on its leader when a follower dies, and only then placed anew', () => {
    const driver = cluster();
    driver.give(helloFrom('gamma'));
    driver.give(submissionOf(1, { request: { ...cpuRequest, cpuMilli: 4000, machineCount: 2 } }));
    driver.end();
    expect(driver.of('dispatch')).toMatchObject([{ agent: 0, machines: [0, 1] }]);
    driver.accept(1);
    driver.give(helloFrom('beta', { incarnation: 2 }));
    expect(driver.of('stop')).toMatchObject([{ agent: 0, attempt: 1, order: 1 }]);
    driver.end();
    expect(driver.of('dispatch')).toEqual([]);
    expect(driver.of('stop', driver.pass(retry))).toHaveLength(1);
    driver.finish(1, { outcome: 'stopped' });
    driver.end();
    expect(driver.of('dispatch')).toMatchObject([{ attempt: 2, machines: [0, 1] }]);
  });

  test('resumed: what came due in the pause is put off, the fleet lives', () => {
    const driver = running();
    driver.nowMicros = 10 * second;
    driver.beat([0, 1]);
    const pause = 1000 * second;
    driver.give({ kind: 'resumed', pausedMicros: pause }, 11 * second + pause);
    expect(driver.of('agentStateChanged')).toEqual([]);
    driver.nowMicros += 10 * second;
    driver.beat([1]);
    driver.pass(10 * second + pause + lease);
    expect(driver.of('agentStateChanged').filter(({ to }) => to === 'dead')).toEqual([]);
    // Two sweeps are a tenth of a second apart.
    driver.pass(10 * second + pause + lease + 100_000);
    expect(driver.of('agentStateChanged')).toMatchObject([{ agent: 0, to: 'dead' }]);
  });

  test('resumed: an end that was delivered is not delivered again for a silence that nobody heard', () => {
    const driver = running();
    driver.finish(1);
    driver.give({ kind: 'resumed', pausedMicros: 1000 * second }, 1001 * second);
    expect(ends(driver)).toEqual([]);
    expect(ends(driver, driver.pass(1030 * second))).toHaveLength(1);
  });
});

describe('tasks that do not complete', () => {
  test('cancelled while it waits', () => {
    const driver = cluster();
    const request = { ...cpuRequest, cpuMilli: 9000 };
    driver.give(submissionOf(1, { request }));
    driver.end();
    const cancel = { kind: 'taskCancelled', submitter: 1, submission: 1 } as const;
    expect(kinds(driver.give({ ...cancel, submitter: 2 }))).toEqual([]);
    expect(kinds(driver.give({ ...cancel, submission: 2 }))).toEqual([]);
    driver.give(cancel);
    expect(ends(driver)).toMatchObject([{ submission: 1, outcome: 'cancelled', attempts: 0, agent: -1 }]);
    expect(kinds(driver.give(cancel))).toEqual([]);
    expect(driver.kernel.control.scheduler.queueLength).toBe(0);
  });

  test('cancelled while it runs: stopped, told again until the agent answers', () => {
    const driver = running();
    driver.beat([0, 1]);
    const cancel = { kind: 'taskCancelled', submitter: 1, submission: 1 } as const;
    expect(kinds(driver.give(cancel))).toEqual(['stop']);
    expect(kinds(driver.give(cancel))).toEqual([]);
    for (let at = 1; at <= 3; at++) expect(kinds(driver.pass(at * retry))).toEqual(['stop']);
    driver.finish(1, { outcome: 'stopped' });
    expect(ends(driver)).toMatchObject([{ outcome: 'cancelled', attempts: 1, agent: 0 }]);
    driver.beat([0, 1]);
    expect(kinds(driver.pass(4 * retry))).toEqual([]);
  });

  test('cancelled before the dispatch was answered: one question is repeated, not two', () => {
    const driver = dispatched();
    driver.beat([0, 1]);
    driver.give({ kind: 'taskCancelled', submitter: 1, submission: 1 });
    for (let at = 1; at <= 3; at++) expect(kinds(driver.pass(at * retry))).toEqual(['stop']);
  });

  test('cancelled too late: it completed, and says so', () => {
    const driver = running();
    driver.give({ kind: 'taskCancelled', submitter: 1, submission: 1 });
    expect(ends(driver, driver.finish(1))).toMatchObject([{ outcome: 'completed' }]);
  });

  test('cancelled while its agent dies: it is not placed anew', () => {
    const driver = running();
    driver.give({ kind: 'taskCancelled', submitter: 1, submission: 1 });
    driver.give(helloFrom('alpha', { incarnation: 2 }));
    expect(ends(driver)).toMatchObject([{ outcome: 'cancelled', attempts: 1 }]);
    driver.end();
    expect(driver.of('dispatch')).toEqual([]);
  });

  test('its attempts are used up: failed', () => {
    const driver = running({}, { 'scheduler.attemptsMax': 3 });
    driver.finish(1, { outcome: 'failed' });
    for (const attempt of [2, 3]) {
      driver.end();
      expect(driver.of('dispatch')).toMatchObject([{ task: 1, attempt }]);
      expect(ends(driver)).toEqual([]);
      driver.finish(attempt, { outcome: 'failed' });
    }
    expect(ends(driver)).toMatchObject([{ outcome: 'failed', attempts: 3, agent: 0 }]);
    driver.end();
    expect(driver.of('dispatch')).toEqual([]);
  });

  test('the queue is full: refused, and refused again when asked again, though there is room by now', () => {
    const driver = new KernelDriver({}, { 'scheduler.queueLengthMax': 2 });
    for (const submission of [1, 2]) driver.give(submissionOf(submission));
    const refusal = {
      kind: 'submissionRefused',
      submitter: 1,
      submission: 3,
      code: 'SIRA_QUEUE_FULL',
      reason: '2 tasks wait already',
      retryAfterMicros: 1_000_000,
    };
    expect(driver.give(submissionOf(3))).toEqual([refusal]);
    driver.give({ kind: 'taskCancelled', submitter: 1, submission: 1 });
    expect(driver.give(submissionOf(3))).toEqual([refusal]);
    expect(kinds(driver.give(submissionOf(4)))).toEqual(['submissionAccepted']);
  });

  test('requests that mean nothing are refused', () => {
    const driver = cluster();
    let submission = 0;
    const reasonOf = (request: object, changes: object = {}): string | undefined => {
      driver.give(submissionOf(++submission, { request: { ...cpuRequest, ...request }, ...changes }));
      const [refused] = driver.of('submissionRefused');
      if (refused !== undefined) expect(refused.code).toBe('SIRA_MESSAGE_REFUSED');
      return refused?.reason;
    };
    expect(reasonOf({ cpuMilli: -1 })).toBe('CPU and memory are finite and non-negative');
    expect(reasonOf({ memoryMib: Number.NaN })).toBe('CPU and memory are finite and non-negative');
    expect(reasonOf({ machineCount: 0 })).toBe('a task spans 1 to 65536 machines, not 0');
    expect(reasonOf({ machineCount: 1.5 })).toBe('a task spans 1 to 65536 machines, not 1.5');
    expect(reasonOf({ gpuCount: 17, gpuMilli: 1000 })).toBe('a task takes 0 to 16 GPUs a machine, not 17');
    expect(reasonOf({ gpuCount: 1, gpuMilli: 1001 })).toBe('a share of a GPU is 1 to 1000 milli, not 1001');
    expect(reasonOf({ gpuCount: 1, gpuMilli: 0 })).toBe('a share of a GPU is 1 to 1000 milli, not 0');
    expect(reasonOf({ gpuModels: [''] })).toBe('a GPU model has a name');
    expect(reasonOf({ gpuModels: Array.from({ length: 31 }, (_, index) => `m${index}`) })).toBe(
      'there are more than 30 GPU models',
    );
    expect(reasonOf({}, { estimateMicros: Number.POSITIVE_INFINITY })).toBe('the estimate is finite and non-negative');
    expect(reasonOf({}, { priority: Number.NaN })).toBe('the priority is a finite number');
    expect(reasonOf({ cpuMilli: 0.5 })).toBeUndefined();
    driver.end();
    expect(driver.of('dispatch')).toHaveLength(1);
  });

  test('dropped by its policy', () => {
    const driver = cluster({ unplaced: 'drop' });
    driver.give(submissionOf(1, { request: { ...cpuRequest, cpuMilli: 9000 } }));
    driver.end();
    expect(driver.of('decisionMade')[0]?.record.outcome).toBe('dropped');
    expect(ends(driver)).toMatchObject([{ outcome: 'dropped', attempts: 0, agent: -1 }]);
  });

  test('backs off: tried again after 1, 2, 4 … seconds', () => {
    const driver = cluster({ unplaced: 'backoff' });
    driver.give(submissionOf(1, { request: { ...cpuRequest, cpuMilli: 9000 } }));
    driver.end();
    for (const at of [1, 3, 7]) {
      driver.pass(at * second - 1);
      expect(driver.kernel.awaitsInstantEnd).toBe(false);
      driver.pass(at * second);
      expect(driver.kernel.awaitsInstantEnd).toBe(true);
      driver.end();
      expect(driver.of('decisionMade')[0]?.record.outcome).toBe('backs off');
    }
  });
});

describe('ends that the topic has no room for', () => {
  const acknowledge = (submitter: number, offset: number) =>
    ({
      kind: 'acknowledge',
      timeMicros: 0,
      subscriber: endsSubscriber(submitter),
      subscription: endsSubscription(submitter),
      offset,
      cumulative: true,
    }) as const;

  test('wait in order, and hold up no other submitter', () => {
    const driver = cluster({ unplaced: 'drop' }, { 'bus.topicLengthMax': 2 });
    const request = { ...cpuRequest, cpuMilli: 9000 };
    for (let submission = 1; submission <= 5; submission++) driver.give(submissionOf(submission, { request }));
    driver.end();
    expect(ends(driver).map((end) => end.submission)).toEqual([1, 2]);
    driver.give(submissionOf(1, { submitter: 2, request }));
    driver.end();
    expect(driver.of('deliver').map(({ topic }) => topic)).toEqual([endsTopic(2)]);
    driver.restart();
    driver.give(acknowledge(2, 0));
    expect(ends(driver)).toEqual([]);
    driver.give(acknowledge(1, 0));
    expect(ends(driver).map((end) => end.submission)).toEqual([3]);
    driver.give(submissionOf(6, { request }));
    driver.end();
    expect(ends(driver)).toEqual([]);
    driver.give(acknowledge(1, 2));
    expect(ends(driver).map((end) => end.submission)).toEqual([4, 5]);
    driver.give(acknowledge(1, 4));
    expect(ends(driver).map((end) => end.submission)).toEqual([6]);
    driver.give(acknowledge(1, 5));
    expect(driver.kernel.save().pendingEnds).toEqual([]);
  });

  test('nobody else may publish under the kernel’s name', () => {
    const driver = running();
    const message = { timeMicros: 0, producer: 'kernel', sequence: 1, payload: 'false end' } as const;
    driver.give({ kind: 'publish', topic: endsTopic(1), ...message });
    expect(driver.of('refused')).toMatchObject([
      { client: 'kernel', sequence: 1, reason: 'producer name is reserved', code: 'SIRA_MESSAGE_REFUSED' },
    ]);
    expect(ends(driver, driver.finish(1))).toMatchObject([{ outcome: 'completed' }]);
  });
});

describe('timers', () => {
  test('a dispatch is repeated until it is answered', () => {
    const driver = dispatched();
    driver.beat([0, 1]);
    expect(kinds(driver.pass(retry - 1))).toEqual([]);
    for (const at of [1, 2, 3]) {
      const [dispatch, ...others] = driver.of('dispatch', driver.pass(at * retry));
      expect(others).toEqual([]);
      expect(dispatch).toMatchObject({ attempt: 1, order: 1 });
    }
    driver.accept(1);
    driver.beat([0, 1]);
    expect(driver.of('dispatch', driver.pass(4 * retry))).toEqual([]);
  });

  test('a shorter wait for an answer holds from the next dispatch on', () => {
    const driver = dispatched();
    driver.give({ kind: 'settingChanged', name: 'dispatch.retryMicros', value: second, who: 'me', why: 'test' });
    driver.give(submissionOf(2));
    driver.end();
    expect(driver.of('dispatch', driver.pass(second))).toMatchObject([{ attempt: 2 }]);
    expect(driver.of('dispatch', driver.pass(4 * second))).toMatchObject([{ attempt: 2 }]);
    expect(driver.of('dispatch', driver.pass(retry)).map(({ attempt }) => attempt)).toEqual([1, 2]);
  });

  test('the kernel asks to be woken for the next deadline, once for each', () => {
    const driver = dispatched();
    const wakes: number[] = [];
    const note = (effects: readonly Effect[]): void => {
      wakes.push(...driver.of('wakeAt', effects).map(({ timeMicros }) => timeMicros));
    };
    // Registration asked for the sweep, the dispatch for its repetition.
    note(driver.end());
    driver.accept(1);
    for (let submission = 2; submission <= 50; submission++) {
      note(driver.give(submissionOf(submission), driver.nowMicros + 10_000));
      note(driver.end());
      for (const { attempt, agent } of driver.of('dispatch')) {
        note(driver.accept(attempt, agent));
        note(driver.finish(attempt, { agent }));
      }
    }
    // All of these dispatches were answered and all fall into one wish; ends wait for their acknowledgement later than that.
    expect(wakes).toEqual([]);
    expect(driver.of('wakeAt', driver.pass(retry))).toHaveLength(1);
  });

  test('an idle fleet costs one wake a heartbeat interval, at most', () => {
    const driver = cluster();
    let wakes = 0;
    for (let at = 1; at <= 1000; at++) {
      driver.nowMicros = at * 10 * second;
      wakes += driver.of('wakeAt', driver.beat([0, 1])).length;
    }
    expect(wakes).toBeLessThanOrEqual(1000);
    expect(driver.kernel.counts.timers).toBeLessThanOrEqual(1000);
  });

  test('due timers fire before the input, in order of their deadlines', () => {
    // The repetition is due at 5 s, the delivery at 30 s, both deaths after 40 s; the kernel hears of it all at 50 s.
    const driver = running();
    driver.finish(1);
    driver.give(submissionOf(2));
    driver.end();
    driver.give(submissionOf(3), 50 * second);
    expect(kinds(driver.effects)).toEqual([
      'dispatch',
      'deliver',
      'agentStateChanged',
      'agentStateChanged',
      'submissionAccepted',
    ]);
    expect(driver.of('agentStateChanged').map(({ to }) => to)).toEqual(['dead', 'dead']);
  });

  test('at one deadline deaths come first: nobody is told to begin who is dead', () => {
    const settings = {
      'registry.heartbeatIntervalMicros': 10 * second,
      'registry.leaseMicros': 25 * second,
      'dispatch.retryMicros': 25 * second + 1,
      'bus.redeliveryMicros': 25 * second + 1,
    };
    const driver = cluster({ unplaced: 'backoff' }, settings);
    driver.give(submissionOf(1));
    driver.give(submissionOf(2));
    driver.end();
    driver.finish(1);
    driver.pass(25 * second + 1);
    // The dispatch of the second task has nobody left to be repeated to.
    expect(kinds(driver.effects)).toEqual(['agentStateChanged', 'agentStateChanged', 'deliver']);
  });
});

describe('settings', () => {
  const change = (name: string, value: number) =>
    ({ kind: 'settingChanged', name, value, who: 'operator', why: 'test' }) as const;

  test('a change applies from the next input on', () => {
    const driver = new KernelDriver();
    driver.give(submissionOf(1));
    expect(driver.give(change('scheduler.queueLengthMax', 1))).toEqual([
      { kind: 'settingAnswered', name: 'scheduler.queueLengthMax', version: 1, refusal: '' },
    ]);
    expect(kinds(driver.give(submissionOf(2)))).toEqual(['submissionRefused']);
    expect(driver.kernel.settings.history()).toMatchObject([{ version: 1, who: 'operator', why: 'test' }]);
  });

  test('out of bounds, unknown, or against a rule: refused with the reason', () => {
    const driver = new KernelDriver();
    const refusal = (name: string, value: number): string => {
      driver.give(change(name, value));
      const [answer] = driver.of('settingAnswered');
      expect(answer).toMatchObject({ name, version: 0 });
      return answer?.refusal ?? '';
    };
    expect(refusal('scheduler.queueLengthMax', 0)).toMatch(/at least 1/);
    expect(refusal('scheduler.queueLengthMaxx', 1)).toMatch(/did you mean scheduler.queueLengthMax/);
    expect(refusal('registry.leaseMicros', 1000)).toMatch(/at least 2.5 times registry.heartbeatIntervalMicros/);
    expect(refusal('scheduler.backoffMaxMicros', 10)).toMatch(/backoffFirstMicros/);
  });
});

describe('the order of inputs', () => {
  test('a gap, a repetition, or time that runs backwards is a defect', () => {
    const kernel = new Kernel(plainProfile, new KernelDriver().kernel.settings, 1);
    const give = (sequence: number, timeMicros: number): void =>
      kernel.handle({ sequence, timeMicros, body: { kind: 'timeReached' } }, []);
    expect(() => give(2, 0)).toThrow(AssertionError);
    give(1, 10);
    expect(() => give(1, 10)).toThrow(AssertionError);
    expect(() => give(3, 10)).toThrow(AssertionError);
    expect(() => give(2, 9)).toThrow(AssertionError);
    give(2, 10);
  });

  test('a refused input leaves the kernel as it was', () => {
    const driver = dispatched();
    const before = JSON.stringify(driver.kernel.save());
    expect(() => driver.kernel.handle({ sequence: 99, timeMicros: 1, body: { kind: 'timeReached' } }, [])).toThrow();
    expect(JSON.stringify(driver.kernel.save())).toBe(before);
  });
});
