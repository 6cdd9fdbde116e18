// Queue orders and placements written a second time, as plainly as their sources say them, for oracles to compare with. Orders and
// placements that are not here are not judged.

import { fixedLog2, fixedLog10 } from '../../core/base/fixed-math.ts';
import type { Profile } from '../../core/scheduler/framework.ts';
import type { WorkloadTask } from '../workload/workload.ts';
import { type ClusterModel, gpuClass, type ModelMachine, type ModelTask } from './cluster-model.ts';
import { fragmentationScore } from './fragmentation-model.ts';
import { leastLeft } from './least-left.ts';

/** Smaller first. */
export interface QueueKey {
  (task: ModelTask, nowMicros: number): number;
  /** Changes while the task waits. */
  readonly dynamic: boolean;
}

/** Undefined if the order is not known here. */
export function queueKey({ order, tenantWeights }: Profile, model: ClusterModel): QueueKey | undefined {
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
    case 'unicep-rlscheduler':
      return keyed(true, ({ of, submittedMicros }, now) => {
        const wait = (now - submittedMicros) / 1e6;
        const requested = Math.max(of.estimateMicros, 1e6) / 1e6;
        return -(wait + 1e-15) / (Math.max(fixedLog2(Math.max(processors(of), 1) + 1e-15), 0) * requested);
      });
    case 'drf':
      return keyed(true, ({ of }) => dominantShare(of.tenant, model) / (tenantWeights?.[of.tenant] ?? 1));
    default:
      return undefined;
  }
}

/** The largest share that the tenant's running tasks have of what all machines have, of CPU, memory or GPUs. */
function dominantShare(tenant: string, { attempts, machines }: ClusterModel): number {
  const used = { cpu: 0, memory: 0, gpu: 0 };
  for (const { task } of attempts.values()) {
    if (task.of.tenant !== tenant) continue;
    const { cpuMilli, memoryMib, gpuCount, gpuMilli, machineCount } = task.of.request;
    used.cpu += cpuMilli * machineCount;
    used.memory += memoryMib * machineCount;
    used.gpu += gpuCount * gpuMilli * machineCount;
  }
  const all = { cpu: 0, memory: 0, gpu: 0 };
  for (const { spec } of machines) {
    all.cpu += spec.cpuMilli;
    all.memory += spec.memoryMib;
    all.gpu += 1000 * spec.gpuCount;
  }
  const share = (part: number, whole: number): number => (whole > 0 ? part / whole : 0);
  return Math.max(share(used.cpu, all.cpu), share(used.memory, all.memory), share(used.gpu, all.gpu));
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

/** What scores that are cut to whole numbers may be, given the last bits. */
const lowest = (score: number): number => Math.trunc(score - tolerance);
const highest = (score: number): number => Math.trunc(score + tolerance);

/** Those of `fitting` that the placement may choose, the first of them its choice by the rule for ties; undefined if the
 *  placement is not known here. */
export function bestMachine(
  { place, typicalTasks }: Pick<Profile, 'place' | 'typicalTasks'>,
  request: WorkloadTask['request'],
  fitting: readonly number[],
  machines: readonly ModelMachine[],
): readonly number[] | undefined {
  if (place === 'fgd') {
    const each = fitting.map((machine) => fragmentationScore(request, machines[machine] as ModelMachine, typicalTasks));
    const least = Math.max(...each.map(lowest));
    return fitting.filter((_, position) => highest(each[position] as number) >= least);
  }
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
    case 'gpu-packing':
      return (machine) => {
        if (request.gpuCount === 0) return 0;
        const { gpuCount } = machine.spec;
        if (machine.devices.every((free) => free === 1000)) return Math.max(33 - gpuCount, gpuCount);
        const taken = leastLeft(request, machine).map((device) => machine.devices[device] as number);
        const whole = taken.filter((free) => free === 1000).length;
        if (whole > 0) return Math.max(50 - whole, 33);
        const percent = taken.reduce((sum, free) => sum + Math.trunc(free / 10), 0);
        return Math.max(100 - Math.trunc(percent / 10), 50);
      };
    case 'gpu-clustering':
      return (machine) => {
        const own = gpuClass(request);
        if (own < 0) return 0;
        const used = Math.trunc((25 * (gpuMax - devicesLeft(machine))) / gpuMax);
        const same = (machine.classes[own] ?? 0) > 0;
        const others = machine.classes.some((count, other) => other !== own && count > 0);
        if (same) return used + (others ? 50 : 75);
        return used + (others ? 0 : 25);
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
