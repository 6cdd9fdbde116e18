// Draws what policies and settings are seldom drawn alone, so that what they promise can be followed decision by decision: fair
// shares with nothing beside them, and tasks that may be tried only a few times. It has a random stream of its own, so that the
// case underneath stays what its seed always drew.

import { RandomStream } from '../../core/base/random.ts';
import type { SwarmCase } from './swarm.ts';

export function withPolicies(drawn: SwarmCase): SwarmCase {
  const random = new RandomStream(drawn.seed, 'swarm.policies');
  const chance = (probability: number): boolean => random.nextFloat() < probability;
  const pick = <T>(values: readonly T[]): T => values[random.nextBelow(values.length)] as T;
  const isFair = chance(0.06);
  const attemptsMax = chance(0.1) ? pick([1, 2, 3]) : 0;
  const fair = isFair ? withFairShares(drawn, random) : drawn;
  if (attemptsMax === 0) return fair;
  return { ...fair, settings: { ...fair.settings, 'scheduler.attemptsMax': attemptsMax } };
}

/** Three tenants that compete for whatever comes free, one of them with a larger weight. */
function withFairShares(drawn: SwarmCase, random: RandomStream): SwarmCase {
  const tasks = drawn.tasks.map(({ gang: _, ...task }) => ({ ...task, tenant: ['a', 'b', 'c'][random.nextBelow(3)]! }));
  const plain = { unplaced: 'skip', backfill: 'none', overtakeMax: 0, preempt: 'never' } as const;
  const tenantWeights = { a: 1 + random.nextBelow(4) };
  return { ...drawn, tasks, profile: { ...drawn.profile, ...plain, order: 'drf', tenantWeights } };
}
