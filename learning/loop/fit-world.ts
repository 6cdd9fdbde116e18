// The world that the rows of telemetry tell of: how work arrives, how long it takes and what submitters say about it, what the
// machines are and how they fail. Where the rows are too few to say, nothing is fitted: a coded error instead of a guess.

import { errorFunction, mean, median, sampleStandardDeviation } from 'simple-statistics';
import { SiraError } from '../../core/base/errors.ts';
import { fixedExp, fixedLog } from '../../core/base/fixed-math.ts';
import {
  type FittedClass,
  type FittedMachine,
  type FittedOutages,
  type FittedWorld,
  fittedWorldFormat,
} from '../env/fitted-world.ts';
import { fitPhases } from './fit-phases.ts';
import type { AgentRow, LoopRows, TaskRow } from './loop-rows.ts';

/** Arrivals are counted by this. */
export const countSeconds = 0.25;
const tasksMin = 100;
const secondsMin = 5;
const classTasksMin = 5;

/** SIRA_TELEMETRY_TOO_FEW if the rows say too little. */
export function fitWorld(rows: LoopRows): FittedWorld {
  const completed = rows.tasks.filter(({ outcome, serviceSeconds }) => outcome === 'completed' && serviceSeconds > 0);
  if (completed.length < tasksMin)
    throw tooFew(`telemetry holds ${completed.length} completed tasks, and ${tasksMin} are the least`);
  const submitted = rows.tasks.map(({ submittedMicros }) => submittedMicros).sort((left, right) => left - right);
  const seconds = ((submitted.at(-1) as number) - (submitted[0] as number)) / 1e6;
  if (seconds < secondsMin)
    throw tooFew(`telemetry holds the submissions of ${seconds.toFixed(1)} s, and ${secondsMin} s are the least`);
  const machines = machinesOf(rows.agents);
  if (machines.length === 0) throw tooFew('telemetry holds no agent');
  const counts = arrivalCounts(submitted, countSeconds);
  const { phases, logLikelihoodGain } = fitPhases(counts, countSeconds);
  const request = {
    cpuMilli: median(completed.map(({ cpuMilli }) => cpuMilli)),
    memoryMib: median(completed.map(({ memoryMib }) => memoryMib)),
  };
  return {
    format: fittedWorldFormat,
    rowsSha256: rows.sha256,
    tasks: completed.length,
    seconds,
    work: { arrivals: phases, classes: fitClasses(completed) },
    phaseGain: logLikelihoodGain,
    machines,
    outages: fitOutages(rows.agents, seconds, machines.length),
    request,
    slots: machines.reduce((sum, { cpuMilli }) => sum + Math.floor(cpuMilli / Math.max(1, request.cpuMilli)), 0),
  };
}

/** Arrivals in each whole interval from the first on. `submittedMicros` rises. */
export function arrivalCounts(submittedMicros: readonly number[], intervalSeconds: number): Float64Array {
  const first = submittedMicros[0] ?? 0;
  const interval = intervalSeconds * 1e6;
  const counts = new Float64Array(Math.floor(((submittedMicros.at(-1) ?? 0) - first) / interval));
  for (const micros of submittedMicros) {
    const at = Math.floor((micros - first) / interval);
    if (at < counts.length) counts[at]! += 1;
  }
  return counts;
}

/** Classes of at least five tasks, by name; the rest count as none. */
function fitClasses(tasks: readonly TaskRow[]): FittedClass[] {
  const byName = new Map<string, TaskRow[]>();
  for (const task of tasks) {
    const known = byName.get(task.taskClass);
    if (known === undefined) byName.set(task.taskClass, [task]);
    else known.push(task);
  }
  const kept = [...byName]
    .filter(([, { length }]) => length >= classTasksMin)
    .sort(([left], [right]) => (left < right ? -1 : 1));
  const total = kept.reduce((sum, [, { length }]) => sum + length, 0);
  if (total === 0) throw tooFew(`no class of work has ${classTasksMin} completed tasks`);
  return kept.map(([name, own]) => {
    const services = own.map(({ serviceSeconds }) => fixedLog(serviceSeconds));
    const { centre, deviation } = momentsOf(services);
    const estimates = momentsOf(
      own.map(({ serviceSeconds, estimateSeconds }) => fixedLog(Math.max(1e-6, estimateSeconds) / serviceSeconds)),
    );
    return {
      name,
      share: own.length / total,
      medianSeconds: fixedExp(centre),
      sigma: deviation,
      estimateRatio: fixedExp(estimates.centre),
      estimateSigma: estimates.deviation,
      count: own.length,
      distance: normalDistance(services, centre, deviation),
    };
  });
}

function machinesOf(agents: readonly AgentRow[]): FittedMachine[] {
  const byName = new Map<string, FittedMachine>();
  for (const { agent, cpuCapacityMilli, memoryCapacityMib } of agents)
    if (cpuCapacityMilli > 0)
      byName.set(agent, { name: agent, cpuMilli: cpuCapacityMilli, memoryMib: memoryCapacityMib });
  return [...byName.values()].sort((left, right) => (left.name < right.name ? -1 : 1));
}

/** An outage lasts from the first sample that calls an agent dead to the first that does not again. */
function fitOutages(agents: readonly AgentRow[], seconds: number, machineCount: number): FittedOutages {
  const since = new Map<string, number>();
  const lengths: number[] = [];
  let count = 0;
  for (const { agent, state, atMicros } of [...agents].sort((left, right) => left.atMicros - right.atMicros)) {
    const from = since.get(agent);
    if (state === 'dead' && from === undefined) {
      since.set(agent, atMicros);
      count++;
    } else if (state !== 'dead' && from !== undefined) {
      lengths.push((atMicros - from) / 1e6);
      since.delete(agent);
    }
  }
  return {
    count,
    perAgentHour: (count * 3600) / (machineCount * seconds),
    meanSeconds: lengths.length === 0 ? 0 : lengths.reduce((sum, each) => sum + each, 0) / lengths.length,
  };
}

function momentsOf(values: readonly number[]): { readonly centre: number; readonly deviation: number } {
  return { centre: mean([...values]), deviation: values.length < 2 ? 0 : sampleStandardDeviation([...values]) };
}

function normalDistance(values: readonly number[], centre: number, deviation: number): number {
  const sorted = [...values].sort((left, right) => left - right);
  let distance = 0;
  for (const [index, value] of sorted.entries()) {
    const share =
      deviation > 0 ? (1 + errorFunction((value - centre) / (deviation * Math.SQRT2))) / 2 : Number(value >= centre);
    distance = Math.max(
      distance,
      Math.abs(share - index / sorted.length),
      Math.abs(share - (index + 1) / sorted.length),
    );
  }
  return distance;
}

function tooFew(detail: string): SiraError {
  return new SiraError('SIRA_TELEMETRY_TOO_FEW', detail);
}
