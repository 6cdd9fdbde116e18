import { describe, expect, it } from 'vitest';
import { RandomStream } from '../../core/base/random.ts';
import { completePlan } from '../../core/policy/rollout-plan.ts';
import type { Profile } from '../../core/scheduler/framework.ts';
import type { FaultSpec } from '../experiment/scenario.ts';
import { soundDisk } from '../world/disk-spec.ts';
import type { World } from '../world/world.ts';
import { type AgentsOptions, agentMachines, agentsWorkload } from './agents-workload.ts';
import { RolloutOracle } from './rollout-oracle.ts';
import { type RolloutRunOptions, runRollout } from './run-rollout.ts';

const second = 1_000_000;
const agents: AgentsOptions = {
  ...{ seed: 1, machines: 8, slowness: [1, 1, 1, 1, 2, 2, 2, 2], tasks: 3000 },
  ...{ meanGapMicros: 6 * second, meanDurationMicros: 10 * second, sigma: 0.5 },
};
const firstFit: Profile = {
  ...{ name: 'first fit', order: 'fcfs', place: 'first-fit', unplaced: 'skip', backfill: 'none' },
  ...{ overtakeMax: 0, typicalTasks: [] },
};
/** Draws: half of its tasks land on slow agents. */
const anywhere: Profile = { ...firstFit, name: 'anywhere', place: 'random' };
const plan = completePlan({ shadowDecisions: 100, canary: { tasksMax: 2400, settleMicros: 300 * second } });

function options(changes: Partial<RolloutRunOptions> = {}): RolloutRunOptions {
  return {
    ...{ seed: 1, machines: agentMachines(agents), workload: agentsWorkload(agents) },
    ...{ profile: firstFit, candidate: anywhere, plan, proposeAtMicros: 100 * second },
    ...{ witnesses: { simulation: 'pass', replay: 'pass' }, resumes: false },
    ...changes,
  };
}

describe('a rollout in a simulated world', () => {
  it('of a worse policy is rolled back by the canary, after little harm', () => {
    const run = runRollout(options());
    expect(run.events.map(({ to }) => to)).toEqual(['simulation', 'replay', 'shadow', 'canary', 'rolledBack']);
    expect(run.canary?.verdict).toBe('worse');
    expect(run.canary?.tasks).toBeLessThan(1500);
    expect(run.completed).toBe(3000);
    expect(run.world.host.kernel.control.scheduler.profile.name).toBe('first fit');
  });

  it('of a better policy is promoted', () => {
    const run = runRollout(options({ profile: anywhere, candidate: firstFit }));
    expect(run.events.map(({ to }) => to)).toEqual(['simulation', 'replay', 'shadow', 'canary', 'held', 'promoted']);
    expect(run.world.host.kernel.control.scheduler.profile.name).toBe('first fit');
  });

  it('goes the same way twice, and the same way over a snapshot', () => {
    const once = runRollout(options());
    expect(runRollout(options()).digest).toBe(once.digest);
    const worlds: World[] = [];
    const restarted = runRollout(
      options({
        observers: [
          {
            taskArrived(submission) {
              if (submission % 200 === 0) worlds.at(-1)?.restartKernelFromSnapshot();
            },
          },
        ],
        onWorld: (world) => worlds.push(world),
      }),
    );
    expect(restarted.digest).toBe(once.digest);
  });

  it('falls back to the last good policy when the kernel dies in the midst of it', () => {
    for (let seed = 1; seed <= 5; seed++) {
      const run = runRollout(
        options({
          seed,
          journal: { disk: soundDisk },
          faults: [1200, 2200].map((at) => ({
            ...{ kind: 'kernelCrash' as const, atMicros: (at + 100 * seed) * second, forMicros: 5 * second },
            ...{ machines: [], factor: 1 },
          })),
        }),
      );
      const crashed = run.events.findIndex(({ why }) => why.includes('stood still'));
      expect(crashed).toBeGreaterThan(0);
      expect(run.events[crashed]).toMatchObject({ to: 'canary', servesVersion: 1 });
      expect(run.completed).toBe(3000);
    }
  });

  it('keeps its promises under crashes of kernel and machines, on an unsteady disk and network', () => {
    let canaryDecisions = 0;
    let interruptions = 0;
    for (let seed = 1; seed <= 12; seed++) {
      const few = { ...agents, seed, tasks: 700 };
      const random = new RandomStream(seed, 'rollout faults');
      const fault = (kind: 'kernelCrash' | 'crash', forSeconds: number): FaultSpec => ({
        ...{ kind, atMicros: (700 + random.nextBelow(3000)) * second, forMicros: forSeconds * second, factor: 1 },
        machines: kind === 'crash' ? { share: 0.25 } : [],
      });
      const oracle = new RolloutOracle();
      const run = runRollout(
        options({
          seed,
          ...{ workload: agentsWorkload(few), journal: { disk: soundDisk }, resumes: seed % 3 !== 0 },
          plan: { ...plan, shadowDecisions: 60, canary: { ...plan.canary, blockTasks: 8, washoutTasks: 1 } },
          faults: [fault('kernelCrash', 5), fault('kernelCrash', 30), fault('kernelCrash', 1), fault('crash', 120)],
          network: {
            latency: { distribution: 'exponential', meanMicros: 20_000, sigma: 0 },
            ...{ bandwidthBytesPerSecond: 0, loss: 0.02, duplication: 0.02, reordering: 0.02 },
          },
          observers: [oracle],
        }),
      );
      expect(run.completed).toBe(700);
      canaryDecisions += oracle.canaryDecisions;
      interruptions += run.events.filter(({ why }) => why.includes('stood still')).length;
    }
    expect(canaryDecisions).toBeGreaterThan(100);
    expect(interruptions).toBeGreaterThan(5);
  });
});
