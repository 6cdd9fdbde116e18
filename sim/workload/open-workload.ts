// Opens the `workload` part of a scenario: reads or generates the source, leaves out what no machine could hold, and makes the
// stream of arrivals and estimates. The stream depends on the scenario, the machines and the seed alone, so every policy of a
// comparison meets the same tasks. Reading is left to one file a format, arrivals to one file a process.

import { SiraError } from '../../core/base/errors.ts';
import { typicalTasksOf } from '../../core/scheduler/plugins/typical-tasks.ts';
import type { ResourceRequest } from '../../core/scheduler/request.ts';
import type { ArrivalStream, StreamOptions } from './arrival-stream.ts';
import { createEstimator, estimateNote } from './estimator.ts';
import { inflatedArrivals } from './inflated-arrivals.ts';
import { endlessNote, type PreparedTrace, prepareTrace } from './prepared-trace.ts';
import { resampledArrivals } from './resampled-arrivals.ts';
import type { ArrivalSpec, WorkloadSpec } from './spec.ts';
import { syntheticArrivals } from './synthetic-arrivals.ts';
import { type SyntheticSource, syntheticSample, syntheticTasks } from './synthetic-tasks.ts';
import type { Trace } from './trace.ts';
import { scaledArrivals, traceArrivals } from './trace-arrivals.ts';
import { TraceCache } from './trace-cache.ts';
import type { MachineSpec, Workload } from './workload.ts';

/**
 * The workload of `spec` on `machines`; times are whole microseconds. Throws `SIRA_FILE_MISSING`, `SIRA_TRACE_MALFORMED` with
 * file, line and field, and `SIRA_SCENARIO_INVALID` if nothing fits the machines or the load asked for cannot be offered.
 * `traces`: shared by the calls of a run, so that a file is read once.
 */
export function openWorkload(
  spec: WorkloadSpec,
  machines: readonly MachineSpec[],
  seed: number,
  traces = new TraceCache(),
): Workload {
  const options: StreamOptions = {
    endless: spec.durations.endless,
    startEstimates: () => createEstimator(spec.estimates, seed),
    seed,
  };
  const { source } = spec;
  if (source.format !== 'synthetic') return openTrace(traces.read(source, seed), spec, machines, options);
  if (spec.arrivals.kind === 'trace') return openSynthetic(source, spec, machines, options);
  if (source.count === 0) {
    const detail = `generated tasks without end have arrivals of their own and cannot be ${spec.arrivals.kind}`;
    throw new SiraError(
      'SIRA_SCENARIO_INVALID',
      detail,
      { field: 'workload.arrivals.kind' },
      'Leave out `arrivals`, or give `count`.',
    );
  }
  return openTrace({ tasks: [...syntheticTasks(source, seed)], notes: [] }, spec, machines, options);
}

function openSynthetic(
  source: SyntheticSource,
  spec: WorkloadSpec,
  machines: readonly MachineSpec[],
  options: StreamOptions,
): Workload {
  const stream = syntheticArrivals(source, spec.durations, machines, options);
  return {
    tasks: () => stream.start(),
    typicalTasks: (coverage) => typicalTasksOf(syntheticSample(source), coverage),
    notes: [...stream.notes, ...(spec.durations.endless ? [endlessNote] : []), estimateNote(spec.estimates, false)],
  };
}

function openTrace(
  trace: Trace,
  spec: WorkloadSpec,
  machines: readonly MachineSpec[],
  options: StreamOptions,
): Workload {
  const origin = spec.arrivals.kind === 'trace' ? (spec.arrivals.origin ?? 'first') : 'first';
  const prepared = prepareTrace(trace, spec.durations, machines, origin);
  if (prepared.tasks.length === 0) {
    const detail =
      trace.tasks.length === 0 ? 'the trace has no tasks' : `no task fits the cluster. ${prepared.notes.join(' ')}`;
    throw new SiraError(
      'SIRA_SCENARIO_INVALID',
      detail,
      { field: 'workload.source' },
      'Name another trace, or larger machines.',
    );
  }
  const stream = arrivalStream(spec.arrivals, prepared, machines, options);
  const hasEstimates = prepared.tasks.some((task) => task.estimateMicros !== undefined);
  return {
    tasks: () => stream.start(),
    typicalTasks: (coverage) => typicalTasksOf(requestsOf(trace), coverage),
    notes: [...prepared.notes, ...stream.notes, estimateNote(spec.estimates, hasEstimates)],
  };
}

/** All that the source lists, what fits no machine included. */
function* requestsOf(trace: Trace): Generator<ResourceRequest> {
  for (const { request } of trace.tasks) yield request;
}

function arrivalStream(
  spec: ArrivalSpec,
  prepared: PreparedTrace,
  machines: readonly MachineSpec[],
  options: StreamOptions,
): ArrivalStream {
  switch (spec.kind) {
    case 'trace':
      return traceArrivals(prepared, options);
    case 'scaled':
      return scaledArrivals(prepared, spec, machines, options);
    case 'resampled':
      return resampledArrivals(prepared, spec, machines, options);
    case 'inflated':
      return inflatedArrivals(prepared, spec, machines, options);
  }
}
