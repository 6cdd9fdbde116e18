import { describe, expect, test } from 'vitest';
import { AssertionError } from '../base/assert.ts';
import type { AgentRegistered, Dispatch, Stop } from '../kernel/effects.ts';
import { AgentClient, type AgentMessage } from './agent-client.ts';

const interval = 10;
const lease = 40;
const retry = 5;

class Bench {
  readonly sent: AgentMessage[] = [];
  readonly started: number[] = [];
  readonly stopped: number[] = [];
  readonly wakes: number[] = [];
  readonly agent: AgentClient;

  /** Clocks that do not drift, unless it is said. */
  constructor(clockDriftMax = 0) {
    this.agent = new AgentClient(
      {
        gateway: 3,
        name: 'alpha',
        resources: { cpuMilli: 1000, memoryMib: 0, gpuCount: 0, gpuModel: '' },
        capabilities: { cpu: 1 },
        attributes: { rack: 'r1' },
        retryMicros: retry,
        clockDriftMax,
      },
      {
        send: (message) => void this.sent.push(message),
        startWork: (dispatch) => void this.started.push(dispatch.attempt),
        stopWork: (reference) => void this.stopped.push(reference.attempt),
        wakeAt: (timeMicros) => void this.wakes.push(timeMicros),
      },
    );
  }

  /** What was sent since the last call: kind, and attempt or incarnation. */
  take(): string[] {
    return this.sent.splice(0).map((message) => {
      if (message.kind === 'agentHello') return `hello ${message.incarnation}`;
      if (message.kind === 'agentDraining') return `draining ${message.incarnation}`;
      if (message.kind === 'agentPowerChanged') return message.awake ? 'awake' : 'asleep';
      return `${message.kind === 'taskFinished' ? message.outcome : 'accepted'} ${message.attempt}`;
    });
  }
}

function registered(changes: Partial<AgentRegistered> = {}): AgentRegistered {
  return {
    kind: 'agentRegistered',
    gateway: 3,
    name: 'alpha',
    agent: 7,
    incarnation: 1,
    helloSentMicros: 0,
    leaseMicros: lease,
    heartbeatIntervalMicros: interval,
    stop: [],
    ...changes,
  };
}

function dispatchOf(attempt: number, changes: Partial<Dispatch> = {}): Dispatch {
  return {
    kind: 'dispatch',
    agent: 7,
    incarnation: 1,
    task: attempt + 100,
    attempt,
    order: attempt,
    submitter: 1,
    submission: attempt,
    machines: [7],
    deviceMasks: [0],
    ...changes,
  };
}

function stopOf(attempt: number, changes: Partial<Stop> = {}): Stop {
  return { kind: 'stop', agent: 7, incarnation: 1, task: attempt + 100, attempt, order: attempt, ...changes };
}

const recorded = (attempt: number) =>
  ({ kind: 'resultRecorded', agent: 7, incarnation: 1, task: attempt + 100, attempt }) as const;

/** Registered at time 0 as agent 7, incarnation 1. */
function ready(...options: ConstructorParameters<typeof Bench>): Bench {
  const bench = new Bench(...options);
  bench.agent.start(0);
  bench.agent.receive(registered(), 0);
  bench.take();
  return bench;
}

describe('registration', () => {
  test('the hello says who it is, and is repeated until it is answered', () => {
    const bench = new Bench();
    bench.agent.start(0);
    expect(bench.sent).toEqual([
      {
        kind: 'agentHello',
        gateway: 3,
        name: 'alpha',
        incarnation: 1,
        sentMicros: 0,
        connection: 1,
        resources: { cpuMilli: 1000, memoryMib: 0, gpuCount: 0, gpuModel: '' },
        capabilities: { cpu: 1 },
        attributes: { rack: 'r1' },
        running: [],
      },
    ]);
    expect(bench.wakes).toEqual([retry]);
    bench.take();
    bench.agent.wake(retry - 1);
    expect(bench.take()).toEqual([]);
    bench.agent.wake(retry);
    expect(bench.sent).toMatchObject([{ incarnation: 1, sentMicros: retry }]);
    expect(bench.take()).toEqual(['hello 1']);
    expect(bench.agent.beats).toBe(false);
    bench.agent.receive(registered({ helloSentMicros: retry }), 7);
    expect([bench.agent.beats, bench.agent.agent]).toEqual([true, 7]);
    bench.agent.wake(2 * retry);
    expect(bench.take()).toEqual([]);
    expect(bench.wakes).toEqual([retry, 2 * retry]);
  });

  test('a refusal makes it come as a new incarnation, no sooner than a repetition would', () => {
    const bench = new Bench();
    bench.agent.start(0);
    bench.take();
    const refused = { kind: 'agentRefused', gateway: 3, name: 'alpha', incarnation: 1, reason: 'dead' } as const;
    bench.agent.receive(refused, 1);
    bench.agent.receive(refused, 2);
    expect(bench.take()).toEqual([]);
    bench.agent.wake(retry);
    expect(bench.take()).toEqual(['hello 2']);
    bench.agent.receive(registered(), 6);
    expect(bench.agent.beats).toBe(false);
    bench.agent.receive(registered({ incarnation: 2, helloSentMicros: retry }), 6);
    expect(bench.agent.beats).toBe(true);
  });

  test('an answer that took so long gives no lease; the hello goes on', () => {
    const bench = new Bench();
    bench.agent.start(0);
    bench.take();
    bench.agent.receive(registered({ helloSentMicros: 0 }), lease - interval);
    expect(bench.agent.beats).toBe(false);
    bench.agent.wake(lease);
    expect(bench.take()).toEqual(['hello 1']);
  });

  test('a wake that came while it was down is made up for by the next start', () => {
    const bench = new Bench();
    bench.agent.start(0);
    // Down from 1 to 20: the wake at 5 went unheard.
    bench.agent.start(20);
    expect(bench.wakes).toEqual([retry, 20 + retry]);
    bench.take();
    bench.agent.wake(20 + retry);
    expect(bench.take()).toEqual(['hello 2']);
  });
});

describe('work', () => {
  test('a dispatch begins work once; each copy is answered by what is known', () => {
    const bench = ready();
    bench.agent.receive(dispatchOf(1), 1);
    bench.agent.receive(dispatchOf(1), 2);
    expect(bench.started).toEqual([1]);
    expect(bench.take()).toEqual(['accepted 1', 'accepted 1']);
    expect(bench.agent.runningCount).toBe(1);
    bench.agent.workEnded(dispatchOf(1), 'completed', 3, 5);
    expect(bench.sent).toEqual([
      {
        kind: 'taskFinished',
        agent: 7,
        incarnation: 1,
        task: 101,
        attempt: 1,
        outcome: 'completed',
        serviceMicros: 3,
      },
    ]);
    expect(bench.agent.runningCount).toBe(0);
    bench.agent.receive(dispatchOf(1), 6);
    expect(bench.take()).toEqual(['completed 1', 'completed 1']);
    bench.agent.receive(recorded(1), 7);
    bench.agent.receive(dispatchOf(1), 8);
    expect(bench.take()).toEqual([]);
    expect(bench.started).toEqual([1]);
  });

  test('dispatches may overtake one another', () => {
    const bench = ready();
    for (const attempt of [3, 1, 2, 3, 1]) bench.agent.receive(dispatchOf(attempt), 1);
    expect(bench.started).toEqual([3, 1, 2]);
  });

  test('a result is repeated until it is recorded, and a failed one as well', () => {
    const bench = ready();
    bench.agent.wake(retry);
    bench.agent.receive(dispatchOf(1), 6);
    bench.agent.receive(dispatchOf(2), 6);
    bench.agent.workEnded(dispatchOf(1), 'completed', 1, 10);
    bench.agent.workEnded(dispatchOf(2), 'failed', 1, 11);
    bench.take();
    bench.agent.wake(10 + retry);
    expect(bench.take()).toEqual(['completed 1', 'failed 2']);
    bench.agent.receive(recorded(1), 16);
    bench.agent.wake(10 + 2 * retry);
    expect(bench.take()).toEqual(['failed 2']);
    bench.agent.receive(recorded(2), 21);
    bench.agent.wake(10 + 3 * retry);
    expect(bench.take()).toEqual([]);
    // One wish at a time, however many results wait.
    expect(bench.wakes).toEqual([retry, 15, 20, 25]);
  });

  test('a receipt for what still runs is no reason to forget it', () => {
    const bench = ready();
    bench.agent.receive(dispatchOf(1), 0);
    bench.agent.receive(recorded(1), 1);
    expect(bench.agent.runningCount).toBe(1);
    bench.agent.workEnded(dispatchOf(1), 'completed', 1, 2);
    expect(bench.take()).toEqual(['accepted 1', 'completed 1']);
  });

  test('work ends once: anything else is a defect of the shell', () => {
    const bench = ready();
    bench.agent.receive(dispatchOf(1), 0);
    bench.agent.workEnded(dispatchOf(1), 'completed', 1, 2);
    expect(() => bench.agent.workEnded(dispatchOf(1), 'completed', 1, 3)).toThrow(AssertionError);
    expect(() => bench.agent.workEnded(dispatchOf(2), 'completed', 1, 3)).toThrow(AssertionError);
  });

  test('what is meant for another agent, another incarnation, or came before the registration is dropped', () => {
    const bench = new Bench();
    bench.agent.start(0);
    bench.take();
    bench.agent.receive(dispatchOf(1), 1);
    bench.agent.receive(registered(), 1);
    bench.agent.receive(dispatchOf(2, { agent: 8 }), 1);
    bench.agent.receive(dispatchOf(3, { incarnation: 2 }), 1);
    bench.agent.receive(stopOf(4, { incarnation: 0 }), 1);
    expect(bench.take()).toEqual([]);
    expect(bench.started).toEqual([]);
    bench.agent.receive(dispatchOf(1), 2);
    expect(bench.started).toEqual([1]);
  });
});

describe('stops', () => {
  test('running work stops, and says so until that is recorded', () => {
    const bench = ready();
    bench.agent.receive(dispatchOf(1), 0);
    bench.take();
    bench.agent.receive(stopOf(1), 1);
    expect(bench.stopped).toEqual([1]);
    expect(bench.take()).toEqual(['stopped 1']);
    bench.agent.receive(stopOf(1), 2);
    expect(bench.stopped).toEqual([1]);
    bench.agent.wake(1 + retry);
    expect(bench.take()).toEqual(['stopped 1']);
  });

  test('work that has ended already keeps its result', () => {
    const bench = ready();
    bench.agent.receive(dispatchOf(1), 0);
    bench.agent.workEnded(dispatchOf(1), 'completed', 1, 1);
    bench.take();
    bench.agent.receive(stopOf(1), 2);
    bench.agent.wake(1 + retry);
    expect(bench.take()).toEqual(['completed 1']);
    expect(bench.stopped).toEqual([]);
  });

  test('what is unknown does not run: each stop is answered, and its dispatch is void when it comes', () => {
    const bench = ready();
    bench.agent.receive(stopOf(5), 1);
    bench.agent.receive(stopOf(5), 2);
    expect(bench.take()).toEqual(['stopped 5', 'stopped 5']);
    bench.agent.receive(dispatchOf(5), 3);
    expect(bench.started).toEqual([]);
    expect(bench.take()).toEqual([]);
    bench.agent.receive(dispatchOf(6), 3);
    expect(bench.started).toEqual([6]);
  });

  test('registration may name what no longer belongs to the agent', () => {
    const bench = ready();
    bench.agent.receive(dispatchOf(1), 0);
    bench.agent.receive(dispatchOf(2), 0);
    bench.take();
    bench.agent.receive(registered({ stop: [{ task: 101, attempt: 1 }] }), 3);
    expect(bench.stopped).toEqual([1]);
    expect(bench.take()).toEqual(['stopped 1']);
    expect(bench.agent.runningCount).toBe(1);
  });
});

describe('draining', () => {
  test('is said until the drain ends, after a new registration too, and what runs goes on', () => {
    const bench = ready();
    bench.agent.receive(dispatchOf(1), 0);
    bench.take();
    bench.agent.drain(1);
    bench.agent.wake(1 + retry);
    expect(bench.take()).toEqual(['draining 1', 'draining 1']);
    expect(bench.stopped).toEqual([]);
    bench.agent.start(20);
    bench.agent.wake(20 + retry);
    expect(bench.take()).toEqual(['hello 2', 'hello 2']);
    bench.agent.receive(registered({ incarnation: 2, helloSentMicros: 20 }), 26);
    expect(bench.take()).toEqual(['draining 2']);
    bench.agent.endDrain();
    bench.agent.wake(60);
    expect(bench.take()).toEqual([]);
  });

  test('the next incarnation says what it has', () => {
    const bench = ready();
    bench.agent.hasResources({ cpuMilli: 500, memoryMib: 0, gpuCount: 0, gpuModel: '' });
    bench.agent.start(9);
    expect(bench.sent.at(-1)).toMatchObject({ kind: 'agentHello', incarnation: 2, resources: { cpuMilli: 500 } });
  });
});

describe('the lease', () => {
  test('all work stops before the lease could end unseen; it comes back as a new incarnation', () => {
    const bench = ready();
    for (const attempt of [1, 2, 3]) bench.agent.receive(dispatchOf(attempt), 0);
    bench.agent.workEnded(dispatchOf(2), 'completed', 1, 1);
    bench.take();
    bench.agent.tick(lease - interval - 1, interval);
    expect(bench.stopped).toEqual([]);
    bench.agent.tick(lease - interval, interval);
    expect(bench.stopped).toEqual([1, 3]);
    expect(bench.agent.runningCount).toBe(0);
    expect(bench.take()).toEqual(['hello 2']);
    expect([bench.agent.beats, bench.agent.currentIncarnation]).toEqual([false, 2]);
    // The result of the former incarnation is lost with it.
    bench.agent.wake(lease - interval + retry);
    expect(bench.take()).toEqual(['hello 2']);
    bench.agent.receive(registered({ incarnation: 2, helloSentMicros: 35 }), 36);
    bench.agent.receive(dispatchOf(9, { incarnation: 2, order: 1 }), 36);
    expect(bench.started).toEqual([1, 2, 3, 9]);
  });

  test('it is shorter by what the clocks may drift apart', () => {
    const bench = ready(0.25);
    bench.agent.receive(dispatchOf(1), 0);
    bench.agent.tick(0.75 * lease - interval - 1, interval);
    expect(bench.stopped).toEqual([]);
    bench.agent.leaseRenewed(5);
    bench.agent.tick(5 + 0.75 * lease - interval, interval);
    expect(bench.stopped).toEqual([1]);
  });

  test('a recorded heartbeat renews it from when it was sent, and never shortens it', () => {
    const bench = ready();
    bench.agent.leaseRenewed(20);
    bench.agent.leaseRenewed(10);
    bench.agent.tick(20 + lease - interval - 1, interval);
    expect(bench.take()).toEqual([]);
    bench.agent.tick(20 + lease - interval, interval);
    expect(bench.take()).toEqual(['hello 2']);
  });

  test('it runs from when the hello that is answered was sent, not from a later copy or its answer', () => {
    const bench = new Bench();
    bench.agent.start(0);
    for (const at of [5, 10, 15]) bench.agent.wake(at);
    bench.agent.receive(registered({ helloSentMicros: 5 }), 16);
    bench.take();
    bench.agent.tick(5 + lease - interval - 1, interval);
    expect(bench.take()).toEqual([]);
    bench.agent.tick(5 + lease - interval, interval);
    expect(bench.take()).toEqual(['hello 2']);
  });

  test('an answer to a later copy prolongs it; one to an earlier copy does nothing', () => {
    const bench = ready();
    bench.agent.receive(registered({ helloSentMicros: 8 }), 9);
    bench.agent.receive(registered({ helloSentMicros: 2 }), 9);
    bench.agent.tick(8 + lease - interval - 1, interval);
    expect(bench.take()).toEqual([]);
    bench.agent.tick(8 + lease - interval, interval);
    expect(bench.take()).toEqual(['hello 2']);
  });

  test('without registration there is none to lose, and none to renew', () => {
    const bench = new Bench();
    bench.agent.start(0);
    bench.take();
    bench.agent.leaseRenewed(0);
    bench.agent.tick(1000, interval);
    expect(bench.take()).toEqual([]);
  });
});

describe('a new connection', () => {
  test('is told of everything that runs or has no receipt, and counts within the incarnation', () => {
    const bench = ready();
    bench.agent.receive(dispatchOf(1), 1);
    bench.agent.receive(dispatchOf(2), 1);
    bench.agent.workEnded(dispatchOf(2), 'completed', 1, 2);
    bench.take();
    bench.agent.reconnected(3);
    expect(bench.sent[0]).toMatchObject({
      kind: 'agentHello',
      incarnation: 1,
      connection: 2,
      sentMicros: 3,
      running: [{ attempt: 1 }, { attempt: 2 }],
    });
    expect(bench.take()).toEqual(['hello 1', 'completed 2']);
    // The answer may take away what is no longer the agent's.
    bench.agent.receive(registered({ helloSentMicros: 3, stop: [{ task: 101, attempt: 1 }] }), 4);
    expect(bench.stopped).toEqual([1]);
    expect(bench.take()).toEqual(['stopped 1']);
    bench.agent.start(5);
    expect(bench.sent[0]).toMatchObject({ incarnation: 2, connection: 1, running: [] });
  });

  test('an incarnation that the kernel knows already is passed over', () => {
    const bench = new Bench();
    bench.agent.start(0);
    bench.take();
    bench.agent.incarnationKnown(41);
    bench.agent.receive({ kind: 'agentRefused', gateway: 3, name: 'alpha', incarnation: 41, reason: 'old' }, 1);
    bench.agent.wake(retry);
    expect(bench.take()).toEqual(['hello 42']);
    bench.agent.incarnationKnown(7);
    expect(bench.agent.currentIncarnation).toBe(42);
  });
});
