// The typical workload that fragmentation is measured against: the most frequent kinds of request that together cover most
// of a workload, with their shares.

import type { TypicalTask } from '../framework.ts';
import type { ResourceRequest } from '../request.ts';

interface Counted {
  readonly cpuMilli: number;
  readonly gpuCount: number;
  readonly gpuMilli: number;
  readonly gpuModels: readonly string[];
  readonly spec: string;
  count: number;
}

/**
 * Distinct (CPU, GPU count, GPU milli, models) of `requests` by descending count, then descending CPU, milli, number and
 * models, until at least `coverage` (0…1] of the requests are covered. The counts of the result are shares of what is covered,
 * `(count/requests)/(covered/requests)`, in exactly this arithmetic, since truncated scores show the last bit.
 * Source: Weng et al., "Beware of Fragmentation", USENIX ATC 2023, §4, and its simulator.
 */
export function typicalTasksOf(requests: Iterable<ResourceRequest>, coverage = 0.95): TypicalTask[] {
  const byKey = new Map<string, Counted>();
  let total = 0;
  for (const { cpuMilli, gpuCount, gpuMilli, gpuModels } of requests) {
    total++;
    const spec = gpuCount === 0 ? '' : gpuModels.join('|');
    const milli = gpuCount === 0 ? 0 : gpuMilli;
    const key = `${cpuMilli} ${gpuCount} ${milli} ${spec}`;
    const known = byKey.get(key);
    if (known !== undefined) known.count++;
    else
      byKey.set(key, {
        cpuMilli,
        gpuCount,
        gpuMilli: milli,
        gpuModels: gpuCount === 0 ? [] : gpuModels,
        spec,
        count: 1,
      });
  }
  const sorted = [...byKey.values()].sort(
    (left, right) =>
      right.count - left.count ||
      right.cpuMilli - left.cpuMilli ||
      right.gpuMilli - left.gpuMilli ||
      right.gpuCount - left.gpuCount ||
      (left.spec < right.spec ? 1 : left.spec > right.spec ? -1 : 0),
  );
  let covered = 0;
  let taken = 0;
  while (taken < sorted.length && covered < coverage * total) covered += sorted[taken++]!.count;
  return sorted.slice(0, taken).map(({ cpuMilli, gpuCount, gpuMilli, gpuModels, count }) => ({
    cpuMilli,
    gpuCount,
    gpuMilli,
    gpuModels,
    count: count / total / (covered / total),
  }));
}
