// What was measured of live agents, in the few numbers that the simulator needs: how long the kernel and an agent take to speak with one
// another, how work is slowed by work beside it, and how long it takes for what was estimated. Distributions are kept as quantiles,
// so that nothing is assumed of their shape.

import type { RandomStream } from '../../core/base/random.ts';

/** At these shares of the values the quantiles stand. */
export const calibrationShares: readonly number[] = [
  ...Array.from({ length: 19 }, (_, index) => (index * 5) / 100),
  ...[0.95, 0.99, 1],
];

/** The time of a task with its agent beyond its service, microseconds. */
export interface MeasuredTrips {
  /** Tasks that the agent had already when this one was dispatched; the last one stands for more as well. */
  readonly held: number;
  readonly count: number;
  /** From the dispatch to the agent's word that it came, quantiles. */
  readonly acceptMicros: readonly number[];
  /** From the dispatch, or with lanes from the end of the work before it, to the kernel's record of the result, less the service and
   *  the time that it waited in the agent; quantiles. */
  readonly totalMicros: readonly number[];
}

export interface MeasuredService {
  readonly count: number;
  /** Time with nothing beside it over the estimate, quantiles. */
  readonly ratio: readonly number[];
}

export interface Calibration {
  /** Pieces of work that an agent does at once, 0 if as many as there is room for. */
  readonly lanes: number;
  /** By `held`, from 0 on without a gap; none: no time passes. */
  readonly trips: readonly MeasuredTrips[];
  /** How much longer work takes with 0, 1, 2 … others on the same host; the last one stands for more. The first is 1. */
  readonly contention: readonly number[];
  /** By class of task; the class "" stands for tasks without one. */
  readonly service: Readonly<Record<string, MeasuredService>>;
}

/** The value at a share, 0 to 1, between the quantiles on a straight line. */
export function atShare(quantiles: readonly number[], share: number): number {
  const above = calibrationShares.findIndex((each) => each >= share);
  const high = quantiles[above] ?? 0;
  if (above <= 0) return quantiles[0] ?? 0;
  const low = quantiles[above - 1] ?? 0;
  const from = calibrationShares[above - 1] as number;
  return low + ((high - low) * (share - from)) / ((calibrationShares[above] as number) - from);
}

export function drawOf(quantiles: readonly number[], random: RandomStream): number {
  return atShare(quantiles, random.nextFloat());
}

/** The quantiles of values that are in order, on a straight line between neighbours. The last one is not the largest value but the one
 *  with which the line through the tail has the tail's mean: one outlier in a thousand would else weigh as much as five. */
export function quantilesOf(ascending: readonly number[]): number[] {
  const quantiles = calibrationShares.map((share) => {
    const place = share * (ascending.length - 1);
    const low = ascending[Math.floor(place)] ?? 0;
    const high = ascending[Math.ceil(place)] ?? 0;
    return low + (high - low) * (place - Math.floor(place));
  });
  const from = quantiles.at(-2) as number;
  const tail = ascending.filter((value) => value > from);
  if (tail.length > 0)
    quantiles[quantiles.length - 1] = (2 * tail.reduce((sum, value) => sum + value, 0)) / tail.length - from;
  return quantiles;
}
