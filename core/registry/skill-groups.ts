// What the agents of a group have shown together at a class: how far they are from what they declare, how sure that is, and how
// likely their tasks complete. Weights are those of the forward decay, `scale` being worth one outcome of now; `among` is how
// much agents of a group differ at a class.

import type { SkillColumn } from './skill-column.ts';
import { declaredGroupVariance, undeclaredGroupVariance } from './skill-settings.ts';

/** Weight of what the group says of an agent's success, in outcomes. */
export const successWeight = 1;

/** Agents of one accelerator model that declare a rate at the class, or that declare none. */
export function groupNumber(model: number, isDeclared: boolean): number {
  return 2 * model + (isDeclared ? 1 : 0);
}

/** Mean residual of the logarithm, shrunk towards 0. */
export function groupMean(column: SkillColumn, group: number, scale: number, among: number): number {
  const weight = Math.max(0, column.groupShare[group] as number);
  return weight === 0 ? 0 : (column.groupShareSum[group] as number) / (weight + priorWeight(group, scale, among));
}

/** Variance of {@link groupMean}. */
export function groupVariance(column: SkillColumn, group: number, scale: number, among: number): number {
  const weight = Math.max(0, column.groupShare[group] as number) + priorWeight(group, scale, among);
  return (among * scale) / weight;
}

/** Chance that a task of the group completes, as if one more had. */
export function groupSuccess(column: SkillColumn, group: number, scale: number): number {
  const attempts = Math.max(0, column.groupAttempts[group] as number) + successWeight * scale;
  return 1 - Math.max(0, column.groupFailures[group] as number) / attempts;
}

function priorWeight(group: number, scale: number, among: number): number {
  const variance = group % 2 === 1 ? declaredGroupVariance : undeclaredGroupVariance;
  return (scale * among) / variance;
}
