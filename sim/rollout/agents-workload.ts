// Agents of different speed and a stream of tasks, made for rollouts: which agent a task gets is what a policy decides, and what
// it decides is felt by that task. Durations are lognormal; arrivals are Poisson, perhaps in bursts. All of it follows from a seed.

import { fixedExp, fixedLog } from '../../core/base/fixed-math.ts';
import { RandomStream } from '../../core/base/random.ts';
import type { MachineSpec, Workload, WorkloadTask } from '../workload/workload.ts';

export interface AgentsOptions {
  readonly seed: number;
  readonly machines: number;
  /** A task's time on machine m is its duration times `slowness[m % slowness.length]`. */
  readonly slowness: readonly number[];
  readonly tasks: number;
  readonly meanGapMicros: number;
  readonly meanDurationMicros: number;
  /** σ of the logarithm of durations. */
  readonly sigma: number;
  /** Tasks that an agent runs at once; 1 if left out. */
  readonly slots?: number | undefined;
}

export function agentMachines({ machines, slowness, slots = 1 }: AgentsOptions): MachineSpec[] {
  return Array.from({ length: machines }, (_, index) => ({
    name: `agent-${index}`,
    cpuMilli: 1000 * slots,
    memoryMib: 4096 * slots,
    gpuCount: 0,
    gpuModel: '',
    skills: { speed: 1 / (slowness[index % slowness.length] as number) },
  }));
}

export function agentsWorkload(options: AgentsOptions): Workload {
  return { tasks: () => generate(options), typicalTasks: () => [], notes: [] };
}

function* generate(options: AgentsOptions): Generator<WorkloadTask> {
  const { seed, tasks, slowness, meanGapMicros, meanDurationMicros, sigma } = options;
  const random = new RandomStream(seed, 'agents workload');
  const request = { cpuMilli: 1000, memoryMib: 1024, gpuCount: 0, gpuMilli: 0, gpuModels: [], machineCount: 1 };
  let arrivalMicros = 0;
  for (let task = 1; task <= tasks; task++) {
    arrivalMicros += Math.max(1, Math.round(-meanGapMicros * fixedLog(1 - random.nextFloat())));
    const durationMicros = Math.max(
      1000,
      Math.round(meanDurationMicros * fixedExp(sigma * normal(random) - (sigma * sigma) / 2)),
    );
    yield {
      ...{ name: `task-${task}`, arrivalMicros, request, durationMicros, estimateMicros: durationMicros },
      ...{ priority: 0, tenant: 'default' },
      run: (machine) => ({
        durationMicros: Math.max(1, Math.round(durationMicros * (slowness[machine % slowness.length] as number))),
        fails: false,
        joules: 0,
      }),
    };
  }
}

/** The sum of twelve uniform numbers, less 6: near enough to normal here. */
function normal(random: RandomStream): number {
  let sum = -6;
  for (let count = 0; count < 12; count++) sum += random.nextFloat();
  return sum;
}
