// A batch machine of equal processors under the protocol of RLScheduler's published table (Zhang et al., SC 2020), as columns and
// without messages: the job chosen blocks until it fits, with EASY backfilling behind it or without; arrivals come before the
// releases of the same instant. It is the kernel's simulation of `unplaced: block` with `backfill: none` or `never`, some
// hundred times as fast; batch-simulation.test.ts holds both to the same start of every job.

import { assert } from '../../../core/base/assert.ts';
import type { BatchJobs } from './batch-jobs.ts';

/** What becomes of a job that does not fit: it blocks, with nobody behind it (`none`) or EASY (`never`); or it is passed over, and a
 *  choice is made only among those that fit (`skip`). */
export type BatchBackfill = 'none' | 'never' | 'skip';

/** Run times below this count as this in the slowdown, as in the literature on batch scheduling (Feitelson). */
const slowdownFloorSeconds = 10;

export class BatchSimulation {
  readonly processorCount: number;
  readonly backfill: BatchBackfill;
  readonly floorSeconds: number;
  jobs: BatchJobs = noJobs;
  nowSeconds = 0;
  freeProcessors: number;
  /** Jobs that wait, by number, in order of arrival; `waitingCount` are valid. */
  waiting = new Int32Array(0);
  waitingCount = 0;
  /** By job, seconds; −1 before it starts. */
  startSeconds = new Float64Array(0);
  /** Jobs that run, by rising estimated end; `runningCount` are valid. */
  running = new Int32Array(0);
  runningCount = 0;
  /** Σ over waiting jobs of seconds waited / max(run time, floor), since the last look. */
  private cost = 0;
  private costRate = 0;
  /** Jobs that have arrived: those below this number. */
  arrivedCount = 0;
  private blocked = -1;
  private shadowSeconds = 0;

  /** `floorSeconds`: run times below count as this in the slowdown. */
  constructor(processorCount: number, backfill: BatchBackfill, floorSeconds = slowdownFloorSeconds) {
    this.floorSeconds = floorSeconds;
    this.processorCount = processorCount;
    this.freeProcessors = processorCount;
    this.backfill = backfill;
  }

  /** Begins with an empty machine at the first job's arrival. */
  reset(jobs: BatchJobs): void {
    if (this.waiting.length < jobs.count) {
      this.waiting = new Int32Array(jobs.count);
      this.running = new Int32Array(jobs.count);
      this.startSeconds = new Float64Array(jobs.count);
    }
    this.jobs = jobs;
    this.startSeconds.fill(-1);
    this.freeProcessors = this.processorCount;
    this.waitingCount = 0;
    this.runningCount = 0;
    this.arrivedCount = 0;
    this.blocked = -1;
    this.cost = 0;
    this.costRate = 0;
    this.nowSeconds = jobs.submitSeconds[0] as number;
    this.admit();
  }

  /** All jobs have started: nothing is left to choose. */
  get done(): boolean {
    return this.waitingCount === 0 && this.arrivedCount === this.jobs.count;
  }

  /** Starts the waiting job at `position`, as soon as it fits, and goes on to the next choice. */
  choose(position: number): void {
    assert(position < this.waitingCount && this.blocked < 0, 'a waiting job is chosen');
    const job = this.waiting[position] as number;
    assert(this.backfill !== 'skip' || this.fits(job), 'what is chosen fits, where nobody blocks');
    if (this.fits(job)) this.start(position);
    else this.block(job);
    while (!this.mayChoose && !this.done) this.advance();
  }

  fits(job: number): boolean {
    return (this.jobs.processors[job] as number) <= this.freeProcessors;
  }

  /** Whether there is a choice to be made now. */
  private get mayChoose(): boolean {
    if (this.backfill !== 'skip') return this.waitingCount > 0;
    for (let position = 0; position < this.waitingCount; position++)
      if (this.fits(this.waiting[position] as number)) return true;
    return false;
  }

  /** The waiting cost since the last call: what bounded slowdown grows by, summed over jobs. */
  takeCost(): number {
    const { cost } = this;
    this.cost = 0;
    return cost;
  }

  /** Mean of max(1, (wait + run)/max(run, floor)) over the jobs (Feitelson). */
  boundedSlowdownMean(): number {
    const { submitSeconds, runSeconds, count } = this.jobs;
    let sum = 0;
    for (let job = 0; job < count; job++) {
      const run = runSeconds[job] as number;
      const wait = (this.startSeconds[job] as number) - (submitSeconds[job] as number);
      sum += Math.max(1, (wait + run) / Math.max(run, this.floorSeconds));
    }
    return sum / count;
  }

  /** Seconds until `processors` are free by the estimates; 0 if they are now. */
  delaySeconds(processors: number): number {
    let free = this.freeProcessors;
    if (free >= processors) return 0;
    const { estimateSeconds, processors: sizes } = this.jobs;
    for (let index = 0; index < this.runningCount; index++) {
      const job = this.running[index] as number;
      free += sizes[job] as number;
      if (free >= processors)
        return Math.max(0, (this.startSeconds[job] as number) + (estimateSeconds[job] as number) - this.nowSeconds);
    }
    return Number.POSITIVE_INFINITY;
  }

  private block(job: number): void {
    this.blocked = job;
    this.shadowSeconds = this.nowSeconds + this.delaySeconds(this.jobs.processors[job] as number);
    this.overtake();
    while (this.blocked >= 0) {
      this.advance();
      if (this.fits(job)) {
        this.blocked = -1;
        this.start(this.waiting.subarray(0, this.waitingCount).indexOf(job));
      } else this.overtake();
    }
  }

  /** EASY: in order of arrival, what fits and ends before the blocked job's shadow time. */
  private overtake(): void {
    if (this.backfill === 'none') return;
    for (let position = 0; position < this.waitingCount; position++) {
      const job = this.waiting[position] as number;
      if (job === this.blocked || !this.fits(job)) continue;
      if (this.nowSeconds + (this.jobs.estimateSeconds[job] as number) >= this.shadowSeconds) continue;
      this.start(position);
      position--;
    }
  }

  /** To the next arrival or release. `never` sees the releases of an instant one by one, the others together. */
  private advance(): void {
    const arrival =
      this.arrivedCount < this.jobs.count
        ? (this.jobs.submitSeconds[this.arrivedCount] as number)
        : Number.POSITIVE_INFINITY;
    const first = this.firstToEnd();
    const release = first < 0 ? Number.POSITIVE_INFINITY : this.endOf(this.running[first] as number);
    if (arrival <= release) {
      this.passTo(arrival);
      this.admit();
      if (this.backfill !== 'never') this.releaseDue();
      return;
    }
    this.passTo(release);
    this.release(first);
    if (this.backfill !== 'never') this.releaseDue();
  }

  private passTo(seconds: number): void {
    this.cost += this.costRate * (seconds - this.nowSeconds);
    this.nowSeconds = seconds;
  }

  private admit(): void {
    const { submitSeconds, count } = this.jobs;
    while (this.arrivedCount < count && (submitSeconds[this.arrivedCount] as number) <= this.nowSeconds) {
      this.costRate += this.weight(this.arrivedCount);
      this.waiting[this.waitingCount++] = this.arrivedCount++;
    }
  }

  private releaseDue(): void {
    for (;;) {
      const first = this.firstToEnd();
      if (first < 0 || this.endOf(this.running[first] as number) > this.nowSeconds) return;
      this.release(first);
    }
  }

  private start(position: number): void {
    const job = this.waiting[position] as number;
    this.waiting.copyWithin(position, position + 1, this.waitingCount);
    this.waitingCount--;
    // Exactly 0 when nobody waits, so that rounding cannot pile up.
    this.costRate = this.waitingCount === 0 ? 0 : this.costRate - this.weight(job);
    this.startSeconds[job] = this.nowSeconds;
    this.freeProcessors -= this.jobs.processors[job] as number;
    const expected = this.nowSeconds + (this.jobs.estimateSeconds[job] as number);
    let at = this.runningCount++;
    while (at > 0 && this.expectedEnd(this.running[at - 1] as number) > expected) {
      this.running[at] = this.running[at - 1] as number;
      at--;
    }
    this.running[at] = job;
  }

  private release(index: number): void {
    const job = this.running[index] as number;
    this.running.copyWithin(index, index + 1, this.runningCount);
    this.runningCount--;
    this.freeProcessors += this.jobs.processors[job] as number;
  }

  private firstToEnd(): number {
    let first = -1;
    let firstEnd = Number.POSITIVE_INFINITY;
    for (let index = 0; index < this.runningCount; index++) {
      const end = this.endOf(this.running[index] as number);
      if (end < firstEnd) {
        firstEnd = end;
        first = index;
      }
    }
    return first;
  }

  private endOf(job: number): number {
    return (this.startSeconds[job] as number) + (this.jobs.runSeconds[job] as number);
  }

  private expectedEnd(job: number): number {
    return (this.startSeconds[job] as number) + (this.jobs.estimateSeconds[job] as number);
  }

  private weight(job: number): number {
    return 1 / Math.max(this.jobs.runSeconds[job] as number, this.floorSeconds);
  }
}

const noJobs: BatchJobs = {
  count: 0,
  submitSeconds: new Float64Array(0),
  runSeconds: new Float64Array(0),
  estimateSeconds: new Float64Array(0),
  processors: new Int32Array(0),
};
