// What is believed of many agents at one class of task: the groups' part is worked out once a group, and rows are read by the
// block into columns, so that a pass over all agents neither allocates nor looks anything up twice. It counts as of the table's
// latest outcome, until the next change.

import { noReason } from './exclusions.ts';
import type { SkillColumn } from './skill-column.ts';
import { groupMean, groupNumber, groupSuccess, groupVariance, successWeight } from './skill-groups.ts';

/** Where the agents stand over all classes, and how much outcomes and agents vary. */
export interface SkillBasis {
  readonly modelOf: Int32Array;
  /** How much slower each agent is than its declaration and its like, as a logarithm, and the variance of that, 0 before the
   *  first outcome. */
  readonly offset: Float64Array;
  readonly offsetVariance: Float64Array;
  readonly agentVariance: number;
  readonly pairVariance: number;
  /** Of one outcome. */
  readonly noiseVariance: number;
  /** Weight of an outcome of now. */
  readonly scale: number;
}

export class SkillScan {
  /** Of the rows that were read last, the first at 0: see {@link SkillEstimate}. The mean is NaN where nothing is known. */
  readonly mean: Float64Array;
  readonly variance: Float64Array;
  readonly success: Float64Array;
  private readonly groupMean: Float64Array;
  private readonly groupVariance: Float64Array;
  private readonly groupSuccess: Float64Array;
  private readonly isGroupKnown: Uint8Array;
  private basis!: SkillBasis;
  private column!: SkillColumn;
  private priors!: Float64Array;
  /** Of those that declare nothing; NaN before the first outcome. */
  private reference = Number.NaN;

  /** `rowsMax`: rows that are read at once. */
  constructor(rowsMax: number, groupCount: number) {
    this.mean = new Float64Array(rowsMax);
    this.variance = new Float64Array(rowsMax);
    this.success = new Float64Array(rowsMax);
    this.groupMean = new Float64Array(groupCount);
    this.groupVariance = new Float64Array(groupCount);
    this.groupSuccess = new Float64Array(groupCount);
    this.isGroupKnown = new Uint8Array(groupCount);
  }

  /** Another class. `priors`: the logarithm of seconds a unit that each row declares, NaN for none. */
  begin(basis: SkillBasis, column: SkillColumn, priors: Float64Array): this {
    this.basis = basis;
    this.column = column;
    this.priors = priors;
    this.reference = column.reference ?? Number.NaN;
    this.isGroupKnown.fill(0);
    return this;
  }

  /** Reads `count` rows from `first` on, but for those that there is a reason against. */
  read(first: number, count: number, reasons: Uint16Array): void {
    const { mean, variance, success, priors, reference } = this;
    const { modelOf, offset, offsetVariance, agentVariance, pairVariance, noiseVariance, scale } = this.basis;
    const { samples, sum, attempts, failures } = this.column;
    const noise = noiseVariance * scale;
    const likely = successWeight * scale;
    for (let at = 0; at < count; at++) {
      if (reasons[at] !== noReason) continue;
      const row = first + at;
      const declared = priors[row] as number;
      const isDeclared = !Number.isNaN(declared);
      const group = groupNumber(modelOf[row] as number, isDeclared);
      if (this.isGroupKnown[group] === 0) this.workOut(group);
      const ownVariance = offsetVariance[row] as number;
      const base = (isDeclared ? declared : reference) + (this.groupMean[group] as number) + (offset[row] as number);
      const baseVariance = (this.groupVariance[group] as number) + (ownVariance === 0 ? agentVariance : ownVariance);
      const weight = samples[row] as number;
      if (weight === 0) {
        mean[at] = base;
        variance[at] = pairVariance + baseVariance;
      } else {
        const rest = noise / (weight * pairVariance + noise);
        mean[at] = rest * base + ((1 - rest) * (sum[row] as number)) / weight;
        variance[at] = rest * pairVariance + rest * rest * baseVariance;
      }
      const tried = attempts[row] as number;
      // The mean of a Beta distribution about the group's rate.
      success[at] =
        (tried - (failures[row] as number) + likely * (this.groupSuccess[group] as number)) / (tried + likely);
    }
  }

  private workOut(group: number): void {
    const { column } = this;
    const { agentVariance, pairVariance, scale } = this.basis;
    const among = agentVariance + pairVariance;
    this.groupMean[group] = groupMean(column, group, scale, among);
    this.groupVariance[group] = groupVariance(column, group, scale, among);
    this.groupSuccess[group] = groupSuccess(column, group, scale);
    this.isGroupKnown[group] = 1;
  }
}
