// A window of telemetry as what a simulated world needs: which tasks came when, what they asked for and how long their work took,
// what messages and agents took beyond it; and what was measured, to hold a simulation against. Rows alone are read, whichever
// store they come from.

import { BottleneckAnalysis, type Bottlenecks } from '../../core/telemetry/bottlenecks.ts';
import { numbersOf, type TelemetryBatch, textsOf } from '../../core/telemetry/rows.ts';
import { ascending, mean, quantile } from '../../sim/experiment/statistics.ts';
import { type MeasuredTrips, quantilesOf } from '../../sim/world/calibration.ts';

export interface RecordedTask {
  /** Since 1970. */
  readonly arrivalMicros: number;
  /** Of its work, alone; what was estimated where the work never completed. */
  readonly durationMicros: number;
  readonly estimateMicros: number;
  readonly cpuMilli: number;
  readonly memoryMib: number;
  readonly gpuCount: number;
  readonly gpuMilli: number;
  readonly machineCount: number;
  readonly priority: number;
  readonly tenant: string;
  readonly taskClass: string;
}

export interface RecordedWindow {
  /** In order of arrival. */
  readonly tasks: readonly RecordedTask[];
  readonly completed: number;
  /** Of tasks whose work never completed: they take what was estimated. */
  readonly estimated: number;
  readonly fromMicros: number;
  readonly untilMicros: number;
  /** Of the tasks that completed, by the simulator's names of metrics. */
  readonly metrics: Readonly<Record<string, number>>;
  /** What the means among those are of, task by task in the order of their ends. */
  readonly series: Readonly<Record<string, readonly number[]>>;
  /** From the placement to the begin of the work, and to its result less the work. */
  readonly trips: MeasuredTrips;
  /** Service over estimate by class, the median, of classes with enough tasks. */
  readonly estimateRatios: ReadonlyMap<string, number>;
  readonly bottlenecks: Bottlenecks;
}

const microsPerSecond = 1_000_000;
const classMin = 20;

/** `tasksMax`: the latest so many that ended; `sinceMicros`: only those that arrived from then on. Undefined if no task completed. */
export function readWindow(
  batches: readonly TelemetryBatch[],
  tasksMax: number,
  sinceMicros = Number.NEGATIVE_INFINITY,
): RecordedWindow | undefined {
  const analysis = new BottleneckAnalysis();
  const rows = batches.filter(({ table }) => table === 'tasks');
  const surplus = Math.max(0, rows.reduce((sum, { count }) => sum + count, 0) - tasksMax);
  const tasks: RecordedTask[] = [];
  const totals: number[] = [];
  const waits: number[] = [];
  const accepts: number[] = [];
  const overheads: number[] = [];
  const ratios = new Map<string, number[]>();
  let [row, estimated, fromMicros, untilMicros] = [0, 0, Number.POSITIVE_INFINITY, 0];
  for (const batch of rows) {
    const skipped = Math.min(batch.count, Math.max(0, surplus - row));
    row += batch.count;
    const kept = skipped === 0 ? batch : lastRows(batch, skipped);
    analysis.add(kept);
    const column = (name: string): Float64Array => numbersOf(kept, name);
    const outcomes = textsOf(kept, 'outcome');
    const [tenants, classes] = [textsOf(kept, 'tenant'), textsOf(kept, 'task_class')];
    const [times, submitted, estimates] = [column('time'), column('submitted_micros'), column('estimate_seconds')];
    const [service, transfer, dispatch] = [
      column('service_seconds'),
      column('transfer_seconds'),
      column('dispatch_seconds'),
    ];
    const [total, queue, retry] = [column('total_seconds'), column('queue_seconds'), column('retry_seconds')];
    const whole = (name: string, index: number): number => {
      const value = column(name)[index] as number;
      return Number.isFinite(value) ? Math.max(0, Math.round(value)) : 0;
    };
    for (let index = 0; index < kept.count; index++) {
      const outcome = outcomes[index];
      if (outcome === 'cancelled' || (submitted[index] as number) < sinceMicros) continue;
      const isDone = outcome === 'completed';
      const estimateMicros = Math.max(1, Math.round((estimates[index] as number) * microsPerSecond) || 1);
      const serviceMicros = Math.max(1, Math.round((service[index] as number) * microsPerSecond) || 1);
      const taskClass = classes[index] as string;
      const arrivalMicros = submitted[index] as number;
      fromMicros = Math.min(fromMicros, arrivalMicros);
      untilMicros = Math.max(untilMicros, times[index] as number);
      tasks.push({
        arrivalMicros,
        durationMicros: isDone ? serviceMicros : estimateMicros,
        estimateMicros,
        ...{ cpuMilli: whole('cpu_milli', index), memoryMib: whole('memory_mib', index) },
        ...{ gpuCount: whole('gpu_count', index), gpuMilli: whole('gpu_milli', index) },
        ...{ machineCount: Math.max(1, whole('machine_count', index)), tenant: tenants[index] as string, taskClass },
        priority: Number.isFinite(column('priority')[index]) ? (column('priority')[index] as number) : 0,
      });
      if (!isDone) {
        estimated++;
        continue;
      }
      totals.push(total[index] as number);
      waits.push((queue[index] as number) + (retry[index] as number));
      accepts.push((dispatch[index] as number) * microsPerSecond);
      overheads.push(((dispatch[index] as number) + (transfer[index] as number)) * microsPerSecond);
      const known = ratios.get(taskClass);
      if (known === undefined) ratios.set(taskClass, [serviceMicros / estimateMicros]);
      else known.push(serviceMicros / estimateMicros);
    }
  }
  for (const batch of batches) if (batch.table === 'agent_load') analysis.add(batch);
  const bottlenecks = analysis.result();
  if (bottlenecks === undefined || totals.length === 0) return undefined;
  const rounded = (values: readonly number[]): number[] => quantilesOf([...ascending(values)]).map(Math.round);
  return {
    tasks: tasks.sort((left, right) => left.arrivalMicros - right.arrivalMicros),
    ...{ completed: totals.length, estimated, fromMicros, untilMicros, bottlenecks },
    metrics: {
      completionMeanSeconds: mean(totals) as number,
      completionP99Seconds: quantile(ascending(totals), 0.99) as number,
      waitMeanSeconds: mean(waits) as number,
      waitP99Seconds: quantile(ascending(waits), 0.99) as number,
    },
    series: { completionMeanSeconds: totals, waitMeanSeconds: waits },
    trips: { held: 0, count: totals.length, acceptMicros: rounded(accepts), totalMicros: rounded(overheads) },
    estimateRatios: new Map(
      [...ratios].flatMap(([name, values]) =>
        values.length < classMin ? [] : [[name, quantile(ascending(values), 0.5) as number] as const],
      ),
    ),
  };
}

function lastRows(batch: TelemetryBatch, skipped: number): TelemetryBatch {
  return {
    ...batch,
    count: batch.count - skipped,
    columns: batch.columns.map((column) => column.slice(skipped)),
  };
}
