// What the kernel does not take in, and why: resources that no column can hold, requests that mean nothing. Whoever sends such
// a thing is told; it must not reach the scheduler, whose assertions would stop the kernel, and every replay of it.

import { areValidResources } from '../registry/agent-hello.ts';
import { deviceCountMax, type MachineResources } from '../scheduler/cluster-state.ts';
import { type ModelTable, modelCountMax } from '../scheduler/request.ts';
import type { TaskSubmitted } from './inputs.ts';

/** Machines that one task may span. */
export const machineCountMax = 65_536;

/** Tasks in one gang. */
export const gangSizeMax = 4096;
const gangNameLengthMax = 200;
const classNameLengthMax = 200;

/** Why a machine cannot be taken in, or undefined. */
export function machineProblem(resources: MachineResources, models: ModelTable): string | undefined {
  const { gpuCount, gpuModel } = resources;
  if (!areValidResources(resources)) return 'resources are not finite and non-negative';
  if (!Number.isInteger(gpuCount) || gpuCount > deviceCountMax)
    return `a machine has 0 to ${deviceCountMax} GPUs, not ${gpuCount}`;
  return gpuCount === 0 ? undefined : modelProblem([gpuModel], models);
}

/** Why a submission cannot be taken in, or undefined. */
export function submissionProblem(submitted: TaskSubmitted, models: ModelTable): string | undefined {
  const { cpuMilli, memoryMib, gpuCount, gpuMilli, gpuModels, machineCount } = submitted.request;
  if (!isAmount(cpuMilli) || !isAmount(memoryMib)) return 'CPU and memory are finite and non-negative';
  if (!Number.isInteger(machineCount) || machineCount < 1 || machineCount > machineCountMax)
    return `a task spans 1 to ${machineCountMax} machines, not ${machineCount}`;
  if (!Number.isInteger(gpuCount) || gpuCount < 0 || gpuCount > deviceCountMax)
    return `a task takes 0 to ${deviceCountMax} GPUs a machine, not ${gpuCount}`;
  if (gpuCount > 0 && !(Number.isInteger(gpuMilli) && gpuMilli >= 1 && gpuMilli <= 1000))
    return `a share of a GPU is 1 to 1000 milli, not ${gpuMilli}`;
  if (!isAmount(submitted.estimateMicros)) return 'the estimate is finite and non-negative';
  if (!isAmount(submitted.checkpointMicros ?? 0)) return 'the time between checkpoints is finite and non-negative';
  const { gang } = submitted;
  if (gang !== undefined && !(Number.isInteger(gang.size) && gang.size >= 1 && gang.size <= gangSizeMax))
    return `a gang has 1 to ${gangSizeMax} members, not ${gang.size}`;
  if (gang !== undefined && gang.name.length > gangNameLengthMax)
    return `the name of a gang has at most ${gangNameLengthMax} characters`;
  const { taskClass = '', size = 1, skill = '' } = submitted;
  if (taskClass.length > classNameLengthMax) return `the name of a class has at most ${classNameLengthMax} characters`;
  if (skill.length > classNameLengthMax) return `the name of a skill has at most ${classNameLengthMax} characters`;
  if (!(size > 0 && size < Number.POSITIVE_INFINITY)) return 'the size of a task is finite and above 0';
  if (!Number.isFinite(submitted.priority)) return 'the priority is a finite number';
  return gpuModels.length === 0 ? undefined : modelProblem(gpuModels, models);
}

function isAmount(value: number): boolean {
  return value >= 0 && value < Number.POSITIVE_INFINITY;
}

function modelProblem(names: readonly string[], models: ModelTable): string | undefined {
  let unknown = 0;
  for (const name of names) {
    if (name === '') return 'a GPU model has a name';
    if (!models.names.includes(name)) unknown++;
  }
  return models.names.length + unknown <= modelCountMax ? undefined : `there are more than ${modelCountMax} GPU models`;
}
