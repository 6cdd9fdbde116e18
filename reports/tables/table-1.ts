// Table 1: how much of a GPU cluster six placements can allocate before nothing fits any more, on five pod lists.

import { markdownTable, mean, signed } from './markdown.ts';
import { packingFigure } from './packing-figure.ts';
import type { PackingCurves, PackingRun } from './packing-run.ts';
import {
  curveKey,
  type PackingWorkload,
  packingPolicies,
  packingWorkloads,
  publishedSeedCount,
  publishedSeeds,
  readPackingCurves,
} from './published.ts';
import { type Check, checkList, type FinishedTable } from './table.ts';
import type { PackingResult, TableJob, TableJobResult } from './table-job.ts';

const policies = Object.keys(packingPolicies);
const deterministic = policies.filter((policy) => policy !== 'random');
const ownSeeds: readonly number[] = Array.from({ length: 10 }, (_, index) => 1 + index);
/** Points. The published curves are rounded to two digits, their fragmentation at each arrival already. */
const pointsMax = { perSeed: 0.01, random: 0.5, ownMean: 0.3, curve: 0.01 };

export const table1Jobs: readonly TableJob[] = packingWorkloads.flatMap((workload) => [
  ...publishedSeeds(workload).map((seed): TableJob => ({ table: 1, workload, orders: 'published', seed })),
  ...ownSeeds.map((seed): TableJob => ({ table: 1, workload, orders: 'own', seed })),
]);

/** One published seed of one policy. Percent of the GPUs. */
export interface PackingSeed {
  readonly workload: PackingWorkload;
  readonly policy: string;
  readonly seed: number;
  readonly published: number;
  readonly here: number;
  /** Largest difference over the points of each curve. */
  readonly curveDifferenceMax: Readonly<Record<keyof PackingCurves, number>>;
}

export interface PackingMean {
  readonly workload: PackingWorkload;
  readonly policy: string;
  /** Mean of the ten published seeds. */
  readonly published: number;
  /** Means over the seeds whose orders are given, published and here. */
  readonly publishedGiven: number;
  readonly hereGiven: number;
  /** Mean over ten seeds of our own orders, and their standard deviation. */
  readonly own: number;
  readonly ownDeviation: number;
  /** Standard error of the difference of `own` and `published`. */
  readonly standardError: number;
}

export function packingSeeds(
  results: readonly TableJobResult[],
  curves: ReadonlyMap<string, PackingCurves>,
): PackingSeed[] {
  const seeds: PackingSeed[] = [];
  for (const { job, runs } of ofTable1(results)) {
    if (job.orders !== 'published') continue;
    for (const run of runs) {
      const published = curves.get(curveKey(job.workload, run.policy, run.seed)) as PackingCurves;
      seeds.push({
        workload: job.workload,
        policy: run.policy,
        seed: run.seed,
        published: published.allocation.at(-1) as number,
        here: run.allocationPercent,
        curveDifferenceMax: {
          allocation: differenceMax(run.curves?.allocation, published.allocation),
          fragmentation: differenceMax(run.curves?.fragmentation, published.fragmentation),
          fragmentedShare: differenceMax(run.curves?.fragmentedShare, published.fragmentedShare),
        },
      });
    }
  }
  return seeds;
}

export function packingMeans(
  results: readonly TableJobResult[],
  seeds: readonly PackingSeed[],
  curves: ReadonlyMap<string, PackingCurves>,
): PackingMean[] {
  const own: { readonly workload: PackingWorkload; readonly run: PackingRun }[] = ofTable1(results)
    .filter(({ job }) => job.orders === 'own')
    .flatMap(({ job, runs }) => runs.map((run) => ({ workload: job.workload, run })));
  return packingWorkloads.flatMap((workload) =>
    policies.map((policy): PackingMean => {
      const given = seeds.filter((seed) => seed.workload === workload && seed.policy === policy);
      const values = own
        .filter(({ workload: of, run }) => of === workload && run.policy === policy)
        .map(({ run }) => run.allocationPercent);
      const all = Array.from({ length: publishedSeedCount }, (_, index) =>
        lastOf(curves.get(curveKey(workload, policy, 42 + index))),
      );
      return {
        workload,
        policy,
        published: mean(all),
        publishedGiven: mean(given.map((seed) => seed.published)),
        hereGiven: mean(given.map((seed) => seed.here)),
        own: mean(values),
        ownDeviation: Math.sqrt(variance(values)),
        standardError: Math.sqrt(variance(values) / values.length + variance(all) / all.length),
      };
    }),
  );
}

export function finishTable1(results: readonly TableJobResult[], command: string): FinishedTable {
  const curves = readPackingCurves();
  const seeds = packingSeeds(results, curves);
  const means = packingMeans(results, seeds, curves);
  const checks = checksOf(seeds, means);
  const figures = Object.fromEntries(
    packingWorkloads.map((workload) => [
      figureName(workload),
      packingFigure(workload, policies, curvesOf(results, workload), publishedCurvesOf(curves, workload)),
    ]),
  );
  const title = 'Table 1: packing a GPU cluster (FGD)';
  const markdown = [
    `# ${title}`,
    `Made by \`${command}\`. The scenario is [openb-packing.yaml](../../scenarios/openb-packing.yaml), on five pod lists: 1,213 machines with 6,212`,
    'GPUs, each with an agent, every word between them and the kernel a message with no latency. Pods arrive until they ask for 130%',
    'of the GPUs; none ends; what does not fit is dropped. GPU allocation in percent of the cluster after all arrivals. Published:',
    'Weng et al., "Beware of Fragmentation", USENIX ATC 2023, and the files of its simulator.\n',
    checkList(checks),
    '\n## Means\n',
    '*Published* is the mean of the ten published seeds. *Given orders*: the seeds whose arrival and tie-break orders are given (42 to',
    '51 on default, 42 to 44 elsewhere), here less published. *Own orders*: ten seeds of this project, pods and machines shuffled.',
    'GpuClustering and GpuPacking depend on the order so much that two means of ten seeds differ by 0.2 points by chance alone.\n',
    meansTable(means),
    '\n## Curves\n',
    'The published curves are the wide pale bands, those of this kernel the thin lines on them; means over the seeds whose orders are',
    'given. Left: GPUs allocated. Right: what part of all GPUs is fragmented, free but of no use to the typical tasks.\n',
    ...packingWorkloads.map((workload) => `![${workload}](${figureName(workload)})`),
    '\nLargest difference over all 131 points of a curve and all given seeds, in points:\n',
    curveTable(seeds),
    '\n## Every seed\n',
    'Here / published, percent. Random draws from another generator, so its single seeds differ.\n',
    seedTable(seeds),
    '',
  ].join('\n');
  const document = { command, checks, means, seeds };
  return { name: 'table-1-packing', title, checks, markdown, document, figures };
}

function checksOf(seeds: readonly PackingSeed[], means: readonly PackingMean[]): Check[] {
  const exact = seeds.filter(({ policy }) => policy !== 'random');
  const perSeed = Math.max(...exact.map(({ here, published }) => Math.abs(here - published)));
  const within = exact.filter(({ here, published }) => Math.abs(here - published) <= pointsMax.perSeed).length;
  const curve = Math.max(...exact.flatMap(({ curveDifferenceMax }) => Object.values(curveDifferenceMax)));
  const random = means.filter(({ policy }) => policy === 'random');
  const randomMax = Math.max(
    ...random.flatMap(({ own, published, hereGiven, publishedGiven }) => [
      Math.abs(own - published),
      Math.abs(hereGiven - publishedGiven),
    ]),
  );
  const others = means.filter(({ policy }) => policy !== 'random');
  const difference = ({ own, published }: PackingMean): number => Math.abs(own - published);
  const near = others.filter((row) => difference(row) <= pointsMax.ownMean).length;
  const byChance = others.filter(
    (row) => difference(row) > pointsMax.ownMean && difference(row) <= 2 * row.standardError,
  ).length;
  return [
    {
      requirement: `given orders: every seed of the deterministic policies within ${pointsMax.perSeed} points`,
      found: `${within} of ${exact.length}, largest difference ${perSeed.toFixed(4)}`,
      holds: within === exact.length,
    },
    {
      requirement: `given orders: every point of their curves within ${pointsMax.curve} points`,
      found: `largest difference ${curve.toFixed(4)}`,
      holds: curve <= pointsMax.curve,
    },
    {
      requirement: `random's means within ${pointsMax.random} points`,
      found: `largest difference ${randomMax.toFixed(3)}`,
      holds: randomMax <= pointsMax.random,
    },
    {
      requirement: `own orders: means of the others within ${pointsMax.ownMean} points, or within two standard errors where orders scatter more`,
      found: `${near} and ${byChance} of ${others.length}, largest difference ${Math.max(...others.map(difference)).toFixed(3)}`,
      holds: near + byChance === others.length,
    },
  ];
}

function meansTable(means: readonly PackingMean[]): string {
  return markdownTable(
    [
      'workload',
      'policy',
      'published',
      'given orders',
      'difference',
      'own orders',
      'sd',
      'less published',
      'its standard error',
    ],
    means.map((row) => [
      row.workload,
      row.policy,
      row.published.toFixed(2),
      row.hereGiven.toFixed(2),
      signed(row.hereGiven - row.publishedGiven, 3),
      row.own.toFixed(2),
      row.ownDeviation.toFixed(2),
      signed(row.own - row.published, 2),
      row.standardError.toFixed(2),
    ]),
  );
}

function curveTable(seeds: readonly PackingSeed[]): string {
  return markdownTable(
    ['workload', 'policy', 'allocation', 'fragmentation', 'fragmentation of the free part'],
    packingWorkloads.flatMap((workload) =>
      deterministic.map((policy) => {
        const own = seeds.filter((seed) => seed.workload === workload && seed.policy === policy);
        const largest = (key: keyof PackingCurves): string =>
          Math.max(...own.map(({ curveDifferenceMax }) => curveDifferenceMax[key])).toFixed(4);
        return [workload, policy, largest('allocation'), largest('fragmentation'), largest('fragmentedShare')];
      }),
    ),
  );
}

function seedTable(seeds: readonly PackingSeed[]): string {
  return markdownTable(
    ['workload', 'seed', ...policies],
    packingWorkloads.flatMap((workload) =>
      publishedSeeds(workload).map((seed) => [
        workload,
        String(seed),
        ...policies.map((policy) => {
          const found = seeds.find((row) => row.workload === workload && row.seed === seed && row.policy === policy);
          return found === undefined ? '–' : `${found.here.toFixed(3)} / ${found.published.toFixed(2)}`;
        }),
      ]),
    ),
  );
}

function ofTable1(results: readonly TableJobResult[]): readonly PackingResult[] {
  return results.filter((result) => result.table === 1);
}

/** Mean curves over the given seeds, by policy. */
function curvesOf(results: readonly TableJobResult[], workload: PackingWorkload): ReadonlyMap<string, PackingCurves> {
  const runs = ofTable1(results)
    .filter(({ job }) => job.workload === workload && job.orders === 'published')
    .flatMap((result) => result.runs);
  return new Map(
    policies.map((policy) => [
      policy,
      meanCurves(runs.filter((run) => run.policy === policy).map((run) => run.curves as PackingCurves)),
    ]),
  );
}

function publishedCurvesOf(
  curves: ReadonlyMap<string, PackingCurves>,
  workload: PackingWorkload,
): ReadonlyMap<string, PackingCurves> {
  return new Map(
    policies.map((policy) => [
      policy,
      meanCurves(publishedSeeds(workload).map((seed) => curves.get(curveKey(workload, policy, seed)) as PackingCurves)),
    ]),
  );
}

function meanCurves(all: readonly PackingCurves[]): PackingCurves {
  const average = (key: keyof PackingCurves): number[] =>
    (all[0] as PackingCurves)[key].map((_, point) => mean(all.map((curves) => curves[key][point] as number)));
  return {
    allocation: average('allocation'),
    fragmentation: average('fragmentation'),
    fragmentedShare: average('fragmentedShare'),
  };
}

function differenceMax(here: readonly number[] | undefined, published: readonly number[]): number {
  let largest = 0;
  for (const [point, value] of (here ?? []).entries()) {
    // Few pods ask for little: a percent at which no arrival stands has no value.
    if (!Number.isNaN(value)) largest = Math.max(largest, Math.abs(value - (published[point] as number)));
  }
  return here === undefined ? Number.NaN : largest;
}

function variance(values: readonly number[]): number {
  const average = mean(values);
  return values.reduce((sum, value) => sum + (value - average) ** 2, 0) / (values.length - 1);
}

function lastOf(curves: PackingCurves | undefined): number {
  return curves?.allocation.at(-1) ?? Number.NaN;
}

function figureName(workload: PackingWorkload): string {
  return `table-1-${workload}.svg`;
}
