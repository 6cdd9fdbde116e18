// The scheduler's further options under faults, watched by every oracle.

import { describe, expect, it } from 'vitest';
import type { Effect } from '../../core/kernel/effects.ts';
import { runSwarmCase, type SwarmOptions, type SwarmResult } from './swarm.ts';
import { drawSchedulingCase } from './swarm-scheduling.ts';

/** Runs the seed's case; every task must have an outcome, and the kernel must have forgotten everything. */
function run(seed: number, options: SwarmOptions = {}): SwarmResult {
  const drawn = drawSchedulingCase(seed);
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

/** What a run has to have reached for the cases to be worth running. */
function namesOf(effect: Effect): string[] {
  if (effect.kind === 'decisionMade') return [effect.record.outcome, effect.record.rule];
  if (effect.kind === 'dispatch' && (effect.checkpoint?.resumeMicros ?? 0) > 0) return ['resumed'];
  if (effect.kind === 'agentHeld' && effect.held) return [effect.cause];
  return [];
}

describe('drawn cases', () => {
  it('keep every promise, and reach every option', () => {
    const seen = new Set<string>();
    const observer = {
      kernelEffect: (effect: Effect): void => {
        for (const name of namesOf(effect)) seen.add(name);
      },
    };
    for (let seed = 1; seed <= 25; seed++) run(seed, { observers: [observer] });
    for (const name of ['evicts', 'after eviction', 'resumed', 'incomplete gang', 'flapping', 'outlier'])
      expect(seen).toContain(name);
  });

  it('go on from a snapshot as if nothing had happened', () => {
    for (let seed = 101; seed <= 108; seed++) {
      const whole = run(seed);
      const restartsMicros = [0.2, 0.4, 0.6, 0.8].map((share) => Math.floor(share * whole.world.simulation.nowMicros));
      expect(run(seed, { restartsMicros }).digest).toBe(whole.digest);
    }
  });
});
