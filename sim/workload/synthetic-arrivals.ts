// The stream of a synthetic source by its own pattern: generated one task at a time, bounded run times, without the requests
// that no machine could hold.

import { SiraError } from '../../core/base/errors.ts';
import { formatDuration } from '../../core/base/time.ts';
import type { ResourceRequest } from '../../core/scheduler/request.ts';
import { type ArrivalStream, type StreamOptions, streamTask } from './arrival-stream.ts';
import { describeCount, describeRequest } from './describe.ts';
import { createFitTest } from './fit.ts';
import { demandMilli } from './offered-load.ts';
import type { DurationSpec } from './spec.ts';
import { meanGapMicros, type SyntheticSource, syntheticMix, syntheticTasks } from './synthetic-tasks.ts';
import type { MachineSpec } from './workload.ts';

/** Throws `SIRA_SCENARIO_INVALID` if no request of the mix fits the machines. */
export function syntheticArrivals(
  source: SyntheticSource,
  durations: DurationSpec,
  machines: readonly MachineSpec[],
  options: StreamOptions,
): ArrivalStream {
  const fits = createFitTest(machines);
  const mix = syntheticMix(source);
  const leftOut = mix.filter(({ weight, request }) => weight > 0 && !fits(request));
  if (!mix.some(({ weight, request }) => weight > 0 && fits(request))) {
    const detail = 'no request of the mix fits a machine of this cluster';
    throw new SiraError(
      'SIRA_SCENARIO_INVALID',
      detail,
      { field: 'workload.mix' },
      'Ask for less, or name larger machines.',
    );
  }
  const shortest = Math.max(1, durations.minimumMicros);
  return {
    notes: [patternNote(source), loadNote(source, machines), ...leftOut.map(({ request }) => leftOutNote(request))],
    *start() {
      const estimate = options.startEstimates();
      for (const task of syntheticTasks(source, options.seed)) {
        if (!fits(task.request)) continue;
        const durationMicros = Math.max(shortest, Math.min(task.durationMicros, durations.capMicros));
        yield streamTask({ ...task, durationMicros }, task.arrivalMicros, options.endless, estimate);
      }
    },
  };
}

function patternNote(source: SyntheticSource): string {
  const count = source.count === 0 ? 'Tasks without end' : `${describeCount(source.count)} tasks`;
  const { distribution, meanMicros } = source.service;
  const gap = formatDuration(meanGapMicros(source));
  return `${count} are generated: ${source.pattern} arrivals, ${gap} apart on average; ${distribution} run times of ${formatDuration(meanMicros)} on average.`;
}

/** The load that the specification says; bounds on run times come after it. */
function loadNote(source: SyntheticSource, machines: readonly MachineSpec[]): string {
  const loads = (['gpu', 'cpu'] as const).flatMap((resource) => {
    let capacity = 0;
    for (const machine of machines) capacity += resource === 'gpu' ? machine.gpuCount * 1000 : machine.cpuMilli;
    if (capacity === 0) return [];
    let weights = 0;
    let demand = 0;
    for (const { request, weight } of syntheticMix(source)) {
      weights += weight;
      demand += weight * demandMilli(request, resource);
    }
    if (demand === 0) return [];
    const load = ((demand / weights) * source.service.meanMicros) / (capacity * meanGapMicros(source));
    return [`a ${resource.toUpperCase()} load of ${load.toPrecision(3)}`];
  });
  return `Before run times are bounded they offer ${loads.join(' and ') || 'no load'}.`;
}

function leftOutNote(request: ResourceRequest): string {
  return `Tasks that ask for ${describeRequest(request)} fit no machine of this cluster and were left out.`;
}
