// Table 1 of the published results (FGD, USENIX ATC 2023) on the cluster state and the placement index alone; the same table
// through messages and the whole kernel is the simulator's test.

import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { RandomStream } from '../../base/random.ts';
import { findPlacement } from '../catalogue.ts';
import { ClusterState } from '../cluster-state.ts';
import { PlacementIndex } from '../placement-index.ts';
import type { ResourceRequest } from '../request.ts';
import { RequestKindTable } from '../request.ts';
import { typicalTasksOf } from './typical-tasks.ts';

const data = new URL('../../../scenarios/data/openb-fgd/', import.meta.url);

/** Rows of a CSV file without quoting, by column name. */
function rowsOf(file: string): Record<string, string>[] {
  const [header = '', ...lines] = readFileSync(new URL(file, data), 'utf8').trim().split(/\r?\n/);
  const columns = header.split(',');
  return lines.map((line) => Object.fromEntries(line.split(',').map((field, index) => [columns[index], field])));
}

/** The numbers in a file of orders, as numbers of pods or nodes. */
function orderOf(file: string): number[] {
  return gunzipSync(readFileSync(new URL(`orders/${file}`, data)))
    .toString()
    .trim()
    .split(/\s+/)
    .map(Number);
}

function requestOf(pod: Record<string, string>): ResourceRequest {
  return {
    cpuMilli: Number(pod.cpu_milli),
    memoryMib: Number(pod.memory_mib),
    gpuCount: Number(pod.num_gpu),
    gpuMilli: Number(pod.num_gpu) > 0 ? Number(pod.gpu_milli) : 0,
    gpuModels: pod.gpu_spec ? pod.gpu_spec.split('|') : [],
    machineCount: 1,
  };
}

/** GPU milli allocated, in percent of the cluster, once all pods have arrived. */
function allocatedPercent(workload: string, seed: number, policy: string): number {
  const nodes = new Map(rowsOf('openb_node_list_gpu_node.csv').map((node) => [Number(node.sn!.slice(-4)), node]));
  const pods = new Map(
    rowsOf(`openb_pod_list_${workload}.csv`).map((pod) => [Number(pod.name!.slice(-4)), requestOf(pod)]),
  );
  const cluster = new ClusterState();
  for (const number of orderOf(`${workload}-${seed}-nodes.txt.gz`)) {
    const node = nodes.get(number)!;
    const machine = cluster.addMachine({
      cpuMilli: Number(node.cpu_milli),
      memoryMib: Number(node.memory_mib),
      gpuCount: Number(node.gpu),
      gpuModel: node.model!,
    });
    cluster.setSchedulable(machine, true);
  }
  const random = new RandomStream(seed, 'kernel');
  const placement = findPlacement(policy)({ cluster, random, typicalTasks: typicalTasksOf(pods.values()) });
  const index = new PlacementIndex(cluster, placement, random);
  const table = new RequestKindTable(cluster.models);
  for (const number of orderOf(`${workload}-${seed}-pods.txt.gz`)) {
    const kind = table.intern(pods.get(number)!);
    const machine = index.find(kind);
    if (machine < 0) continue;
    const mask = kind.gpuCount > 0 ? placement.devices.choose(kind, machine) : 0;
    index.changed(kind, machine, 1);
    cluster.allocate(kind, machine, mask);
  }
  return 100 * (1 - cluster.gpuFreeTotalMilli / cluster.gpuCapacityTotalMilli);
}

const published = new Map(
  rowsOf('expected_allo_discrete.csv').map((row) => [
    `${row.workload} ${row.sc_policy} ${row.seed}`,
    Number(row['130']),
  ]),
);

describe('published table 1', () => {
  it.each([
    ['default', 42, 'fgd', '06-FGD'],
    ['default', 42, 'best-fit', '05-BestFit'],
    ['gpuspec10', 43, 'fgd', '06-FGD'],
    ['gpuspec10', 43, 'best-fit', '05-BestFit'],
    ['gpuspec10', 43, 'gpu-packing', '04-GpuPacking'],
    ['gpuspec10', 43, 'gpu-clustering', '03-GpuClustering'],
    ['gpuspec10', 43, 'dot-product', '02-DotProd'],
  ])('%s, seed %i: %s is within 0.01 points', (workload, seed, policy, publishedName) => {
    const expected = published.get(`openb_pod_list_${workload} ${publishedName} ${seed}`);
    expect(expected).toBeGreaterThan(80);
    expect(Math.abs(allocatedPercent(workload, seed, policy) - expected!)).toBeLessThan(0.01);
  });

  it('default, seed 42: random is within a point and a half', () => {
    const expected = published.get('openb_pod_list_default 01-Random 42');
    expect(Math.abs(allocatedPercent('default', 42, 'random') - expected!)).toBeLessThan(1.5);
  });
});
