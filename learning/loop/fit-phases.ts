// Two phases of arrivals from counts by interval: a hidden Markov chain of two states that emit Poisson counts, fitted by expectation
// maximization (Baum and others, 1970; scaled as in Rabiner, "A tutorial on hidden Markov models", Proc. IEEE 77, 1989, section V).
// The same counts give the same fit. Whether two phases explain more than one is said beside it.

import { fixedExp, fixedLog } from '../../core/base/fixed-math.ts';
import type { ArrivalPhases } from '../env/work-model.ts';

export interface FittedPhases {
  readonly phases: ArrivalPhases;
  /** Logarithm of the likelihood, less that of one Poisson rate for all: how much two phases explain. */
  readonly logLikelihoodGain: number;
  /** By interval: probability that it belongs to the rush. */
  readonly rushShare: Float64Array;
}

const rounds = 60;
const rateLeast = 1e-3;

/** `counts`: arrivals of each interval, at least 4 of them with at least one arrival in all. */
export function fitPhases(counts: ArrayLike<number>, intervalSeconds: number): FittedPhases {
  const length = counts.length;
  let total = 0;
  for (let at = 0; at < length; at++) total += counts[at]!;
  const mean = total / length;
  // State 0 is the calm.
  const rates = [Math.max(rateLeast, 0.5 * mean), Math.max(2 * rateLeast, 1.7 * mean)] as [number, number];
  const stay = [0.9, 0.85] as [number, number];
  const start = [0.6, 0.4] as [number, number];
  const posterior = new Float64Array(length);
  const forward = new Float64Array(2 * length);
  const scales = new Float64Array(length);
  let logLikelihood = 0;
  for (let round = 0; round < rounds; round++) {
    logLikelihood = passForward(counts, rates, stay, start, forward, scales);
    const moves = passBackward(counts, rates, stay, forward, scales, posterior);
    let [calmWeight, calmSum, rushWeight, rushSum] = [0, 0, 0, 0];
    for (let at = 0; at < length; at++) {
      const rush = posterior[at]!;
      rushWeight += rush;
      rushSum += rush * counts[at]!;
      calmWeight += 1 - rush;
      calmSum += (1 - rush) * counts[at]!;
    }
    rates[0] = Math.max(rateLeast, calmSum / Math.max(1e-9, calmWeight));
    rates[1] = Math.max(rateLeast, rushSum / Math.max(1e-9, rushWeight));
    start[1] = posterior[0]!;
    start[0] = 1 - start[1];
    for (const state of [0, 1] as const)
      stay[state] = Math.min(1 - 1e-4, Math.max(1e-4, moves[state].stayed / Math.max(1e-9, moves[state].all)));
  }
  const [calm, rush] = rates[0] <= rates[1] ? ([0, 1] as const) : ([1, 0] as const);
  if (calm === 1) for (let at = 0; at < length; at++) posterior[at] = 1 - posterior[at]!;
  let single = 0;
  for (let at = 0; at < length; at++) single += logPoisson(counts[at]!, Math.max(rateLeast, mean));
  return {
    phases: {
      calmPerSecond: rates[calm] / intervalSeconds,
      rushPerSecond: rates[rush] / intervalSeconds,
      // A state is kept for a geometric number of intervals.
      calmSeconds: intervalSeconds / (1 - stay[calm]),
      rushSeconds: intervalSeconds / (1 - stay[rush]),
    },
    logLikelihoodGain: logLikelihood - single,
    rushShare: posterior,
  };
}

/** Scaled forward probabilities [interval, state]; returns the logarithm of the likelihood. */
function passForward(
  counts: ArrayLike<number>,
  rates: readonly [number, number],
  stay: readonly [number, number],
  start: readonly [number, number],
  forward: Float64Array,
  scales: Float64Array,
): number {
  let logLikelihood = 0;
  for (let at = 0; at < counts.length; at++) {
    const [before0, before1] = at === 0 ? start : [forward[2 * at - 2]!, forward[2 * at - 1]!];
    const reach0 = at === 0 ? before0 : before0 * stay[0] + before1 * (1 - stay[1]);
    const reach1 = at === 0 ? before1 : before0 * (1 - stay[0]) + before1 * stay[1];
    const log0 = logPoisson(counts[at]!, rates[0]);
    const log1 = logPoisson(counts[at]!, rates[1]);
    const most = Math.max(log0, log1);
    const value0 = reach0 * fixedExp(log0 - most);
    const value1 = reach1 * fixedExp(log1 - most);
    const scale = value0 + value1;
    forward[2 * at] = value0 / scale;
    forward[2 * at + 1] = value1 / scale;
    scales[at] = scale;
    logLikelihood += fixedLog(scale) + most;
  }
  return logLikelihood;
}

interface Moves {
  stayed: number;
  all: number;
}

/** Writes the probability of state 1 by interval; returns expected moves out of each state. */
function passBackward(
  counts: ArrayLike<number>,
  rates: readonly [number, number],
  stay: readonly [number, number],
  forward: Float64Array,
  scales: Float64Array,
  posterior: Float64Array,
): readonly [Moves, Moves] {
  const moves: [Moves, Moves] = [
    { stayed: 0, all: 0 },
    { stayed: 0, all: 0 },
  ];
  const last = counts.length - 1;
  let [back0, back1] = [1, 1];
  posterior[last] = forward[2 * last + 1]!;
  for (let at = last; at > 0; at--) {
    const log0 = logPoisson(counts[at]!, rates[0]);
    const log1 = logPoisson(counts[at]!, rates[1]);
    const most = Math.max(log0, log1);
    const next0 = (fixedExp(log0 - most) * back0) / scales[at]!;
    const next1 = (fixedExp(log1 - most) * back1) / scales[at]!;
    const [from0, from1] = [forward[2 * at - 2]!, forward[2 * at - 1]!];
    const kept0 = from0 * stay[0] * next0;
    const left0 = from0 * (1 - stay[0]) * next1;
    const kept1 = from1 * stay[1] * next1;
    const left1 = from1 * (1 - stay[1]) * next0;
    moves[0].stayed += kept0;
    moves[0].all += kept0 + left0;
    moves[1].stayed += kept1;
    moves[1].all += kept1 + left1;
    posterior[at - 1] = (kept1 + left1) / (kept0 + left0 + kept1 + left1);
    back0 = stay[0] * next0 + (1 - stay[0]) * next1;
    back1 = stay[1] * next1 + (1 - stay[1]) * next0;
  }
  return moves;
}

/** Without the factorial, which no rate changes. */
function logPoisson(count: number, rate: number): number {
  return count * fixedLog(rate) - rate;
}
