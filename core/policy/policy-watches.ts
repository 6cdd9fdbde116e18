// What is known of policies on trial, kept for the time when they serve alone, and the watch over the one that does. From promotion on
// the guards of its plan hold as they did in the canary, and its inputs and outcomes are held against the trial. A policy that
// serves again after a rollback is watched again, against its own trial. The very first policy had none, and is what one
// falls back to in the end. Says what is breached; what follows is rollouts.ts's.

import { fixedLog } from '../base/fixed-math.ts';
import { slowdownOf, type WatchedTask } from './canary.ts';
import { type DriftReference, driftReference, type EndedUnder, type TrialRecord } from './drift-reference.ts';
import { DriftWatch, type DriftWatchState, type WatchLook } from './drift-watch.ts';
import type { InputDistribution } from './input-distribution.ts';
import {
  type Guarded,
  type GuardedHost,
  guardBreach,
  isOfTheMoment,
  RecentTasks,
  type TaskOutcomes,
} from './rollout-guards.ts';
import type { DriftPlan, RolloutPlan } from './rollout-plan.ts';

/** How a task ended. */
export interface TaskEnding {
  readonly completed: boolean;
  /** Time that it was worked on; 0 if nobody knows. */
  readonly serviceMicros: number;
}

/** Tasks that are remembered of a trial: the last ones. */
const trialTasksMax = 2000;

/** A policy that was promoted and is trusted still. */
interface Trusted {
  readonly version: number;
  readonly plan: RolloutPlan;
  readonly drift: DriftPlan;
  readonly reference: DriftReference;
}

export interface PolicyWatchesState {
  readonly trial: TrialRecord | undefined;
  readonly trusted: readonly Trusted[];
  /** Version that is watched, 0 for none. */
  readonly watched: number;
  readonly watch: DriftWatchState | undefined;
  readonly recent: TaskOutcomes;
  readonly sinceMicros: number;
}

export class PolicyWatches {
  private trial: { readonly arrivals: (readonly number[])[]; readonly ends: EndedUnder[] } | undefined;
  private readonly trusted = new Map<number, Trusted>();
  private watched: (Trusted & { readonly watch: DriftWatch; readonly recent: RecentTasks }) | undefined;
  /** Tasks that came until then are not the watched policy's. */
  private sinceMicros = 0;

  /** Whether anybody looks at tasks that come. */
  get wantsArrivals(): boolean {
    return this.trial !== undefined || this.watched !== undefined;
  }

  /** Time between two looks at guards of the present moment, `Infinity` if there are none. */
  get lookMicros(): number {
    const plan = this.watched?.plan;
    return plan?.guards.some(({ metric }) => isOfTheMoment(metric)) === true
      ? plan.lookMicros
      : Number.POSITIVE_INFINITY;
  }

  /** What serves alone, as guards look at it. */
  get guarded(): Guarded | undefined {
    return this.watched;
  }

  /** What the watch sees; undefined if there is none. */
  look(): WatchLook | undefined {
    return this.watched?.watch.look();
  }

  /** A candidate is shadow from now on, or in its canary; nothing happens if it was before. */
  beginTrial(): void {
    this.trial ??= { arrivals: [], ends: [] };
  }

  /** What the trial has shown becomes what the policy is held to. */
  promoted(version: number, plan: RolloutPlan, training: ReadonlyMap<string, InputDistribution>): void {
    const { drift } = plan;
    if (drift === undefined || drift.response === 'none') return;
    const reference = driftReference(this.trial ?? { arrivals: [], ends: [] }, training, drift);
    this.trusted.set(version, { version, plan, drift, reference });
  }

  /** No trial goes on; the last of these versions serves alone from now on, and the others may again. */
  serve(good: readonly { readonly version: number }[], nowMicros: number): void {
    this.trial = undefined;
    for (const version of this.trusted.keys())
      if (!good.some((each) => each.version === version)) this.trusted.delete(version);
    const version = good.at(-1)?.version ?? 0;
    if (this.watched?.version === version) return;
    this.watch(version);
    this.sinceMicros = nowMicros;
  }

  /** Nobody looks until another policy serves. */
  stop(): void {
    this.watched = undefined;
  }

  /** What is seen until now is not the watched policy's doing: another one serves in turns with it, or the kernel was down. */
  skip(nowMicros: number): void {
    this.sinceMicros = nowMicros;
    this.watched?.watch.interrupt();
  }

  /** A task came. Returns what is breached; empty if nothing is. */
  arrivedTask(inputs: readonly number[]): string {
    if (this.trial !== undefined) keep(this.trial.arrivals, inputs);
    return this.watched?.watch.arrivedTask(inputs) ?? '';
  }

  /** A task of the candidate on trial ended. */
  triedTask(slowdown: number, task: WatchedTask, ending: TaskEnding): void {
    if (this.trial !== undefined) keep(this.trial.ends, { slowdown, ...serviceOf(task, ending) });
  }

  /** A task ended while one policy serves alone. Returns what is breached, as above. */
  endedTask(task: WatchedTask, ending: TaskEnding, host: GuardedHost, nowMicros: number): string {
    const { watched } = this;
    if (watched === undefined || task.submittedMicros <= this.sinceMicros) return '';
    const slowdown = slowdownOf(task, nowMicros, watched.plan.canary.slowdownFloorMicros);
    watched.recent.add(slowdown, !ending.completed);
    const drift = watched.watch.endedTask({ slowdown, ...serviceOf(task, ending) });
    return drift === '' ? this.breach(host, nowMicros) : drift;
  }

  /** The guard that is breached now; empty if none is. */
  breach(host: GuardedHost, nowMicros: number): string {
    const { watched } = this;
    return watched === undefined ? '' : guardBreach(watched.plan.guards, watched.recent, host, nowMicros);
  }

  save(): PolicyWatchesState {
    const { trial, watched, sinceMicros } = this;
    return {
      trial: trial === undefined ? undefined : { arrivals: [...trial.arrivals], ends: [...trial.ends] },
      trusted: [...this.trusted.values()],
      watched: watched?.version ?? 0,
      watch: watched?.watch.save(),
      recent: watched?.recent.save() ?? [],
      sinceMicros,
    };
  }

  restore(state: PolicyWatchesState): void {
    const { trial, trusted, watched, watch, recent, sinceMicros } = state;
    if (trial !== undefined) this.trial = { arrivals: [...trial.arrivals], ends: [...trial.ends] };
    for (const each of trusted) this.trusted.set(each.version, each);
    this.watch(watched);
    if (watch !== undefined) this.watched?.watch.restore(watch);
    this.watched?.recent.restore(recent);
    this.sinceMicros = sinceMicros;
  }

  private watch(version: number): void {
    const trusted = this.trusted.get(version);
    this.watched =
      trusted === undefined
        ? undefined
        : {
            ...trusted,
            watch: new DriftWatch(trusted.reference, trusted.drift),
            recent: new RecentTasks(trusted.plan.guards),
          };
  }
}

/** Nothing is said of the service of a task that did not complete. */
function serviceOf(
  { estimateMicros }: WatchedTask,
  { completed, serviceMicros }: TaskEnding,
): Pick<EndedUnder, 'serviceLog'> {
  return completed && serviceMicros > 0 ? { serviceLog: fixedLog(serviceMicros / Math.max(1, estimateMicros)) } : {};
}

function keep<Value>(values: Value[], value: Value): void {
  if (values.push(value) > trialTasksMax) values.shift();
}
