// A fitted forecaster as data: what it forecasts, of what interval, how far, and its members, each with a weight; and how far above its
// point forecasts the values came that it was not fitted to. Reading and writing files of it is forecaster-artifact.ts's.

import type { GruWeights } from './gru-network.ts';

export const forecasterFormat = 'sira-forecaster/1';

/** What a value of the series is. `demand`: the most of a resource that running and waiting tasks asked for at once within the
 *  interval; `arrivals`: tasks that came; `queueLength`: the most that waited at once. */
export const forecastTargets = ['demand', 'arrivals', 'queueLength'] as const;
export type ForecastTarget = (typeof forecastTargets)[number];

/** Where a forecaster comes from: enough to fit it again. */
export interface ForecasterLineage {
  readonly command: string;
  /** SHA-256, hex, of the data that it was fitted to, by name. */
  readonly dataSha256: Readonly<Record<string, string>>;
  /** Measured on values that it was not fitted to, by name. */
  readonly evaluation: Readonly<Record<string, number>>;
}

/** What a forecaster says about itself. */
export interface ForecasterManifest {
  readonly format: typeof forecasterFormat;
  readonly name: string;
  /** The feature schema: one value a moment, of this target, unit and interval. */
  readonly target: ForecastTarget;
  /** Such as `gpuMilli`, `cpuMilli` or `tasks`. */
  readonly unit: string;
  readonly intervalMicros: number;
  /** Steps ahead, at most. */
  readonly horizon: number;
  readonly lowerBound: number;
  /** The values that it was fitted to: a kernel that sees others by far should not believe it. */
  readonly input: {
    readonly mean: number;
    readonly deviation: number;
    readonly minimum: number;
    readonly maximum: number;
  };
  /** Levels of the quantiles that it has, rising, each in (0, 1). */
  readonly levels: readonly number[];
  readonly lineage: ForecasterLineage;
}

/** The last value for ever (a period of 1), or the last season. */
export interface SeasonModel {
  readonly kind: 'season';
  readonly weight: number;
  /** The last season, oldest value first. */
  readonly season: Float64Array;
}

export interface LagLinearModel {
  readonly kind: 'lag-linear';
  readonly weight: number;
  readonly periods: readonly number[];
  /** Steps ahead that have coefficients, ascending; those between are interpolated. */
  readonly steps: readonly number[];
  /** Of the values' logarithms, where `logarithm`; a value below `least` then stands for it. */
  readonly logarithm: boolean;
  readonly least: number;
  readonly scale: number;
  /** steps × features. */
  readonly coefficients: Float64Array;
  /** The latest values, logarithms included. */
  readonly history: Float64Array;
}

export interface HoltWintersModel {
  readonly kind: 'holt-winters';
  readonly weight: number;
  readonly periods: readonly number[];
  readonly logarithm: boolean;
  readonly least: number;
  /** Level, trend, damping, autoregression of the error, one for each season. */
  readonly constants: Float64Array;
  /** Values taken so far: the phase of the seasons. */
  readonly count: number;
  /** Level, trend, last error, then the seasons one after the other. */
  readonly state: Float64Array;
}

export interface GruModel {
  readonly kind: 'gru';
  readonly weight: number;
  readonly logarithm: boolean;
  readonly least: number;
  readonly network: GruWeights;
  /** The latest values. */
  readonly window: Float64Array;
}

export type MemberModel = SeasonModel | LagLinearModel | HoltWintersModel | GruModel;

export interface ForecasterModel {
  readonly manifest: ForecasterManifest;
  readonly members: readonly MemberModel[];
  /** Levels × horizon, row by row: what to add to a point forecast for the quantile of that level. */
  readonly offsets: Float64Array;
}
