// Arrivals as the trace recorded them, or with all gaps stretched by one factor so that the trace offers a wanted load: bursts
// and daily rhythm stay, only faster or slower.

import { SiraError } from '../../core/base/errors.ts';
import { formatDuration } from '../../core/base/time.ts';
import { type ArrivalStream, type StreamOptions, streamTask } from './arrival-stream.ts';
import { describeCount } from './describe.ts';
import { capacityMilli, type LoadResource, meanWork } from './offered-load.ts';
import type { PreparedTrace } from './prepared-trace.ts';
import type { TraceTask } from './trace.ts';
import type { MachineSpec } from './workload.ts';

/** Every task of the trace once, `stretch` times as far from the start as recorded. */
export function traceArrivals(trace: PreparedTrace, options: StreamOptions, stretch = 1): ArrivalStream {
  return {
    notes: [
      `${describeCount(trace.tasks.length)} tasks arrive ${stretch === 1 ? 'as the trace says' : "with the trace's gaps stretched"}.`,
    ],
    *start() {
      const estimate = options.startEstimates();
      for (const task of trace.tasks)
        yield streamTask(task, Math.round(task.arrivalMicros * stretch), options.endless, estimate);
    },
  };
}

/** As {@link traceArrivals}, stretched so that the work of all tasks over (capacity × span of the arrivals) is `load`. */
export function scaledArrivals(
  trace: PreparedTrace,
  spec: { readonly load: number; readonly resource: LoadResource },
  machines: readonly MachineSpec[],
  options: StreamOptions,
): ArrivalStream {
  const spanMicros = trace.tasks.length === 0 ? 0 : (trace.tasks.at(-1) as TraceTask).arrivalMicros;
  if (spanMicros === 0) {
    const detail = 'all tasks arrive at one time, so no stretching of gaps gives a load';
    throw new SiraError(
      'SIRA_SCENARIO_INVALID',
      detail,
      { field: 'workload.arrivals.kind' },
      'Use `resampled` arrivals.',
    );
  }
  const workMicros = meanWork(trace.tasks, spec.resource) * trace.tasks.length;
  const recorded = workMicros / (capacityMilli(machines, spec.resource) * spanMicros);
  const stretch = recorded / spec.load;
  const scaled = traceArrivals(trace, options, stretch);
  const note =
    `By its own times the trace offers this cluster a ${spec.resource.toUpperCase()} load of ${recorded.toPrecision(3)}; its gaps were ` +
    `multiplied by ${stretch.toPrecision(4)}, which makes it ${spec.load} over ${formatDuration(spanMicros * stretch)}.`;
  return { start: scaled.start, notes: [...scaled.notes, note] };
}
