// A fitted model that runs: one member of a forecaster, in the unit of the series, without bounds.

import type { MemberModel } from './forecaster-model.ts';

export interface RunningMember {
  /** Values that it must have taken before its forecasts mean anything. */
  readonly historyMin: number;
  forecast(horizon: number): Float64Array;
  append(value: number): void;
  /** The model as it is now. May make itself smaller; the forecasts of both go on alike. */
  model(weight?: number): MemberModel;
  /** Plain data; {@link restore} goes on from it exactly. */
  save(): unknown;
  restore(state: never): void;
}
