// A workload that becomes another one at some time: for what is to be noticed once a policy is trusted.

import type { Workload, WorkloadTask, WorkRun } from '../workload/workload.ts';

/** What becomes of each task that comes from then on. */
export interface WorkloadDrift {
  readonly atMicros: number;
  /** Work takes so many times as long as it was estimated to. */
  readonly serviceFactor?: number | undefined;
  /** Estimates and work are so many times as long. */
  readonly lengthFactor?: number | undefined;
  /** Tasks ask for so many times as much CPU. */
  readonly demandFactor?: number | undefined;
}

export function driftingWorkload(workload: Workload, drift: WorkloadDrift): Workload {
  return { ...workload, tasks: () => generate(workload, drift) };
}

function* generate(
  workload: Workload,
  { atMicros, serviceFactor = 1, lengthFactor = 1, demandFactor = 1 }: WorkloadDrift,
): Generator<WorkloadTask> {
  const source = workload.tasks();
  for (let next = source.next(); next.done !== true; next = source.next()) {
    const task = next.value;
    if (task.arrivalMicros < atMicros) {
      yield task;
      continue;
    }
    const { run, request } = task;
    const longer = (durationMicros: number): number =>
      Math.max(1, Math.round(durationMicros * serviceFactor * lengthFactor));
    yield {
      ...task,
      durationMicros: longer(task.durationMicros),
      estimateMicros: Math.max(1, Math.round(task.estimateMicros * lengthFactor)),
      request: { ...request, cpuMilli: Math.round(request.cpuMilli * demandFactor) },
      ...(run === undefined ? {} : { run: (machine, attempt) => longerRun(run(machine, attempt), longer) }),
    };
  }
}

function longerRun(run: WorkRun, longer: (durationMicros: number) => number): WorkRun {
  return { ...run, durationMicros: longer(run.durationMicros) };
}
