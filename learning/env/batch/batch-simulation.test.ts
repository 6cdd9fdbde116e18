// The environment's protocol against the kernel's: golden values of an independent implementation, and job by job the same starts
// as the kernel gives through its messages, under a network that nobody trained.

import { describe, expect, test } from 'vitest';
import { toBase64 } from '../../../core/base/base64.ts';
import { RandomStream } from '../../../core/base/random.ts';
import { CandidateNetwork } from '../../../core/policy/candidate-network.ts';
import { writePolicyArtifact } from '../../../core/policy/policy-artifact.ts';
import { queueFeatureCount, queueFeatureNames, queueOrderSchema } from '../../../core/policy/queue-features.ts';
import { samplePolicy } from '../../../core/policy/sample-policy.ts';
import { runBatch } from '../../../reports/tables/batch-run.ts';
import { batchTraces, readGoldenSlowdowns } from '../../../reports/tables/published.ts';
import { scenarioOf } from '../../../reports/tables/table-job.ts';
import { openInputs } from '../../../sim/experiment/build-world.ts';
import { BatchEnvironment } from './batch-environment.ts';
import { readBatchJobs, sliceJobs } from './batch-jobs.ts';
import { traceWindows, variedWindows } from './batch-windows.ts';

const traces = {
  lublin: { processorCount: 256, file: 'lublin_256.swf.gz' },
  'kth-sp2': { processorCount: 100, file: 'KTH-SP2-1996-2.1-cln.swf.gz' },
} as const;

function open(trace: keyof typeof traces) {
  const scenario = scenarioOf(trace);
  const { source } = scenario.workload;
  if (source.format !== 'swf') throw new Error('the trace is in Standard Workload Format');
  return { scenario, jobs: readBatchJobs(source.file), processorCount: traces[trace].processorCount };
}

describe.each(Object.keys(batchTraces) as (keyof typeof traces)[])('%s', (trace) => {
  const { scenario, jobs, processorCount } = open(trace);
  const golden = readGoldenSlowdowns(trace);

  test.each(['none', 'never'] as const)('golden slowdowns, backfill: %s', (backfill) => {
    const names = { fcfs: 'FCFS', sjf: 'SJF', f1: 'F1' };
    for (const [order, key] of Object.entries(names)) {
      const windows = traceWindows(jobs, [{ first: 0, count: jobs.count }], 1024);
      const environment = new BatchEnvironment({
        processorCount,
        backfill,
        fallback: order,
        candidatesMax: 8,
        windows,
      });
      const expected = golden.policies[backfill === 'none' ? key : `${key}+backfill`]!.windows;
      for (const [window, first] of golden.starts.entries()) {
        environment.begin(sliceJobs(jobs, first, 1024));
        while (!environment.done) environment.step(0);
        expect(environment.metrics().boundedSlowdownMean, `${order} ${window}`).toBeCloseTo(expected[window]!, 4);
      }
    }
  });

  test.each(['fcfs', 'f1'])('%s teaches the same when another order chooses the candidates', (teacher) => {
    const windows = traceWindows(jobs, [{ first: 0, count: jobs.count }], 1024);
    const options = { processorCount, backfill: 'none', fallback: 'sjf', candidatesMax: 1024, windows } as const;
    const environment = new BatchEnvironment(options);
    const [first, expected] = [golden.starts[0]!, golden.policies[teacher.toUpperCase()]!.windows[0]!];
    environment.begin(sliceJobs(jobs, first, 1024));
    while (!environment.done) environment.step(environment.choiceOf(teacher));
    expect(environment.metrics().boundedSlowdownMean).toBeCloseTo(expected, 4);
  });

  test.each(['none', 'never'] as const)(
    'the kernel starts every job when the environment does, backfill: %s',
    (backfill) => {
      const { manifest, layers } = samplePolicy([queueFeatureCount, 16, 8, 1], {
        schema: queueOrderSchema,
        fallback: 'sjf',
        seed: 3,
      });
      const features = manifest.features.map((feature, index) => ({
        ...feature,
        name: queueFeatureNames[index]!,
        minimum: -1e9,
        maximum: 1e9,
      }));
      const candidatesMax = 24;
      const shield = { ...manifest.shield, candidatesMax };
      const artifact = toBase64(writePolicyArtifact({ manifest: { ...manifest, features, shield }, layers }));
      const seed = golden.starts[6]! + 1;
      const profile = { ...scenario.policies[0]!, name: 'learned', order: 'learned', backfill, artifact };
      const started = runBatch({ ...scenario, policies: [profile] }, openInputs(scenario, seed), 'learned', seed);

      const windows = traceWindows(jobs, [{ first: 0, count: jobs.count }], 1024);
      const environment = new BatchEnvironment({ processorCount, backfill, fallback: 'sjf', candidatesMax, windows });
      environment.begin(sliceJobs(jobs, seed - 1, 1024));
      const network = new CandidateNetwork(layers, features);
      const rows = new Float64Array(candidatesMax * queueFeatureCount);
      const scores = new Float64Array(candidatesMax);
      let fewer = 0;
      while (!environment.done) {
        const count = environment.candidateCount;
        if (count < candidatesMax) fewer++;
        environment.observe(rows, 0);
        network.score(rows, count, scores);
        environment.step(scores.subarray(0, count).indexOf(Math.max(...scores.subarray(0, count))));
      }
      const { startSeconds } = environment.simulation;
      expect(fewer).toBeGreaterThan(0);
      expect(started.map(({ startMicros }) => startMicros / 1e6)).toEqual([...startSeconds.subarray(0, 1024)]);
    },
  );
});

test('the return is the waiting cost, and windows of one seed are equal', () => {
  const { jobs } = open('lublin');
  const ranges = [
    { first: 0, count: 400 },
    { first: 500, count: 300 },
  ];
  const sizes = { sizeMin: 200, sizeMax: 300, blockMin: 20, blockMax: 60, runSigma: 0.3 };
  const windows = variedWindows(jobs, ranges, sizes);
  expect(windows.draw(5)).toEqual(windows.draw(5));
  const environment = new BatchEnvironment({
    processorCount: 256,
    backfill: 'none',
    fallback: 'sjf',
    candidatesMax: 32,
    windows,
  });
  const random = new RandomStream(1, 'test');
  for (const seed of [1, 2, 3]) {
    const window = windows.draw(seed);
    expect(window.count).toBeGreaterThanOrEqual(200);
    expect(window.count).toBeLessThanOrEqual(300);
    environment.reset(seed);
    let reward = 0;
    while (!environment.done) reward += environment.step(random.nextBelow(environment.candidateCount));
    let cost = 0;
    for (let job = 0; job < window.count; job++) {
      const wait = environment.simulation.startSeconds[job]! - window.submitSeconds[job]!;
      cost += wait / Math.max(window.runSeconds[job]!, 10);
    }
    expect(-reward / cost).toBeCloseTo(1, 9);
  }
});

test('windows stay within their ranges', () => {
  const { jobs } = open('lublin');
  const numbered = { ...jobs, runSeconds: Float64Array.from({ length: jobs.count }, (_, job) => job + 1) };
  const ranges = [
    { first: 100, count: 50 },
    { first: 300, count: 40 },
  ];
  const allowed = (job: number): boolean => ranges.some(({ first, count }) => job >= first && job < first + count);
  const varied = variedWindows(numbered, ranges, { sizeMin: 90, sizeMax: 90, blockMin: 5, blockMax: 20, runSigma: 0 });
  for (let seed = 0; seed < 20; seed++) {
    for (const window of [varied.draw(seed), traceWindows(numbered, ranges, 30).draw(seed)])
      expect(window.runSeconds.every((run) => allowed(run - 1))).toBe(true);
  }
});
