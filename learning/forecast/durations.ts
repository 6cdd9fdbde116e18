// How long the next task of a class will run: the smoothed mean of the logarithms of those that ended, drawn towards the class without
// its accelerators, and that towards all (shrinkage as in empirical Bayes; Efron and Morris, Journal of the American Statistical
// Association 70, 1975). Always beside what any reader would do: take the last one of the class, or the median of all.

import { fixedExp, fixedLog } from '../../core/base/fixed-math.ts';
import { type DurationModel, durationKey } from '../../core/policy/forecast/duration-model.ts';
import { errorQuantile } from './conformal.ts';

export interface TimedTask {
  readonly submittedSeconds: number;
  readonly seconds: number;
  readonly taskClass: string;
  readonly gpuCount: number;
}

export interface DurationOptions {
  /** Tasks of a key after which one counts half. */
  readonly halfLife: number;
  /** Tasks that the class above counts for. */
  readonly strength: number;
}

/** Smoothed means of the logarithms, by key. */
export class DurationForecaster {
  private readonly options: DurationOptions;
  private readonly sums = new Map<string, { weight: number; sum: number }>();
  private readonly keep: number;

  constructor(options: DurationOptions) {
    this.options = options;
    this.keep = fixedExp(-fixedLog(2) / options.halfLife);
  }

  ended({ seconds, taskClass, gpuCount }: TimedTask): void {
    const value = fixedLog(Math.max(1, seconds));
    for (const key of new Set([durationKey(taskClass, gpuCount), taskClass, ''])) {
      const sum = this.sums.get(key) ?? { weight: 0, sum: 0 };
      sum.weight = this.keep * sum.weight + 1;
      sum.sum = this.keep * sum.sum + value;
      this.sums.set(key, sum);
    }
  }

  /** Logarithm of the seconds. */
  forecast(taskClass: string, gpuCount: number): number {
    let level = this.drawn('', fixedLog(600));
    level = this.drawn(taskClass, level);
    return this.drawn(durationKey(taskClass, gpuCount), level);
  }

  /** The table that a kernel looks up. */
  exported(name: string, lineage: DurationModel['lineage']): DurationModel {
    const medianSeconds = new Map<string, number>();
    for (const key of [...this.sums.keys()].sort((left, right) => (left < right ? -1 : 1))) {
      const at = key.lastIndexOf(' ');
      const level =
        key === ''
          ? this.drawn('', fixedLog(600))
          : at < 0
            ? this.drawn(key, this.drawn('', fixedLog(600)))
            : this.forecast(key.slice(0, at), Number(key.slice(at + 1)));
      medianSeconds.set(key, fixedExp(level));
    }
    return { name, medianSeconds, lineage };
  }

  private drawn(key: string, above: number): number {
    const sum = this.sums.get(key);
    if (sum === undefined) return above;
    return (sum.sum + this.options.strength * above) / (sum.weight + this.options.strength);
  }
}

/** Errors of forecasts made when each task was submitted, from what had ended by then. */
export interface DurationScores {
  readonly tasks: number;
  /** Of the logarithms: what the square root of the mean squared error is, and the mean absolute error. */
  readonly squared: Readonly<Record<DurationMethod, number>>;
  readonly absolute: Readonly<Record<DurationMethod, number>>;
  /** Share that intervals of 80% and 95% held. */
  readonly coverage80: number;
  readonly coverage95: number;
  /** Mean width of the 80% interval: the factor between its ends. */
  readonly factor80: number;
}

export const durationMethods = ['last of the class', 'mean of all', 'mean of the class', 'shrunk'] as const;
export type DurationMethod = (typeof durationMethods)[number];

/** The latest errors that intervals are read off, and the step by which a level moves. */
const errorsKept = 2000;
const adaptation = 0.01;
const levels = [0.1, 0.9, 0.025, 0.975];

/** Plays the tasks in order of time; forecasts are judged for those submitted from `testFrom` on. */
export function playDurations(tasks: readonly TimedTask[], testFrom: number, options: DurationOptions) {
  const forecaster = new DurationForecaster(options);
  const endings = tasks.toSorted((left, right) => endOf(left) - endOf(right));
  const last = new Map<string, number>();
  const all = { count: 0, sum: 0 };
  const byClass = new Map<string, { count: number; sum: number }>();
  const errors: number[] = [];
  const moved = [...levels];
  const squares = [0, 0, 0, 0];
  const absolutes = [0, 0, 0, 0];
  const held = [0, 0, 0, 0];
  let sorted = new Float64Array(0);
  let width = 0;
  let judged = 0;
  let next = 0;
  for (const task of tasks.toSorted((left, right) => left.submittedSeconds - right.submittedSeconds)) {
    for (; next < endings.length && endOf(endings[next]!) <= task.submittedSeconds; next++) {
      const ended = endings[next]!;
      const value = fixedLog(Math.max(1, ended.seconds));
      const key = durationKey(ended.taskClass, ended.gpuCount);
      const mine = byClass.get(key) ?? { count: 0, sum: 0 };
      byClass.set(key, { count: mine.count + 1, sum: mine.sum + value });
      last.set(key, value);
      all.count++;
      all.sum += value;
      errors.push(value - forecaster.forecast(ended.taskClass, ended.gpuCount));
      if (errors.length > errorsKept) errors.shift();
      forecaster.ended(ended);
    }
    if (task.submittedSeconds < testFrom || all.count === 0) continue;
    const key = durationKey(task.taskClass, task.gpuCount);
    const mean = all.sum / all.count;
    const mine = byClass.get(key);
    const shrunk = forecaster.forecast(task.taskClass, task.gpuCount);
    const forecasts = [last.get(key) ?? mean, mean, mine === undefined ? mean : mine.sum / mine.count, shrunk];
    const actual = fixedLog(Math.max(1, task.seconds));
    for (const [index, forecast] of forecasts.entries()) {
      squares[index] = squares[index]! + (actual - forecast) ** 2;
      absolutes[index] = absolutes[index]! + Math.abs(actual - forecast);
    }
    // Sorting anew for each task would take most of the time; a few errors more change no quantile to speak of.
    if (judged % 25 === 0) sorted = Float64Array.from(errors).sort((left, right) => left - right);
    const bounds = moved.map((level) => shrunk + errorQuantile(sorted, level));
    for (const [which, bound] of bounds.entries()) {
      const isBelow = actual <= bound ? 1 : 0;
      held[which] = held[which]! + isBelow;
      moved[which] = Math.min(1, Math.max(0, moved[which]! + adaptation * (levels[which]! - isBelow)));
    }
    width += bounds[1]! - bounds[0]!;
    judged++;
  }
  const named = (values: readonly number[], of: (value: number) => number) =>
    Object.fromEntries(durationMethods.map((name, index) => [name, of(values[index]! / judged)])) as Record<
      DurationMethod,
      number
    >;
  const scores: DurationScores = {
    tasks: judged,
    squared: named(squares, Math.sqrt),
    absolute: named(absolutes, (value) => value),
    coverage80: (held[1]! - held[0]!) / judged,
    coverage95: (held[3]! - held[2]!) / judged,
    factor80: fixedExp(width / judged),
  };
  return { forecaster, scores };
}

/** The options that did best on the tasks from `testFrom` on, by squared error. */
export function chooseDurationOptions(tasks: readonly TimedTask[], testFrom: number): DurationOptions {
  let best: { readonly options: DurationOptions; readonly error: number } | undefined;
  for (const halfLife of [20, 100, 500, 5000]) {
    for (const strength of [1, 5, 20]) {
      const options = { halfLife, strength };
      const error = playDurations(tasks, testFrom, options).scores.squared.shrunk;
      if (best === undefined || error < best.error) best = { options, error };
    }
  }
  return best!.options;
}

function endOf({ submittedSeconds, seconds }: TimedTask): number {
  return submittedSeconds + seconds;
}
