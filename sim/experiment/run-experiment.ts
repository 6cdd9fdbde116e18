// All runs of a scenario: every policy on every seed, on worker threads, jobs of one seed together so that a worker reads a
// trace once. The order in which jobs end does not matter: records are put in the order of policies and seeds.

import { mkdirSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { TelemetryBatch } from '../../core/telemetry/rows.ts';
import type { TableName } from '../../core/telemetry/tables.ts';
import { errorOf } from './error-parts.ts';
import { guardWrites } from './guard-writes.ts';
import { type Job, JobRunner } from './run-job.ts';
import type { RunRecord } from './run-record.ts';
import type { Scenario } from './scenario.ts';
import type { WorkerMessage } from './worker.ts';

export interface ExperimentOptions {
  /** Worker threads; 0 runs everything in this thread. Default: as many as there are cores. */
  readonly workers?: number | undefined;
  /** Folder for the files of the runs, or undefined for none. */
  readonly folder?: string | undefined;
  /** Takes the rows of telemetry, if they are wanted; the experiment ends when it has taken them all. */
  readonly rows?: ((batch: TelemetryBatch<TableName>) => Promise<void>) | undefined;
  /** Called with the share of all work done, 0 to 1, and what has just ended, if anything. */
  readonly progress?: ((share: number, ended: string | undefined) => void) | undefined;
}

/** Runs the scenario; the records come policy by policy, seed by seed. Throws the first run's error. */
export async function runExperiment(scenario: Scenario, options: ExperimentOptions = {}): Promise<RunRecord[]> {
  const { folder } = options;
  const telemetry = options.rows !== undefined;
  const rows = new Rows(options.rows ?? (async () => {}));
  if (folder !== undefined)
    guardWrites(folder, () => {
      for (const kind of ['tasks', 'decisions']) mkdirSync(join(folder, kind), { recursive: true });
    });
  const jobs: Job[] = scenario.seeds.flatMap((seed, position) =>
    scenario.policies.map((policy) => ({ policy: policy.name, seed, gantt: position === 0, folder, telemetry })),
  );
  const workers = Math.min(options.workers ?? availableParallelism(), jobs.length);
  const progress = new Progress(jobs.length, options.progress);
  const records =
    workers === 0
      ? runHere(scenario, jobs, progress, rows)
      : await runOnWorkers(scenario, jobs, workers, progress, rows);
  await rows.taken();
  const place = new Map(scenario.policies.map((policy, index) => [policy.name, index]));
  const rank = (record: RunRecord): number =>
    (place.get(record.policy) as number) * scenario.seeds.length + scenario.seeds.indexOf(record.seed);
  return records.sort((left, right) => rank(left) - rank(right));
}

class Progress {
  private readonly shares: Float64Array;
  private readonly report: ExperimentOptions['progress'];

  constructor(jobs: number, report: ExperimentOptions['progress']) {
    this.shares = new Float64Array(jobs);
    this.report = report;
  }

  set(job: number, share: number, ended?: string): void {
    this.shares[job] = share;
    this.report?.(this.shares.reduce((sum, value) => sum + value, 0) / this.shares.length, ended);
  }
}

/** Hands on batches one after the other. */
class Rows {
  private readonly take: (batch: TelemetryBatch<TableName>) => Promise<void>;
  private last: Promise<void> = Promise.resolve();
  private failure: unknown;

  constructor(take: (batch: TelemetryBatch<TableName>) => Promise<void>) {
    this.take = take;
  }

  add(batch: TelemetryBatch<TableName>): void {
    this.last = this.last
      .then(() => (this.failure === undefined ? this.take(batch) : undefined))
      .catch((error) => {
        this.failure ??= error;
      });
  }

  /** Throws what the first batch that was not taken threw. */
  async taken(): Promise<void> {
    await this.last;
    if (this.failure !== undefined) throw this.failure;
  }
}

function runHere(scenario: Scenario, jobs: readonly Job[], progress: Progress, rows: Rows): RunRecord[] {
  const runner = new JobRunner(scenario);
  return jobs.map((job, index) => {
    const record = runner.run(
      job,
      (share) => progress.set(index, share),
      (batch) => rows.add(batch),
    );
    progress.set(index, 1, nameOf(job));
    return record;
  });
}

function runOnWorkers(
  scenario: Scenario,
  jobs: readonly Job[],
  count: number,
  progress: Progress,
  rows: Rows,
): Promise<RunRecord[]> {
  return new Promise((resolve, reject) => {
    const records: RunRecord[] = [];
    let next = 0;
    let running = count;
    const workers: Worker[] = [];
    const fail = (error: Error): void => {
      for (const worker of workers) void worker.terminate();
      reject(error);
    };
    for (let index = 0; index < count; index++) {
      const worker = new Worker(workerFile(), { workerData: scenario });
      workers.push(worker);
      let job = -1;
      const give = (): void => {
        if (next < jobs.length) {
          job = next++;
          worker.postMessage(jobs[job]);
          return;
        }
        running--;
        void worker.terminate();
        if (running === 0) resolve(records);
      };
      worker.on('message', (message: WorkerMessage) => {
        switch (message.kind) {
          case 'progress':
            progress.set(job, message.share);
            break;
          case 'rows':
            rows.add(message.batch);
            break;
          case 'done':
            records.push(message.record);
            progress.set(job, 1, nameOf(jobs[job] as Job));
            give();
            break;
          case 'failed':
            fail(errorOf(message.error));
            break;
        }
      });
      worker.on('error', fail);
      give();
    }
  });
}

/** The worker's compiled file. From sources (tests), experiments run in this thread. */
function workerFile(): URL {
  return new URL(
    import.meta.url.endsWith('.ts') ? '../../dist/sim/experiment/worker.js' : './worker.js',
    import.meta.url,
  );
}

function nameOf(job: Job): string {
  return `${job.policy} on seed ${job.seed}`;
}
