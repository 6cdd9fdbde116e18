// The metrics of a run: what each means, and how it is computed from what was collected. One table, so that report, guards,
// objective and documentation speak of the same things.

import { microsPerHour, microsPerSecond } from '../../core/base/time.ts';
import type { KernelCounts } from '../../core/kernel/kernel.ts';
import { energyMetrics, type MeasuredEnergy, measureEnergy } from './energy-metrics.ts';
import { measureGroups } from './group-metrics.ts';
import type { MetricSpec } from './results.ts';
import type { Samples } from './run-record.ts';
import { type Observations, ObservationWriter, SurvivalCurve } from './survival.ts';
import { outcomeNames, type TaskColumns } from './task-columns.ts';
import type { UsageIntegrals } from './usage.ts';

/** Run times below this count as this in the slowdown, as in the literature on batch scheduling (Feitelson). */
const slowdownFloorMicros = 10 * microsPerSecond;
/** A task starves if it still waits at the end and has waited for this share of the measured window. */
const starvationShare = 0.25;

export interface MeasuredRun {
  readonly tasks: TaskColumns;
  /** Integrals at the begin and the end of the measured window. */
  readonly begin: UsageIntegrals;
  readonly end: UsageIntegrals;
  readonly gpuCapacityMilli: number;
  readonly cpuCapacityMilli: number;
  /** In use when the run ended. */
  readonly gpuEndMilli: number;
  readonly queueLengthEnd: number;
  readonly samples: Samples;
  readonly counts: KernelCounts;
  /** Attempts stopped for tasks of higher priority, and the tenants' use, within the measured window. */
  readonly evictions: number;
  readonly tenantUse: readonly number[];
  /** What all machines took until the window began and until it ended; undefined without a power model. */
  readonly energy: MeasuredEnergy | undefined;
}

export interface RunObservations {
  readonly wait: Observations;
  readonly slowdown: Observations;
  readonly completion: Observations;
}

const spec = (
  name: string,
  title: string,
  unit: string,
  better: MetricSpec['better'],
  description: string,
): MetricSpec => ({ name, title, unit, better, description });

const gpuMetrics: readonly MetricSpec[] = [
  spec(
    'gpuUtilizationPercent',
    'GPU utilization',
    '%',
    'higher',
    'GPU share in use by tasks, average over the measured window.',
  ),
  spec('gpuAllocationEndPercent', 'GPU allocation at end', '%', 'higher', 'GPU share in use when the run ended.'),
  spec(
    'fragmentationPercent',
    'GPU fragmentation',
    '%',
    'lower',
    'Free GPU that the typical task could not use (FGD’s measure), percent of capacity, average over the measured window.',
  ),
];

const commonMetrics: readonly MetricSpec[] = [
  spec(
    'cpuUtilizationPercent',
    'CPU utilization',
    '%',
    'neither',
    'CPU share in use by tasks, average over the measured window.',
  ),
  spec(
    'waitMeanSeconds',
    'mean wait',
    's',
    'lower',
    'Arrival to start, mean over the tasks that arrived in the measured window; waits still going on count as censored (Kaplan–Meier, restricted mean).',
  ),
  spec('waitP50Seconds', 'median wait', 's', 'lower', 'Median wait, with censoring.'),
  spec('waitP95Seconds', 'p95 wait', 's', 'lower', '95th percentile of the wait, with censoring.'),
  spec(
    'waitP99Seconds',
    'p99 wait',
    's',
    'lower',
    '99th percentile of the wait, with censoring; a lower bound if more than 1% still wait.',
  ),
  spec(
    'slowdownMean',
    'mean slowdown',
    '1',
    'lower',
    'Bounded slowdown max(1, (wait + run) / max(run, 10 s)), restricted mean with censoring.',
  ),
  spec('slowdownP99', 'p99 slowdown', '1', 'lower', '99th percentile of the bounded slowdown, with censoring.'),
  spec('completionMeanSeconds', 'mean completion', 's', 'lower', 'Arrival to end, restricted mean with censoring.'),
  spec('completionP99Seconds', 'p99 completion', 's', 'lower', '99th percentile of arrival to end, with censoring.'),
  spec('queueLengthMean', 'mean queue', 'tasks', 'lower', 'Waiting tasks, average over the measured window.'),
  spec('queueLengthEnd', 'queue at end', 'tasks', 'lower', 'Waiting tasks when the run ended.'),
  spec('throughputTasksPerHour', 'throughput', 'tasks/h', 'higher', 'Tasks completed per hour of the measured window.'),
  spec(
    'starvedTasks',
    'starved tasks',
    'tasks',
    'lower',
    'Tasks still waiting at the end that have waited for at least a quarter of the measured window.',
  ),
  spec(
    'droppedTasks',
    'dropped tasks',
    'tasks',
    'lower',
    'Tasks that the policy gave up or the queue refused, over the whole run.',
  ),
  spec('retriedTasks', 'retried tasks', 'tasks', 'lower', 'Tasks begun more than once, because machines failed.'),
  spec(
    'evictions',
    'evictions',
    'attempts',
    'lower',
    'Running attempts stopped for tasks of higher priority; only where tasks have several priorities.',
  ),
  spec(
    'urgentWaitMeanSeconds',
    'mean wait, top priority',
    's',
    'lower',
    'Mean wait of the tasks of the highest priority; waits still going on count with their length so far.',
  ),
  spec(
    'gangWaitMeanSeconds',
    'mean wait of gangs',
    's',
    'lower',
    'Mean wait of tasks that must start together with others; waits still going on count with their length so far.',
  ),
  spec(
    'largestTenantSharePercent',
    'largest tenant’s share',
    '%',
    'neither',
    'Share of all GPU time (CPU time without GPUs) that the tenant with most of it used in the measured window.',
  ),
  spec(
    'worstTenantWaitSeconds',
    'worst tenant’s wait',
    's',
    'lower',
    'Mean wait of the tenant whose tasks waited longest; waits still going on count with their length so far.',
  ),
  spec('makespanHours', 'makespan', 'h', 'lower', 'First arrival to last end.'),
  spec(
    'kernelEventsPerPlacement',
    'kernel events per placement',
    '1',
    'neither',
    'Inputs, fired timers and effects of the kernel for each placement.',
  ),
];

/** The metrics that a scenario has: those of GPUs only where there are any. */
export function metricsFor(hasGpus: boolean): readonly MetricSpec[] {
  return [...(hasGpus ? gpuMetrics : []), ...commonMetrics, ...energyMetrics];
}

/** Every metric there is. */
export const allMetrics = metricsFor(true);

/** Waits, slowdowns and completions of the tasks that arrived from `begin` on. Seconds; slowdown is a ratio. */
export function observe(run: Pick<MeasuredRun, 'tasks' | 'begin' | 'end'>): RunObservations {
  const { tasks } = run;
  const end = run.end.timeMicros;
  const wait = new ObservationWriter(tasks.count);
  const slowdown = new ObservationWriter(tasks.count);
  const completion = new ObservationWriter(tasks.count);
  for (let row = 0; row < tasks.count; row++) {
    const arrival = tasks.arrivalMicros[row] as number;
    const outcome = outcomeNames[tasks.outcome[row] as number];
    // What was dropped or refused never waited to an end; it is counted, not averaged.
    if (arrival < run.begin.timeMicros || outcome === 'dropped' || outcome === 'refused' || outcome === 'cancelled')
      continue;
    const start = tasks.startMicros[row] as number;
    const started = start >= 0;
    const waited = (started ? start : end) - arrival;
    const duration = tasks.durationMicros[row] as number;
    wait.add(waited / microsPerSecond, !started);
    if (duration !== Number.POSITIVE_INFINITY) {
      slowdown.add(Math.max(1, (waited + duration) / Math.max(duration, slowdownFloorMicros)), !started);
    }
    const completed = outcome === 'completed';
    // A failed task would have completed later than it failed; of an unfinished one nothing is known beyond the end.
    const ended = tasks.endMicros[row] as number;
    completion.add(((ended >= 0 ? ended : end) - arrival) / microsPerSecond, !completed);
  }
  return { wait: wait.finish(), slowdown: slowdown.finish(), completion: completion.finish() };
}

/** All metrics of a run by name; null where there is nothing to measure. */
export function measure(run: MeasuredRun, observations: RunObservations): Record<string, number | null> {
  const { begin, end } = run;
  const elapsed = end.timeMicros - begin.timeMicros;
  const average = (from: number, to: number): number | null => (elapsed > 0 ? (to - from) / elapsed : null);
  const share = (value: number | null, capacity: number): number | null =>
    value === null || capacity === 0 ? null : (100 * value) / capacity;
  const wait = new SurvivalCurve(observations.wait);
  const slowdown = new SurvivalCurve(observations.slowdown);
  const completion = new SurvivalCurve(observations.completion);
  const life = summarizeLives(run);
  const fragmentation = run.samples.fragmentationPercent.filter(
    (_, index) => (run.samples.timeSeconds[index] as number) * microsPerSecond > begin.timeMicros,
  );
  return {
    gpuUtilizationPercent: share(average(begin.gpuMilli, end.gpuMilli), run.gpuCapacityMilli),
    gpuAllocationEndPercent: share(run.gpuEndMilli, run.gpuCapacityMilli),
    fragmentationPercent:
      fragmentation.length === 0 ? null : fragmentation.reduce((sum, value) => sum + value, 0) / fragmentation.length,
    cpuUtilizationPercent: share(average(begin.cpuMilli, end.cpuMilli), run.cpuCapacityMilli),
    waitMeanSeconds: finite(wait.restrictedMean()),
    waitP50Seconds: finite(wait.quantile(0.5)),
    waitP95Seconds: finite(wait.quantile(0.95)),
    waitP99Seconds: finite(wait.quantile(0.99)),
    slowdownMean: finite(slowdown.restrictedMean()),
    slowdownP99: finite(slowdown.quantile(0.99)),
    completionMeanSeconds: finite(completion.restrictedMean()),
    completionP99Seconds: finite(completion.quantile(0.99)),
    queueLengthMean: average(begin.waiting, end.waiting),
    queueLengthEnd: run.queueLengthEnd,
    throughputTasksPerHour: elapsed > 0 ? life.completed / (elapsed / microsPerHour) : null,
    starvedTasks: life.starved,
    droppedTasks: life.dropped,
    retriedTasks: life.retried,
    ...measureGroups({
      tasks: run.tasks,
      beginMicros: begin.timeMicros,
      endMicros: end.timeMicros,
      evictions: run.evictions,
      tenantUse: run.tenantUse,
    }),
    makespanHours: life.lastEndMicros < 0 ? null : (life.lastEndMicros - life.firstArrivalMicros) / microsPerHour,
    kernelEventsPerPlacement:
      run.counts.placements === 0
        ? null
        : (run.counts.inputs + run.counts.timers + run.counts.effects) / run.counts.placements,
    ...measureEnergy(run.energy, elapsed, life.completed),
  };
}

function summarizeLives({ tasks, begin, end }: MeasuredRun) {
  const starvationMicros = starvationShare * (end.timeMicros - begin.timeMicros);
  let completed = 0;
  let starved = 0;
  let dropped = 0;
  let retried = 0;
  let lastEndMicros = -1;
  for (let row = 0; row < tasks.count; row++) {
    const outcome = outcomeNames[tasks.outcome[row] as number];
    const endMicros = tasks.endMicros[row] as number;
    if (outcome === 'completed' && endMicros > begin.timeMicros) completed++;
    if (outcome === 'dropped' || outcome === 'refused') dropped++;
    if ((tasks.attempts[row] as number) > 1) retried++;
    if (
      outcome === 'unfinished' &&
      (tasks.startMicros[row] as number) < 0 &&
      end.timeMicros - (tasks.arrivalMicros[row] as number) >= starvationMicros
    )
      starved++;
    if (endMicros > lastEndMicros) lastEndMicros = endMicros;
  }
  return {
    completed,
    starved,
    dropped,
    retried,
    lastEndMicros,
    firstArrivalMicros: tasks.count === 0 ? 0 : (tasks.arrivalMicros[0] as number),
  };
}

function finite(value: number): number | null {
  return Number.isFinite(value) ? value : null;
}
