// DeepRM (Mao, Alizadeh, Menache and Kandula, "Resource management with deep reinforcement learning", HotNets 2016), after its
// authors' `environment.py`: two resources of ten slots over a horizon of twenty steps, ten visible jobs and a backlog of sixty.
// A choice places a visible job at the earliest time at which it fits, or lets a step pass, which alone differs from the
// original: not while the machine is idle and a job fits. An episode runs until all is done.
// The reward of a passing step is −Σ 1/length over the jobs in the system, so that an undiscounted return is minus the sum of
// slowdowns. Like the original it begins with the sequence's second step.

import { assert } from '../../../core/base/assert.ts';
import type { Environment } from '../environment.ts';
import type { JobSequence } from './job-sequences.ts';

export const resourceSlots = 10;
export const horizon = 20;
export const visibleMax = 10;
export const backlogMax = 60;
/** Steps after which an episode is over, whatever is left. */
export const stepsMax = 1000;

const resources = 2;

export class DeepRm implements Environment {
  readonly name = 'deep-rm';
  readonly schema = 'deep-rm/1';
  readonly featureNames = [
    /** 1 for the candidate that lets time pass, whose other columns of a job are 0. */
    'wait',
    'length',
    'demandMax',
    'demandMin',
    /** Steps until it starts, over the horizon. */
    'delay',
    'age',
    /** Free share of its dominant resource: now, and on average over its run, were it started now. */
    'freeNow',
    'freeMean',
    /** Free shares of both resources now and over the horizon. */
    'firstFree',
    'secondFree',
    'firstMean',
    'secondMean',
    /** Visible jobs, those waiting behind them, and the shortest of the visible ones. */
    'visible',
    'backlog',
    'shortest',
    'inverseLength',
  ] as const;
  readonly candidatesMax = visibleMax + 1;
  readonly teachers = ['sjf', 'packer'] as const;
  private readonly draw: (seed: number) => JobSequence;
  private sequence: JobSequence;
  private now = 0;
  /** [time, resource]. */
  private readonly free = new Int32Array(horizon * resources);
  /** Jobs by time step of arrival. */
  private readonly slots = new Int32Array(visibleMax).fill(-1);
  private backlog: number[] = [];
  private readonly entered = new Int32Array(256);
  private readonly finish = new Int32Array(256);
  /** Slots that candidates stand for; −1 lets time pass. */
  private readonly candidates = new Int32Array(visibleMax + 1);
  private readonly delays = new Int32Array(visibleMax + 1);
  candidateCount = 0;
  private lost = 0;
  /** Reward of the steps that passed before the first choice. */
  private owed = 0;
  private lastFinish = 0;

  /** `draw` gives the sequence of a seed. */
  constructor(draw: (seed: number) => JobSequence) {
    this.draw = draw;
    this.sequence = draw(0);
  }

  reset(seed: number): void {
    this.begin(this.draw(seed));
  }

  /** Begins with that sequence. */
  begin(sequence: JobSequence): void {
    assert(sequence.lengths.length <= this.entered.length, 'a sequence has at most 256 steps');
    this.sequence = sequence;
    this.now = 0;
    this.free.fill(resourceSlots);
    this.slots.fill(-1);
    this.backlog = [];
    this.entered.fill(-1);
    this.finish.fill(-1);
    this.lost = 0;
    this.lastFinish = 0;
    this.findCandidates();
    this.owed = this.skipIdle();
  }

  get done(): boolean {
    return this.truncated || (this.arrivalsOver && this.lastFinish <= this.now && this.waitingCount === 0);
  }

  get truncated(): boolean {
    return this.now >= stepsMax;
  }

  step(choice: number): number {
    const slot = this.candidates[choice]!;
    let reward = this.owed;
    this.owed = 0;
    if (slot < 0) reward += this.pass();
    else {
      this.place(slot, this.delays[choice]!);
      this.findCandidates();
    }
    return reward + this.skipIdle();
  }

  choiceOf(teacher: string): number {
    let best = this.candidateCount - 1;
    let bestScore = 0;
    for (let candidate = 0; candidate < this.candidateCount; candidate++) {
      if (this.candidates[candidate]! < 0 || this.delays[candidate] !== 0) continue;
      const job = this.slots[this.candidates[candidate]!]!;
      const score = teacher === 'sjf' ? 1 / this.sequence.lengths[job]! : this.alignment(job);
      if (score <= bestScore) continue;
      bestScore = score;
      best = candidate;
    }
    return best;
  }

  observe(out: Float64Array, at: number): void {
    const { lengths, demands } = this.sequence;
    const free = (from: number, to: number, resource: number): number => {
      let sum = 0;
      for (let time = from; time < to; time++) sum += this.free[time * resources + resource]!;
      return sum / ((to - from) * resourceSlots);
    };
    const shared = [free(0, 1, 0), free(0, 1, 1), free(0, horizon, 0), free(0, horizon, 1)];
    let visible = 0;
    let shortest = 15;
    for (const job of this.slots) {
      if (job < 0) continue;
      visible++;
      shortest = Math.min(shortest, lengths[job]!);
    }
    for (let candidate = 0; candidate < this.candidateCount; candidate++) {
      const row = at + candidate * this.featureNames.length;
      const slot = this.candidates[candidate]!;
      if (slot < 0) {
        out.fill(0, row, row + 8);
        out[row] = 1;
        out[row + 15] = 0;
      } else {
        const job = this.slots[slot]!;
        const [first, second] = [demands[0][job]!, demands[1][job]!];
        const dominant = first >= second ? 0 : 1;
        const length = lengths[job]!;
        out[row] = 0;
        out[row + 1] = length / 15;
        out[row + 2] = Math.max(first, second) / resourceSlots;
        out[row + 3] = Math.min(first, second) / resourceSlots;
        out[row + 4] = this.delays[candidate]! / horizon;
        out[row + 5] = Math.log(1 + this.now - this.entered[job]!) / 4;
        out[row + 6] = free(0, 1, dominant);
        out[row + 7] = free(0, length, dominant);
        out[row + 15] = 1 / length;
      }
      for (let index = 0; index < 4; index++) out[row + 8 + index] = shared[index]!;
      out[row + 12] = visible / visibleMax;
      out[row + 13] = this.backlog.length / backlogMax;
      out[row + 14] = shortest / 15;
    }
  }

  metrics(): Readonly<Record<string, number>> {
    let sum = 0;
    let jobs = 0;
    for (let job = 0; job < this.sequence.lengths.length; job++) {
      if (this.entered[job]! < 0) continue;
      // What was never placed ends no earlier than the episode.
      const finish = this.finish[job]! < 0 ? this.now : this.finish[job]!;
      sum += (finish - this.entered[job]!) / this.sequence.lengths[job]!;
      jobs++;
    }
    return { slowdownMean: jobs === 0 ? 1 : sum / jobs, jobs, lost: this.lost };
  }

  private get arrivalsOver(): boolean {
    return this.now >= this.sequence.lengths.length;
  }

  private get waitingCount(): number {
    let count = this.backlog.length;
    for (const job of this.slots) if (job >= 0) count++;
    return count;
  }

  /** Where nothing can be chosen but to wait, time passes by itself. */
  private skipIdle(): number {
    let reward = 0;
    while (this.candidateCount === 1 && this.candidates[0]! < 0 && !this.done) reward += this.pass();
    return reward;
  }

  private pass(): number {
    this.now++;
    this.free.copyWithin(0, resources);
    this.free.fill(resourceSlots, (horizon - 1) * resources);
    const { lengths } = this.sequence;
    if (!this.arrivalsOver && lengths[this.now]! > 0) this.arrive(this.now);
    this.findCandidates();
    let reward = 0;
    for (let job = 0; job < lengths.length; job++) {
      if (this.entered[job]! < 0 || (this.finish[job]! >= 0 && this.finish[job]! <= this.now)) continue;
      reward -= 1 / lengths[job]!;
    }
    return reward;
  }

  private arrive(job: number): void {
    const slot = this.slots.indexOf(-1);
    if (slot >= 0) this.slots[slot] = job;
    else if (this.backlog.length < backlogMax) this.backlog.push(job);
    else {
      this.lost++;
      return;
    }
    this.entered[job] = this.now;
  }

  private place(slot: number, delay: number): void {
    const job = this.slots[slot]!;
    const { lengths, demands } = this.sequence;
    for (let time = delay; time < delay + lengths[job]!; time++)
      for (let resource = 0; resource < resources; resource++)
        this.free[time * resources + resource]! -= demands[resource]![job]!;
    this.finish[job] = this.now + delay + lengths[job]!;
    this.lastFinish = Math.max(this.lastFinish, this.finish[job]!);
    this.slots[slot] = this.backlog.shift() ?? -1;
  }

  /** Visible jobs that fit within the horizon, in the order of their slots, then the candidate that lets time pass. */
  private findCandidates(): void {
    this.candidateCount = 0;
    for (let slot = 0; slot < visibleMax; slot++) {
      const job = this.slots[slot]!;
      if (job < 0) continue;
      const delay = this.delayOf(job);
      if (delay < 0) continue;
      this.candidates[this.candidateCount] = slot;
      this.delays[this.candidateCount++] = delay;
    }
    // An idle machine does not wait: whoever always takes the best score would otherwise wait for ever.
    if (this.candidateCount > 0 && this.free.every((slots) => slots === resourceSlots)) return;
    this.candidates[this.candidateCount] = -1;
    this.delays[this.candidateCount++] = 0;
  }

  private delayOf(job: number): number {
    const { lengths, demands } = this.sequence;
    const length = lengths[job]!;
    for (let delay = 0; delay < horizon - length; delay++) {
      let time = delay;
      while (
        time < delay + length &&
        this.free[time * resources]! >= demands[0][job]! &&
        this.free[time * resources + 1]! >= demands[1][job]!
      )
        time++;
      if (time === delay + length) return delay;
    }
    return -1;
  }

  private alignment(job: number): number {
    return this.free[0]! * this.sequence.demands[0][job]! + this.free[1]! * this.sequence.demands[1][job]!;
  }
}
