// Settings that parts hold a copy of, changed while the kernel runs: each applies at once, harms nobody who acted on the old ones,
// and a kernel restored from its snapshot goes on alike.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { KernelSettingName } from '../config/kernel-setting-table.ts';
import { helloFrom, KernelDriver, submissionOf } from './kernel-driver.ts';

const second = 1_000_000;

function change(driver: KernelDriver, values: Partial<Record<KernelSettingName, number>>): string {
  driver.give({ kind: 'settingsAssigned', values: values as Record<string, number>, who: 'operator', why: 'test' });
  return driver.of('settingAnswered')[0]?.refusal as string;
}

/** The agent beats every interval from `fromMicros` on. Returns what agents were told last. */
function beats(driver: KernelDriver, count: number, everyMicros: number) {
  let terms: unknown;
  for (let beat = 0; beat < count; beat++) {
    driver.nowMicros += everyMicros;
    driver.beat([0]);
    terms = driver.of('heartbeatsRecorded')[0]?.terms;
  }
  return terms;
}

const states = (driver: KernelDriver) => driver.of('agentStateChanged').map(({ to, reason }) => `${to}: ${reason}`);

describe('leases', () => {
  test('agents hear of other terms with each receipt from then on, and not before', () => {
    const driver = new KernelDriver();
    driver.give(helloFrom('alpha'));
    expect(beats(driver, 2, 10 * second)).toBeUndefined();
    expect(change(driver, { 'registry.leaseMicros': 60 * second })).toBe('');
    const terms = { leaseMicros: 60 * second, heartbeatIntervalMicros: 10 * second };
    expect(beats(driver, 1, 10 * second)).toEqual(terms);
    driver.restart();
    expect(beats(driver, 1, 10 * second)).toEqual(terms);
    driver.give(helloFrom('beta'));
    expect(driver.of('agentRegistered')[0]).toMatchObject(terms);
  });

  test('a shorter lease takes no end back that was promised; the next one is shorter', () => {
    const driver = new KernelDriver();
    driver.give(helloFrom('alpha'));
    beats(driver, 1, 10 * second);
    change(driver, { 'registry.leaseMicros': 25 * second });
    beats(driver, 1, second);
    // The agent may not have heard of it: it believes in 10 + 40 s, as before.
    driver.pass(50 * second);
    expect(states(driver)).not.toContain('dead: lease expired');
    driver.pass(51 * second);
    expect(states(driver)).toContain('dead: lease expired');
    driver.give(helloFrom('alpha', { incarnation: 2 }));
    driver.pass(77 * second);
    expect(states(driver)).toContain('dead: lease expired');
  });

  test('one too short for its heartbeats is refused, with what to do', () => {
    const driver = new KernelDriver();
    expect(change(driver, { 'registry.leaseMicros': 25 * second - 1 })).toMatch(
      /at least 2.5 times .* or the interval/,
    );
    expect(change(driver, { 'registry.heartbeatIntervalMicros': 17 * second })).toMatch(/at least 2.5 times/);
    const both = { 'registry.leaseMicros': 5 * second, 'registry.heartbeatIntervalMicros': 2 * second };
    expect(change(driver, both)).toBe('');
  });

  test('a longer one holds from the next heartbeat on, also across a restart', () => {
    const driver = new KernelDriver();
    driver.give(helloFrom('alpha'));
    change(driver, { 'registry.leaseMicros': 100 * second });
    beats(driver, 1, 10 * second);
    driver.restart();
    driver.pass(109 * second);
    expect(states(driver)).toEqual(['suspect: heartbeat overdue']);
    driver.pass(111 * second);
    expect(states(driver)).toEqual(['dead: lease expired']);
  });

  test('who beats at the old interval until it hears of a longer one, or of a shorter one, is not suspected', () => {
    for (const [from, to] of [
      [second, 10 * second],
      [10 * second, second],
    ] as const) {
      const driver = new KernelDriver(
        {},
        {
          'registry.heartbeatIntervalMicros': from,
          'registry.leaseMicros': 40 * second,
        },
      );
      driver.give(helloFrom('alpha'));
      beats(driver, 50, from);
      change(driver, { 'registry.heartbeatIntervalMicros': to });
      const seen: string[] = [];
      // One more beat at the old pace, which brings the new one.
      for (const everyMicros of [from, ...Array.from({ length: 60 }, () => to)]) {
        beats(driver, 1, everyMicros);
        seen.push(...states(driver));
      }
      expect(seen).toEqual([]);
      driver.pass(driver.nowMicros + 35 * second);
      expect(states(driver), 'and silence is missed').toEqual(['suspect: heartbeat overdue']);
    }
  });

  test('a lower threshold suspects at once who is silent for too long for it', () => {
    const driver = new KernelDriver({}, { 'registry.suspicionThreshold': 16 });
    driver.give(helloFrom('alpha'));
    beats(driver, 30, 10 * second);
    driver.pass(driver.nowMicros + 26 * second);
    expect(states(driver)).toEqual([]);
    change(driver, { 'registry.suspicionThreshold': 1 });
    driver.pass(driver.nowMicros + second);
    expect(states(driver)).toEqual(['suspect: heartbeat overdue']);
  });
});

describe('skills', () => {
  /** Two agents; the first has shown that it takes `first` seconds a task. */
  function learned(settings: Partial<Record<KernelSettingName, number>> = {}) {
    const driver = new KernelDriver({ place: 'fastest' }, settings);
    for (const name of ['known', 'unknown']) driver.give(helloFrom(name, { capabilities: { resnet: 1 } }));
    return driver;
  }
  let submission = 0;
  function run(driver: KernelDriver, serviceMicros: number): number {
    driver.give(submissionOf(++submission, { taskClass: 'resnet' }));
    const [dispatch] = driver.of('dispatch', driver.end());
    const { agent = -1, task = -1, attempt = -1 } = dispatch ?? {};
    driver.nowMicros += serviceMicros;
    driver.give({ kind: 'taskFinished', agent, incarnation: 1, task, attempt, outcome: 'completed', serviceMicros });
    return agent;
  }

  test('without optimism the known agent is taken, with it the one that nobody knows', () => {
    const driver = learned({ 'skills.optimism': 0 });
    for (let task = 0; task < 20; task++) expect(run(driver, second)).toBe(0);
    change(driver, { 'skills.optimism': 10 });
    expect(run(driver, second)).toBe(1);
  });

  test('a half-life counts from the change on: what was learned by then keeps its weight', () => {
    const weights = (driver: KernelDriver) =>
      driver.kernel.control.registry.skills.measured(0, driver.kernel.control.registry.skills.classOf('resnet'));
    const driver = learned({ 'skills.halfLifeMicros': 1000 * second, 'skills.optimism': 0 });
    for (let task = 0; task < 10; task++) run(driver, second);
    const before = weights(driver)?.samples as number;
    expect(before).toBeGreaterThan(9.9);
    change(driver, { 'skills.halfLifeMicros': second });
    expect(weights(driver)?.samples).toBeCloseTo(before, 9);
    driver.restart();
    run(driver, second);
    // All but the newest have halved, over one second.
    expect(weights(driver)?.samples).toBeCloseTo(before / 2 + 1, 6);
    change(driver, { 'skills.halfLifeMicros': 1000 * second });
    expect(weights(driver)?.samples).toBeCloseTo(before / 2 + 1, 6);
  });

  test('classes beyond a bound teach nothing, until it is raised', () => {
    const driver = learned({ 'skills.classesMax': 0 });
    run(driver, second);
    expect(driver.of('skillMeasured')).toEqual([]);
    change(driver, { 'skills.classesMax': 1 });
    run(driver, second);
    expect(driver.of('skillMeasured')).toHaveLength(1);
  });
});

describe('the broker', () => {
  const subscribe = {
    kind: 'subscribe',
    timeMicros: 0,
    subscriber: 'reader',
    subscription: 'all',
    topic: 'news',
    mode: 'exclusive',
    start: 'earliest',
    inFlightMax: 0,
  } as const;
  const publish = (driver: KernelDriver, sequence: number) =>
    driver.give({ kind: 'publish', timeMicros: 0, topic: 'news', producer: 'writer', sequence, payload: sequence });

  test('what waits for its redelivery waits as long as it would have from the start', () => {
    const driver = new KernelDriver();
    driver.give(subscribe);
    publish(driver, 1);
    driver.nowMicros = 10 * second;
    publish(driver, 2);
    change(driver, { 'bus.redeliveryMicros': 15 * second });
    driver.restart();
    expect(driver.of('deliver', driver.pass(15 * second)).map(({ offset }) => offset)).toEqual([0]);
    expect(driver.of('deliver', driver.pass(25 * second)).map(({ offset }) => offset)).toEqual([1]);
    change(driver, { 'bus.redeliveryMicros': 100 * second });
    // The third delivery of the first: twice the wait.
    expect(driver.of('deliver', driver.pass(214 * second))).toEqual([]);
    expect(driver.of('deliver', driver.pass(215 * second)).map(({ offset }) => offset)).toEqual([0]);
    change(driver, { 'bus.redeliveryMicros': 1 });
    const late = driver.of('deliver', driver.pass(216 * second)).map(({ offset }) => offset);
    expect(new Set(late)).toEqual(new Set([0, 1]));
  });

  test('a shorter topic keeps what it has and takes nothing more; a longer one takes it', () => {
    const driver = new KernelDriver();
    driver.give(subscribe);
    for (const sequence of [1, 2, 3]) publish(driver, sequence);
    change(driver, { 'bus.topicLengthMax': 2 });
    driver.restart();
    publish(driver, 4);
    expect(driver.of('refused')).toMatchObject([{ code: 'SIRA_QUEUE_FULL', reason: 'topic is full' }]);
    change(driver, { 'bus.topicLengthMax': 4 });
    publish(driver, 4);
    expect(driver.of('published')).toMatchObject([{ offset: 3 }]);
  });

  test('ends of tasks that found no room go out when there is some', () => {
    const driver = new KernelDriver({}, { 'bus.topicLengthMax': 1 });
    driver.give(helloFrom('alpha'));
    const delivered: number[] = [];
    driver.give({
      ...subscribe,
      ...{ subscriber: 'submitter/1', subscription: 'submitter/1/ends', topic: 'tasks/ended/1' },
    });
    for (const submission of [1, 2, 3]) driver.give(submissionOf(submission));
    driver.end();
    for (const attempt of [1, 2, 3])
      delivered.push(...driver.of('deliver', driver.finish(attempt)).map((one) => one.offset));
    expect(delivered).toEqual([0]);
    change(driver, { 'bus.topicLengthMax': 10 });
    expect(driver.of('deliver').map(({ offset }) => offset)).toEqual([1, 2]);
  });
});

test('whatever is changed whenever: a kernel restored in between does the same', () => {
  const step = fc.record({
    name: fc.constantFrom<KernelSettingName>(
      'registry.leaseMicros',
      'registry.heartbeatIntervalMicros',
      'registry.suspicionThreshold',
      'skills.halfLifeMicros',
      'skills.optimism',
      'skills.classesMax',
      'bus.redeliveryMicros',
      'bus.topicLengthMax',
    ),
    value: fc.constantFrom(1, 2, 5, 3 * second, 12 * second, 30 * second, 90 * second),
    waitMicros: fc.integer({ min: 0, max: 30 * second }),
    beats: fc.boolean(),
    restarts: fc.boolean(),
  });
  const play = (steps: readonly (typeof step extends fc.Arbitrary<infer One> ? One : never)[], restarts: boolean) => {
    const driver = new KernelDriver({ place: 'fastest' });
    for (const name of ['alpha', 'beta']) driver.give(helloFrom(name));
    let submissions = 0;
    for (const { name, value, waitMicros, beats: comes, restarts: here } of steps) {
      driver.pass(driver.nowMicros + waitMicros);
      if (comes) driver.beat([0, 1]);
      driver.give(submissionOf(++submissions, { taskClass: 'work' }));
      for (const { agent, incarnation, task, attempt } of driver.of('dispatch', driver.end()))
        driver.finish(attempt, { task, agent, incarnation });
      change(driver, { [name]: value });
      if (restarts && here) driver.restart();
    }
    return driver.kernel.digest;
  };
  fc.assert(
    fc.property(fc.array(step, { minLength: 1, maxLength: 30 }), (steps) => {
      expect(play(steps, true)).toBe(play(steps, false));
    }),
    { numRuns: 60 },
  );
});
