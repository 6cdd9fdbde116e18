import { describe, expect, it } from 'vitest';
import type { RolloutCommand, WitnessVerdict } from '../policy/rollout.ts';
import { completePlan, type RolloutPlan } from '../policy/rollout-plan.ts';
import type { Profile } from '../scheduler/framework.ts';
import type { Effect } from './effects.ts';
import { helloFrom, KernelDriver, plainProfile, submissionOf } from './kernel-driver.ts';

const second = 1_000_000;
const candidate: Profile = { ...plainProfile, name: 'short first', order: 'sjf', place: 'worst-fit' };
const plan = completePlan({
  shadowDecisions: 3,
  canary: { blockTasks: 4, washoutTasks: 1, tasksMax: 80, settleMicros: 100 * second },
});

/** A cluster of one-task machines and a person who rolls out. */
class Rolling extends KernelDriver {
  submission = 0;
  estimateMicros = second;
  private readonly machines: number;
  readonly all: Effect[] = [];

  constructor(machines = 2, profile: Partial<Profile> = {}) {
    super(profile);
    this.machines = machines;
    for (let index = 0; index < machines; index++) {
      const resources = { cpuMilli: 1000, memoryMib: 4096, gpuCount: 0, gpuModel: '' };
      this.give(helloFrom(`m${index}`, { resources }));
    }
  }

  override give(...input: Parameters<KernelDriver['give']>): Effect[] {
    const effects = super.give(...input);
    this.all?.push(...effects);
    return effects;
  }

  ask(command: RolloutCommand<Profile>, who = 'ann', why = 'test'): string {
    this.give({ kind: 'policyCommanded', command, who, why });
    return this.of('policyAnswered')[0]?.refusal ?? 'no answer';
  }

  propose(own: RolloutPlan = plan, policy = candidate): void {
    expect(this.ask({ command: 'propose', name: policy.name, policy, artifact: '', plan: own })).toBe('');
  }

  witness(witness: 'simulation' | 'replay' | 'offPolicy', verdict: WitnessVerdict = 'pass'): void {
    expect(this.ask({ command: 'witness', rollout: 1, witness, verdict, evidence: 'by hand' })).toBe('');
  }

  get stage(): string {
    return this.kernel.control.rollouts.machine.rollouts[0]?.stage ?? 'none';
  }

  get serves(): string {
    return this.kernel.control.scheduler.profile.name;
  }

  /** A task comes, is placed, and takes `slowdown` times what was estimated under the policy that serves when it comes. */
  task(slowdown: (serves: string) => number): void {
    this.nowMicros += 10 * second;
    this.beat(Array.from({ length: this.machines }, (_, index) => index));
    this.give(submissionOf(++this.submission, { estimateMicros: this.estimateMicros }));
    const { serves } = this;
    this.end();
    const dispatch = this.of('dispatch')[0];
    if (dispatch === undefined) return;
    this.nowMicros += Math.round(slowdown(serves) * second);
    this.give({
      ...{ kind: 'taskFinished', agent: dispatch.agent, incarnation: 1, task: dispatch.task },
      ...{ attempt: dispatch.attempt, outcome: 'completed', serviceMicros: second },
    });
  }

  toCanary(own: RolloutPlan = plan): void {
    this.propose(own);
    this.witness('simulation');
    this.witness('replay');
    for (let count = 0; count < 3; count++) this.task(() => 1);
    this.pass(this.nowMicros + second);
    expect(this.stage).toBe('canary');
  }
}

const noise = (submission: number): number => 1 + (submission % 7) / 20;

describe('a rollout', () => {
  it('goes through the gates and the shadow to the canary, and is promoted when it is better', () => {
    const driver = new Rolling();
    driver.propose();
    expect(driver.stage).toBe('simulation');
    driver.witness('simulation');
    expect(driver.stage).toBe('replay');
    driver.witness('replay');
    expect(driver.stage).toBe('shadow');
    const before = driver.all.length;
    driver.task(() => 1);
    const decision = driver.of('decisionMade', driver.all.slice(before))[0];
    expect(decision?.record).toMatchObject({ machines: [0], shadow: 0, policyVersion: 1 });
    driver.task(() => 1);
    driver.task(() => 1);
    driver.pass(driver.nowMicros + 1);
    expect(driver.stage).toBe('canary');
    const served = new Set<string>();
    while (driver.stage === 'canary') {
      driver.task((serves) => (serves === candidate.name ? 0.5 : 1) * noise(driver.submission));
      served.add(driver.serves);
    }
    expect(served).toEqual(new Set(['plain', candidate.name]));
    expect(driver.stage).toBe('promoted');
    expect(driver.serves).toBe(candidate.name);
    expect(driver.kernel.control.rollouts.machine.good.map(({ version }) => version)).toEqual([1, 2]);
    driver.task(() => 1);
    expect(driver.of('decisionMade', driver.all).at(-1)?.record.policyVersion).toBe(2);
  });

  it('is rolled back when it is worse', () => {
    const driver = new Rolling();
    driver.toCanary();
    while (driver.stage === 'canary')
      driver.task((serves) => (serves === candidate.name ? 1.5 : 1) * noise(driver.submission));
    expect(driver.stage).toBe('rolledBack');
    expect(driver.serves).toBe('plain');
    expect(driver.of('rolloutChanged', driver.all).at(-1)?.event).toMatchObject({
      to: 'rolledBack',
      who: 'rollout',
      servesVersion: 1,
      why: expect.stringContaining('worse'),
    });
  });

  it('cannot tell of a policy that is the same, and waits for a person with the incumbent serving', () => {
    const driver = new Rolling();
    driver.toCanary();
    while (driver.stage === 'canary') driver.task(() => noise(driver.submission));
    expect(driver.stage).toBe('held');
    expect(driver.serves).toBe('plain');
    const rollout = driver.kernel.control.rollouts.machine.active;
    expect(rollout?.canary).toMatchObject({ tasks: 80, pairs: 10, verdict: 'cannotTell' });
    expect(driver.ask({ command: 'approve', rollout: 1 })).toBe('');
    expect(driver.serves).toBe(candidate.name);
    expect(driver.ask({ command: 'rollback' }, 'bob', 'I was wrong')).toBe('');
    expect(driver.stage).toBe('rolledBack');
    expect(driver.serves).toBe('plain');
    expect(driver.ask({ command: 'rollback' })).toContain('no policy served before');
  });

  it('is rejected by a gate that fails, and stays where one cannot tell', () => {
    const driver = new Rolling();
    driver.propose();
    driver.witness('simulation', 'cannotTell');
    expect(driver.stage).toBe('simulation');
    driver.witness('simulation');
    driver.witness('replay', 'fail');
    expect(driver.stage).toBe('rejected');
    expect(driver.ask({ command: 'approve', rollout: 1 })).toContain('over');
    expect(driver.ask({ command: 'pause', rollout: 9 })).toContain('no rollout 9');
  });

  it('does not become live while the off-policy witness is against it', () => {
    const driver = new Rolling();
    driver.toCanary();
    driver.witness('offPolicy', 'fail');
    while (driver.stage === 'canary')
      driver.task((serves) => (serves === candidate.name ? 0.5 : 1) * noise(driver.submission));
    expect(driver.stage).toBe('held');
    driver.witness('offPolicy', 'pass');
    expect(driver.stage).toBe('promoted');
  });

  it('waits for approval where the plan demands it', () => {
    const driver = new Rolling();
    driver.propose({ ...plan, approvals: ['canary', 'promoted'] });
    driver.witness('simulation');
    driver.witness('replay');
    for (let count = 0; count < 4; count++) driver.task(() => 1);
    driver.pass(driver.nowMicros + 1);
    expect(driver.kernel.control.rollouts.machine.active).toMatchObject({ stage: 'shadow', awaitsApproval: 'canary' });
    expect(driver.ask({ command: 'approve', rollout: 1 })).toBe('');
    while (driver.stage === 'canary')
      driver.task((serves) => (serves === candidate.name ? 0.5 : 1) * noise(driver.submission));
    expect(driver.kernel.control.rollouts.machine.active).toMatchObject({ stage: 'held', awaitsApproval: 'promoted' });
    expect(driver.serves).toBe('plain');
    expect(driver.ask({ command: 'approve', rollout: 1 })).toBe('');
    expect(driver.serves).toBe(candidate.name);
  });

  it('stands still with the incumbent while it is paused, and goes on', () => {
    const driver = new Rolling();
    driver.toCanary();
    while (driver.serves !== candidate.name) driver.task(() => 1);
    expect(driver.ask({ command: 'pause', rollout: 1 })).toBe('');
    for (let count = 0; count < 20; count++) {
      driver.task(() => 1);
      expect(driver.serves).toBe('plain');
    }
    expect(driver.ask({ command: 'resume', rollout: 1 })).toBe('');
    while (driver.serves !== candidate.name) driver.task(() => 1);
    expect(driver.stage).toBe('canary');
  });

  it('falls back to the last good policy when the kernel was down, and waits for a person', () => {
    const driver = new Rolling();
    driver.toCanary();
    while (driver.serves !== candidate.name) driver.task(() => 1);
    driver.restart();
    expect(driver.serves, 'the snapshot knows who served').toBe(candidate.name);
    driver.give({ kind: 'resumed', pausedMicros: 5 * second }, driver.nowMicros + 5 * second);
    expect(driver.serves).toBe('plain');
    expect(driver.stage).toBe('canary');
    expect(driver.kernel.control.rollouts.machine.active?.paused).toContain('stood still');
  });

  it('is rolled back within a second of a breached guard', () => {
    const driver = new Rolling(1);
    driver.toCanary({ ...plan, guards: [{ metric: 'oldestWaitSeconds', atMost: 5 }] });
    while (driver.serves !== candidate.name) driver.task(() => 1);
    // One task takes the machine and does not end; the next one waits.
    driver.give(submissionOf(++driver.submission));
    driver.end();
    const since = driver.nowMicros + second;
    driver.give(submissionOf(++driver.submission), since);
    driver.end();
    let now = since;
    while (driver.stage === 'canary' && now < since + 60 * second) {
      now += 50_000;
      driver.pass(now);
    }
    expect(driver.stage).toBe('rolledBack');
    expect(now - (since + 5 * second)).toBeLessThanOrEqual(second);
    expect(driver.serves).toBe('plain');
  });

  it('is rolled back when the harm is above its bound, before a test could tell', () => {
    const driver = new Rolling();
    driver.toCanary({ ...plan, canary: { ...plan.canary, harmTasksMax: 30 } });
    while (driver.stage === 'canary') driver.task((serves) => (serves === candidate.name ? 20 : 1));
    expect(driver.stage).toBe('rolledBack');
    const rollout = driver.kernel.control.rollouts.machine.rollouts[0];
    expect(rollout?.testimonies.at(-1)?.evidence).toContain('harm');
    expect(rollout?.canary?.pairs).toBeLessThan(3);
  });

  it('refuses what cannot be', () => {
    const driver = new Rolling();
    const propose = (policy: Profile, own: RolloutPlan = plan): string =>
      driver.ask({ command: 'propose', name: policy.name, policy, artifact: '', plan: own });
    expect(propose({ ...candidate, place: 'nowhere' })).toContain('nowhere');
    expect(propose({ ...candidate, backfill: 'conservative', preempt: 'lowerPriority' })).toContain('evicted');
    expect(propose(candidate, { ...plan, lookMicros: 2 * second })).toContain('second');
    expect(driver.ask({ command: 'propose', name: 'x', policy: candidate, artifact: '', plan }, '')).toContain('who');
    expect(propose(candidate)).toBe('');
    expect(propose(candidate)).toContain('not over');
  });
});

describe('a policy that was promoted', () => {
  const drift = { response: 'rollBack', windowTasks: 10, stabilityMax: 0.25, slowdownRiseMax: 0.5 } as const;
  const watched = completePlan({ ...plan, drift });

  /** With the candidate serving after a whole trial. */
  function promoted(own: RolloutPlan = watched): Rolling {
    const driver = new Rolling();
    driver.toCanary({ ...own, canary: { ...own.canary, tasksMax: 400 } });
    while (driver.stage === 'canary')
      driver.task((serves) => (serves === candidate.name ? 0.8 : 1) * noise(driver.submission));
    expect(driver.stage).toBe('promoted');
    return driver;
  }
  /** Tasks until somebody else serves. */
  function untilGone(driver: Rolling, slowdown: number, most = 2000): number {
    let count = 0;
    while (driver.serves === candidate.name && count < most) {
      driver.task(() => slowdown * noise(driver.submission));
      count++;
    }
    return count;
  }

  it('serves on while everything is as it was', () => {
    const driver = promoted();
    expect(untilGone(driver, 0.8, 1500)).toBe(1500);
    const { watch } = driver.kernel.control.rollouts.machine;
    expect(watch).toMatchObject({ arrived: 1500, slowdownPromised: expect.closeTo(0.8 * 1.15, 1) });
    expect(watch?.inputs.map(({ input }) => input)).toEqual(['estimateLog', 'demandShare', 'areaLog', 'serviceLog']);
  });

  it('is rolled back once it does not keep what it promised', () => {
    const driver = promoted();
    untilGone(driver, 0.8, 100);
    expect(untilGone(driver, 2)).toBeLessThan(200);
    expect(driver.stage).toBe('rolledBack');
    expect(driver.serves).toBe('plain');
    expect(driver.of('rolloutChanged', driver.all).at(-1)?.event).toMatchObject({
      ...{ from: 'promoted', to: 'rolledBack', who: 'drift watch', servesVersion: 1 },
      why: expect.stringContaining('slowdown has drifted'),
    });
    const rollout = driver.kernel.control.rollouts.machine.rollouts[0];
    expect(rollout?.testimonies.at(-1)).toMatchObject({ witness: 'watch', verdict: 'fail' });
    expect(rollout?.watch?.slowdown).toBeGreaterThan(1.5);
    expect(driver.kernel.control.rollouts.machine.watch, 'nobody watches the first policy').toBeUndefined();
  });

  it('is rolled back when other tasks come than it was tried with', () => {
    const driver = promoted();
    let count = 0;
    while (driver.serves === candidate.name && count++ < 500) {
      driver.estimateMicros = 4 * second;
      driver.task(() => 3.2 * noise(driver.submission));
    }
    expect(driver.stage).toBe('rolledBack');
    expect(driver.of('rolloutChanged', driver.all).at(-1)?.event.why).toContain(
      'estimateLog has drifted from the trial',
    );
  });

  it('is told of and serves on where the plan says so', () => {
    const driver = promoted({ ...watched, drift: { ...watched.drift!, response: 'alarm' } });
    expect(untilGone(driver, 2, 400)).toBe(400);
    const told = driver.of('rolloutChanged', driver.all).filter(({ event }) => event.who === 'drift watch');
    expect(told.map(({ event }) => [event.from, event.to, event.servesVersion])).toEqual([['promoted', 'promoted', 2]]);
  });

  it('is not looked at where the plan says so', () => {
    const driver = promoted({ ...watched, drift: { ...watched.drift!, response: 'none' } });
    expect(untilGone(driver, 20, 400)).toBe(400);
    expect(driver.kernel.control.rollouts.machine.watch).toBeUndefined();
  });

  it('is rolled back within a second of a breached guard, as in its canary', () => {
    const driver = promoted({ ...watched, guards: [{ metric: 'oldestWaitSeconds', atMost: 5 }] });
    for (let task = 0; task < 2; task++) driver.give(submissionOf(++driver.submission, { estimateMicros: second }));
    driver.end();
    const since = driver.nowMicros + second;
    driver.give(submissionOf(++driver.submission, { estimateMicros: second }), since);
    driver.end();
    let now = since;
    while (driver.stage === 'promoted' && now < since + 60 * second) {
      now += 50_000;
      driver.pass(now);
    }
    expect(driver.stage).toBe('rolledBack');
    expect(now - (since + 5 * second)).toBeGreaterThan(0);
    expect(now - (since + 5 * second)).toBeLessThanOrEqual(second);
    expect(driver.serves).toBe('plain');
  });

  it('takes the candidate with it that was to replace it', () => {
    const driver = promoted();
    const other: Profile = { ...plainProfile, name: 'other', place: 'worst-fit' };
    expect(driver.ask({ command: 'propose', name: 'other', policy: other, artifact: '', plan })).toBe('');
    untilGone(driver, 2);
    const { rollouts, good } = driver.kernel.control.rollouts.machine;
    expect(rollouts.map(({ stage }) => stage)).toEqual(['rolledBack', 'rejected']);
    expect(good.map(({ version }) => version)).toEqual([1]);
    expect(driver.serves).toBe('plain');
  });

  it('is watched the same over snapshots, and what happens while the kernel is down is not held against it', () => {
    const play = (restarts: boolean): string => {
      const driver = promoted();
      let count = 0;
      while (driver.serves === candidate.name && count++ < 300) {
        driver.task(() => (count > 60 ? 2 : 0.8) * noise(driver.submission));
        if (restarts && count % 7 === 0) driver.restart();
      }
      return `${driver.stage} ${count} ${driver.kernel.digest}`;
    };
    expect(play(true)).toBe(play(false));
    expect(play(false)).toContain('rolledBack');
    const driver = promoted();
    for (let outage = 0; outage < 40; outage++) {
      for (let task = 0; task < 9; task++) driver.task(() => 2 * noise(driver.submission));
      driver.give({ kind: 'resumed', pausedMicros: 5 * second }, driver.nowMicros + 5 * second);
    }
    expect(driver.serves).toBe(candidate.name);
  });
});

describe('the state of rollouts', () => {
  it('travels in a snapshot at any moment', () => {
    const play = (restarts: boolean): string => {
      const driver = new Rolling();
      driver.toCanary();
      let count = 0;
      while (driver.stage === 'canary') {
        if (restarts && ++count % 3 === 0) driver.restart();
        driver.task((serves) => (serves === candidate.name ? 0.6 : 1) * noise(driver.submission));
      }
      return `${driver.stage} ${driver.kernel.digest}`;
    };
    expect(play(true)).toBe(play(false));
    expect(play(false)).toContain('promoted');
  });

  it('a shadow changes nothing but its own notes', () => {
    const play = (shadows: boolean): Effect[] => {
      const driver = new Rolling(4, { place: 'random' });
      if (shadows) {
        driver.propose({ ...plan, shadowDecisions: 1000 });
        driver.witness('simulation');
        driver.witness('replay');
      }
      for (let count = 0; count < 30; count++) driver.task(() => noise(count));
      return driver.all.filter(({ kind }) => kind === 'dispatch');
    };
    expect(play(true)).toEqual(play(false));
  });
});

describe('exploration', () => {
  it('takes one of the best machines now and then, with its probability in the record', () => {
    const driver = new Rolling(6);
    driver.give({ kind: 'settingChanged', name: 'scheduler.exploreShare', value: 0.1, who: 'ann', why: 'test' });
    for (let count = 0; count < 2000; count++) driver.task(() => 1);
    const records = driver.of('decisionMade', driver.all).map(({ record }) => record);
    const explored = records.filter((record) => record.explored === true);
    expect(explored.length / records.length).toBeGreaterThan(0.07);
    expect(explored.length / records.length).toBeLessThan(0.13);
    for (const { machines, propensity } of records)
      expect(propensity).toBeCloseTo(machines[0] === 0 ? 0.9 + 0.1 / 3 : 0.1 / 3, 12);
    const weights = records.map(({ machines, propensity }) => (machines[0] === 0 ? 1 / propensity : 0));
    const mean = weights.reduce((sum, weight) => sum + weight, 0) / weights.length;
    expect(mean, 'inverse propensities are right on average').toBeCloseTo(1, 1);
  });
});
