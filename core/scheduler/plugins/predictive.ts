// Placement predictive: tasks that are forecast to end together stand together, so that machines become free as a whole.

import type { PluginContext, ScorePlugin } from '../framework.ts';
import type { RequestKind } from '../request.ts';
import { meanUseWith } from './mean-use.ts';

/** Upper bounds of the classes of length, seconds; what is longer is in one class more. Four times as long each. */
const lengthBounds: readonly number[] = [15, 60, 240, 960, 3840, 15_360, 61_440, 245_760];
const lengths = lengthBounds.length + 1;

/**
 * By the length of the task, as forecast, and of the longest task that the machine has: a machine that will be in use at least as long
 * anyway first, the closest length before longer ones (2 … 3); then one whose use the task prolongs, by as little as possible (1 … 2); an
 * empty one last (0). Of equal ones the fullest, by the mean share of CPU, memory and GPUs in use with the task, below any of that.
 * Without a forecast all tasks are of one length, and it packs.
 * Source: the lifetime-aware placement of Barbalho et al., "Virtual Machine Allocation with Lifetime Predictions", MLSys 2023, and Ling
 * et al., "LAVA: Lifetime-Aware VM Allocation with Learned Distributions and Adaptation to Mispredictions", MLSys 2025: a machine's
 * class of lifetime is that of its longest task, and tasks go where they do not prolong it.
 */
export function predictive({ cluster, forecastSeconds }: PluginContext): ScorePlugin {
  /** Tasks by class of length, `lengths` a machine. */
  let counts = new Int32Array(0);
  const lengthOf = (kind: RequestKind): number => {
    const seconds = forecastSeconds?.(kind) ?? 0;
    let length = 0;
    while (length < lengthBounds.length && seconds > (lengthBounds[length] as number)) length++;
    return length;
  };
  /** Class of the machine's longest task; −1 without any. */
  const longestOn = (machine: number): number => {
    const first = machine * lengths;
    for (let length = lengths - 1; length >= 0; length--) if ((counts[first + length] ?? 0) > 0) return length;
    return -1;
  };
  return {
    name: 'predictive',
    score(kind, machine) {
      const own = lengthOf(kind);
      const longest = longestOn(machine);
      const prolonged = Math.max(0, own - longest);
      return 1000 * (lengths - prolonged) + meanUseWith(cluster, kind, machine);
    },
    changed(kind, machine, sign) {
      const end = (machine + 1) * lengths;
      if (counts.length < end) {
        const grown = new Int32Array(Math.max(end, 2 * counts.length));
        grown.set(counts);
        counts = grown;
      }
      const at = machine * lengths + lengthOf(kind);
      counts[at] = (counts[at] as number) + sign;
    },
  };
}
