// Each oracle bites: the smallest sequence of events that breaks its promise makes it fail, and the same sequence kept right
// does not. Real runs pass; see sim/fault/swarm.test.ts.

import { describe, expect, it } from 'vitest';
import { microsPerHour, microsPerMinute, microsPerSecond } from '../../core/base/time.ts';
import type { Dispatch, Effect, TaskEnded } from '../../core/kernel/effects.ts';
import type { AgentHello, InputBody } from '../../core/kernel/inputs.ts';
import { endsTopic } from '../../core/kernel/kernel.ts';
import type { FaultSpec } from '../experiment/scenario.ts';
import type { MachineSpec, WorkloadTask } from '../workload/workload.ts';
import type { WorkEnd, WorldObserver } from '../world/observer.ts';
import { createOracles, type OracleOptions, type Oracles } from './create-oracles.ts';
import { OracleViolation } from './violation.ts';

const machines: readonly MachineSpec[] = [
  { name: 'a', cpuMilli: 8000, memoryMib: 1000, gpuCount: 2, gpuModel: 'T4' },
  { name: 'b', cpuMilli: 8000, memoryMib: 1000, gpuCount: 0, gpuModel: '' },
];
const leaseMicros = 40 * microsPerSecond;
const heartbeat = { intervalMicros: 10 * microsPerSecond, leaseMicros };

/** A world told by hand: every method tells all oracles what happened. */
class Story {
  readonly oracles: Oracles;
  now = 0;
  private batch = 0;

  constructor(options: Partial<OracleOptions> = {}) {
    this.oracles = createOracles({
      machines,
      profile: {
        name: 'p',
        order: 'fcfs',
        place: 'best-fit',
        unplaced: 'skip',
        backfill: 'none',
        overtakeMax: 0,
        typicalTasks: [],
      },
      heartbeat,
      faults: [],
      ...options,
    });
    this.registers('a', 0, 1);
    this.registers('b', 1, 1);
  }

  at(nowMicros: number): this {
    this.now = nowMicros;
    return this;
  }

  arrives(
    submission: number,
    request: Partial<WorkloadTask['request']> = {},
    durationMicros = microsPerSecond,
    checkpointMicros = 0,
  ): this {
    const task: WorkloadTask = {
      name: `t${submission}`,
      arrivalMicros: this.now,
      request: { cpuMilli: 1000, memoryMib: 100, gpuCount: 0, gpuMilli: 0, gpuModels: [], machineCount: 1, ...request },
      durationMicros,
      estimateMicros: 1,
      priority: 0,
      tenant: '',
      checkpointMicros,
    };
    return this.tell((observer) => observer.taskArrived?.(submission, task, this.now));
  }

  accepted(submission: number): this {
    this.says({ kind: 'submissionAccepted', submitter: 1, submission });
    return this.tell((observer) => observer.submissionAnswered?.(submission, true, '', this.now));
  }

  refused(submission: number): this {
    this.says({ kind: 'submissionRefused', submitter: 1, submission, code: 'SIRA_QUEUE_FULL', reason: 'full' });
    return this.tell((observer) => observer.submissionAnswered?.(submission, false, 'full', this.now));
  }

  /** The task `n` is submission `n`, and its attempts are numbered by the story. */
  dispatch(
    task: number,
    attempt: number,
    agents: readonly number[] = [0],
    deviceMasks: readonly number[] = agents.map(() => 0),
    resumeMicros = -1,
  ): Dispatch {
    const effect: Dispatch = {
      kind: 'dispatch',
      agent: agents[0] as number,
      incarnation: 1,
      order: attempt,
      task,
      attempt,
      submitter: 1,
      submission: task,
      machines: agents,
      deviceMasks,
      ...(resumeMicros < 0 ? {} : { checkpoint: { everyMicros: 2 * microsPerSecond, resumeMicros } }),
    };
    this.says(effect);
    return effect;
  }

  saves(dispatch: Dispatch, progressMicros: number): this {
    return this.tell((observer) => observer.workSaved?.(dispatch, progressMicros, this.now));
  }

  begins(dispatch: Dispatch): this {
    return this.tell((observer) => observer.workStarted?.(dispatch, dispatch.machines, this.now));
  }

  ends(dispatch: Dispatch, end: WorkEnd = 'completed'): this {
    return this.tell((observer) => observer.workEnded?.(dispatch, dispatch.machines, end, this.now));
  }

  reports(dispatch: Dispatch, outcome: 'completed' | 'failed' | 'stopped'): this {
    const { task, attempt, agent, incarnation } = dispatch;
    return this.hears({ kind: 'taskFinished', task, attempt, agent, incarnation, outcome, serviceMicros: 1 });
  }

  delivers(submission: number, offset: number, attempt = 1): this {
    return this.says({
      kind: 'deliver',
      subscriber: 'submitter/1',
      subscription: 'submitter/1/ends',
      topic: endsTopic(1),
      offset,
      attempt,
      producer: 'kernel',
      sequence: offset + 1,
      payload: endOf(submission),
      correlation: null,
    });
  }

  acknowledges(offset: number): this {
    return this.hears({
      kind: 'acknowledge',
      timeMicros: this.now,
      subscriber: 'submitter/1',
      subscription: 'submitter/1/ends',
      offset,
      cumulative: true,
    });
  }

  takes(submission: number): this {
    return this.tell((observer) => observer.taskEnded?.(endOf(submission), this.now));
  }

  registers(name: string, agent: number, incarnation: number): this {
    const hello: AgentHello = {
      kind: 'agentHello',
      gateway: 0,
      name,
      incarnation,
      sentMicros: this.now,
      connection: 1,
      resources: { cpuMilli: 8000, memoryMib: 1000, gpuCount: 0, gpuModel: '' },
      capabilities: {},
      attributes: {},
      running: [],
    };
    this.hears(hello);
    return this.says({
      kind: 'agentRegistered',
      gateway: 0,
      name,
      agent,
      incarnation,
      helloSentMicros: this.now,
      leaseMicros,
      heartbeatIntervalMicros: heartbeat.intervalMicros,
      stop: [],
    });
  }

  beats(...agents: readonly number[]): this {
    const batch = ++this.batch;
    const incarnations = new Int32Array(agents.length).fill(1);
    this.hears({
      kind: 'heartbeats',
      gateway: 0,
      batch,
      agents: Int32Array.from(agents),
      incarnations,
      count: agents.length,
    });
    return this.says({ kind: 'heartbeatsRecorded', gateway: 0, batch });
  }

  dies(agent: number): this {
    return this.says({ kind: 'agentStateChanged', agent, from: 'suspect', to: 'dead', reason: 'lease expired' });
  }

  hangs(machine: number, hung: boolean): this {
    return this.tell((observer) => observer.machineHung?.(machine, hung, this.now));
  }

  hears(input: InputBody): this {
    return this.tell((observer) => observer.kernelInput?.(input, this.now));
  }

  says(effect: Effect): this {
    return this.tell((observer) => observer.kernelEffect?.(effect, this.now));
  }

  private tell(what: (observer: WorldObserver) => void): this {
    for (const observer of this.oracles.observers) what(observer);
    return this;
  }
}

function endOf(submission: number): TaskEnded {
  return { task: submission, submission, outcome: 'completed', attempts: 1, attempt: 1, agent: 0, serviceMicros: 1 };
}

function violation(run: () => void): OracleViolation {
  try {
    run();
  } catch (error) {
    if (error instanceof OracleViolation) return error;
    throw error;
  }
  throw new Error('no oracle was violated');
}

describe('a violation', () => {
  it('says what, when, whom it concerns, and what led there', () => {
    const story = new Story();
    story.at(5).arrives(1).accepted(1).arrives(2).accepted(2);
    const first = story.at(10).dispatch(1, 1);
    story.at(20).begins(first);
    const found = violation(() => story.at(3_000_000).begins(story.dispatch(1, 2, [1])));
    expect(found.code).toBe('SIRA_ORACLE_VIOLATED');
    expect(found.exitCode).toBe(1);
    expect(found.nowMicros).toBe(3_000_000);
    expect(found.oracle).toBe('leases');
    expect(found.concerned).toMatchObject({ task: 1, attempt: 2, agent: 1 });
    const text = found.chain.join('\n');
    expect(text).toContain('5 µs (5 µs)  task arrives at the submitter  submission 1');
    expect(text).toContain('20 µs (20 µs)  work begins  submission 1, task 1, attempt 1, agent 0');
    expect(text).not.toContain('submission 2');
    expect(found.message).toContain(text.split('\n')[0]);
  });

  it('remembers only the last events', () => {
    const story = new Story();
    story.arrives(1).accepted(1);
    for (let submission = 2; submission < 12_000; submission++) story.arrives(submission).accepted(submission);
    const found = violation(() => story.refused(1));
    expect(found.chain.length).toBe(1);
  });
});

describe('capacity', () => {
  const twice = (
    request: Partial<WorkloadTask['request']>,
    masks: readonly [number, number],
    agents: readonly number[] = [0],
  ) => {
    const story = new Story();
    story.arrives(1, request).accepted(1).arrives(2, request).accepted(2);
    const spread = (mask: number): number[] => agents.map(() => mask);
    story.begins(story.dispatch(1, 1, agents, spread(masks[0])));
    story.begins(story.dispatch(2, 2, agents, spread(masks[1])));
  };

  it('counts CPU and memory', () => {
    twice({ cpuMilli: 4000, memoryMib: 500 }, [0, 0]);
    expect(violation(() => twice({ cpuMilli: 4001 }, [0, 0])).what).toBe('8002 of 8000 CPU milli run on a');
    expect(violation(() => twice({ memoryMib: 501 }, [0, 0])).what).toBe('1002 of 1000 MiB run on a');
  });

  it('counts the thousandths of each device', () => {
    twice({ gpuCount: 1, gpuMilli: 500 }, [1, 1]);
    twice({ gpuCount: 1, gpuMilli: 1000 }, [1, 2]);
    expect(violation(() => twice({ gpuCount: 1, gpuMilli: 501 }, [2, 2])).what).toBe(
      '1002 of 1000 milli run on device 1 of a',
    );
    expect(violation(() => twice({ gpuCount: 1, gpuMilli: 1 }, [4, 4])).what).toBe('device 2 of the 2 of a is taken');
    expect(violation(() => twice({ gpuCount: 2, gpuMilli: 1000 }, [1, 2])).what).toContain('asks for 2 devices got 1');
    expect(violation(() => twice({ gpuCount: 1, gpuMilli: 1, gpuModels: ['V100'] }, [1, 1])).what).toContain(
      'asks for V100 runs on T4',
    );
  });

  it('counts every machine that a task spans', () => {
    twice({ cpuMilli: 4000, machineCount: 2 }, [0, 0], [0, 1]);
    expect(violation(() => twice({ cpuMilli: 4000, machineCount: 2 }, [0, 0], [1])).what).toContain(
      'asks for 2 machines begins on 1',
    );
    expect(violation(() => twice({ cpuMilli: 4000, machineCount: 2 }, [0, 0], [1, 1])).what).toContain('spans b twice');
    const story = new Story();
    story.arrives(1, { cpuMilli: 5000, machineCount: 2 }).accepted(1).arrives(2, { cpuMilli: 5000 }).accepted(2);
    story.begins(story.dispatch(1, 1, [0, 1], [0, 0]));
    expect(violation(() => story.begins(story.dispatch(2, 2, [1]))).what).toBe('10000 of 8000 CPU milli run on b');
  });

  it('gives back what ended', () => {
    const story = new Story();
    story.arrives(1, { cpuMilli: 8000 }).accepted(1).arrives(2, { cpuMilli: 8000 }).accepted(2);
    const first = story.dispatch(1, 1);
    story.begins(first).ends(first).begins(story.dispatch(2, 2));
  });

  it('does not count work that stands still without a lease', () => {
    const story = new Story();
    story.arrives(1, { cpuMilli: 8000, machineCount: 2 }).accepted(1).arrives(2, { cpuMilli: 8000 }).accepted(2);
    const first = story.dispatch(1, 1, [0, 1], [0, 0]);
    story.begins(first).hangs(0, true);
    const second = story.dispatch(2, 2, [1]);
    story
      .at(2 * leaseMicros)
      .beats(1)
      .dies(0)
      .begins(second);
    // It must not go on.
    expect(violation(() => story.hangs(0, false)).what).toContain('beyond its lease');
  });
});

describe('exactly one end', () => {
  it('refuses a second end, and an end of what was refused or never came', () => {
    const story = new Story();
    story.arrives(1).accepted(1).delivers(1, 0).takes(1).delivers(1, 1);
    expect(violation(() => story.takes(1)).what).toBe('submission 1 ends as completed although it is ended');
    expect(violation(() => new Story().arrives(1).refused(1).delivers(1, 0).takes(1)).what).toContain(
      'although it is refused',
    );
    expect(violation(() => new Story().delivers(7, 0).takes(7)).what).toContain('although it is unknown');
  });

  it('lets an end overtake the answer', () => {
    const story = new Story();
    story.arrives(1).delivers(1, 0).takes(1).accepted(1);
  });

  it('refuses two answers, and work for what was not accepted', () => {
    expect(violation(() => new Story().arrives(1).refused(1).accepted(1)).what).toBe(
      'the kernel both accepts and refuses submission 1',
    );
    expect(violation(() => new Story().arrives(1).dispatch(1, 1)).what).toContain('was not accepted');
  });
});

describe('one owner', () => {
  it('refuses two attempts of one task at once, whatever the kernel knows', () => {
    const story = new Story();
    const first = story.arrives(1).accepted(1).dispatch(1, 1);
    story.begins(first);
    // The kernel was told that the first attempt is over, but it goes on.
    story.reports(first, 'stopped');
    expect(violation(() => story.begins(story.dispatch(1, 2, [1]))).oracle).toBe('one owner');
  });

  it('allows them one after another', () => {
    const story = new Story();
    const first = story.arrives(1).accepted(1).dispatch(1, 1);
    story
      .begins(first)
      .ends(first, 'stopped')
      .reports(first, 'stopped')
      .begins(story.dispatch(1, 2, [1]));
  });

  it('refuses an attempt that runs twice', () => {
    const story = new Story();
    const first = story.arrives(1).accepted(1).dispatch(1, 1);
    story.begins(first).ends(first).reports(first, 'completed');
    expect(violation(() => story.begins(first)).what).toContain('begins a second time');
  });

  it('refuses an end while the task runs', () => {
    const story = new Story();
    story.arrives(1).accepted(1).begins(story.dispatch(1, 1)).delivers(1, 0);
    expect(violation(() => story.takes(1)).what).toContain('while attempt 1 of it runs');
  });
});

describe('leases', () => {
  it('holds the kernel to them: no death before the lease is over', () => {
    new Story().at(leaseMicros + 1).dies(0);
    expect(violation(() => new Story().at(leaseMicros).dies(0)).what).toContain('before its lease ends');
    expect(
      violation(() =>
        new Story()
          .at(10)
          .beats(0)
          .at(leaseMicros + 1)
          .dies(0),
      ).what,
    ).toContain('before its lease ends');
    // A heartbeat of another agent does not help.
    new Story()
      .at(10)
      .beats(1)
      .at(leaseMicros + 1)
      .dies(0);
  });

  it('holds the agent to them: no work after the lease is over', () => {
    const story = new Story();
    story.arrives(1).accepted(1).begins(story.dispatch(1, 1));
    expect(violation(() => story.at(leaseMicros + 1).dies(0)).what).toContain(
      'agent 0 works on attempt 1 beyond its lease',
    );
    const late = new Story();
    const dispatch = late.arrives(1).accepted(1).dispatch(1, 1);
    expect(violation(() => late.at(leaseMicros + 1).begins(dispatch)).what).toContain('beyond its lease');
  });

  it('lets a hanging machine keep its work, but not go on with it', () => {
    const story = new Story();
    const dispatch = story.arrives(1).accepted(1).dispatch(1, 1);
    story
      .begins(dispatch)
      .hangs(0, true)
      .at(leaseMicros + 1)
      .dies(0)
      .ends(dispatch, 'stopped')
      .hangs(0, false);
    const short = new Story();
    short.arrives(1).accepted(1).begins(short.dispatch(1, 1)).hangs(0, true).at(leaseMicros).hangs(0, false);
  });

  it('refuses a second placement while the former agent may work', () => {
    const found = violation(() => {
      const story = new Story();
      story.arrives(1).accepted(1).dispatch(1, 1);
      story.dispatch(1, 2, [1]);
    });
    expect(found.what).toBe('task 1 is dispatched as attempt 2 while attempt 1 of agent 0 may run');
  });

  it('allows it once the agent said so, restarted or died; a repeated dispatch is none', () => {
    const said = new Story();
    const first = said.arrives(1).accepted(1).dispatch(1, 1);
    said.dispatch(1, 1);
    said.reports(first, 'stopped').dispatch(1, 2, [1]);
    const restarted = new Story();
    restarted.arrives(1).accepted(1).dispatch(1, 1);
    restarted.registers('a', 0, 2).dispatch(1, 2, [1]);
    const died = new Story();
    died.arrives(1).accepted(1).dispatch(1, 1);
    died
      .at(leaseMicros + 1)
      .dies(0)
      .beats(1)
      .dispatch(1, 2, [1]);
    // What another agent says does not count.
    const other = new Story();
    const dispatch = other.arrives(1).accepted(1).dispatch(1, 1);
    other.reports({ ...dispatch, agent: 1 }, 'stopped');
    expect(violation(() => other.dispatch(1, 2, [1])).oracle).toBe('leases');
  });

  it('refuses that the dead come back as they were', () => {
    expect(
      violation(() =>
        new Story()
          .at(leaseMicros + 1)
          .dies(0)
          .registers('a', 0, 1),
      ).what,
    ).toContain('comes back to life');
  });
});

describe('acknowledged messages', () => {
  it('refuses gaps, other contents, and deliveries after the acknowledgement', () => {
    const story = (): Story => new Story().arrives(1).accepted(1).arrives(2).accepted(2).delivers(1, 0);
    expect(violation(() => story().delivers(2, 2)).what).toBe(
      'offset 2 is delivered for the first time after offset 0',
    );
    expect(violation(() => story().delivers(2, 0, 2)).what).toBe('offset 0 is delivered again with another content');
    story().delivers(1, 0, 2);
    const acknowledged = story().takes(1).acknowledges(0).beats(0);
    expect(violation(() => acknowledged.delivers(1, 0, 2)).what).toBe(
      'offset 0 is delivered again although it was acknowledged',
    );
  });

  it('allows a redelivery that was due before the acknowledgement was looked at', () => {
    new Story().arrives(1).accepted(1).delivers(1, 0).takes(1).acknowledges(0).delivers(1, 0, 2);
  });

  it('refuses acknowledgements of what was not taken, and ends that nobody delivered', () => {
    const story = (): Story =>
      new Story().arrives(1).accepted(1).arrives(2).accepted(2).delivers(1, 0).delivers(2, 1).takes(2);
    expect(violation(() => story().acknowledges(1)).what).toBe(
      'offset 1 is acknowledged, but the end of submission 1 was not taken',
    );
    story().takes(1).acknowledges(1);
    expect(violation(() => new Story().arrives(1).accepted(1).takes(1)).what).toContain(
      'was not delivered, or was taken before',
    );
  });
});

describe('liveness', () => {
  const wait = (story: Story, untilMicros: number): void => {
    while (story.now < untilMicros) story.at(Math.min(untilMicros, story.now + microsPerMinute)).beats(0, 1);
  };

  it('allows a task its own length and some slack, and no more', () => {
    const story = new Story();
    story.arrives(1, {}, microsPerHour).accepted(1).begins(story.dispatch(1, 1));
    wait(story, microsPerHour);
    expect(violation(() => wait(story, 2 * microsPerHour)).what).toContain('1 tasks have not ended');
    expect(violation(() => story.oracles.finish(2 * microsPerHour)).concerned.submission).toBe(1);
  });

  it('refuses that nothing runs although a task fits', () => {
    const story = new Story();
    story.arrives(1, {}, 10 * microsPerHour).accepted(1);
    wait(story, 15 * microsPerMinute);
    expect(violation(() => wait(story, microsPerHour)).what).toContain(
      '1 tasks are open and fit, but nothing has run since 0 µs',
    );
  });

  it('begins to judge when the faults have ended', () => {
    const fault = (forMicros: number): FaultSpec => ({
      kind: 'crash',
      atMicros: 0,
      forMicros,
      machines: ['a'],
      factor: 1,
    });
    const story = new Story({ faults: [fault(3 * microsPerHour)] });
    story.arrives(1).accepted(1);
    wait(story, 3.2 * microsPerHour);
    expect(violation(() => wait(story, 4 * microsPerHour)).oracle).toBe('liveness');
    // A machine that is gone for good is no excuse for what fits on the others, but for what does not.
    const lost = new Story({ faults: [fault(Number.POSITIVE_INFINITY)] });
    lost.arrives(1, { gpuCount: 1, gpuMilli: 1 }).accepted(1);
    wait(lost, 10 * microsPerHour);
    lost.arrives(2).accepted(2);
    expect(violation(() => wait(lost, 20 * microsPerHour)).concerned.submission).toBe(2);
  });

  it('exempts what never ends or fits no machine', () => {
    const endless = new Story();
    endless.arrives(1, {}, Number.POSITIVE_INFINITY).accepted(1);
    wait(endless, 10 * microsPerHour);
    const large = new Story();
    large.arrives(1, { cpuMilli: 9000 }).accepted(1);
    wait(large, 10 * microsPerHour);
    large.arrives(2).accepted(2);
    expect(violation(() => wait(large, 20 * microsPerHour)).concerned.submission).toBe(2);
  });
});

describe('checkpoints', () => {
  const story = (): { readonly told: Story; readonly first: Dispatch } => {
    const told = new Story();
    told.arrives(1, {}, 10 * microsPerSecond, 2 * microsPerSecond).accepted(1);
    const first = told.dispatch(1, 1);
    told
      .begins(first)
      .at(5 * microsPerSecond)
      .saves(first, 4 * microsPerSecond);
    told
      .at(6 * microsPerSecond)
      .ends(first, 'stopped')
      .reports(first, 'stopped');
    return { told, first };
  };

  it('lets work go on from what was saved, and no further', () => {
    const { told } = story();
    const second = told.dispatch(1, 2, [1], [0], 4 * microsPerSecond);
    told
      .begins(second)
      .at(12 * microsPerSecond)
      .ends(second);
    expect(violation(() => story().told.dispatch(1, 2, [1], [0], 5 * microsPerSecond)).what).toContain(
      'but 4000000 are saved',
    );
  });

  it('refuses a completion that skips some of the service', () => {
    const { told } = story();
    const second = told.dispatch(1, 2, [1], [0], 4 * microsPerSecond);
    told.begins(second).at(11 * microsPerSecond);
    expect(violation(() => told.ends(second)).what).toContain('completes after 9000000 of 10000000 µs');
  });
});

describe('progress', () => {
  it('refuses a kernel that is busy with nothing', () => {
    const story = new Story();
    story.arrives(1).accepted(1);
    const spin = (inputs: number): void => {
      for (let input = 0; input < inputs; input++) story.at(story.now + 1000).hears({ kind: 'timeReached' });
    };
    spin(10_000);
    expect(violation(() => spin(20_000)).oracle).toBe('progress');
  });
});
