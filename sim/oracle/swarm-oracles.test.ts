// The oracles of the swarm bite: for each, a stream of events told by hand that keeps its promise, and the smallest change that
// breaks it. Real runs pass; see sim/fault/swarm.test.ts.

import { describe, expect, it } from 'vitest';
import { microsPerSecond } from '../../core/base/time.ts';
import type { AgentHeld, Effect } from '../../core/kernel/effects.ts';
import type { AgentHello, InputBody } from '../../core/kernel/inputs.ts';
import type { DecisionRecord } from '../../core/scheduler/decision.ts';
import type { Profile } from '../../core/scheduler/framework.ts';
import type { MachineSpec, WorkloadTask } from '../workload/workload.ts';
import type { WorldObserver } from '../world/observer.ts';
import { createSwarmOracles } from './swarm-oracles.ts';
import { OracleViolation } from './violation.ts';

const second = microsPerSecond;
const gpus = { memoryMib: 1000, gpuModel: 'T4' } as const;
const machines: readonly MachineSpec[] = [
  { name: 'a', cpuMilli: 8000, gpuCount: 2, ...gpus },
  { name: 'b', cpuMilli: 8000, gpuCount: 2, ...gpus },
  { name: 'c', cpuMilli: 16_000, gpuCount: 4, ...gpus },
];
const small = { cpuMilli: 1000, memoryMib: 100, gpuCount: 0, gpuMilli: 0, gpuModels: [], machineCount: 1 };
const retryMicros = 5 * second;

/** Tasks whose submissions are 1, 2, 3 …, and a kernel told by hand that accepts them all. */
class Story {
  private readonly observers: readonly WorldObserver[];
  private readonly tasks: readonly WorkloadTask[];
  now = 0;
  private decisions = 0;
  private batch = 0;

  constructor(
    tasks: readonly Partial<WorkloadTask>[],
    profile: Partial<Profile> = {},
    settings: Readonly<Record<string, unknown>> = {},
  ) {
    this.tasks = tasks.map((task, index) => ({
      name: `t${index + 1}`,
      arrivalMicros: 0,
      request: small,
      durationMicros: second,
      estimateMicros: second,
      priority: 0,
      tenant: 'x',
      ...task,
    }));
    const plain = { unplaced: 'skip', backfill: 'none', overtakeMax: 0, typicalTasks: [] } as const;
    this.observers = createSwarmOracles({
      machines,
      tasks: this.tasks,
      profile: { name: 'p', order: 'fcfs', place: 'first-fit', ...plain, ...profile },
      queueLengthMax: 100,
      settings,
      heartbeat: { intervalMicros: 10 * second, leaseMicros: 40 * second },
      retryMicros,
    });
    for (const machine of machines.keys()) {
      this.tell((observer) => observer.machineUp?.(machine, true, this.now));
      this.hello(machine, 1).registers(machine, 1);
      this.says({ kind: 'agentStateChanged', agent: machine, from: 'starting', to: 'ready', reason: 'reported ready' });
    }
    for (const [index, task] of this.tasks.entries())
      this.tell((observer) => observer.taskArrived?.(index + 1, task, this.now));
    for (const index of this.tasks.keys()) {
      this.hears({ kind: 'timeReached' });
      this.says({ kind: 'submissionAccepted', submitter: 1, submission: index + 1 });
    }
  }

  at(seconds: number): this {
    this.now = seconds * second;
    return this;
  }

  tell(what: (observer: WorldObserver) => void): this {
    for (const observer of this.observers) what(observer);
    return this;
  }

  hears(input: InputBody): this {
    return this.tell((observer) => observer.kernelInput?.(input, this.now, this.now));
  }

  says(effect: Effect): this {
    return this.tell((observer) => observer.kernelEffect?.(effect, this.now, this.now));
  }

  hello(machine: number, incarnation: number): this {
    const { name, cpuMilli, memoryMib, gpuCount, gpuModel } = machines[machine] as MachineSpec;
    const message: AgentHello = {
      kind: 'agentHello',
      gateway: 0,
      name,
      incarnation,
      sentMicros: this.now,
      connection: 1,
      resources: { cpuMilli, memoryMib, gpuCount, gpuModel },
      capabilities: {},
      attributes: {},
      running: [],
    };
    return this.tell((observer) => observer.agentSaid?.(machine, message, this.now)).hears(message);
  }

  registers(agent: number, incarnation: number): this {
    const { name } = machines[agent] as MachineSpec;
    const answer = { gateway: 0, name, agent, incarnation, helloSentMicros: this.now, stop: [] };
    const lease = { leaseMicros: 40 * second, heartbeatIntervalMicros: 10 * second };
    return this.says({ kind: 'agentRegistered', ...answer, ...lease });
  }

  /** The agent was silent for a moment. */
  returns(agent: number): this {
    this.hears({ kind: 'timeReached' });
    this.says({ kind: 'agentStateChanged', agent, from: 'ready', to: 'suspect', reason: 'heartbeat overdue' });
    return this.says({ kind: 'agentStateChanged', agent, from: 'suspect', to: 'ready', reason: 'heartbeat returned' });
  }

  holds(agent: number, untilSeconds: number, cause: AgentHeld['cause'] = 'flapping'): this {
    return this.says({ kind: 'agentHeld', agent, cause, held: true, untilMicros: untilSeconds * second });
  }

  lifts(agent: number, untilSeconds: number, cause: AgentHeld['cause'] = 'flapping'): this {
    return this.says({ kind: 'agentHeld', agent, cause, held: false, untilMicros: untilSeconds * second });
  }

  beats(): this {
    const agents = Int32Array.from(machines.keys());
    const batch = ++this.batch;
    const incarnations = Int32Array.from([1, 1, 1]);
    this.hears({ kind: 'heartbeats', gateway: 0, batch, agents, incarnations, count: agents.length });
    return this.says({ kind: 'heartbeatsRecorded', gateway: 0, batch });
  }

  /** The task and its attempt have the number of the submission. */
  decides(task: number, record: Partial<DecisionRecord> = {}): this {
    const fits = record.feasibleCount ?? 3;
    return this.says({
      kind: 'decisionMade',
      record: {
        decision: ++this.decisions,
        task,
        submission: task,
        attempt: record.outcome === undefined || record.outcome === 'placed' ? task : 0,
        kind: 1,
        outcome: 'placed',
        rule: 'in order',
        machines: [0],
        deviceMasks: (record.machines ?? [0]).map(() => 0),
        ranked: [],
        feasibleCount: fits,
        tieCount: 1,
        reasonCounts: [fits, 0, 0, 0, 3 - fits, 0],
        propensity: 1,
        policyVersion: 1,
        queueLength: 1,
        shadowMicros: -1,
        ...record,
      },
    });
  }

  cycle(): this {
    return this.hears({ kind: 'instantEnded' });
  }

  /** The task is dispatched to the machine and begins at once. */
  begins(task: number, machine = 0, resumeMicros = -1): this {
    const dispatch = {
      kind: 'dispatch',
      agent: machine,
      incarnation: 1,
      order: task,
      task,
      attempt: task,
      submitter: 1,
      submission: task,
      machines: [machine],
      deviceMasks: [0],
      ...(resumeMicros < 0 ? {} : { checkpoint: { everyMicros: second, resumeMicros } }),
    } as const;
    this.says(dispatch);
    return this.tell((observer) => observer.workStarted?.(dispatch, [machine], this.now));
  }

  /** The agent says that the task is done; the kernel hears it if it is not lost. */
  finishes(task: number, machine: number, isLost = false, serviceMicros = second): this {
    const fields = {
      task,
      attempt: task,
      agent: machine,
      incarnation: 1,
      outcome: 'completed',
      serviceMicros,
    } as const;
    const message = { kind: 'taskFinished', ...fields } as const;
    this.tell((observer) => observer.agentSaid?.(machine, message, this.now));
    if (isLost) return this;
    this.hears(message);
    return this.says({ kind: 'resultRecorded', task, attempt: task, agent: machine, incarnation: 1 });
  }
}

function violation(act: () => unknown): OracleViolation {
  try {
    act();
  } catch (error) {
    if (error instanceof OracleViolation) return error;
    throw error;
  }
  return expect.fail('no oracle says anything');
}

const whole = { ...small, gpuCount: 1, gpuMilli: 1000 };
const half = { ...small, gpuCount: 1, gpuMilli: 500 };
const wide = { ...small, cpuMilli: 8000 };
const wider = { ...small, cpuMilli: 16_000 };

describe('duties of agents', () => {
  const later = (story: Story, seconds: number): Story => story.at(seconds).beats();

  it('say hello again until they are registered', () => {
    const restart = (): Story =>
      new Story([]).tell((observer) => {
        observer.machineUp?.(1, false, 0);
        observer.machineUp?.(1, true, 0);
      });
    expect(violation(() => later(restart(), 6)).what).toContain('the agent of machine 1 said hello at 0 µs');
    expect(violation(() => later(restart().at(4).hello(1, 2), 10)).what).toContain('said hello at 4000000 µs');
    later(restart().at(4).hello(1, 2).registers(1, 2), 10);
    // One that was registered may take its answer as late as it likes.
    later(restart().at(4).hello(1, 2).registers(1, 2).at(8).hello(1, 2), 20);
  });

  it('are excused while their machine is down or hangs', () => {
    const restart = (): Story => new Story([]).tell((observer) => observer.machineUp?.(1, false, 0));
    later(restart(), 20);
    const hangs = restart()
      .tell((observer) => observer.machineUp?.(1, true, 0))
      .tell((observer) => observer.machineHung?.(1, true, second));
    later(hangs, 20).tell((observer) => observer.machineHung?.(1, false, 20 * second));
    later(hangs, 25);
    expect(violation(() => later(hangs, 26)).oracle).toBe('duties');
  });

  it('say a result again until it is recorded', () => {
    const story = (): Story =>
      new Story([{}]).cycle().decides(1).begins(1).hears({
        kind: 'dispatchAccepted',
        task: 1,
        attempt: 1,
        agent: 0,
        incarnation: 1,
      });
    later(story(), 20);
    expect(violation(() => later(story().at(1).finishes(1, 0, true), 7)).what).toContain('result of attempt 1');
    later(story().at(1).finishes(1, 0, true).at(6).finishes(1, 0), 20);
    // A new incarnation has forgotten it.
    later(story().at(1).finishes(1, 0, true).hello(0, 2).registers(0, 2), 20);
  });
});

describe('holds', () => {
  const settings = {
    'health.returnsMax': 2,
    'health.returnsWindowMicros': 60 * second,
    'health.flapHoldFirstMicros': 20 * second,
    'health.flapHoldMaxMicros': 60 * second,
    'health.heldShareMax': 0.4,
  };
  const flapping = (): Story => new Story([{}, {}], {}, settings).at(1).returns(0).at(2).returns(0);

  it('begin when an agent has come back too often, and end in time', () => {
    flapping().holds(0, 22).at(21).beats().at(22).lifts(0, 22).at(23).beats();
    expect(violation(() => flapping().beats()).what).toContain('is not held until 22000000 µs');
    expect(violation(() => new Story([], {}, settings).at(1).returns(0).holds(0, 21)).what).toContain(
      'did not come back too often',
    );
    expect(violation(() => flapping().holds(0, 23)).what).toBe(
      'agent 0 is held until 23000000 µs, not until 22000000 µs',
    );
    expect(violation(() => flapping().holds(0, 22).at(30).beats().beats()).what).toContain('beyond 22000000 µs');
  });

  it('forget returns from before the window', () => {
    const slow = new Story([], {}, settings).at(1).returns(0).at(62).returns(0);
    slow.beats();
  });

  it('grow, up to the longest', () => {
    const again = (story: Story, at: number): Story =>
      story
        .at(at)
        .returns(0)
        .at(at + 1)
        .returns(0);
    const second2 = again(flapping().holds(0, 22).at(22).lifts(0, 22), 30).holds(0, 71).at(71).lifts(0, 71);
    again(second2, 80).holds(0, 141);
    const same = again(flapping().holds(0, 22).at(22).lifts(0, 22), 30);
    expect(violation(() => same.holds(0, 51)).what).toContain('not until 71000000 µs');
  });

  it('are no more than the share that may be held', () => {
    const story = flapping().holds(0, 22).at(3).returns(1).at(4).returns(1);
    story.beats();
    expect(violation(() => story.holds(1, 24)).what).toContain('too many are held already');
  });

  it('keep new work away', () => {
    const story = flapping().holds(0, 22).cycle();
    story.decides(1, { machines: [1], feasibleCount: 2, reasonCounts: [2, 0, 0, 0, 0, 0, 0, 1] });
    expect(violation(() => story.decides(2, { machines: [0], feasibleCount: 2 })).what).toContain('takes no tasks');
  });

  it('are for those that are slower than others, and grow as well', () => {
    const settings = {
      'health.slowFactor': 1.5,
      'health.samplesMin': 1,
      'health.agentsMin': 2,
      'health.checkIntervalMicros': 10 * second,
      'health.ejectionFirstMicros': 30 * second,
      'health.heldShareMax': 0.4,
    };
    const round = (told: Story, first: number, seconds: number): Story => {
      told.cycle();
      for (const task of [first, first + 1])
        told.decides(task, { machines: [1 + task - first] }).begins(task, 1 + task - first);
      return told.finishes(first, 1, false, seconds * second).finishes(first + 1, 2, false, second);
    };
    const story = (): Story =>
      round(new Story([{}, {}, {}, {}], { place: 'random' }, settings), 1, 3)
        .at(10)
        .beats();
    const held = (): Story => story().holds(1, 40, 'outlier');
    held().beats();
    expect(violation(() => story().beats()).what).toBe('agent 1 is slower than the others by far, and is not held');
    expect(violation(() => story().holds(2, 40, 'outlier')).what).toContain('is not slower than others');
    expect(violation(() => story().holds(1, 39, 'outlier')).what).toContain(
      'is held for 29000000 µs, not for 30000000 µs',
    );
    const again = (): Story =>
      round(held().at(40).beats().lifts(1, 40, 'outlier'), 3, 3)
        .at(50)
        .beats();
    again().holds(1, 110, 'outlier').beats();
    expect(violation(() => again().holds(1, 80, 'outlier')).what).toContain('not for 60000000 µs');
  });
});

describe('placement', () => {
  it('takes the devices that have least left', () => {
    const story = (): Story =>
      new Story([{ request: half }, { request: half }]).cycle().decides(1, { deviceMasks: [1] });
    story().decides(2, { deviceMasks: [1] });
    expect(violation(() => story().decides(2, { deviceMasks: [2] })).what).toContain(
      'devices 1 of machine 0 are chosen, those with least left are 0',
    );
  });

  it('packs GPUs, or keeps their classes together, if that is the policy', () => {
    const packing = (): Story => new Story([{ request: half }, { request: half }], { place: 'gpu-packing' }).cycle();
    const tasks = [{ request: whole }, { request: half }, { request: half }];
    // Unused machines score by their size: the smaller ones are taken first.
    const first = packing().decides(1, { deviceMasks: [1] });
    expect(violation(() => first.decides(2, { machines: [1], deviceMasks: [1] })).what).toContain('takes machine 0');
    const clustering = (): Story =>
      new Story(tasks, { place: 'gpu-clustering' }).cycle().decides(1, { deviceMasks: [1] });
    clustering()
      .decides(2, { machines: [1], deviceMasks: [1] })
      .decides(3, { machines: [1], deviceMasks: [1] });
    expect(violation(() => clustering().decides(2, { machines: [0], deviceMasks: [2] })).what).toContain(
      'gpu-clustering takes machine 1',
    );
  });

  it('leaves no fragments where it need not', () => {
    const typicalTasks = [{ cpuMilli: 1000, gpuCount: 1, gpuMilli: 1000, gpuModels: [], count: 1 }];
    const story = (): Story =>
      new Story([{ request: half }, { request: half }], { place: 'fgd', typicalTasks })
        .cycle()
        .decides(1, { machines: [1], deviceMasks: [2] });
    story().decides(2, { machines: [1], deviceMasks: [2] });
    expect(violation(() => story().decides(2, { machines: [0], deviceMasks: [1] })).what).toContain(
      'fgd takes machine 1',
    );
  });

  it('gives turns by fair shares', () => {
    const tasks = [{ tenant: 'a', request: wide }, { tenant: 'a' }, { tenant: 'b' }];
    const story = (tenantWeights = {}): Story => new Story(tasks, { order: 'drf', tenantWeights }).cycle().decides(1);
    story().decides(3, { machines: [1], feasibleCount: 2 });
    expect(violation(() => story().decides(2, { machines: [1], feasibleCount: 2 })).what).toContain(
      'task 3 waits and comes first by drf',
    );
  });

  it('evicts the less important where it can', () => {
    const tasks = [
      { priority: 3, request: wide },
      { priority: 1, request: wide },
      { priority: 2, request: wider },
      { priority: 5, request: wide },
    ];
    const story = (): Story =>
      new Story(tasks, { preempt: 'lowerPriority' })
        .cycle()
        .decides(1, { machines: [0] })
        .decides(2, { machines: [1], feasibleCount: 2 })
        .decides(3, { machines: [2], feasibleCount: 1 });
    const evicts = { outcome: 'evicts', feasibleCount: 0 } as const;
    story().decides(4, { ...evicts, machines: [1], victims: [2] });
    expect(violation(() => story().decides(4, { ...evicts, machines: [0], victims: [1] })).what).toContain(
      'a task of priority 3 is evicted from machine 0, on machine 1 less important ones would do',
    );
  });

  it('keeps a machine for whom it evicted others', () => {
    const tasks = [{ request: wide }, { priority: 5, request: wider }, {}];
    const story = (): Story =>
      new Story(tasks, { preempt: 'lowerPriority', place: 'random' })
        .cycle()
        .decides(1, { machines: [2], feasibleCount: 3 })
        .decides(2, { outcome: 'evicts', machines: [2], victims: [1], feasibleCount: 0 });
    const kept = { feasibleCount: 2, reasonCounts: [2, 0, 0, 0, 0, 0, 1] };
    story().decides(3, { machines: [0], ...kept });
    expect(violation(() => story().decides(3, { machines: [2], ...kept })).what).toContain('takes no tasks');
    expect(violation(() => story().decides(3, { machines: [0], feasibleCount: 3 })).what).toContain(
      '3 machines are said to fit, 2 do',
    );
  });

  it('leaves the first waiting task its reservation', () => {
    const long = 100 * second;
    const tasks = [
      { request: wider, estimateMicros: 10 * second },
      { request: wider, estimateMicros: second },
      { request: small, estimateMicros: long },
    ];
    const profile = { unplaced: 'block', backfill: 'conservative', place: 'random' } as const;
    const story = (): Story =>
      new Story(tasks, profile)
        .cycle()
        .decides(1, { machines: [2], feasibleCount: 1, reasonCounts: [1, 0, 0, 0, 2, 0] })
        .decides(2, { outcome: 'waits', machines: [], feasibleCount: 0, reasonCounts: [0, 0, 0, 0, 3, 0] });
    const backfilled = { rule: 'backfilled', shadowMicros: 10 * second, feasibleCount: 2 } as const;
    story().decides(3, { ...backfilled, machines: [0] });
    // Half of what runs is gone by then, and the newcomer is in the way.
    const inTheWay = new Story([{ request: { ...wide }, estimateMicros: 10 * second }, ...tasks.slice(1)], profile)
      .cycle()
      .decides(1, { machines: [2], feasibleCount: 3 })
      .decides(2, { outcome: 'waits', machines: [], feasibleCount: 0, reasonCounts: [0, 0, 0, 0, 3, 0] });
    expect(violation(() => inTheWay.decides(3, { ...backfilled, feasibleCount: 3, machines: [2] })).what).toContain(
      'task 2 cannot start at 10000000 µs any more',
    );
  });
});

describe('starvation', () => {
  it('nothing waits that fits when the instant is closed', () => {
    const story = (): Story => new Story([{}, {}]).at(1).cycle().decides(1).begins(1);
    story()
      .decides(2, { machines: [0] })
      .begins(2)
      .at(2)
      .hears({ kind: 'timeReached' });
    const passed = violation(() => story().at(2).hears({ kind: 'timeReached' }));
    expect([passed.oracle, passed.concerned.submission]).toEqual(['starvation', 2]);
    // What comes after the cycle is for the next one, and what fits nowhere waits by right.
    story().hears({ kind: 'timeReached' }).at(2).hears({ kind: 'timeReached' });
    const wide = { ...small, cpuMilli: 64_000 };
    new Story([{ request: wide }]).at(1).cycle().at(2).hears({ kind: 'timeReached' });
  });

  it('what was put off is tried again within the longest wait', () => {
    const off = { outcome: 'backs off', machines: [], feasibleCount: 0 } as const;
    const rules = { unplaced: 'backoff' } as const;
    const wide = { ...small, cpuMilli: 64_000 };
    const story = (): Story =>
      new Story([{ request: wide }], rules, { 'scheduler.backoffMaxMicros': 20 * second })
        .at(1)
        .cycle()
        .decides(1, off);
    story().at(20).beats().at(21).cycle().decides(1, off).at(33).beats();
    expect(violation(() => story().at(20).beats().at(33).beats()).oracle).toBe('starvation');
    // A pause of the kernel is no delay.
    story()
      .at(20)
      .beats()
      .at(60)
      .hears({ kind: 'resumed', pausedMicros: 40 * second })
      .beats();
  });
});

describe('live-lock', () => {
  it('cycles at one instant come to something', () => {
    const story = new Story([{ request: { ...small, cpuMilli: 64_000 } }]).at(1).cycle().cycle().cycle();
    expect(violation(() => story.cycle()).oracle).toBe('live-lock');
    new Story([{}, {}, {}, {}])
      .at(1)
      .cycle()
      .decides(1)
      .cycle()
      .decides(2)
      .cycle()
      .decides(3)
      .cycle()
      .decides(4)
      .cycle()
      .cycle();
  });

  it('what is said while nothing comes nearer to an end is bounded', () => {
    const story = new Story([{}]).at(1).cycle().decides(1).begins(1);
    const answer = { kind: 'submissionAccepted', submitter: 1, submission: 1 } as const;
    expect(
      violation(() => {
        for (let times = 0; times < 30_000; times++) story.says(answer);
      }).oracle,
    ).toBe('live-lock');
  });
});

describe('a task that is cancelled', () => {
  it('is told to stop at once', () => {
    const cancel = { kind: 'taskCancelled', submitter: 1, submission: 1 } as const;
    const stop = { kind: 'stop', agent: 0, incarnation: 1, task: 1, attempt: 1, order: 1 } as const;
    const story = (): Story => new Story([{}]).at(1).cycle().decides(1).begins(1).at(2).hears(cancel);
    story().says(stop).hears({ kind: 'timeReached' });
    expect(violation(() => story().hears({ kind: 'timeReached' })).what).toContain('is not told to stop');
  });
});
