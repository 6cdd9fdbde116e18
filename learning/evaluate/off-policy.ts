// What another policy would have earned, from decisions that a policy made with known probabilities: inverse propensity scores
// (Horvitz and Thompson, JASA 1952), self-normalized (Swaminathan and Joachims, NeurIPS 2015), and doubly robust (Dudík, Langford
// and Li, ICML 2011), each as the difference to what the policy that decided earned. Where too few decisions agree, it cannot
// tell, and says so: below an effective sample of 100 (Kish: (Σw)²/Σw²) no estimate is to be believed.

import { assert } from '../../core/base/assert.ts';
import { type BootstrapInterval, bootstrapMean } from './bootstrap.ts';

/** One decision of the policy that served. */
export interface LoggedDecision {
  /** Probability with which it chose what it chose, in (0, 1]. */
  readonly propensity: number;
  /** Probability with which the other policy would have: 0 or 1 for one that does not draw. */
  readonly target: number;
  /** What came of it; what is smaller or larger is better is the caller's to know. */
  readonly outcome: number;
  /** A model's guess of the outcome of what was chosen, and of what the other policy would have chosen; 0 without a model. */
  readonly guessLogged: number;
  readonly guessTarget: number;
}

export const effectiveSampleMin = 100;
/** How far the average weight may be from 1, beyond doubt. */
const supportSlack = 0.05;

/** Estimates of the other policy's mean outcome less the one's that served. */
export interface OffPolicyEstimate {
  readonly decisions: number;
  /** Decisions that the other policy would have made too. */
  readonly agreeing: number;
  /** Of all decisions, and of those alone in which the policies may differ: the ones with a target other than the likeliest choice. */
  readonly effectiveSample: number;
  readonly ips: BootstrapInterval | undefined;
  readonly snips: BootstrapInterval | undefined;
  readonly doublyRobust: BootstrapInterval | undefined;
  /** By the doubly robust estimate: whether outcomes would be lower, higher, or nobody knows. */
  readonly verdict: 'lower' | 'higher' | 'cannotTell';
  readonly reason: string;
}

/** `blockLength`: neighbouring decisions that share their fate; a two-hundredth of all if left out. Weights above `weightMax` are cut, which biases towards no difference. */
export function estimateOffPolicy(
  log: readonly LoggedDecision[],
  options: { readonly seed?: number; readonly blockLength?: number; readonly weightMax?: number } = {},
): OffPolicyEstimate {
  const { seed = 1, weightMax = 1000 } = options;
  const count = log.length;
  const blockLength = options.blockLength ?? Math.max(1, Math.ceil(count / 200));
  const weights = new Float64Array(count);
  let weightSum = 0;
  let weightSquares = 0;
  let differing = 0;
  let differingSquares = 0;
  let outcomes = 0;
  let agreeing = 0;
  log.forEach(({ propensity, target, outcome }, index) => {
    assert(propensity > 0 && propensity <= 1 && target >= 0 && target <= 1, 'probabilities lie between 0 and 1');
    assert(Number.isFinite(outcome), 'an outcome is finite');
    const weight = Math.min(weightMax, target / propensity);
    weights[index] = weight;
    weightSum += weight;
    weightSquares += weight * weight;
    outcomes += outcome;
    if (target > 0) agreeing++;
    // Where it was unlikely what the other would do, the few that show it carry all the weight.
    if (propensity < 0.5) {
      differing += weight;
      differingSquares += weight * weight;
    }
  });
  const effectiveAll = weightSquares === 0 ? 0 : (weightSum * weightSum) / weightSquares;
  const effectiveDiffering = differingSquares === 0 ? 0 : (differing * differing) / differingSquares;
  // Policies that nearly always agree need no support where they differ: there is nothing to tell apart.
  const rarelyDiffers = agreeing >= 0.999 * count;
  const effectiveSample = rarelyDiffers ? effectiveAll : Math.min(effectiveAll, effectiveDiffering);
  const mean = count === 0 ? 0 : outcomes / count;
  const weightMean = count === 0 ? 0 : weightSum / count;
  const each = (term: (decision: LoggedDecision, weight: number) => number): BootstrapInterval | undefined =>
    bootstrapMean(
      log.map((decision, index) => term(decision, weights[index] as number)),
      { seed, blockLength },
    );
  const ips = each(({ outcome }, weight) => weight * outcome - outcome);
  const ratio =
    weightMean === 0
      ? 0
      : log.reduce((sum, { outcome }, index) => sum + (weights[index] as number) * outcome, 0) / weightSum;
  // Linearized: its mean is the estimate, its spread that of the ratio.
  const snips =
    weightMean === 0
      ? undefined
      : each(({ outcome }, weight) => ratio - mean + (weight * (outcome - ratio)) / weightMean - (outcome - mean));
  const doublyRobust = each(
    ({ outcome, guessLogged, guessTarget }, weight) => guessTarget + weight * (outcome - guessLogged) - outcome,
  );
  const facts = { decisions: count, agreeing, effectiveSample, ips, snips, doublyRobust };
  if (effectiveSample < effectiveSampleMin) {
    const reason = `the effective sample is ${Math.floor(effectiveSample)}, below ${effectiveSampleMin}`;
    return { ...facts, verdict: 'cannotTell', reason };
  }
  const excess = each((_, weight) => weight - 1);
  if (excess === undefined || excess.high < -supportSlack || excess.low > supportSlack) {
    const reason = `weights average ${weightMean.toFixed(2)} and not 1: some of what the other policy would do was never tried`;
    return { ...facts, verdict: 'cannotTell', reason };
  }
  if (doublyRobust === undefined || (doublyRobust.low <= 0 && doublyRobust.high >= 0))
    return { ...facts, verdict: 'cannotTell', reason: 'the interval of the doubly robust estimate contains 0' };
  const verdict = doublyRobust.mean < 0 ? 'lower' : 'higher';
  return { ...facts, verdict, reason: `doubly robust: ${verdict}` };
}
