// A scenario small enough to be computed by hand, written to a folder, for tests and examples: one machine of four cores and
// two GPUs, four tasks, no latency. First come first served, those that do not fit skipped:
//
//   task  arrives  runs for  GPUs   begins  ends
//   A        0 s     10 s      1      0 s   10 s
//   B        0 s     20 s      2     10 s   30 s
//   C        5 s      5 s      1      5 s   10 s
//   D       12 s      4 s      1     30 s   34 s

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

export const sampleTrace = 'name,at,for,cores,gpus\nA,0,10,1,1\nB,0,20,1,2\nC,5,5,1,1\nD,12,4,1,1\n';

const sampleParts = {
  name: 'name: tiny',
  cluster:
    'cluster: { format: groups, groups: [ { name: node, count: 1, cpuCores: 4, memoryGib: 16, gpuCount: 2, gpuModel: T4 } ] }',
  workload:
    'workload: { format: csv, file: trace.csv, columns: { name: name, arrival: at, duration: for, cpuCores: cores, gpuCount: gpus } }',
  policies: 'policies: [best-fit]',
  seeds: 'seeds: [1]',
  network: 'network: { latency: 0s }',
};

/** Writes `name` (and `trace.csv` beside it) to `folder`; `changes` replace or add whole parts of the YAML. Returns its path. */
export function writeSampleScenario(
  folder: string,
  changes: Readonly<Record<string, string>> = {},
  name = 'tiny.yaml',
): string {
  const file = join(folder, name);
  writeFileSync(join(folder, 'trace.csv'), sampleTrace);
  writeFileSync(file, `${Object.values({ ...sampleParts, ...changes }).join('\n')}\n`);
  return file;
}

/** Parts of a scenario in which seeds differ and tasks wait: half a minute of Poisson arrivals at the edge of capacity. */
export const sampleSynthetic: Readonly<Record<string, string>> = {
  cluster:
    'cluster: { format: groups, groups: [ { name: node, count: 3, cpuCores: 8, memoryGib: 16, gpuCount: 2, gpuModel: T4 } ] }',
  workload: [
    'workload:',
    '  format: synthetic',
    '  gap: 1s',
    '  service: { distribution: exponential, mean: 4s }',
    '  mix: [ { weight: 3, cpuCores: 1, gpuCount: 1, gpuMilli: 500 }, { weight: 1, cpuCores: 1, gpuCount: 2 } ]',
    '  count: 60',
  ].join('\n'),
  policies: 'policies: [random, best-fit, fgd]',
  seeds: 'seeds: [1, 2, 3]',
};
