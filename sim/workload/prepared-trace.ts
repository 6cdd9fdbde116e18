// Makes a trace ready for a cluster: in order of arrival from time 0, run times bounded as the scenario says, and without the
// tasks that no machine could ever hold. Notes say what was done.

import { formatDuration } from '../../core/base/time.ts';
import type { ResourceRequest } from '../../core/scheduler/request.ts';
import { describeCount, describeCounted, describeRequest } from './describe.ts';
import { createFitTest } from './fit.ts';
import type { DurationSpec } from './spec.ts';
import type { Trace, TraceTask } from './trace.ts';
import type { MachineSpec } from './workload.ts';

export const endlessNote = 'Tasks never end by themselves.';

export interface PreparedTrace {
  /** Tasks that fit, in order of arrival; durations at least 1 and within the scenario's bounds. */
  readonly tasks: readonly TraceTask[];
  /** Names of the tasks that no machine could ever hold. */
  readonly leftOutNames: readonly string[];
  readonly notes: readonly string[];
}

/** `origin`: time 0 is the first arrival, or the trace's own time 0. */
export function prepareTrace(
  trace: Trace,
  durations: DurationSpec,
  machines: readonly MachineSpec[],
  origin: 'first' | 'trace' = 'first',
): PreparedTrace {
  const notes = [...trace.notes];
  const { ordered, moved } = inOrderOfArrival(trace.tasks);
  if (moved > 0)
    notes.push(
      `${describeCounted(moved, 'task')} arrived earlier than one above them in the file; the list was sorted by arrival.`,
    );
  const startMicros = ordered.length === 0 || origin === 'trace' ? 0 : (ordered[0] as TraceTask).arrivalMicros;

  const fits = createFitTest(machines);
  const leftOutNames: string[] = [];
  const leftOut = new Map<ResourceRequest, number>();
  const shortest = Math.max(1, durations.minimumMicros);
  const tasks: TraceTask[] = [];
  let capped = 0;
  for (const task of ordered) {
    if (!fits(task.request)) {
      leftOut.set(task.request, (leftOut.get(task.request) ?? 0) + 1);
      leftOutNames.push(task.name);
      continue;
    }
    if (task.durationMicros > durations.capMicros) capped++;
    tasks.push({
      name: task.name,
      arrivalMicros: task.arrivalMicros - startMicros,
      request: task.request,
      durationMicros: bounded(task.durationMicros, shortest, durations.capMicros),
      estimateMicros:
        task.estimateMicros === undefined ? undefined : bounded(task.estimateMicros, 1, durations.capMicros),
      priority: task.priority,
      tenant: task.tenant,
      taskClass: task.taskClass,
      checkpointMicros: task.checkpointMicros,
      gang: task.gang,
    });
  }
  if (leftOut.size > 0) notes.push(leftOutNote(leftOut, ordered.length));
  if (durations.endless) notes.push(endlessNote);
  else if (capped > 0)
    notes.push(
      `${describeCounted(capped, 'task')} of more than ${formatDuration(durations.capMicros)} ${capped === 1 ? 'was' : 'were'} cut to that.`,
    );
  return { tasks, leftOutNames, notes };
}

/** Arrivals in order, ties in the file's order; `moved` counts the tasks that stood after a later one. */
function inOrderOfArrival(tasks: readonly TraceTask[]): {
  readonly ordered: readonly TraceTask[];
  readonly moved: number;
} {
  let moved = 0;
  let latest = Number.NEGATIVE_INFINITY;
  for (const task of tasks) {
    if (task.arrivalMicros < latest) moved++;
    else latest = task.arrivalMicros;
  }
  return { ordered: moved === 0 ? tasks : tasks.toSorted((a, b) => a.arrivalMicros - b.arrivalMicros), moved };
}

function bounded(value: number, least: number, most: number): number {
  return Math.max(least, Math.min(value, most));
}

function leftOutNote(leftOut: ReadonlyMap<ResourceRequest, number>, taskCount: number): string {
  const kinds = [...leftOut].toSorted((a, b) => b[1] - a[1]);
  let total = 0;
  for (const [, count] of kinds) total += count;
  const named = kinds.slice(0, 5).map(([request, count]) => `${count} × ${describeRequest(request)}`);
  const rest = kinds.length > 5 ? `; and ${kinds.length - 5} more kinds` : '';
  return `${describeCount(total)} of ${describeCount(taskCount)} tasks fit no machine of this cluster and were left out: ${named.join('; ')}${rest}.`;
}
