// The arrivals of FGD's published experiment (Weng et al., "Beware of Fragmentation", USENIX ATC 2023, §6): no clock, all tasks
// at time 0 in a shuffled order, then more drawn with replacement until together they ask for a given share of the GPUs.

import { SiraError } from '../../core/base/errors.ts';
import { RandomStream } from '../../core/base/random.ts';
import { type ArrivalStream, type StreamOptions, streamTask } from './arrival-stream.ts';
import { describeCount } from './describe.ts';
import { capacityMilli, demandMilli, meanWork } from './offered-load.ts';
import { indexByNumber, readOrderFile } from './order-file.ts';
import type { PreparedTrace } from './prepared-trace.ts';
import type { TraceTask } from './trace.ts';
import type { MachineSpec } from './workload.ts';

interface InflatedSpec {
  readonly ratio: number;
  readonly order?: string | undefined;
}

/**
 * With `order`, the tasks whose names end in its numbers, in its order; the numbers of tasks that fit no
 * machine are passed over. Without it, all tasks by name, shuffled, then draws with replacement; the first
 * task that would bring the GPUs asked for above `ratio` of the cluster's ends the list.
 */
export function inflatedArrivals(
  trace: PreparedTrace,
  spec: InflatedSpec,
  machines: readonly MachineSpec[],
  options: StreamOptions,
): ArrivalStream {
  const sequence =
    spec.order === undefined
      ? drawSequence(trace.tasks, spec.ratio * capacityMilli(machines, 'gpu'), options.seed)
      : readSequence(trace, spec.order, options.seed);
  let asked = 0;
  for (const index of sequence) asked += demandMilli((trace.tasks[index] as TraceTask).request, 'gpu');
  const share = ((100 * asked) / capacityMilli(machines, 'gpu')).toFixed(2);
  return {
    notes: [
      `${describeCount(sequence.length)} tasks arrive at time 0 in ${spec.order === undefined ? 'an order drawn by seed' : 'the given order'}; ` +
        `together they ask for ${share}% of the GPUs.`,
    ],
    *start() {
      const estimate = options.startEstimates();
      for (const index of sequence) yield streamTask(trace.tasks[index] as TraceTask, 0, options.endless, estimate);
    },
  };
}

function drawSequence(tasks: readonly TraceTask[], boundMilli: number, seed: number): readonly number[] {
  meanWork(tasks, 'gpu'); // Refuses tasks of which no number would ever reach the bound.
  const random = new RandomStream(seed, 'workload.inflation');
  const byName = tasks
    .map((_, index) => index)
    .toSorted((a, b) => compareNames(tasks[a] as TraceTask, tasks[b] as TraceTask));
  const sequence = random.shuffle(byName);
  let asked = 0;
  for (let position = 0; ; position++) {
    const index = position < tasks.length ? (sequence[position] as number) : random.nextBelow(tasks.length);
    asked += demandMilli((tasks[index] as TraceTask).request, 'gpu');
    if (asked > boundMilli) return sequence.slice(0, position);
    if (position >= tasks.length) sequence.push(index);
  }
}

function compareNames(a: TraceTask, b: TraceTask): number {
  if (a.name === b.name) return 0;
  return a.name < b.name ? -1 : 1;
}

function readSequence({ tasks, leftOutNames }: PreparedTrace, order: string, seed: number): readonly number[] {
  const { file, entries } = readOrderFile(order, seed);
  const indices = indexByNumber([...tasks.map((task) => task.name), ...leftOutNames], file);
  const sequence: number[] = [];
  for (const { number, line } of entries) {
    const index = indices.get(number);
    if (index === undefined) {
      const detail = `no task of the trace has a name that ends in ${number}`;
      throw new SiraError(
        'SIRA_TRACE_MALFORMED',
        detail,
        { file, line, field: 'number' },
        'Use the trace that the order was made for.',
      );
    }
    if (index < tasks.length) sequence.push(index);
  }
  return sequence;
}
