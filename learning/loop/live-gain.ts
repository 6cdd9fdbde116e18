// What a promoted policy is worth live: the same tasks again, at the same distances, and each compared with itself under the policy
// before. Neighbours share a queue, so that they are resampled in blocks.

import { type BootstrapInterval, bootstrapMean } from '../evaluate/bootstrap.ts';
import type { PlayedTask } from './load-player.ts';
import { slowdownFloorSeconds } from './loop-sizes.ts';

export interface LiveGain {
  readonly tasks: number;
  /** Relative change of the slowdown, the mean over tasks being of logarithms, with its 95% interval. */
  readonly change: number;
  readonly low: number;
  readonly high: number;
  /** Means over tasks. */
  readonly before: LiveMeans;
  readonly after: LiveMeans;
  /** Slowdowns, ascending. */
  readonly slowdownsBefore: readonly number[];
  readonly slowdownsAfter: readonly number[];
}

export interface LiveMeans {
  readonly slowdown: number;
  readonly responseSeconds: number;
  readonly responseP99Seconds: number;
}

const blocks = 20;

/** Tasks that completed in both; undefined if those are too few. */
export function compareLive(before: readonly PlayedTask[], after: readonly PlayedTask[]): LiveGain | undefined {
  const earlier = new Map(before.map((played) => [played.index, played]));
  const pairs = after.flatMap((played): [PlayedTask, PlayedTask][] => {
    const own = earlier.get(played.index);
    return own?.outcome === 'completed' && played.outcome === 'completed' ? [[own, played]] : [];
  });
  const ratios = pairs.map(([own, played]) => Math.log(slowdownOf(played) / slowdownOf(own)));
  const interval: BootstrapInterval | undefined = bootstrapMean(ratios, {
    blockLength: Math.max(1, Math.floor(ratios.length / blocks)),
  });
  if (interval === undefined) return undefined;
  const [first, second] = [pairs.map(([own]) => own), pairs.map(([, played]) => played)];
  return {
    tasks: pairs.length,
    ...{ change: Math.expm1(interval.mean), low: Math.expm1(interval.low), high: Math.expm1(interval.high) },
    ...{ before: meansOf(first), after: meansOf(second) },
    ...{ slowdownsBefore: ascending(first.map(slowdownOf)), slowdownsAfter: ascending(second.map(slowdownOf)) },
  };
}

export function slowdownOf({ task, responseSeconds }: PlayedTask): number {
  return responseSeconds / Math.max(task.estimateSeconds, slowdownFloorSeconds);
}

function meansOf(played: readonly PlayedTask[]): LiveMeans {
  const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
  const responses = ascending(played.map(({ responseSeconds }) => responseSeconds));
  return {
    slowdown: mean(played.map(slowdownOf)),
    responseSeconds: mean(responses),
    responseP99Seconds: responses[Math.max(0, Math.ceil(0.99 * responses.length) - 1)] as number,
  };
}

function ascending(values: readonly number[]): number[] {
  return values.toSorted((left, right) => left - right);
}
