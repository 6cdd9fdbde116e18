// Queue orders and placements written a second time, as plainly as their sources say them, for oracles to compare with. Orders and
// placements that are not here are not judged.

import { fixedLog2, fixedLog10 } from '../../core/base/fixed-math.ts';
import type { WorkloadTask } from '../workload/workload.ts';
import type { ModelMachine, ModelTask } from './cluster-model.ts';

/** Smaller first. */
export interface QueueKey {
  (task: ModelTask, nowMicros: number): number;
  /** Changes while the task waits. */
  readonly dynamic: boolean;
}

/** Undefined if the order is not known here. */
export function queueKey(order: string): QueueKey | undefined {
  switch (order) {
    case 'fcfs':
      return keyed(false, () => 0);
    case 'priority':
      return keyed(false, ({ of }) => -of.priority);
    case 'sjf':
      return keyed(false, ({ of }) => of.estimateMicros);
    case 'f1':
      return keyed(false, ({ of, submittedMicros }) => {
        const seconds = submittedMicros > 0 ? submittedMicros / 1e6 : 0.1;
        return fixedLog10(of.estimateMicros / 1e6) * processors(of) + 870 * fixedLog10(seconds);
      });
    case 'wfp3':
      return keyed(true, ({ of, submittedMicros }, now) => {
        const wait = (now - submittedMicros) / Math.max(of.estimateMicros, 1e6);
        return -(wait * wait * wait) * processors(of);
      });
    case 'unicep':
      return keyed(true, ({ of, submittedMicros }, now) => {
        const wait = (now - submittedMicros) / 1e6;
        const requested = Math.max(of.estimateMicros, 1e6) / 1e6;
        return -wait / (Math.max(fixedLog2(Math.max(processors(of), 1)), 1) * requested);
      });
    default:
      return undefined;
  }
}

function keyed(dynamic: boolean, key: (task: ModelTask, nowMicros: number) => number): QueueKey {
  return Object.assign((task: ModelTask, nowMicros: number) => key(task, nowMicros), { dynamic });
}

function processors({ request }: WorkloadTask): number {
  if (request.cpuMilli > 0) return (request.machineCount * request.cpuMilli) / 1000;
  return request.machineCount * Math.max(1, (request.gpuCount * request.gpuMilli) / 1000);
}

/** Sums of floating-point numbers may differ in the last bits from the kernel's. */
const tolerance = 1e-9;

/** Those of `fitting` that the placement may choose, the first of them its choice by the rule for ties; undefined if the
 *  placement is not known here. */
export function bestMachine(
  place: string,
  request: WorkloadTask['request'],
  fitting: readonly number[],
  machines: readonly ModelMachine[],
): readonly number[] | undefined {
  const score = scoreOf(place, request, machines);
  if (score === undefined) return undefined;
  const scores = fitting.map((machine) => score(machines[machine] as ModelMachine));
  const best = Math.max(...scores);
  const first = fitting[scores.indexOf(best)] as number;
  // Whole scores tie exactly, and the first machine wins.
  if (scores.every(Number.isInteger)) return [first];
  return [first, ...fitting.filter((_, position) => (scores[position] as number) >= best - tolerance)];
}

function scoreOf(
  place: string,
  request: WorkloadTask['request'],
  machines: readonly ModelMachine[],
): ((machine: ModelMachine) => number) | undefined {
  const gpu = request.gpuCount * request.gpuMilli;
  const cpuMax = Math.max(...machines.map(({ spec }) => spec.cpuMilli));
  const gpuMax = 1000 * Math.max(...machines.map(({ spec }) => spec.gpuCount));
  const devicesLeft = ({ devices }: ModelMachine): number => devices.reduce((sum, free) => sum + free, 0);
  const left = (machine: ModelMachine): number =>
    (0.5 * (machine.cpuMilli - request.cpuMilli)) / cpuMax +
    (gpuMax > 0 ? (0.5 * (devicesLeft(machine) - gpu)) / gpuMax : 0);
  switch (place) {
    case 'first-fit':
      return () => 0;
    case 'best-fit':
      return (machine) => Math.trunc(100 * (1 - left(machine)));
    case 'worst-fit':
      return (machine) => Math.trunc(100 * left(machine));
    case 'dot-product':
      return (machine) => {
        const cpuProduct = (machine.cpuMilli * request.cpuMilli) / (cpuMax * cpuMax);
        const gpuProduct = gpuMax > 0 ? (devicesLeft(machine) * gpu) / (gpuMax * gpuMax) : 0;
        return Math.trunc(100 * (1 - (cpuProduct + gpuProduct) / 2));
      };
    case 'spread':
      return (machine) => {
        const { spec } = machine;
        const free = [
          (machine.cpuMilli - request.cpuMilli) / spec.cpuMilli,
          (machine.memoryMib - request.memoryMib) / spec.memoryMib,
          ...(spec.gpuCount > 0 ? [(devicesLeft(machine) - gpu) / (1000 * spec.gpuCount)] : []),
        ];
        return -machine.allocations + free.reduce((sum, share) => sum + share, 0) / free.length;
      };
    default:
      return undefined;
  }
}
