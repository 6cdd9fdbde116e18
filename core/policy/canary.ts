// A canary by switchback: incumbent and candidate serve the whole cluster in turns, in pairs of blocks, and a fair coin says for
// each pair who comes first. Arms that share machines at one time would disturb each other; blocks of time do not, but for
// what one leaves to the next, which the first tasks of a block absorb. Kept: for every pair one difference of the logarithms
// of the mean slowdowns, the sequential test over those, and the harm done so far. It decides nothing: rollouts.ts does.

import { assert } from '../base/assert.ts';
import { fixedExpMinus1, fixedLog } from '../base/fixed-math.ts';
import type { Rollout } from './rollout.ts';
import { RecentTasks, type TaskOutcomes } from './rollout-guards.ts';
import type { CanaryPlan } from './rollout-plan.ts';
import { type SymmetricLook, SymmetricTest, type SymmetricTestState } from './symmetric-test.ts';

export type Arm = 'incumbent' | 'candidate';

/** What a canary is told of a task. */
export interface WatchedTask {
  readonly task: number;
  readonly submittedMicros: number;
  readonly estimateMicros: number;
}

/** Counted tasks of one block. */
interface Block {
  readonly arm: Arm;
  ended: number;
  /** Sum of their slowdowns. */
  slowdowns: number;
  failed: number;
  /** When the next block began; −1 before. */
  closedMicros: number;
  readonly open: Map<number, WatchedTask>;
}

type SavedBlock = Omit<Block, 'open'> & { readonly open: readonly WatchedTask[] };

export interface CanaryState {
  readonly test: SymmetricTestState;
  readonly blocks: readonly SavedBlock[];
  readonly submittedInBlock: number;
  readonly submitted: number;
  readonly candidateTasks: number;
  readonly incumbentEnded: number;
  readonly incumbentSlowdowns: number;
  readonly settledHarm: number;
  readonly recent: TaskOutcomes;
}

/** What a canary knows. Slowdown ratios are the candidate's over the incumbent's, less 1. */
export interface CanaryLook {
  readonly pairs: number;
  readonly tasks: number;
  readonly candidateTasks: number;
  readonly slowdownChange: number;
  readonly slowdownChangeLow: number;
  readonly slowdownChangeHigh: number;
  readonly logEvidence: number;
  readonly verdict: 'better' | 'worse' | 'cannotTell';
  /** Excess slowdown of the candidate's tasks so far, in tasks of the incumbent's mean slowdown; below 0 it did good. */
  readonly harmTasks: number;
}

export class Canary {
  private readonly plan: CanaryPlan;
  private readonly test: SymmetricTest;
  /** Pairs that are not settled, two blocks each, and the last pair perhaps with its first block alone. */
  private readonly blocks: Block[] = [];
  private submittedInBlock = 0;
  private submitted = 0;
  private candidateTasks = 0;
  private incumbentEnded: number;
  private incumbentSlowdowns: number;
  private settledHarm = 0;
  /** The candidate's. */
  readonly recent: RecentTasks;

  /** Of a rollout; its baseline is what is known of the incumbent's slowdowns from the shadow stage. */
  constructor({ plan: { canary: plan, guards }, baseline }: Pick<Rollout<unknown>, 'plan' | 'baseline'>) {
    this.plan = plan;
    this.recent = new RecentTasks(guards);
    this.test = new SymmetricTest(Math.max(8, Math.floor(plan.tasksMax / plan.blockTasks / 2)));
    this.incumbentEnded = baseline.ended;
    this.incumbentSlowdowns = baseline.slowdowns;
  }

  /** All the tasks that it may have were submitted. */
  get isExhausted(): boolean {
    return this.submitted >= this.plan.tasksMax;
  }

  /** True once all that was begun is settled too. */
  get isSettled(): boolean {
    return this.blocks.length === 0;
  }

  /** A task comes. Returns the arm that serves from now on; `coin` is asked once a pair: true if the candidate goes first. */
  submittedTask(task: WatchedTask, nowMicros: number, coin: () => boolean): Arm {
    let block = this.blocks.at(-1);
    if (block === undefined || this.submittedInBlock >= this.plan.blockTasks) {
      if (block !== undefined && block.closedMicros < 0) block.closedMicros = nowMicros;
      const isSecond = this.blocks.length % 2 === 1;
      const arm = isSecond ? other((block as Block).arm) : coin() ? 'candidate' : 'incumbent';
      block = { arm, ended: 0, slowdowns: 0, failed: 0, closedMicros: -1, open: new Map() };
      this.blocks.push(block);
      this.submittedInBlock = 0;
    }
    this.submittedInBlock++;
    this.submitted++;
    if (block.arm === 'candidate') this.candidateTasks++;
    if (this.submittedInBlock > this.plan.washoutTasks) {
      const { task: number, submittedMicros, estimateMicros } = task;
      block.open.set(number, { task: number, submittedMicros, estimateMicros });
    }
    return block.arm;
  }

  /** No further task belongs to the block of now, and the next one begins a pair. A pair that is not whole is given up, but for
   *  the harm that it has done. */
  close(nowMicros: number): void {
    const last = this.blocks.at(-1);
    if (last === undefined || last.closedMicros >= 0) return;
    const isSecond = this.blocks.length % 2 === 0;
    if (isSecond && this.submittedInBlock >= this.plan.blockTasks) last.closedMicros = nowMicros;
    else {
      const settled = this.blocks.splice(this.blocks.length - (isSecond ? 2 : 1));
      for (const block of settled) this.settledHarm += this.harmOf(block, nowMicros);
    }
    this.submittedInBlock = this.plan.blockTasks;
  }

  /** A task ended; nothing happens if it is not counted. Returns its slowdown if it was the candidate's. */
  endedTask(task: number, completed: boolean, nowMicros: number): number | undefined {
    for (const block of this.blocks) {
      const watched = block.open.get(task);
      if (watched === undefined) continue;
      block.open.delete(task);
      const slowdown = this.slowdownOf(watched, nowMicros);
      block.ended++;
      block.slowdowns += slowdown;
      if (!completed) block.failed++;
      if (block.arm === 'candidate') {
        this.recent.add(slowdown, !completed);
        return slowdown;
      }
      this.incumbentEnded++;
      this.incumbentSlowdowns += slowdown;
      return undefined;
    }
    return undefined;
  }

  /** Settles the pairs whose tasks have all ended, or had their time. In order: a later pair waits for the earlier. */
  settle(nowMicros: number): void {
    for (;;) {
      const [first, second] = this.blocks as [Block?, Block?];
      if (first === undefined || second === undefined || second.closedMicros < 0) return;
      const isDone = (block: Block): boolean =>
        block.open.size === 0 || nowMicros >= block.closedMicros + this.plan.settleMicros;
      if (!isDone(first) || !isDone(second)) return;
      this.blocks.splice(0, 2);
      const counted = this.plan.blockTasks - this.plan.washoutTasks;
      const means = [first, second].map((block) => {
        let sum = block.slowdowns;
        for (const task of block.open.values())
          sum += this.slowdownOf(task, Math.min(nowMicros, block.closedMicros + this.plan.settleMicros));
        return sum / counted;
      }) as [number, number];
      const [incumbent, candidate] = first.arm === 'incumbent' ? means : [means[1], means[0]];
      this.test.add(fixedLog(candidate / incumbent));
      this.settledHarm += (counted * (candidate - incumbent)) / this.incumbentMean;
    }
  }

  /** When {@link settle} may have something to do although nothing ends, `Infinity` if never. */
  get nextDeadlineMicros(): number {
    const second = this.blocks[1];
    if (second === undefined || second.closedMicros < 0) return Number.POSITIVE_INFINITY;
    return second.closedMicros + this.plan.settleMicros;
  }

  look(nowMicros: number): CanaryLook {
    const { count, mean, low, high, logEvidence, verdict } = this.test.look(this.plan.alpha);
    return {
      pairs: count,
      tasks: this.submitted,
      candidateTasks: this.candidateTasks,
      slowdownChange: changeOf(mean),
      slowdownChangeLow: changeOf(low),
      slowdownChangeHigh: changeOf(high),
      logEvidence,
      verdict: wordOf(verdict),
      harmTasks: this.harmTasks(nowMicros),
    };
  }

  save(): CanaryState {
    return {
      test: this.test.save(),
      blocks: this.blocks.map((block) => ({ ...block, open: [...block.open.values()] })),
      submittedInBlock: this.submittedInBlock,
      submitted: this.submitted,
      candidateTasks: this.candidateTasks,
      incumbentEnded: this.incumbentEnded,
      incumbentSlowdowns: this.incumbentSlowdowns,
      settledHarm: this.settledHarm,
      recent: this.recent.save(),
    };
  }

  restore(state: CanaryState): void {
    this.test.restore(state.test);
    for (const block of state.blocks)
      this.blocks.push({ ...block, open: new Map(block.open.map((task) => [task.task, task])) });
    this.submittedInBlock = state.submittedInBlock;
    this.submitted = state.submitted;
    this.candidateTasks = state.candidateTasks;
    this.incumbentEnded = state.incumbentEnded;
    this.incumbentSlowdowns = state.incumbentSlowdowns;
    this.settledHarm = state.settledHarm;
    this.recent.restore(state.recent);
  }

  private get incumbentMean(): number {
    return this.incumbentEnded === 0 ? 1 : this.incumbentSlowdowns / this.incumbentEnded;
  }

  /** Settled pairs, and what the blocks that are not settled have come to: a task that has not ended counts once it is late. */
  private harmTasks(nowMicros: number): number {
    let harm = this.settledHarm;
    for (const block of this.blocks) harm += this.harmOf(block, nowMicros);
    return harm;
  }

  private harmOf(block: Block, nowMicros: number): number {
    // Without the incumbent's there is nothing to compare with.
    if (block.arm !== 'candidate' || this.incumbentEnded === 0) return 0;
    const mean = this.incumbentMean;
    let harm = block.slowdowns / mean - block.ended;
    for (const task of block.open.values()) harm += Math.max(0, this.slowdownOf(task, nowMicros) / mean - 1);
    return harm;
  }

  private slowdownOf(task: WatchedTask, nowMicros: number): number {
    return slowdownOf(task, nowMicros, this.plan.slowdownFloorMicros);
  }
}

/** Response time over the estimate; estimates count as `floorMicros` at least. */
export function slowdownOf(
  { submittedMicros, estimateMicros }: WatchedTask,
  nowMicros: number,
  floorMicros: number,
): number {
  assert(nowMicros >= submittedMicros, 'a task ends after it came');
  // What ends at once is as good as it gets, and has a logarithm.
  return Math.max(1e-6, (nowMicros - submittedMicros) / Math.max(estimateMicros, floorMicros));
}

/** In words, for the record. */
export function tellLook({ slowdownChange, pairs, tasks }: CanaryLook): string {
  return `slowdown ${slowdownChange > 0 ? '+' : ''}${Math.round(1000 * slowdownChange) / 10}% after ${pairs} pairs of blocks, ${tasks} tasks`;
}

function other(arm: Arm): Arm {
  return arm === 'candidate' ? 'incumbent' : 'candidate';
}

function wordOf(verdict: SymmetricLook['verdict']): CanaryLook['verdict'] {
  return verdict === 'above' ? 'worse' : verdict === 'below' ? 'better' : 'cannotTell';
}

/** From a logarithm of a ratio; the interval is infinite before the first pair, and JSON carries no infinities. */
function changeOf(logarithm: number): number {
  return fixedExpMinus1(Math.max(-20, Math.min(20, logarithm)));
}
