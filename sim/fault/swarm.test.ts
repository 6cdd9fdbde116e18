// The kernel under faults, watched by every oracle: drawn cases, each kind of trouble alone, and the cases that once failed.

import { describe, expect, it } from 'vitest';
import { microsPerSecond } from '../../core/base/time.ts';
import type { Effect } from '../../core/kernel/effects.ts';
import type { Profile } from '../../core/scheduler/framework.ts';
import type { FaultSpec, NetworkSpec } from '../experiment/scenario.ts';
import type { WorldObserver } from '../world/observer.ts';
import { soundNetwork } from '../world/sound-network.ts';
import { drawSwarmCase, runSwarmCase, type SwarmCase, type SwarmOptions, type SwarmResult } from './swarm.ts';

const perfectNetwork = soundNetwork(200);

/** A case without any trouble: the drawn cluster and tasks, ten beats a lease. */
function calmCase(seed: number): SwarmCase {
  const { machines, tasks, profile } = drawSwarmCase(seed);
  return {
    seed,
    machines,
    tasks,
    profile: { ...profile, order: 'fcfs', place: 'best-fit', unplaced: 'skip', backfill: 'none', overtakeMax: 0 },
    network: perfectNetwork,
    heartbeat: { intervalMicros: 4 * microsPerSecond, leaseMicros: 40 * microsPerSecond },
    faults: [],
    queueLengthMax: 1_000_000,
    cancellations: [],
  };
}

/** Runs a case; every task must have an outcome, and the kernel must have forgotten everything. */
function run(drawn: SwarmCase, options: SwarmOptions = {}): SwarmResult {
  const result = runSwarmCase(drawn, options);
  expect(result.outcomes.size).toBe(drawn.tasks.length);
  const { control } = result.world.host.kernel;
  expect(control.taskCountNow).toBe(0);
  expect(control.scheduler.attempts.size).toBe(0);
  expect(control.scheduler.queueLength).toBe(0);
  const { cluster } = control.scheduler;
  expect(cluster.cpuFreeTotalMilli).toBe(cluster.cpuCapacityTotalMilli);
  expect(cluster.gpuFreeTotalMilli).toBe(cluster.gpuCapacityTotalMilli);
  return result;
}

/** Runs with an eye on how often the kernel had certain effects. */
function runCounting(drawn: SwarmCase, counts: (effect: Effect) => boolean): SwarmResult & { readonly count: number } {
  let count = 0;
  const observer: WorldObserver = {
    kernelEffect: (effect) => {
      if (counts(effect)) count++;
    },
  };
  return { ...run(drawn, { observers: [observer] }), count };
}

const died = (effect: Effect): boolean => effect.kind === 'agentStateChanged' && effect.to === 'dead';
const outcomesOf = ({ outcomes }: SwarmResult): ReadonlySet<string> => new Set(outcomes.values());
const restartsOf = (result: SwarmResult, count: number): number[] =>
  Array.from({ length: count }, (_, index) =>
    Math.floor((result.world.simulation.nowMicros * (index + 1)) / (count + 1)),
  );

describe('drawn cases', () => {
  it('keep every promise', () => {
    const seen = new Set<string>();
    for (let seed = 1; seed <= 40; seed++)
      for (const outcome of outcomesOf(run(drawSwarmCase(seed)))) seen.add(outcome);
    // The cases reach all that can become of a task.
    expect([...seen].sort()).toEqual(['cancelled', 'completed', 'dropped', 'failed', 'refused']);
  });

  it('are reproduced by their seed', () => {
    for (const seed of [3, 11]) expect(run(drawSwarmCase(seed)).digest).toBe(run(drawSwarmCase(seed)).digest);
    expect(run(drawSwarmCase(3)).digest).not.toBe(run(drawSwarmCase(11)).digest);
  });
});

describe('a kernel restored from its own snapshot, again and again, under faults', () => {
  const rules: readonly Pick<Profile, 'unplaced' | 'backfill' | 'overtakeMax' | 'order' | 'place'>[] = [
    { unplaced: 'skip', backfill: 'none', overtakeMax: 0, order: 'fcfs', place: 'fgd' },
    { unplaced: 'skip', backfill: 'none', overtakeMax: 5, order: 'wfp3', place: 'random' },
    { unplaced: 'block', backfill: 'none', overtakeMax: 0, order: 'sjf', place: 'spread' },
    { unplaced: 'block', backfill: 'never', overtakeMax: 0, order: 'f1', place: 'random' },
    { unplaced: 'block', backfill: 'avoidReserved', overtakeMax: 0, order: 'fcfs', place: 'first-fit' },
    { unplaced: 'backoff', backfill: 'none', overtakeMax: 0, order: 'unicep', place: 'gpu-clustering' },
    { unplaced: 'drop', backfill: 'none', overtakeMax: 0, order: 'fcfs', place: 'gpu-packing' },
  ];
  it.each(rules.map((rule) => [`${rule.unplaced}, ${rule.backfill}, ${rule.order}, ${rule.place}`, rule] as const))(
    'goes on as if nothing had happened: %s',
    (_, rule) => {
      for (const seed of [101, 102, 103]) {
        const drawn = drawSwarmCase(seed);
        const ruled = { ...drawn, profile: { ...drawn.profile, ...rule } };
        const whole = run(ruled);
        const restored = run(ruled, { restartsMicros: restartsOf(whole, 5) });
        expect(restored.digest).toBe(whole.digest);
        expect([...restored.outcomes]).toEqual([...whole.outcomes]);
        expect(restored.world.simulation.eventCount).toBe(whole.world.simulation.eventCount);
      }
    },
  );
});

describe('each kind of trouble alone', () => {
  const fault = (kind: FaultSpec['kind'], forSeconds: number, share = 0.5, factor = 1): readonly FaultSpec[] =>
    [60, 200, 350].map((at) => ({
      kind,
      atMicros: at * microsPerSecond,
      forMicros: forSeconds * microsPerSecond,
      machines: { share },
      factor,
    }));
  const seeds = [1, 2, 3, 4];

  it('none: everything completes at the first attempt', () => {
    for (const seed of seeds) {
      const calm = calmCase(seed);
      const { world, outcomes, count } = runCounting(calm, died);
      expect(outcomesOf({ outcomes } as SwarmResult)).toEqual(new Set(['completed']));
      expect(world.host.kernel.counts.placements).toBe(calm.tasks.length);
      expect(count).toBe(0);
    }
  });

  it.each([1, 20, 120])('crash and restart after %i s: what ran is placed again', (seconds) => {
    for (const seed of seeds) {
      const calm = calmCase(seed);
      const result = run({ ...calm, faults: fault('crash', seconds) });
      expect(outcomesOf(result)).toEqual(new Set(['completed']));
      expect(result.world.host.kernel.counts.placements).toBeGreaterThan(calm.tasks.length);
    }
  });

  it('crash of every machine at once', () => {
    for (const seed of seeds) {
      const result = run({ ...calmCase(seed), faults: fault('crash', 100, 1) });
      expect(outcomesOf(result)).toEqual(new Set(['completed']));
    }
  });

  it('a short hang loses nothing; one beyond the lease loses the agent', () => {
    for (const seed of seeds) {
      const calm = calmCase(seed);
      const short = runCounting({ ...calm, faults: fault('hang', 20) }, died);
      expect(short.count).toBe(0);
      expect(short.world.host.kernel.counts.placements).toBe(calm.tasks.length);
      const long = runCounting({ ...calm, faults: fault('hang', 120) }, died);
      expect(long.count).toBeGreaterThanOrEqual(3);
      expect(outcomesOf(long)).toEqual(new Set(['completed']));
    }
  });

  it('slow machines: later, but all of it', () => {
    for (const seed of seeds) {
      const calm = calmCase(seed);
      const result = run({ ...calm, faults: fault('slow', 100, 1, 10) });
      expect(result.world.host.kernel.counts.placements).toBe(calm.tasks.length);
      expect(result.world.simulation.nowMicros).toBeGreaterThan(run(calm).world.simulation.nowMicros);
    }
  });

  it('a short partition loses nothing; one beyond the lease loses the agent, which gives up its work first', () => {
    for (const seed of seeds) {
      const calm = calmCase(seed);
      const short = runCounting({ ...calm, faults: fault('partition', 15) }, died);
      expect(short.count).toBe(0);
      expect(short.world.host.kernel.counts.placements).toBe(calm.tasks.length);
      const long = runCounting({ ...calm, faults: fault('partition', 120) }, died);
      expect(long.count).toBeGreaterThanOrEqual(3);
      expect(outcomesOf(long)).toEqual(new Set(['completed']));
    }
  });

  const networks: readonly (readonly [string, Partial<NetworkSpec>])[] = [
    ['loss', { loss: 0.1 }],
    ['duplication', { duplication: 0.5 }],
    ['reordering', { reordering: 0.5, latency: { distribution: 'exponential', meanMicros: 300_000, sigma: 0 } }],
    ['bandwidth', { bandwidthBytesPerSecond: 5_000 }],
    ['no latency at all', { latency: { distribution: 'constant', meanMicros: 0, sigma: 0 } }],
    ['exponential latency', { latency: { distribution: 'exponential', meanMicros: 2_000_000, sigma: 0 } }],
    ['lognormal latency', { latency: { distribution: 'lognormal', meanMicros: 1_000_000, sigma: 1.5 } }],
    [
      'all of it',
      {
        loss: 0.08,
        duplication: 0.3,
        reordering: 0.3,
        latency: { distribution: 'lognormal', meanMicros: 500_000, sigma: 1 },
      },
    ],
  ];
  it.each(networks)('network: %s', (_, spec) => {
    for (const seed of seeds) {
      const result = run({ ...calmCase(seed), network: { ...perfectNetwork, ...spec } });
      const completed = [...result.outcomes.values()].filter((outcome) => outcome === 'completed').length;
      expect(completed).toBeGreaterThanOrEqual(0.9 * result.outcomes.size);
    }
  });

  it('all kinds together, without end of trouble while tasks come', () => {
    const faults = [
      ...fault('crash', 30, 0.3),
      ...fault('hang', 60, 0.3),
      ...fault('slow', 50, 0.5, 4),
      ...fault('partition', 60, 0.3),
      ...fault('lossy', 90, 0.5, 0.4),
    ];
    const network: NetworkSpec = {
      ...perfectNetwork,
      latency: { distribution: 'exponential', meanMicros: 100_000, sigma: 0 },
      loss: 0.03,
      duplication: 0.2,
      reordering: 0.2,
    };
    for (const seed of seeds) run({ ...calmCase(seed), faults, network });
  });

  it('a machine lost for good', () => {
    for (const kind of ['crash', 'hang', 'partition'] as const) {
      const lost: FaultSpec = {
        kind,
        atMicros: 100 * microsPerSecond,
        forMicros: Number.POSITIVE_INFINITY,
        machines: ['v100-0'],
        factor: 1,
      };
      expect(outcomesOf(run({ ...calmCase(5), faults: [lost] }))).toEqual(new Set(['completed']));
    }
  });
});

describe('a task over several machines', () => {
  it('ends when a machine dies that is not the leading one', () => {
    const spanning = { cpuMilli: 30_000, memoryMib: 1000, gpuCount: 0, gpuMilli: 0, gpuModels: [], machineCount: 3 };
    const calm = calmCase(1);
    const tasks = Array.from({ length: 4 }, (_, index) => ({
      name: `wide-${index}`,
      arrivalMicros: 0,
      request: spanning,
      durationMicros: 100 * microsPerSecond,
      estimateMicros: 100 * microsPerSecond,
      priority: 0,
      tenant: 'default',
    }));
    for (const kind of ['crash', 'hang', 'partition'] as const) {
      for (const machine of calm.machines) {
        for (const forSeconds of [3, 90]) {
          const struck: FaultSpec = {
            kind,
            atMicros: 50 * microsPerSecond,
            forMicros: forSeconds * microsPerSecond,
            machines: [machine.name],
            factor: 1,
          };
          expect(outcomesOf(run({ ...calm, tasks, faults: [struck] }))).toEqual(new Set(['completed']));
        }
      }
    }
  });
});

describe('cancellation', () => {
  it('ends waiting and running tasks, under loss as well', () => {
    for (const loss of [0, 0.2]) {
      const calm = calmCase(2);
      const cancellations = calm.tasks.map((task, index) => ({
        atMicros: task.arrivalMicros + microsPerSecond,
        submission: index + 1,
      }));
      const result = run({ ...calm, network: { ...perfectNetwork, loss }, cancellations });
      const cancelled = [...result.outcomes.values()].filter((outcome) => outcome === 'cancelled').length;
      const short = calm.tasks.filter((task) => task.durationMicros < 2 * microsPerSecond).length;
      expect(cancelled).toBeGreaterThan(0.8 * (calm.tasks.length - short));
    }
  });
});

describe('cases that failed once', () => {
  it.each([
    [1, 'a late copy of a dispatch began its work a second time'],
    [9, 'a stop overtook its dispatch, which then began'],
    [16, 'an agent that restarted took work before it was registered, and so without a lease'],
    [78, 'the lease ran from the last hello although the kernel had heard only the first'],
    [19, 'the answer to a hello took so long that the lease was over, and the agent worked under it'],
    [13, 'an agent that restarted waited for a wake that had gone by while it was down'],
    [25, 'a refusal that was lost became an acceptance when the submission was repeated'],
    [32, 'the first ends were published before the subscription had come, and kept for nobody'],
  ])('seed %i: %s', (seed) => {
    run(drawSwarmCase(seed));
  });

  it('seed 480: overtaking was counted by a key of the past, and otherwise after a restart', () => {
    const whole = run(drawSwarmCase(480));
    expect(run(drawSwarmCase(480), { restartsMicros: restartsOf(whole, 7) }).digest).toBe(whole.digest);
  });
});

describe('memory', () => {
  it('forgets 20,000 tasks', () => {
    const calm = calmCase(1);
    const tasks = Array.from({ length: 20_000 }, (_, index) => {
      const task = calm.tasks[index % calm.tasks.length] as SwarmCase['tasks'][number];
      return {
        ...task,
        name: `task-${index}`,
        arrivalMicros: index * 4 * microsPerSecond,
        durationMicros: 1 + (task.durationMicros % (3 * microsPerSecond)),
      };
    });
    const network: NetworkSpec = { ...perfectNetwork, loss: 0.01, duplication: 0.05 };
    const { world } = run({ ...calm, tasks, network });
    // The last acknowledgements are still on their way.
    world.runUntil(world.simulation.nowMicros + 60 * microsPerSecond);
    const snapshot = world.host.kernel.save();
    expect(snapshot.control.tasks).toEqual([]);
    expect(snapshot.control.attempts).toEqual([]);
    expect(snapshot.broker.topics.flatMap((topic) => topic.messages)).toEqual([]);
    expect(JSON.stringify(snapshot).length).toBeLessThan(20_000);
    for (const machine of world.machines) expect(machine.agent.runningCount).toBe(0);
  });
});
