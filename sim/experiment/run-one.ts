// One run: one policy, one seed, from an empty cluster through warm-up to the end of the measured window (or of all tasks),
// with oracles watching.

import { microsPerDay, microsPerSecond } from '../../core/base/time.ts';
import { faultsEndMicros } from '../fault/fault-plan.ts';
import type { WorldObserver } from '../world/observer.ts';
import type { EnergyAccount } from '../world/power/machine-meter.ts';
import type { World } from '../world/world.ts';
import { buildWorld, type SeededInputs } from './build-world.ts';
import { Collector } from './collector.ts';
import { totalJoules } from './energy-metrics.ts';
import { type MeasuredRun, measure, observe } from './metrics.ts';
import type { RunRecord } from './run-record.ts';
import type { Scenario } from './scenario.ts';
import { runName, type TakeRows, TelemetryObserver } from './telemetry-observer.ts';

/** Samples over a run, at most. */
const samplesMax = 240;
/** Without a horizon: first distance of the samples; it doubles whenever there are too many. */
const firstSampleMicros = microsPerSecond;
/** A run without a horizon ends after this long without an arrival or an end. */
const stallMicros = 30 * microsPerDay;

export interface RunOptions {
  /** Keep Gantt bars (first seed only: they are many). */
  readonly gantt: boolean;
  /** Called now and then with the share done, 0 to 1. */
  readonly progress?: ((share: number) => void) | undefined;
  /** More observers, such as recorders. */
  readonly observers?: readonly WorldObserver[];
  /** Takes the rows of the run's telemetry, if any are wanted. */
  readonly takeRows?: TakeRows | undefined;
  /** Oracles, checked at the end with `finishOracles`. */
  readonly finishOracles?: ((nowMicros: number, world: World) => void) | undefined;
  /** Replace the kernel by its own snapshot at this share of the run (determinism check). Without a horizon nobody knows
   *  where that is: then at the 1st, 2nd, 4th, 8th … arrival, the last of which lies in the second half of the tasks. */
  readonly restartAtShare?: number | undefined;
}

export interface FinishedRun {
  readonly record: RunRecord;
  readonly collector: Collector;
  readonly world: World;
}

export function runOne(
  scenario: Scenario,
  inputs: SeededInputs,
  policy: string,
  seed: number,
  options: RunOptions,
): FinishedRun {
  const started = performance.now();
  const { warmUpMicros, measureMicros } = scenario;
  const ganttFrom = options.gantt ? warmUpMicros + 0.75 * measureMicros : Number.POSITIVE_INFINITY;
  const collector = new Collector(inputs.machines, inputs.typicalTasks, warmUpMicros, ganttFrom);
  const restarter: WorldObserver = {
    taskArrived: (submission) => {
      // Between two events: the kernel has nothing in hand.
      if ((submission & (submission - 1)) === 0) world.restartKernelFromSnapshot();
    },
  };
  const restarts = options.restartAtShare !== undefined && measureMicros === 0;
  const telemetry =
    options.takeRows === undefined
      ? undefined
      : new TelemetryObserver({
          run: runName(policy, seed),
          sampleMicros: telemetrySampleMicros(scenario),
          kernel: () => world.host.kernel,
          plant: () => world.plant,
          machineNames: inputs.machines.map(({ name }) => name),
          take: options.takeRows,
        });
  const world: World = buildWorld(scenario, inputs, policy, seed, [
    collector,
    ...(telemetry === undefined ? [] : [telemetry]),
    ...(options.observers ?? []),
    ...(restarts ? [restarter] : []),
  ]);
  const { begin, energyBegin } =
    measureMicros > 0 ? runWindow(world, collector, scenario, options) : runToEnd(world, collector, scenario, options);
  const now = world.simulation.nowMicros;
  collector.finish(now);
  telemetry?.finish(now);
  collector.learnKinds(world.host.kernel);
  options.finishOracles?.(now, world);
  const gpus = inputs.machines.reduce((sum, machine) => sum + machine.gpuCount, 0);
  const measured = {
    tasks: collector.tasks,
    begin,
    end: collector.usage.at(now),
    gpuCapacityMilli: gpus * 1000,
    cpuCapacityMilli: inputs.machines.reduce((sum, machine) => sum + machine.cpuMilli, 0),
    gpuEndMilli: collector.usage.gpuMilli,
    queueLengthEnd: collector.usage.waiting,
    samples: collector.samples,
    counts: world.host.kernel.counts,
    evictions: collector.evictions,
    tenantUse: collector.tenantUse,
    energy: energyOf(world, energyBegin),
  };
  const observations = observe(measured);
  const models: Record<string, number> = {};
  for (const machine of inputs.machines) {
    const model = machine.gpuCount > 0 ? machine.gpuModel || 'GPU' : 'CPU only';
    models[model] = (models[model] ?? 0) + 1;
  }
  const record: RunRecord = {
    policy,
    seed,
    digest: world.host.kernel.digest,
    counts: measured.counts,
    simulatedEvents: world.simulation.eventCount,
    wallSeconds: (performance.now() - started) / 1000,
    metrics: measure(measured, observations),
    samples: collector.samples,
    ...observations,
    gantt: collector.gantt,
    slowest: collector.slowest(seed, now),
    notes: inputs.notes,
    cluster: {
      machines: inputs.machines.length,
      gpus,
      cpuCores: Math.round(measured.cpuCapacityMilli / 1000),
      models,
    },
  };
  return { record, collector, world };
}

/** Distance of the samples of load: about a thousand over a run whose length is known. */
function telemetrySampleMicros({ warmUpMicros, measureMicros }: Scenario): number {
  if (measureMicros === 0) return 60 * microsPerSecond;
  return Math.max(microsPerSecond, Math.round((warmUpMicros + measureMicros) / 1000));
}

/** Warm-up and measured window, with samples at fixed distances. Returns the integrals at the begin of the window. */
function runWindow(world: World, collector: Collector, scenario: Scenario, options: RunOptions) {
  const total = scenario.warmUpMicros + scenario.measureMicros;
  let begin = collector.usage.at(0);
  let energyBegin = world.plant?.readAll();
  for (let index = 1; index <= samplesMax; index++) {
    const from = Math.round((total * (index - 1)) / samplesMax);
    const until = Math.round((total * index) / samplesMax);
    if (scenario.warmUpMicros > from && scenario.warmUpMicros <= until) {
      world.runUntil(scenario.warmUpMicros);
      begin = collector.usage.at(scenario.warmUpMicros);
      energyBegin = world.plant?.readAll();
    }
    world.runUntil(until);
    if (options.restartAtShare !== undefined && index === Math.round(options.restartAtShare * samplesMax))
      world.restartKernelFromSnapshot();
    collector.sample(world.host.kernel, until, joulesOf(world));
    options.progress?.(index / samplesMax);
  }
  return { begin, energyBegin };
}

/** What all machines took so far; undefined without a power model. */
function joulesOf({ plant }: World): number | undefined {
  return plant === undefined ? undefined : totalJoules(plant.readAll());
}

function energyOf({ plant, machines }: World, begin: EnergyAccount | undefined): MeasuredRun['energy'] {
  if (plant === undefined || begin === undefined) return undefined;
  return { begin, end: plant.readAll(), machines: machines.length };
}

/** Until every task has ended, or nothing happens any more. */
function runToEnd(world: World, collector: Collector, scenario: Scenario, options: RunOptions) {
  const begin = collector.usage.at(0);
  const energyBegin = world.plant?.readAll();
  let distance = firstSampleMicros;
  let lastCount = -1;
  let share = 0;
  let lastChangeMicros = 0;
  for (let until = distance; !world.done; until += distance) {
    world.runUntilDone(until);
    const now = world.simulation.nowMicros;
    collector.sample(world.host.kernel, now, joulesOf(world));
    if (collector.samples.timeSeconds.length >= samplesMax) {
      thin(collector.samples);
      distance *= 2;
    }
    const count = world.arrivedCount + world.endedCount;
    if (count !== lastCount) {
      lastCount = count;
      lastChangeMicros = now;
    } else if (world.arrivalsDone && now > lastChangeMicros + stallMicros && now > faultsEndMicros(scenario.faults)) {
      break;
    } else if (world.arrivalsDone && world.onlyEndlessWork) {
      break;
    }
    // How many tasks are still to come nobody knows: until the last has come, the run counts as at most half done.
    const ended = world.endedCount / Math.max(1, world.arrivedCount);
    share = Math.max(share, world.arrivalsDone ? 0.5 + 0.5 * ended : 0.5 * ended);
    options.progress?.(share);
  }
  return { begin, energyBegin };
}

/** Keeps every second sample. Averages are over the time since the sample before, so each pair is averaged. */
function thin(samples: RunRecord['samples']): void {
  const average = (values: number[]): void => {
    const pairs = Math.floor(values.length / 2);
    for (let index = 0; index < pairs; index++)
      values[index] = ((values[2 * index] as number) + (values[2 * index + 1] as number)) / 2;
    values.length = pairs;
  };
  average(samples.gpuUtilizationPercent);
  average(samples.cpuUtilizationPercent);
  average(samples.queueLength);
  average(samples.runningTasks);
  average(samples.fragmentationPercent);
  average(samples.powerWatts);
  const pairs = Math.floor(samples.timeSeconds.length / 2);
  for (let index = 0; index < pairs; index++) samples.timeSeconds[index] = samples.timeSeconds[2 * index + 1] as number;
  samples.timeSeconds.length = pairs;
}
