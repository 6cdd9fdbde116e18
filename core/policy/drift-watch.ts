// Watches a policy that was promoted: are the tasks still like those that it was trusted for, and does it keep what it promised?
// Counts windows of tasks and holds each against the reference; a detector for every input and for the slowdown says when too many
// windows in too short a time were strange. It only speaks: what follows is policy-watches.ts's and rollouts.ts's.

import { ChangeDetector } from './change-detector.ts';
import { arrivalInputs, type DriftReference, type EndedUnder, meanOf, type WatchedInput } from './drift-reference.ts';
import { binOf, populationStability } from './input-distribution.ts';
import type { DriftPlan } from './rollout-plan.ts';

/** What a watch saw last, for people; it decides nothing. */
export interface WatchLook {
  /** Tasks that came, and that ended, while it watched. */
  readonly arrived: number;
  readonly ended: number;
  /** Of the last whole window; null before the first one. */
  readonly slowdown: number | null;
  /** Mean slowdown while it was on trial, null if it never was. */
  readonly slowdownPromised: number | null;
  /** Shift of each watched input in its last whole window, against its bound. */
  readonly inputs: readonly InputLook[];
}

export interface InputLook {
  readonly input: string;
  readonly source: 'training' | 'trial';
  /** Population stability index; null before the first whole window. */
  readonly stability: number | null;
  readonly bound: number;
}

export interface DriftWatchState {
  readonly arrived: number;
  readonly ended: number;
  readonly inputs: readonly InputState[];
  readonly slowdowns: readonly number[];
  readonly slowdown: number | null;
  readonly slowdownEvidence: number;
}

interface InputState {
  readonly counts: readonly number[];
  readonly seen: number;
  readonly stability: number | null;
  readonly evidence: number;
}

export class DriftWatch {
  private readonly windowTasks: number;
  private readonly reference: DriftReference;
  private readonly arrivals: readonly InputWatch[];
  private readonly service: InputWatch | undefined;
  private readonly detector: ChangeDetector | undefined;
  private arrived = 0;
  private ended = 0;
  /** Of the window that is not whole. */
  private slowdowns: number[] = [];
  private slowdown: number | null = null;

  constructor(reference: DriftReference, { windowTasks, falseAlarmWindows }: DriftPlan) {
    this.windowTasks = windowTasks;
    this.reference = reference;
    const { arrivals, service, slowdown } = reference;
    const detectors = arrivals.length + (service === undefined ? 0 : 1) + (slowdown === undefined ? 0 : 1);
    // Any of them may raise a false alarm.
    const runLength = falseAlarmWindows * Math.max(1, detectors);
    const watching = (input: WatchedInput): InputWatch => new InputWatch(input, windowTasks, runLength);
    this.arrivals = arrivals.map(watching);
    this.service = service === undefined ? undefined : watching(service);
    this.detector = slowdown === undefined ? undefined : new ChangeDetector(slowdown.rareShare, runLength);
  }

  /** A task came. `row`: its {@link arrivalInputs}. Returns what has drifted, in words; empty if nothing has. */
  arrivedTask(row: readonly number[]): string {
    this.arrived++;
    let alarm = '';
    for (const watch of this.arrivals) {
      const said = watch.add(row[placeOf(watch)] as number);
      if (alarm === '') alarm = said;
    }
    return alarm;
  }

  /** A task that came under this policy ended. Returns what has drifted, as above. */
  endedTask({ slowdown, serviceLog }: EndedUnder): string {
    this.ended++;
    const alarm = serviceLog === undefined ? '' : (this.service?.add(serviceLog) ?? '');
    this.slowdowns.push(slowdown);
    if (this.slowdowns.length < this.windowTasks) return alarm;
    const mean = meanOf(this.slowdowns);
    this.slowdown = mean;
    this.slowdowns = [];
    const { slowdown: promise } = this.reference;
    if (promise === undefined || this.detector?.add(mean > promise.bound) !== true || alarm !== '') return alarm;
    return `slowdown has drifted: ${told(mean)} over the last ${this.windowTasks} tasks, ${told(promise.promised)} was promised, the bound is ${told(promise.bound)}`;
  }

  /** Windows that were begun are given up: what they saw is not this policy's doing. */
  interrupt(): void {
    this.slowdowns = [];
    for (const watch of [...this.arrivals, this.service]) watch?.interrupt();
  }

  look(): WatchLook {
    const { arrived, ended, slowdown, reference } = this;
    const inputs = [...this.arrivals, ...(this.service === undefined ? [] : [this.service])];
    return {
      ...{ arrived, ended, slowdown, slowdownPromised: reference.slowdown?.promised ?? null },
      inputs: inputs.map(({ watched: { input, source, bound }, stability }) => ({ input, source, stability, bound })),
    };
  }

  save(): DriftWatchState {
    const { arrived, ended, slowdowns, slowdown } = this;
    const inputs = [...this.arrivals, ...(this.service === undefined ? [] : [this.service])].map((each) => each.save());
    const slowdownEvidence = this.detector?.save() ?? 0;
    return { arrived, ended, inputs, slowdowns: [...slowdowns], slowdown, slowdownEvidence };
  }

  restore(state: DriftWatchState): void {
    this.arrived = state.arrived;
    this.ended = state.ended;
    const inputs = [...this.arrivals, ...(this.service === undefined ? [] : [this.service])];
    for (const [index, watch] of inputs.entries()) watch.restore(state.inputs[index] as InputState);
    this.slowdowns = [...state.slowdowns];
    this.slowdown = state.slowdown;
    this.detector?.restore(state.slowdownEvidence);
  }
}

/** One input against its distribution. */
class InputWatch {
  readonly watched: WatchedInput;
  stability: number | null = null;
  private readonly windowTasks: number;
  private readonly detector: ChangeDetector;
  private readonly counts: number[];
  private seen = 0;

  constructor(watched: WatchedInput, windowTasks: number, runLength: number) {
    this.watched = watched;
    this.windowTasks = windowTasks;
    this.detector = new ChangeDetector(watched.rareShare, runLength);
    this.counts = watched.distribution.counts.map(() => 0);
  }

  add(value: number): string {
    const { input, source, bound, distribution } = this.watched;
    const bin = binOf(distribution.edges, value);
    this.counts[bin] = (this.counts[bin] as number) + 1;
    if (++this.seen < this.windowTasks) return '';
    const stability = populationStability(distribution, this.counts);
    this.stability = stability;
    this.interrupt();
    if (!this.detector.add(stability > bound)) return '';
    return `${input} has drifted from the ${source}: population stability index ${told(stability)} over the last ${this.windowTasks} tasks, the bound is ${told(bound)}`;
  }

  interrupt(): void {
    this.counts.fill(0);
    this.seen = 0;
  }

  save(): InputState {
    const { counts, seen, stability } = this;
    return { counts: [...counts], seen, stability, evidence: this.detector.save() };
  }

  restore({ counts, seen, stability, evidence }: InputState): void {
    for (const [bin, count] of counts.entries()) this.counts[bin] = count;
    this.seen = seen;
    this.stability = stability;
    this.detector.restore(evidence);
  }
}

function placeOf({ watched: { input } }: InputWatch): number {
  return (arrivalInputs as readonly string[]).indexOf(input);
}

function told(value: number): string {
  return String(Math.round(1000 * value) / 1000);
}
