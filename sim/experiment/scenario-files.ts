// The files that a scenario names, absolute: what its results depend on beside its own text.

import type { Scenario } from './scenario.ts';

/** In the order of the scenario, each once. A path with `{seed}` stands for one file a seed. */
export function filesOf(scenario: Scenario): string[] {
  const { cluster, workload, seeds } = scenario;
  const named: (string | undefined)[] = [];
  if (cluster.format === 'openb') named.push(cluster.file, cluster.order);
  if (workload.source.format !== 'synthetic') named.push(workload.source.file);
  if (workload.arrivals.kind === 'inflated') named.push(workload.arrivals.order);
  for (const { scaling } of scenario.policies) named.push(scaling?.forecast?.file);
  named.push(...scenario.artifactFiles);
  const files = new Set<string>();
  for (const file of named) {
    if (file === undefined) continue;
    if (file.includes('{seed}')) for (const seed of seeds) files.add(file.replaceAll('{seed}', String(seed)));
    else files.add(file);
  }
  return [...files];
}
