// Placement first fit: every machine that fits is as good as any other, so the rule for ties decides.

import type { ScorePlugin } from '../framework.ts';

/** A constant score. With ties `first` the lowest-numbered machine that fits wins, with ties `random` any. */
export function firstFit(): ScorePlugin {
  return { name: 'first-fit', score: () => 0 };
}
