// A result document made up from a seed, for the tests of the report and the terminal table alone: the shape and the
// magnitudes of a GPU cluster's comparison, none of its figures measured. Nothing that a user runs may import this file.

import { RandomStream } from '../../core/base/random.ts';
import { checkGuards, compareToBaseline } from '../../sim/experiment/comparison.ts';
import type {
  GanttBar,
  MetricSpec,
  PolicyResult,
  ResultDocument,
  SlowTask,
  TimeSeries,
} from '../../sim/experiment/results.ts';
import { distributionOf, estimate } from '../../sim/experiment/statistics.ts';

const day = 86_400;
const machines = 121;
const gpus = 621;

const metrics: readonly MetricSpec[] = [
  {
    name: 'gpuUtilizationPercent',
    title: 'GPU utilization',
    unit: '%',
    better: 'higher',
    description: 'GPU milli in use, time-weighted over the measured window, share of the cluster.',
  },
  {
    name: 'waitMeanSeconds',
    title: 'mean wait',
    unit: 's',
    better: 'lower',
    description: 'Arrival to start; tasks still queued at the end count with the wait so far.',
  },
  {
    name: 'waitP95Seconds',
    title: '95th percentile wait',
    unit: 's',
    better: 'lower',
    description: 'As the mean wait.',
  },
  {
    name: 'slowdownMean',
    title: 'mean bounded slowdown',
    unit: '1',
    better: 'lower',
    description: '(wait + run) / max(run, 10 s), at least 1.',
  },
  {
    name: 'completionMeanSeconds',
    title: 'mean completion',
    unit: 's',
    better: 'lower',
    description: 'Arrival to end.',
  },
  {
    name: 'fragmentationPercent',
    title: 'fragmentation',
    unit: '%',
    better: 'lower',
    description: 'Free GPU milli that the typical task cannot use, share of the cluster.',
  },
  {
    name: 'starvedTasks',
    title: 'starved tasks',
    unit: 'tasks',
    better: 'lower',
    description: 'Queued for more than six hours and not started at the end.',
  },
  {
    name: 'finishedTasks',
    title: 'finished tasks',
    unit: 'tasks',
    better: 'neither',
    description: 'Tasks that ended in the measured window.',
  },
];

/** Level of each made-up policy: utilization in %, scale of waits in s, share of tasks that do not wait. */
const levels = [
  { name: 'random', placement: 'random', utilization: 82.4, wait: 5200, idle: 0.42 },
  { name: 'spread', placement: 'worst fit', utilization: 83.1, wait: 4900, idle: 0.44 },
  { name: 'dot-product', placement: 'dot product', utilization: 88.9, wait: 2900, idle: 0.61 },
  { name: 'gpu-clustering', placement: 'GPU clustering', utilization: 90.7, wait: 2300, idle: 0.66 },
  { name: 'gpu-packing', placement: 'GPU packing', utilization: 91.2, wait: 2100, idle: 0.68 },
  { name: 'fgd', placement: 'fragmentation gradient descent', utilization: 91.5, wait: 2400, idle: 0.7 },
  { name: 'best-fit', placement: 'best fit', utilization: 94.0, wait: 1500, idle: 0.74 },
] as const;

export interface SampleOptions {
  readonly seed?: number;
  readonly seeds?: readonly number[];
  /** The number of policies, 1 to 7. */
  readonly policies?: number;
  /** Multiplies the distances between the policies: 0 makes them all alike. */
  readonly separation?: number;
  readonly name?: string;
}

/** The same options give the same document. */
export function sampleDocument(options: SampleOptions = {}): ResultDocument {
  const { seed = 1, seeds = [1, 2, 3, 4, 5], separation = 1, name = 'GPU cluster' } = options;
  const random = new RandomStream(seed, 'sample-document');
  const used = levels.slice(levels.length - (options.policies ?? levels.length));
  const seedEffects = seeds.map(() => normal(random));
  const policies = used.map((level, index): PolicyResult => {
    const utilization = 89 + (level.utilization - 89) * separation;
    const wait = 2500 + (level.wait - 2500) * separation;
    const samples = waits(random, wait, level.idle);
    const perSeed = (base: number, shared: number, own: number) =>
      estimate(seedEffects.map((effect) => Math.max(0, base + effect * shared + normal(random) * own)));
    return {
      name: level.name,
      description: `FCFS order, ${level.placement} placement, unplaced tasks are skipped`,
      metrics: {
        gpuUtilizationPercent: perSeed(utilization, 0.8, 0.25),
        waitMeanSeconds: perSeed(wait, 320, 90),
        waitP95Seconds: perSeed(wait * 5.6, 1500, 600),
        slowdownMean: perSeed(wait / 60, 6, 2),
        completionMeanSeconds: perSeed(wait + 4100, 380, 100),
        fragmentationPercent: perSeed((100 - utilization) * 0.62, 0.2, 0.2),
        starvedTasks: estimate(seeds.map(() => Math.round(Math.max(0, wait / 90 + normal(random) * 3)))),
        finishedTasks: estimate(seeds.map(() => 15_900 + Math.round(normal(random) * 40))),
      },
      runs: seeds.map((value) => ({
        seed: value,
        digest: Array.from({ length: 16 }, () => random.nextBelow(16).toString(16)).join(''),
        placements: 15_900 + random.nextBelow(100),
        kernelInputs: 48_210 + random.nextBelow(500),
        kernelTimers: 8_640,
        kernelEffects: 64_900 + random.nextBelow(500),
        simulatedEvents: 301_000 + random.nextBelow(5000),
        wallSeconds: 1.1 + random.nextFloat() * 0.2,
      })),
      series: series(random, utilization, wait),
      wait: distributionOf(samples.map(({ wait }) => wait)),
      slowdown: distributionOf(samples.map(({ wait, run }) => Math.max(1, (wait + run) / Math.max(run, 10)))),
      completion: distributionOf(samples.map(({ wait, run }) => wait + run)),
      gantt: gantt(random, utilization),
      slowest: slowest(random, wait, seeds),
      stationary: !(level.name === 'random' || level.name === 'spread') || index > 1,
    };
  });
  const baseline = policies[0].name;
  return {
    format: 'sira-results',
    formatVersion: 1,
    siraVersion: '0.1.0',
    createdAt: '2025-01-01T00:00:00.000Z',
    command: 'sira run scenarios/gpu-cluster.yaml',
    scenario: {
      name,
      description:
        'A tenth of the Alibaba GPU cluster of 2023 at an offered GPU load of 0.95: which placement should it run?',
      file: 'scenarios/gpu-cluster.yaml',
      source: `name: ${name}\nseeds: [${seeds.join(', ')}]\n# <b>not markup</b> & kept as it is\ncluster:\n  format: openb\n  sample: 0.1\n`,
      contentHash: '5c1f0d7c'.repeat(8),
    },
    seeds,
    cluster: {
      machines,
      gpus,
      cpuCores: 10_726,
      models: { G2: 44, T4: 31, P100: 21, V100M16: 11, V100M32: 9, G3: 4, A10: 1 },
    },
    notes: [
      '10 of 8,152 pods fit no machine of the sample and were left out.',
      'Estimates are the true run times times a lognormal error (σ = 0.5).',
    ],
    warmUpSeconds: day,
    measuredSeconds: day,
    metrics,
    objective: 'gpuUtilizationPercent',
    baseline,
    policies,
    comparisons: compareToBaseline(policies, metrics, baseline, seeds),
    guards: checkGuards(
      [
        { metric: 'starvedTasks', atMost: 40 },
        { metric: 'gpuUtilizationPercent', atLeast: 70 },
      ],
      policies,
    ),
    wallSeconds: 41.3,
  };
}

/** Standard normal by the sum of twelve uniforms, which is near enough for a picture. */
function normal(random: RandomStream): number {
  let sum = -6;
  for (let i = 0; i < 12; i++) sum += random.nextFloat();
  return sum;
}

function waits(random: RandomStream, scale: number, idle: number): { wait: number; run: number }[] {
  return Array.from({ length: 4000 }, () => {
    const run = Math.min(day, Math.exp(6.2 + 2.1 * normal(random)));
    const wait = random.nextFloat() < idle ? 0 : (scale / (1 - idle)) * 0.3 * Math.exp(1.5 * normal(random));
    return { wait: Math.min(wait, 1.4 * day), run };
  });
}

/** Two days, of which the first fills the empty cluster. */
function series(random: RandomStream, utilization: number, wait: number): TimeSeries {
  const timeSeconds = Array.from({ length: 480 }, (_, index) => (index + 1) * 360);
  let noise = 0;
  let queue = wait / 12;
  const gpuUtilizationPercent = timeSeconds.map((time) => {
    noise = 0.9 * noise + 0.45 * normal(random);
    const full = utilization + 1.6 * Math.sin((2 * Math.PI * time) / day - 1) + noise;
    return Math.min(99.6, full * (1 - Math.exp(-time / 9000)));
  });
  const queueLength = gpuUtilizationPercent.map((value, index) => {
    queue = Math.max(0, queue + (value - utilization) * 3 + (wait > 4000 ? 1.1 : 0) + 4 * normal(random));
    if (index < 40) queue = 0;
    return queue;
  });
  return {
    timeSeconds,
    gpuUtilizationPercent,
    cpuUtilizationPercent: gpuUtilizationPercent.map((value) => Math.max(0, value * 0.58 + normal(random) * 0.5)),
    queueLength,
    runningTasks: gpuUtilizationPercent.map((value) => value * 7.1),
    fragmentationPercent: gpuUtilizationPercent.map((value) =>
      Math.max(0.3, (100 - value) * (value > 70 ? 0.6 : 0.1) + normal(random) * 0.2),
    ),
  };
}

/** Fills the GPUs of a few machines one after the other with tasks of one to eight GPUs. */
function gantt(random: RandomStream, utilization: number): GanttBar[] {
  const bars: GanttBar[] = [];
  for (let machine = 0; machine < 24; machine++) {
    const free = new Array<number>(8).fill(0);
    for (let task = 0; task < 60; task++) {
      const wanted = random.nextFloat() < 0.75 ? 1 : random.nextFloat() < 0.6 ? 2 : 8;
      const order = free
        .map((time, gpu) => ({ time, gpu }))
        .sort((a, b) => a.time - b.time || a.gpu - b.gpu)
        .slice(0, wanted);
      const startSeconds = order[order.length - 1].time + (random.nextFloat() * (100 - utilization) * 160) / wanted;
      if (startSeconds >= day) continue;
      const run = Math.min(day, Math.exp(8.4 + 1.2 * normal(random)));
      for (const { gpu } of order) free[gpu] = startSeconds + run;
      bars.push({
        machine: `openb-node-${String(machine * 51).padStart(4, '0')}`,
        task: `openb-pod-${String(random.nextBelow(8152)).padStart(4, '0')}`,
        startSeconds,
        endSeconds: Math.min(day, startSeconds + run),
        gpuMilli: wanted === 1 && random.nextFloat() < 0.4 ? 100 * (1 + random.nextBelow(9)) : wanted * 1000,
      });
    }
  }
  return bars;
}

function slowest(random: RandomStream, wait: number, seeds: readonly number[]): SlowTask[] {
  const reasons = [
    'No machine had 8 free GPUs: 118 lacked GPUs, 3 had another model.',
    'Needs V100M32, of which 2 machines had 2 free GPUs at the same time only after the largest task ended.',
    'No machine had 4 free GPUs together with 64 free cores: 97 lacked GPUs, 24 lacked CPU.',
  ];
  return Array.from({ length: 10 }, (_, index) => ({
    task: `openb-pod-${String(random.nextBelow(8152)).padStart(4, '0')}`,
    id: 1000 + random.nextBelow(14_000),
    seed: seeds[random.nextBelow(seeds.length)],
    waitSeconds: wait * (14 - index) * 1.3,
    runSeconds: 600 + random.nextBelow(30_000),
    request: ['8 GPUs, 96 cores, 512 GiB', '2 × V100M32, 24 cores, 128 GiB', '4 GPUs, 64 cores, 256 GiB'][index % 3],
    reason: reasons[index % 3],
  }));
}
