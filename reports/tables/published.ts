// The published results that the tables are set beside, read from the project's own data. Names there are mapped to the names
// of policies here.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { assert } from '../../core/base/assert.ts';
import { projectRoot } from '../../sim/experiment/project-root.ts';
import { curvePoints, type PackingCurves } from './packing-run.ts';

const data = join(projectRoot(), 'scenarios', 'data');

/** Policies of table 1, as the paper orders them, with the names in its files. */
export const packingPolicies = {
  random: '01-Random',
  'dot-product': '02-DotProd',
  'gpu-clustering': '03-GpuClustering',
  'gpu-packing': '04-GpuPacking',
  'best-fit': '05-BestFit',
  fgd: '06-FGD',
} as const satisfies Readonly<Record<string, string>>;

export const packingWorkloads = ['default', 'cpu050', 'gpushare40', 'multigpu20', 'gpuspec10'] as const;
export type PackingWorkload = (typeof packingWorkloads)[number];

/** Seeds whose orders of pods and nodes are given. */
export function publishedSeeds(workload: PackingWorkload): readonly number[] {
  return Array.from({ length: workload === 'default' ? 10 : 3 }, (_, index) => 42 + index);
}

/** The seeds of the published means. */
export const publishedSeedCount = 10;

/** Published curves by `workload policy seed`, in this project's names of policies. */
export function readPackingCurves(): ReadonlyMap<string, PackingCurves> {
  const allocation = readCurves('expected_allo_discrete.csv');
  const fragmentation = readCurves('expected_frag_discrete.csv');
  const fragmentedShare = readCurves('expected_frag_ratio_discrete.csv');
  const curves = new Map<string, PackingCurves>();
  for (const workload of packingWorkloads) {
    for (const [policy, published] of Object.entries(packingPolicies)) {
      for (let seed = 42; seed < 42 + publishedSeedCount; seed++) {
        const key = `openb_pod_list_${workload} ${published} ${seed}`;
        const parts = [allocation.get(key), fragmentation.get(key), fragmentedShare.get(key)];
        const [first, second, third] = parts;
        assert(first !== undefined && second !== undefined && third !== undefined, `${key} is published`);
        curves.set(curveKey(workload, policy, seed), {
          allocation: first,
          fragmentation: second,
          fragmentedShare: third,
        });
      }
    }
  }
  return curves;
}

export function curveKey(workload: string, policy: string, seed: number): string {
  return `${workload} ${policy} ${seed}`;
}

/** The last 131 columns are the curve. */
function readCurves(file: string): ReadonlyMap<string, readonly number[]> {
  const [, ...lines] = readFileSync(join(data, 'openb-fgd', file), 'utf8')
    .trim()
    .split(/\r?\n/);
  return new Map(
    lines.map((line) => {
      const fields = line.split(',');
      const [workload, policy, , seed] = fields;
      return [`${workload} ${policy} ${seed}`, fields.slice(-curvePoints).map(Number)];
    }),
  );
}

/** Traces of table 2: the scenario, and the file of values that an independent implementation computed. */
export const batchTraces = {
  lublin: { title: 'Lublin-1', golden: 'golden_bsld_lublin_256.json' },
  'kth-sp2': { title: 'KTH-SP2', golden: 'golden_bsld_KTH-SP2-1996-2.1-cln.json' },
} as const;
export type BatchTrace = keyof typeof batchTraces;

export interface BatchPolicy {
  readonly name: string;
  readonly title: string;
  /** Key in the golden files, or undefined where they have none. */
  readonly golden: string | undefined;
  /** Printed values, by trace: the paper's for Lublin-1 but for WFP3 and UNICEP, whose published ones come from a fault in the
   *  released code; those and KTH-SP2's were recomputed with correct waiting times. */
  readonly printed: Readonly<Record<BatchTrace, string | undefined>>;
}

/** Policies of table 2 in the order of the scenario. */
export const batchPolicies: readonly BatchPolicy[] = [
  batchPolicy('fcfs', 'FCFS', 'FCFS', '7273.77', '2415.14'),
  batchPolicy('sjf', 'SJF', 'SJF', '277.35', '566.26'),
  batchPolicy('f1', 'F1', 'F1', '258.37', '578.20'),
  batchPolicy('wfp3', 'WFP3', 'WFP3_correct', '337.34', '736.21'),
  batchPolicy('unicep', 'UNICEP', 'UNICEP_correct', undefined, '650.69'),
  batchPolicy('unicep-rlscheduler', 'UNICEP, single processors first', undefined, '381.71', undefined),
  batchPolicy('fcfs-easy', 'FCFS + backfilling', 'FCFS+backfill', '235.82', '122.92'),
  batchPolicy('sjf-easy', 'SJF + backfilling', 'SJF+backfill', '73.31', '109.31'),
  batchPolicy('f1-easy', 'F1 + backfilling', 'F1+backfill', '75.07', '109.11'),
  batchPolicy('wfp3-easy', 'WFP3 + backfilling', 'WFP3_correct+backfill', '126.50', '100.25'),
  batchPolicy('unicep-easy', 'UNICEP + backfilling', 'UNICEP_correct+backfill', undefined, '90.30'),
  batchPolicy(
    'unicep-rlscheduler-easy',
    'UNICEP, single processors first, + backfilling',
    undefined,
    '103.10',
    undefined,
  ),
];

function batchPolicy(
  name: string,
  title: string,
  golden: string | undefined,
  lublin: string | undefined,
  kth: string | undefined,
): BatchPolicy {
  return { name, title, golden, printed: { lublin, 'kth-sp2': kth } };
}

export interface GoldenSlowdowns {
  /** First jobs of the windows, counted from 0. */
  readonly starts: readonly number[];
  readonly policies: Readonly<Record<string, { readonly mean: number; readonly windows: readonly number[] }>>;
}

export function readGoldenSlowdowns(trace: BatchTrace): GoldenSlowdowns {
  return JSON.parse(readFileSync(join(data, 'swf', batchTraces[trace].golden), 'utf8')) as GoldenSlowdowns;
}

export interface GoldenStart {
  readonly startSeconds: number;
  /** Machines by number, ascending. */
  readonly machines: readonly number[];
}

/** Batsim's schedule, by the job's id in the workload. */
export function readGoldenStarts(): ReadonlyMap<string, GoldenStart> {
  const [header = '', ...lines] = readFileSync(join(data, 'batsim-golden', 'easy_out_jobs.csv'), 'utf8')
    .trim()
    .split(/\r?\n/);
  const columns = header.split(',');
  const column = (name: string): number => columns.indexOf(name);
  const [id, start, machines] = [column('job_id'), column('starting_time'), column('allocated_resources')];
  return new Map(
    lines.map((line) => {
      const fields = line.split(',');
      return [
        fields[id] as string,
        { startSeconds: Number(fields[start]), machines: expandRanges(fields[machines] as string) },
      ];
    }),
  );
}

/** `0-2 5` is 0, 1, 2, 5. */
function expandRanges(text: string): number[] {
  return text.split(' ').flatMap((range) => {
    const [first, last = first] = range.split('-').map(Number) as [number, number?];
    return Array.from({ length: last - first + 1 }, (_, index) => first + index);
  });
}
