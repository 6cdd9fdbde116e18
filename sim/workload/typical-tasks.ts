// The typical workload against which fragmentation is measured (Weng et al., FGD, USENIX ATC 2023, §4): the most frequent
// kinds of task, enough of them to cover a share of the trace.

import type { TypicalTask } from '../../core/scheduler/framework.ts';
import type { ResourceRequest } from '../../core/scheduler/request.ts';

/**
 * Distinct (CPU, GPU milli, GPUs, models) by descending count, then descending CPU, milli, GPUs and models, until at least
 * `coverage`, (0, 1], of the weight is covered. Memory is not looked at.
 */
export function typicalTasksOf(
  requests: Iterable<{ readonly request: ResourceRequest; readonly weight: number }>,
  coverage: number,
): readonly TypicalTask[] {
  const kinds = new Map<string, { readonly request: ResourceRequest; readonly models: string; weight: number }>();
  let total = 0;
  for (const { request, weight } of requests) {
    const models = request.gpuModels.join('|');
    const key = `${request.cpuMilli} ${request.gpuMilli} ${request.gpuCount} ${models}`;
    const kind = kinds.get(key);
    if (kind === undefined) kinds.set(key, { request, models, weight });
    else kind.weight += weight;
    total += weight;
  }
  const sorted = [...kinds.values()].toSorted(
    (a, b) =>
      b.weight - a.weight ||
      b.request.cpuMilli - a.request.cpuMilli ||
      b.request.gpuMilli - a.request.gpuMilli ||
      b.request.gpuCount - a.request.gpuCount ||
      (a.models === b.models ? 0 : a.models < b.models ? 1 : -1),
  );
  const typical: TypicalTask[] = [];
  let covered = 0;
  for (const { request, weight } of sorted) {
    if (covered >= coverage * total) break;
    const { cpuMilli, gpuCount, gpuMilli, gpuModels } = request;
    typical.push({ cpuMilli, gpuCount, gpuMilli, gpuModels, count: weight });
    covered += weight;
  }
  return typical;
}
