// Placement fastest: the agent that may be hoped to serve the task's class fastest, as measured so far.

import type { PluginContext, ScorePlugin } from '../framework.ts';

/**
 * Units of the class's work a second, from the agent's outcomes and, as far as those are few, from what it declares and what
 * its like have shown; raised by the setting `skills.optimism` standard deviations of what is not known, so that agents of
 * which little is known are tried where they might be the best, and left alone once it is known that they are not. A task
 * without a class scores 0 everywhere: the first machine that fits.
 * Source: upper confidence bounds (UCB; Auer, Cesa-Bianchi & Fischer, Machine Learning 47, 2002) over shrunk estimates.
 */
export function fastest({ skills }: PluginContext): ScorePlugin {
  skills?.wantOffers();
  return {
    name: 'fastest',
    score: (kind, machine) => skills?.offer(kind.taskClass ?? 0, machine) ?? 0,
  };
}
