// The series that a scenario's workload makes, counted as the kernel counts them, on a cluster that never lets anybody wait: what was
// asked for is what a forecaster of demand learns from.

import type { ForecastTarget } from '../../core/policy/forecast/forecaster-model.ts';
import type { Workload } from '../../sim/workload/workload.ts';

export interface SeriesOptions {
  readonly target: Exclude<ForecastTarget, 'queueLength'>;
  readonly resource: 'gpu' | 'cpu';
  readonly intervalMicros: number;
  /** Tasks that arrive from here on are not looked at. */
  readonly untilMicros: number;
}

/** A value for each whole interval from 0 on. `demand`: the most milli in use at once; `arrivals`: tasks. */
export function workloadSeries(workload: Workload, options: SeriesOptions): Float64Array {
  const { target, resource, intervalMicros, untilMicros } = options;
  const values = new Float64Array(Math.floor(untilMicros / intervalMicros));
  const changes: { readonly atMicros: number; readonly milli: number }[] = [];
  const tasks = workload.tasks();
  for (let next = tasks.next(); next.done !== true; next = tasks.next()) {
    const { arrivalMicros, durationMicros, request } = next.value;
    if (arrivalMicros >= untilMicros) break;
    const at = Math.floor(arrivalMicros / intervalMicros);
    if (target === 'arrivals' && at < values.length) values[at] = values[at]! + 1;
    const each = resource === 'gpu' ? request.gpuCount * request.gpuMilli : request.cpuMilli;
    const milli = each * request.machineCount;
    changes.push({ atMicros: arrivalMicros, milli }, { atMicros: arrivalMicros + durationMicros, milli: -milli });
  }
  if (target === 'arrivals') return values;
  // What ends makes room for what begins at the same moment.
  changes.sort((left, right) => left.atMicros - right.atMicros || left.milli - right.milli);
  let inUse = 0;
  let next = 0;
  for (let at = 0; at < values.length; at++) {
    let most = inUse;
    for (; next < changes.length && changes[next]!.atMicros < (at + 1) * intervalMicros; next++) {
      inUse += changes[next]!.milli;
      most = Math.max(most, inUse);
    }
    values[at] = most;
  }
  return values;
}
