// Rollouts of scheduling policies: hands what control learns of tasks to the state machine in core/policy, and puts the profile
// that is to serve into the scheduler. A profile never changes in the midst of a scheduling cycle: what a cycle's own outcome
// brings about happens right after it, within the same input.

import { fromBase64 } from '../base/base64.ts';
import type { WatchedTask } from '../policy/canary.ts';
import type { InputDistribution } from '../policy/input-distribution.ts';
import { readPolicyArtifact } from '../policy/policy-artifact.ts';
import type { TaskEnding } from '../policy/policy-watches.ts';
import { logOfOnePlus, queueOrderSchema } from '../policy/queue-features.ts';
import type { PolicyVersion, RolloutCommand, RolloutEvent, RolloutHost, RolloutsState } from '../policy/rollout.ts';
import { type GuardReading, readGuards } from '../policy/rollout-guards.ts';
import { Rollouts } from '../policy/rollouts.ts';
import { checkPlacement, findQueueOrder } from '../scheduler/catalogue.ts';
import { demandShareOf } from '../scheduler/demand-share.ts';
import type { Profile } from '../scheduler/framework.ts';
import type { Scheduler } from '../scheduler/scheduler.ts';
import type { Task } from '../scheduler/task.ts';

const unplacedRules = ['block', 'skip', 'backoff', 'drop'];
const backfillRules = ['none', 'never', 'avoidReserved', 'conservative'];

export class PolicyRollouts implements RolloutHost<Profile> {
  readonly machine: Rollouts<Profile>;
  private readonly scheduler: Scheduler;
  private readonly tasks: ReadonlyMap<number, Task>;
  private readonly tell: (event: RolloutEvent) => void;
  private nowMicros = 0;
  private isScheduling = false;
  private waiting: PolicyVersion<Profile> | undefined;

  /** `seed`: of the coins that say which arm of a pair goes first. */
  constructor(
    scheduler: Scheduler,
    tasks: ReadonlyMap<number, Task>,
    seed: number,
    tell: (event: RolloutEvent) => void,
  ) {
    this.scheduler = scheduler;
    this.tasks = tasks;
    this.tell = tell;
    const { profile } = scheduler;
    this.machine = new Rollouts({ name: profile.name, policy: profile }, seed, this);
  }

  /** A person or the pipeline asks; returns why not, or nothing. */
  command(command: RolloutCommand<Profile>, who: string, why: string, nowMicros: number): string {
    this.nowMicros = nowMicros;
    if (who.length === 0 || who.length > 200 || why.length > 1000)
      return 'a change says who made it (1 to 200 characters) and why (at most 1,000)';
    return this.machine.command(command, { who, why }, nowMicros);
  }

  submitted(task: WatchedTask, nowMicros: number): void {
    this.nowMicros = nowMicros;
    this.machine.submitted(task, nowMicros);
  }

  ended(task: WatchedTask, ending: TaskEnding, nowMicros: number): void {
    this.nowMicros = nowMicros;
    this.machine.ended(task, ending, nowMicros);
  }

  fire(nowMicros: number): void {
    this.nowMicros = nowMicros;
    this.machine.fire(nowMicros);
  }

  interrupted(pausedMicros: number, nowMicros: number): void {
    this.nowMicros = nowMicros;
    this.machine.interrupted(pausedMicros, nowMicros);
  }

  shadowDecided(agrees: boolean, nowMicros: number): void {
    this.nowMicros = nowMicros;
    this.machine.shadowDecided(agrees, nowMicros);
  }

  /** Runs something of the scheduler during which profiles may not change. */
  scheduling(cycle: () => void): void {
    this.isScheduling = true;
    cycle();
    this.isScheduling = false;
    const { waiting } = this;
    this.waiting = undefined;
    if (waiting !== undefined) this.serve(waiting);
  }

  save(): RolloutsState<Profile> | undefined {
    return this.machine.isUntouched ? undefined : this.machine.save();
  }

  /** Before the scheduler is restored. */
  restore(state: RolloutsState<Profile> | undefined): void {
    if (state === undefined) return;
    this.machine.restore(state);
    const { policy, version } = this.machine.serves;
    if (version !== 1) this.scheduler.adopt(policy, version, 0);
    this.scheduler.shadow(this.machine.shadows?.policy);
  }

  serve(version: PolicyVersion<Profile>): void {
    if (this.isScheduling) this.waiting = version;
    else this.scheduler.adopt(version.policy, version.version, this.nowMicros);
  }

  shadow(version: PolicyVersion<Profile> | undefined): void {
    this.scheduler.shadow(version?.policy);
  }

  /** What the guards see of who is guarded now; empty if nobody is. */
  guardReadings(nowMicros: number): GuardReading[] {
    const { guarded } = this.machine;
    return guarded === undefined ? [] : readGuards(guarded, this, nowMicros);
  }

  objection(profile: Profile): string {
    const { cluster } = this.scheduler;
    if (!unplacedRules.includes(profile.unplaced)) return `no rule for unplaced tasks is called "${profile.unplaced}"`;
    if (!backfillRules.includes(profile.backfill)) return `no backfilling is called "${profile.backfill}"`;
    if (profile.backfill === 'conservative' && (profile.preempt ?? 'never') !== 'never')
      return 'what conservative backfilling promises a start cannot be evicted';
    if (!(profile.overtakeMax >= 0)) return 'a bound on overtaking is 0 or more';
    if (JSON.stringify(profile.scaling) !== JSON.stringify(this.machine.good[0]?.policy.scaling))
      return 'a rollout changes who is placed where, not how many agents there are: leave `scaling` as it is';
    try {
      const { artifact, tenantWeights = {} } = profile;
      findQueueOrder(profile.order, { cluster, tenantWeights, artifact, attempts: () => [] });
      const needsTypical = checkPlacement(profile.place, artifact);
      const hasTypical = Array.isArray(profile.typicalTasks);
      if (!hasTypical) return 'a policy has a list of typical tasks, if an empty one';
      if (needsTypical && profile.typicalTasks.length === 0)
        return `placement "${profile.place}" needs the tasks of a typical workload, and there are none`;
    } catch (error) {
      return (error as Error).message;
    }
    return '';
  }

  inputsOf({ task: number }: WatchedTask): readonly number[] {
    const task = this.tasks.get(number) as Task;
    const share = demandShareOf(task.kind, this.scheduler.cluster);
    const estimateSeconds = task.estimateMicros / 1e6;
    return [logOfOnePlus(estimateSeconds), share, logOfOnePlus(estimateSeconds * share)];
  }

  trainedOn({ artifact }: Profile): ReadonlyMap<string, InputDistribution> {
    const trained = new Map<string, InputDistribution>();
    const bytes = artifact === undefined ? undefined : fromBase64(artifact);
    if (bytes === undefined) return trained;
    const { schema, features } = readPolicyArtifact(bytes).manifest;
    if (schema !== queueOrderSchema) return trained;
    for (const { name, distribution } of features) if (distribution !== undefined) trained.set(name, distribution);
    return trained;
  }

  changed(event: RolloutEvent): void {
    this.tell(event);
  }

  oldestWaitingMicros(): number {
    // Tasks are kept in order of submission.
    for (const task of this.tasks.values()) if (task.state === 'waiting') return task.submittedMicros;
    return Number.POSITIVE_INFINITY;
  }

  queueLength(): number {
    return this.scheduler.queueLength;
  }
}
