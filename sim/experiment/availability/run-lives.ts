// Runs the jobs of a study on worker threads and gives the results in the order of the jobs, whichever ends first. Results are
// kept in a file on the way if one is named, so that a stopped study goes on where it was; the file belongs to one list of
// jobs and one build.

import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { Worker } from 'node:worker_threads';
import { Digest } from '../../../core/base/digest.ts';
import { SiraError } from '../../../core/base/errors.ts';
import { buildDigest } from '../../fault/runner/swarm-state.ts';
import type { LifeJob } from './life.ts';
import { type LifeJobResult, LifeJobRunner } from './life-job.ts';

export interface RunLivesOptions {
  /** Threads; 0 runs everything in this one, which is also what sources do, since threads need the build. */
  readonly workers: number;
  readonly stateFile?: string | undefined;
  /** Called after each job, and once before the first. */
  readonly progress: (done: number, count: number) => void;
}

interface SavedState {
  readonly version: 1;
  readonly jobs: string;
  readonly build: string;
  readonly results: readonly (LifeJobResult | null)[];
}

const saveEveryMillis = 5000;

export async function runLives(jobs: readonly LifeJob[], options: RunLivesOptions): Promise<LifeJobResult[]> {
  const { workers, stateFile, progress } = options;
  const results = openState(jobs, stateFile);
  const open = jobs.map((_, index) => index).filter((index) => results[index] === null);
  let done = jobs.length - open.length;
  let savedMillis = performance.now();
  progress(done, jobs.length);
  const take = (index: number, result: LifeJobResult): void => {
    results[index] = result;
    done++;
    if (stateFile !== undefined && (done === jobs.length || performance.now() - savedMillis >= saveEveryMillis)) {
      save(stateFile, jobs, results);
      savedMillis = performance.now();
    }
    progress(done, jobs.length);
  };
  const queue = open.values();
  if (workers === 0 || import.meta.url.endsWith('.ts')) {
    const runner = new LifeJobRunner();
    for (const index of queue) take(index, runner.run(jobs[index] as LifeJob));
  } else if (open.length > 0) await runThreads(jobs, queue, Math.min(workers, open.length), take);
  return results as LifeJobResult[];
}

function runThreads(
  jobs: readonly LifeJob[],
  queue: Iterator<number>,
  count: number,
  take: (index: number, result: LifeJobResult) => void,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const threads = Array.from({ length: count }, () => new Worker(new URL('./life-worker.js', import.meta.url)));
    let running = threads.length;
    for (const thread of threads) {
      let index = -1;
      const give = (): void => {
        const next = queue.next();
        if (next.done === true) {
          void thread.terminate();
          if (--running === 0) resolve();
          return;
        }
        index = next.value;
        thread.postMessage(jobs[index]);
      };
      thread.on('message', (result: LifeJobResult) => {
        take(index, result);
        give();
      });
      thread.on('error', (error) => {
        for (const other of threads) void other.terminate();
        reject(error);
      });
      give();
    }
  });
}

/** Over all that was played, in order: the same plan gives the same everywhere. */
export function digestOf(results: readonly LifeJobResult[]): string {
  const digest = new Digest();
  for (const { windows } of results) {
    for (const { fromMicros, untilMicros, counts, lost, digest: kernel } of windows) {
      for (const value of [fromMicros, untilMicros, counts.requests, counts.served, counts.late, lost])
        digest.addFloat(value);
      for (const { cause, micros } of counts.recoveries) {
        digest.addText(cause);
        digest.addFloat(micros);
      }
      digest.addText(kernel);
    }
  }
  return digest.toHex();
}

function openState(jobs: readonly LifeJob[], file: string | undefined): (LifeJobResult | null)[] {
  if (file === undefined || !existsSync(file)) return jobs.map(() => null);
  const saved = JSON.parse(readFileSync(file, 'utf8')) as SavedState;
  const remedy = 'Name another file, or remove this one to begin anew.';
  if (saved.jobs !== jobsText(jobs))
    throw new SiraError('SIRA_USAGE', `${file} is the state of another study`, {}, remedy);
  if (saved.build !== buildDigest())
    throw new SiraError('SIRA_USAGE', `${file} is the state of a study over another build`, {}, remedy);
  return [...saved.results];
}

/** Written beside the file and renamed, so that a stop in between leaves the former state. */
function save(file: string, jobs: readonly LifeJob[], results: readonly (LifeJobResult | null)[]): void {
  const saved: SavedState = { version: 1, jobs: jobsText(jobs), build: buildDigest(), results };
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(`${file}.new`, JSON.stringify(saved));
  renameSync(`${file}.new`, file);
}

function jobsText(jobs: readonly LifeJob[]): string {
  const digest = new Digest();
  digest.addText(JSON.stringify(jobs));
  return digest.toHex();
}
