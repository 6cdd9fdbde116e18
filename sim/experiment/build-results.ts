// From the records of all runs to the one result document: means with intervals over seeds, paired comparisons, curves
// averaged over seeds, distributions pooled over seeds.

import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { microsPerSecond } from '../../core/base/time.ts';
import { checkGuards, compareToBaseline } from './comparison.ts';
import { metricsFor } from './metrics.ts';
import type { Distribution, Estimate, MetricSpec, PolicyResult, ResultDocument, TimeSeries } from './results.ts';
import type { RunRecord } from './run-record.ts';
import type { Scenario } from './scenario.ts';
import { filesOf } from './scenario-files.ts';
import { estimate } from './statistics.ts';
import { type Observations, poolObservations, SurvivalCurve } from './survival.ts';

/** Points of a curve over time when runs end at different times. */
const seriesPoints = 240;
/** A queue that grows over the window by this share of all arrivals is not stationary. */
const growthShareMax = 0.01;
const slowestShown = 10;

export interface DocumentFacts {
  /** The scenario's path as given. */
  readonly file: string;
  readonly command: string;
  readonly version: string;
  readonly createdAt: string;
  readonly wallSeconds: number;
}

/** `records` hold every policy on every seed, in the scenario's order. */
export function buildResults(scenario: Scenario, records: readonly RunRecord[], facts: DocumentFacts): ResultDocument {
  const first = records[0] as RunRecord;
  const metrics = metricsFor(first.cluster.gpus > 0).filter((metric) =>
    records.some((record) => record.metrics[metric.name] !== null),
  );
  const policies = scenario.policies.map((profile): PolicyResult => {
    const runs = records.filter((record) => record.policy === profile.name);
    return buildPolicy(profile.name, describePolicy(profile), runs, metrics, scenario);
  });
  return {
    format: 'sira-results',
    formatVersion: 1,
    siraVersion: facts.version,
    createdAt: facts.createdAt,
    command: facts.command,
    scenario: {
      name: scenario.name,
      description: scenario.description,
      file: facts.file,
      source: scenario.source,
      contentHash: contentHash(scenario),
    },
    seeds: scenario.seeds,
    cluster: first.cluster,
    notes: notesOf(scenario, records, policies),
    warmUpSeconds: scenario.warmUpMicros / microsPerSecond,
    measuredSeconds:
      scenario.measureMicros > 0
        ? scenario.measureMicros / microsPerSecond
        : Math.max(...records.map((record) => record.samples.timeSeconds.at(-1) ?? 0)),
    metrics,
    objective: scenario.objective,
    baseline: scenario.baseline,
    policies,
    comparisons: compareToBaseline(
      policies,
      metrics.filter((metric) => metric.better !== 'neither'),
      scenario.baseline,
      scenario.seeds,
    ),
    guards: checkGuards(scenario.guards, policies),
    wallSeconds: facts.wallSeconds,
  };
}

function buildPolicy(
  name: string,
  description: string,
  runs: readonly RunRecord[],
  metrics: readonly MetricSpec[],
  scenario: Scenario,
): PolicyResult {
  const estimates: Record<string, Estimate> = {};
  for (const metric of metrics) estimates[metric.name] = estimate(runs.map((run) => run.metrics[metric.name] ?? null));
  const slowest = runs
    .flatMap((run) => run.slowest)
    .sort((left, right) => right.waitSeconds - left.waitSeconds || left.seed - right.seed || left.id - right.id);
  return {
    name,
    description,
    metrics: estimates,
    runs: runs.map((run) => ({
      seed: run.seed,
      digest: run.digest,
      placements: run.counts.placements,
      kernelInputs: run.counts.inputs,
      kernelTimers: run.counts.timers,
      kernelEffects: run.counts.effects,
      simulatedEvents: run.simulatedEvents,
      wallSeconds: run.wallSeconds,
    })),
    series: averageSeries(runs),
    wait: pooledDistribution(runs.map((run) => run.wait)),
    slowdown: pooledDistribution(runs.map((run) => run.slowdown)),
    completion: pooledDistribution(runs.map((run) => run.completion)),
    gantt: runs[0]?.gantt ?? [],
    slowest: slowest.slice(0, slowestShown),
    stationary: isStationary(runs, scenario),
  };
}

/** Means over seeds at common times; runs without a horizon are read off at equal steps up to the longest one's end. */
function averageSeries(runs: readonly RunRecord[]): TimeSeries {
  const longest = runs.reduce((found, run) =>
    (run.samples.timeSeconds.at(-1) ?? 0) > (found.samples.timeSeconds.at(-1) ?? 0) ? run : found,
  );
  const same = runs.every(
    (run) =>
      run.samples.timeSeconds.length === longest.samples.timeSeconds.length &&
      run.samples.timeSeconds.every((time, index) => time === longest.samples.timeSeconds[index]),
  );
  const end = longest.samples.timeSeconds.at(-1) ?? 0;
  const timeSeconds = same
    ? longest.samples.timeSeconds
    : Array.from({ length: seriesPoints }, (_, index) => (end * (index + 1)) / seriesPoints);
  const average = (values: (run: RunRecord) => readonly number[]): number[] =>
    timeSeconds.map((time, index) => {
      let sum = 0;
      for (const run of runs)
        sum += (same ? values(run)[index] : valueAt(run.samples.timeSeconds, values(run), time)) ?? 0;
      return sum / runs.length;
    });
  return {
    timeSeconds,
    gpuUtilizationPercent: average((run) => run.samples.gpuUtilizationPercent),
    cpuUtilizationPercent: average((run) => run.samples.cpuUtilizationPercent),
    queueLength: average((run) => run.samples.queueLength),
    runningTasks: average((run) => run.samples.runningTasks),
    fragmentationPercent:
      longest.samples.fragmentationPercent.length === 0 ? [] : average((run) => run.samples.fragmentationPercent),
    ...(longest.samples.powerWatts.length === 0 ? {} : { powerWatts: average((run) => run.samples.powerWatts) }),
  };
}

/** The sample that covers `time`; 0 after a run's end, when nothing runs or waits any more. */
function valueAt(times: readonly number[], values: readonly number[], time: number): number {
  const index = times.findIndex((sampled) => sampled >= time);
  return index < 0 ? 0 : (values[index] as number);
}

/** The distribution function with censoring, thinned to points that are even in probability and dense in the tail. */
function pooledDistribution(parts: readonly Observations[]): Distribution {
  const curve = new SurvivalCurve(poolObservations(parts));
  const targets: number[] = [];
  for (let index = 1; index <= 120; index++) targets.push(index / 120);
  for (let tail = 0.008; tail > 1e-6; tail *= 0.8) targets.push(1 - tail);
  targets.sort((left, right) => left - right);
  const probability: number[] = [];
  const value: number[] = [];
  let index = 0;
  for (const target of targets) {
    while (index < curve.times.length && 1 - (curve.survival[index] as number) < target - 1e-12) index++;
    if (index === curve.times.length) break;
    const reached = 1 - (curve.survival[index] as number);
    if (probability.at(-1) === reached) continue;
    probability.push(reached);
    value.push(curve.times[index] as number);
  }
  return { probability, value };
}

/** Compares the queue of the last quarter of the window with the first quarter's, mean over seeds. */
function isStationary(runs: readonly RunRecord[], scenario: Scenario): boolean {
  if (scenario.measureMicros === 0) return true;
  const from = scenario.warmUpMicros / microsPerSecond;
  const length = scenario.measureMicros / microsPerSecond;
  let growth = 0;
  let arrivals = 0;
  for (const run of runs) {
    const mean = (begin: number, end: number): number => {
      const inside = run.samples.queueLength.filter((_, index) => {
        const time = run.samples.timeSeconds[index] as number;
        return time > from + begin * length && time <= from + end * length;
      });
      return inside.length === 0 ? 0 : inside.reduce((sum, value) => sum + value, 0) / inside.length;
    };
    growth += mean(0.75, 1) - mean(0, 0.25);
    arrivals += run.wait.values.length;
  }
  return growth <= growthShareMax * arrivals;
}

function notesOf(scenario: Scenario, records: readonly RunRecord[], policies: readonly PolicyResult[]): string[] {
  // What each seed's workload says of itself differs in numbers only; the first seed's stands for all.
  const notes = [...(records[0]?.notes ?? [])];
  if (scenario.seeds.length > 1 && notes.length > 0)
    notes.push(`The notes above are of seed ${scenario.seeds[0]}; other seeds differ in what they draw.`);
  const censored = policies.filter((policy) => (policy.metrics.queueLengthEnd?.mean ?? 0) > 0).length;
  if (censored > 0 && scenario.measureMicros > 0)
    notes.push('Tasks still waiting at the end count as censored observations (Kaplan–Meier), not as finished ones.');
  return notes;
}

/** SHA-256 over the scenario and the content of every file that it names. */
function contentHash(scenario: Scenario): string {
  const hash = createHash('sha256').update(scenario.source);
  for (const file of filesOf(scenario)) hash.update('\0').update(readFileSync(file));
  return hash.digest('hex');
}

/** `FCFS order, best-fit placement, unplaced tasks are skipped`. */
export function describePolicy(profile: Scenario['policies'][number]): string {
  const unplaced = {
    block: 'a task that does not fit blocks the queue',
    skip: 'tasks that do not fit are skipped',
    backoff: 'tasks that do not fit back off',
    drop: 'tasks that do not fit are dropped',
  }[profile.unplaced];
  const backfill =
    profile.backfill === 'none'
      ? ''
      : profile.backfill === 'conservative'
        ? ', conservative backfilling'
        : `, EASY backfilling (${profile.backfill === 'never' ? 'never past the shadow time' : 'past it on unreserved machines'})`;
  const preempts = profile.preempt === 'lowerPriority' ? ', lower priorities evicted' : '';
  const bound = profile.overtakeMax > 0 ? `, at most ${profile.overtakeMax} overtakings` : '';
  return `${profile.order.toUpperCase()} order, ${profile.place} placement, ${unplaced}${bound}${backfill}${preempts}`;
}
