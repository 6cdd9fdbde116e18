// An endless stream of tasks drawn from the trace with replacement, Poisson arrivals, at the rate that offers a wanted load.

import { RandomStream } from '../../core/base/random.ts';
import { microsPerDay } from '../../core/base/time.ts';
import { sampleExponential } from '../engine/distributions.ts';
import { type ArrivalStream, type StreamOptions, streamTask } from './arrival-stream.ts';
import { describeCount } from './describe.ts';
import { capacityMilli, type LoadResource, meanWork } from './offered-load.ts';
import type { PreparedTrace } from './prepared-trace.ts';
import type { TraceTask } from './trace.ts';
import type { MachineSpec } from './workload.ts';

/** Rate = load · capacity / mean of (demand · duration) over the tasks that fit, so that work arrives at `load` of capacity. */
export function resampledArrivals(
  trace: PreparedTrace,
  spec: { readonly load: number; readonly resource: LoadResource },
  machines: readonly MachineSpec[],
  options: StreamOptions,
): ArrivalStream {
  const { tasks } = trace;
  const gapMicros = meanWork(tasks, spec.resource) / (spec.load * capacityMilli(machines, spec.resource));
  const rate = describeCount(microsPerDay / gapMicros);
  return {
    notes: [
      `Tasks are drawn with replacement from ${describeCount(tasks.length)} and arrive as a Poisson process, ${rate} a day, ` +
        `an offered ${spec.resource.toUpperCase()} load of ${spec.load}.`,
    ],
    *start() {
      const gaps = new RandomStream(options.seed, 'workload.gaps');
      const draws = new RandomStream(options.seed, 'workload.draws');
      const estimate = options.startEstimates();
      let time = 0;
      for (;;) {
        time += sampleExponential(gaps, gapMicros);
        const drawn = tasks[draws.nextBelow(tasks.length)] as TraceTask;
        // Members of a gang are not drawn together, so each comes alone.
        const task = drawn.gang === undefined ? drawn : { ...drawn, gang: undefined };
        yield streamTask(task, Math.floor(time), options.endless, estimate);
      }
    },
  };
}
