// A forecaster of arrivals from the rows of telemetry, beside what costs nothing: it is judged on the last fifth of the record, which
// it was not fitted to, and then fitted to all of it and exported for the kernel.

import type { ForecasterModel } from '../../core/policy/forecast/forecaster-model.ts';
import { RunningForecaster } from '../../core/policy/forecast/running-forecaster.ts';
import { demandForecaster } from '../forecast/export-command.ts';
import { exportForecaster } from '../forecast/export-forecaster.ts';
import { arrivalCounts } from './fit-world.ts';
import type { LoopRows } from './loop-rows.ts';

export interface FittedArrivals {
  readonly model: ForecasterModel;
  readonly intervalSeconds: number;
  /** Of the record, arrivals by interval. */
  readonly counts: Float64Array;
  /** Where the judged part begins, and what was forecast for each of its intervals one step before: median and 90% interval. */
  readonly judgedFrom: number;
  readonly forecasts: readonly { readonly median: number; readonly low: number; readonly high: number }[];
  /** Root of the mean squared error one step ahead, on the judged part. */
  readonly error: number;
  readonly persistenceError: number;
  /** Share of the judged values within the 90% interval. */
  readonly coverage: number;
}

const intervalSeconds = 0.25;
const horizon = 8;
const levels = [0.05, 0.5, 0.95];
const shape = { periods: [], lowerBound: 0 };

export function fitArrivals(rows: LoopRows, command: string): FittedArrivals {
  const submitted = rows.tasks.map(({ submittedMicros }) => submittedMicros).sort((left, right) => left - right);
  const counts = arrivalCounts(submitted, intervalSeconds);
  const exported = (series: Float64Array): ForecasterModel =>
    exportForecaster(demandForecaster(horizon, 0, series.length), series, shape, {
      ...{ name: 'loop-arrivals', target: 'arrivals', unit: 'tasks', intervalMicros: intervalSeconds * 1e6 },
      ...{ horizon, levels, calibrationLength: Math.floor(series.length / 4) },
      lineage: { command, dataSha256: { rows: rows.sha256 } },
    });
  const judgedFrom = Math.floor(0.8 * counts.length);
  const known = counts.slice(0, judgedFrom);
  const running = new RunningForecaster(exported(known));
  const forecasts: FittedArrivals['forecasts'][number][] = [];
  let [squares, naiveSquares, inside] = [0, 0, 0];
  for (let at = judgedFrom; at < counts.length; at++) {
    const [low, median, high] = levels.map((_, which) => running.quantile(which, 1)[0]!) as [number, number, number];
    forecasts.push({ median, low, high });
    const actual = counts[at]!;
    squares += (actual - running.forecast(1)[0]!) ** 2;
    naiveSquares += (actual - counts[at - 1]!) ** 2;
    if (actual >= low && actual <= high) inside++;
    running.append(actual);
  }
  const judged = Math.max(1, counts.length - judgedFrom);
  return {
    ...{ model: exported(counts), intervalSeconds, counts, judgedFrom, forecasts },
    ...{ error: Math.sqrt(squares / judged), persistenceError: Math.sqrt(naiveSquares / judged) },
    coverage: inside / judged,
  };
}
