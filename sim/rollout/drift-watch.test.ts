// Promoted policies in simulated worlds whose workload becomes another one: noticed and rolled back, by the kernel alone; and left in
// peace where nothing changes.

import { describe, expect, it } from 'vitest';
import { completePlan } from '../../core/policy/rollout-plan.ts';
import type { Profile } from '../../core/scheduler/framework.ts';
import { soundDisk } from '../world/disk-spec.ts';
import type { World } from '../world/world.ts';
import { type AgentsOptions, agentMachines, agentsWorkload } from './agents-workload.ts';
import { driftingWorkload, type WorkloadDrift } from './drifting-workload.ts';
import { RolloutOracle } from './rollout-oracle.ts';
import { type RolloutRunOptions, runRollout } from './run-rollout.ts';

const second = 1_000_000;
const agents: AgentsOptions = {
  ...{ seed: 1, machines: 8, slowness: [1, 1, 1, 1, 2, 2, 2, 2], tasks: 7000 },
  ...{ meanGapMicros: 6 * second, meanDurationMicros: 10 * second, sigma: 0.5 },
};
const firstFit: Profile = {
  ...{ name: 'first fit', order: 'fcfs', place: 'first-fit', unplaced: 'skip', backfill: 'none' },
  ...{ overtakeMax: 0, typicalTasks: [] },
};
const anywhere: Profile = { ...firstFit, name: 'anywhere', place: 'random' };
const plan = completePlan({ shadowDecisions: 100, canary: { tasksMax: 2400, settleMicros: 300 * second } });
/** After the promotion of the better policy, which comes within 2400 tasks. */
const driftMicros = 4000 * 6 * second;

function options(drift: Partial<WorkloadDrift> = {}, changes: Partial<RolloutRunOptions> = {}): RolloutRunOptions {
  const { seed = 1 } = changes;
  const workload = driftingWorkload(agentsWorkload({ ...agents, seed }), { atMicros: driftMicros, ...drift });
  return {
    ...{ seed, machines: agentMachines(agents), workload, profile: anywhere, candidate: firstFit, plan },
    ...{ proposeAtMicros: 100 * second, witnesses: { simulation: 'pass', replay: 'pass' }, resumes: true },
    observers: [new RolloutOracle()],
    ...changes,
  };
}

describe('after its promotion a policy', () => {
  it('serves on while the workload stays what it was', () => {
    const run = runRollout(options());
    expect(run.events.at(-1)?.to).toBe('promoted');
    expect(run.world.host.kernel.control.rollouts.machine.watch?.arrived).toBeGreaterThan(3000);
  });

  it.each([
    ['work takes longer than was estimated', { serviceFactor: 1.3 }, 'serviceLog'],
    ['tasks are longer', { lengthFactor: 1.6 }, 'estimateLog'],
    ['tasks ask for less', { demandFactor: 0.5 }, 'demandShare'],
  ])('is rolled back when %s', (_, drift, what) => {
    const run = runRollout(options(drift));
    const last = run.events.at(-1);
    expect(last).toMatchObject({ from: 'promoted', to: 'rolledBack', who: 'drift watch', servesVersion: 1 });
    expect(last?.why).toContain(what);
    // Nine hundred tasks later at the latest.
    expect((last?.atMicros as number) - driftMicros).toBeGreaterThan(0);
    expect((last?.atMicros as number) - driftMicros).toBeLessThan(900 * 6 * second);
    expect(run.world.host.kernel.control.scheduler.profile.name).toBe('anywhere');
    expect(run.completed).toBe(7000);
  });

  it('is rolled back all the same when the kernel dies again and again, and every replay decides alike', () => {
    const crash = (at: number) => ({
      ...{ kind: 'kernelCrash' as const, atMicros: driftMicros + at * second, forMicros: 2 * second },
      ...{ machines: [], factor: 1 },
    });
    const faults = [-3000, 500, 1000, 1500, 2000].map(crash);
    const run = runRollout(options({ lengthFactor: 1.6 }, { journal: { disk: soundDisk }, faults }));
    expect(run.events.at(-1)).toMatchObject({ from: 'promoted', to: 'rolledBack', who: 'drift watch' });
    expect(run.completed).toBe(7000);
  });

  it('is watched the same over snapshots', () => {
    const worlds: World[] = [];
    const restarting = {
      taskArrived: (submission: number) => {
        if (submission % 250 === 0) worlds.at(-1)?.restartKernelFromSnapshot();
      },
    };
    const drift = { serviceFactor: 1.5 };
    const observers = [restarting];
    const restarted = runRollout(options(drift, { observers, onWorld: (world) => worlds.push(world) }));
    expect(restarted.digest).toBe(runRollout(options(drift)).digest);
  });
});
