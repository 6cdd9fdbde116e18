// Runs what is open of a swarm on worker threads: whichever is free takes the next few seeds. In which order seeds are checked
// changes nothing that is found.

import { Worker } from 'node:worker_threads';
import { runSwarmJob, type SwarmFailure, type SwarmJob, type SwarmJobResult } from './swarm-job.ts';
import type { SwarmState } from './swarm-state.ts';

/** A case is short-lived memory through and through: where little fits, most of it is copied before it dies. */
const youngMib = 96;

/** Which cases the seeds draw, and how a thread checks them. */
export interface SwarmJobs {
  /** Seeds a job: a thread is told that often, and that much is lost when a run is stopped. */
  readonly seedsPerJob: number;
  readonly run: (job: SwarmJob) => SwarmJobResult;
  /** The module of a thread, as it is built. */
  readonly worker: URL;
}

const kernelJobs: SwarmJobs = {
  seedsPerJob: 8,
  run: runSwarmJob,
  worker: new URL('./swarm-worker.js', import.meta.url),
};

export interface SwarmRunOptions {
  /** Threads; 0 runs everything in this one, which is also what sources do, since threads need the build. */
  readonly workers: number;
  /** The run ends early when so many failures are known. */
  readonly failuresMax: number;
  /** Called after each job; the state is up to date. */
  readonly progress: () => void;
  readonly failed: (failure: SwarmFailure) => void;
  /** Of the kernel if left out. */
  readonly jobs?: SwarmJobs;
  /** The run ends early when this says so. */
  readonly isEnough?: () => boolean;
}

/** Resolves when nothing is open, or when there are too many failures; rejects if a thread breaks down. */
export async function runSwarm(state: SwarmState, options: SwarmRunOptions): Promise<void> {
  const { seedsPerJob, run, worker } = options.jobs ?? kernelJobs;
  const jobs = state.openJobs(seedsPerJob);
  const seedsOf = (first: number, end: number): number[] =>
    Array.from({ length: end - first }, (_, index) => state.seedAt(first + index));
  const take = (first: number, end: number, result: SwarmJobResult): void => {
    state.add(first, end, result);
    for (const failure of result.failures) options.failed(failure);
    options.progress();
  };
  const enough = (): boolean => state.failures.length >= options.failuresMax || options.isEnough?.() === true;
  // The state changes while jobs are given out: what is open now is cut up first.
  const open = [...jobs].values();
  if (options.workers === 0 || import.meta.url.endsWith('.ts')) {
    for (const [first, end] of open) {
      if (enough()) return;
      take(first, end, run({ seeds: seedsOf(first, end) }));
    }
    return;
  }
  await new Promise<void>((resolve, reject) => {
    let running = 0;
    const threads: Worker[] = [];
    const finish = (end: () => void): void => {
      for (const thread of threads) void thread.terminate();
      end();
    };
    for (let index = 0; index < options.workers; index++) {
      const thread = new Worker(worker, { resourceLimits: { maxYoungGenerationSizeMb: youngMib } });
      threads.push(thread);
      let range: readonly [number, number] = [0, 0];
      const give = (): void => {
        const next = enough() ? undefined : open.next();
        if (next === undefined || next.done === true) {
          if (--running === 0) finish(resolve);
          return;
        }
        range = next.value;
        thread.postMessage({ seeds: seedsOf(...range) });
      };
      thread.on('message', (result: SwarmJobResult) => {
        take(...range, result);
        give();
      });
      thread.on('error', (error) => finish(() => reject(error)));
      running++;
      give();
    }
  });
}
