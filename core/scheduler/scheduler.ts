// The scheduling cycle, top to bottom: select a task (QueueSort), find its machine (Filter, Score), take the resources
// (Reserve), hand it out (Bind); and what happens to a task that cannot be placed. The scheduler owns the cluster's columns,
// the queue and the attempts that hold resources; who the agents are and how they are told is the kernel's part.

import { assert } from '../base/assert.ts';
import { powerOfTwo } from '../base/float-bits.ts';
import type { RandomStream } from '../base/random.ts';
import type { KernelSettingTable } from '../config/kernel-setting-table.ts';
import type { Settings } from '../config/settings.ts';
import { findQueueOrder } from './catalogue.ts';
import { chooseVictims, victimsByMachine, wouldFit } from './choose-victims.ts';
import { ClusterState, holdAgent } from './cluster-state.ts';
import type { DecisionOutcome, DecisionRecord, DecisionRule } from './decision.ts';
import type { Placement, Profile } from './framework.ts';
import { HeldMachines, type HeldMachinesSnapshot } from './held-machines.ts';
import { Placer } from './placer.ts';
import type { RequestKind } from './request.ts';
import { RequestKindTable } from './request.ts';
import { type Reservation, reserve } from './reservation.ts';
import type { Attempt, Task } from './task.ts';
import { TaskQueue } from './task-queue.ts';

/** What the kernel learns from a cycle, in order. */
export interface SchedulerOutput {
  /** Bind: the attempt holds its resources and must be dispatched. */
  placed(attempt: Attempt): void;
  /** The policy gives the task up. */
  dropped(task: Task): void;
  decided(record: DecisionRecord): void;
  /** Stop the attempt: a task of higher priority needs its room. Its resources are released when it has stopped. */
  evicted(attempt: Attempt): void;
}

/** The scheduler's part of a snapshot. Attempts and tasks are the kernel's to save. */
export interface SchedulerSnapshot {
  readonly queue: ReturnType<TaskQueue['save']>;
  readonly held: HeldMachinesSnapshot;
  readonly pinned: number;
  readonly freed: readonly number[];
  readonly arrived: boolean;
  /** The pinned task's shadow time where it is kept as first computed, −1 if there is none. */
  readonly shadowMicros: number;
  readonly decisionCount: number;
  readonly policyVersion: number;
}

const freedMax = 1024;

export class Scheduler {
  readonly cluster = new ClusterState();
  readonly kinds = new RequestKindTable(this.cluster.models);
  readonly profile: Profile;
  /** Attempts that hold resources, by number, in order of placement. */
  readonly attempts: ReadonlyMap<number, Attempt>;
  private readonly placer: Placer;
  private readonly queue: TaskQueue;
  private readonly settings: Settings<KernelSettingTable>;
  /** `block`: the task that the queue waits for. */
  private pinned: Task | undefined;
  /** What is reserved for the pinned task. `never` keeps it until the task starts; otherwise any change voids it. */
  private reservation: Reservation | undefined;
  /** Machines that gained room since the last cycle; more than `freedMax` means any may have. */
  private freed: number[] = [];
  /** Tasks that have evicted others and wait for their machines. */
  private readonly held: HeldMachines;
  private readonly preempts: boolean;
  /** Shadow time of the backfilling under way. */
  private backfillShadowMicros = -1;

  constructor(profile: Profile, random: RandomStream, settings: Settings<KernelSettingTable>) {
    this.profile = profile;
    this.settings = settings;
    this.preempts = profile.preempt === 'lowerPriority';
    this.queue = new TaskQueue(findQueueOrder(profile.order), this.preempts);
    this.placer = new Placer(this.cluster, profile, random, settings, () => this.voidReservation());
    this.attempts = this.placer.attempts;
    this.held = new HeldMachines(this.cluster);
  }

  get placement(): Placement {
    return this.placer.placement;
  }

  get queueLength(): number {
    return this.queue.size + this.held.size;
  }

  get nextBackoffMicros(): number {
    return this.queue.nextBackoffMicros;
  }

  /** True if a cycle might place or drop something: an active task, or a waiting one and a freed machine. */
  get hasWork(): boolean {
    if (this.freed.length > 0 && this.held.size > 0) return true;
    if (this.pinned !== undefined) return this.freed.length > 0 || (this.profile.backfill !== 'none' && this.arrived);
    return this.queue.activeLineCount > 0 || (this.freed.length > 0 && this.queue.size > 0);
  }

  /** True since a task was added after the last cycle: backfilling looks at newcomers although the head stays blocked. */
  private arrived = false;

  enqueue(task: Task, nowMicros: number): void {
    task.state = 'waiting';
    this.queue.add(task, nowMicros);
    this.arrived = true;
  }

  /** Takes a waiting task out of whichever part of the queue holds it. */
  withdraw(task: Task): void {
    if (this.pinned === task) this.unpin();
    const machines = this.held.withdraw(task);
    if (machines !== undefined) {
      this.voidReservation();
      for (const machine of machines) this.noteFreed(machine);
    } else if (this.queue.contains(task)) this.queue.remove(task);
    else assert(this.queue.removeBackingOff(task), 'a waiting task is in the queue');
  }

  /** The agent has begun the attempt's work. */
  started(attempt: Attempt, nowMicros: number): void {
    attempt.state = 'running';
    attempt.startedMicros = nowMicros;
    this.voidReservation();
  }

  /** To be called before a finished attempt is released. `never` sees arrivals before releases and releases one by one, as its
   *  published schedules do: what two releases of one instant free together another task may take after the first. */
  beforeRelease(nowMicros: number, output: SchedulerOutput): void {
    if (this.profile.backfill === 'never' && this.hasWork) this.cycle(nowMicros, output);
  }

  /** Returns the resources of an attempt. */
  release(attempt: Attempt): void {
    this.placer.release(attempt);
    for (const machine of attempt.machines) this.noteFreed(machine);
  }

  /** A machine joins, leaves or drains. */
  setSchedulable(machine: number, schedulable: boolean): void {
    this.setHold(machine, holdAgent, !schedulable);
  }

  /** Keeps a machine from new tasks for one reason more, or one less. */
  setHold(machine: number, hold: number, held: boolean): void {
    this.cluster.setHold(machine, hold, held);
    this.voidReservation();
    if (!held) this.noteFreed(machine);
  }

  /** Ends back-offs that are due; the next cycle tries those tasks. */
  endBackoffs(nowMicros: number): void {
    if (this.queue.endBackoffs(nowMicros) > 0) this.arrived = true;
  }

  /** One scheduling cycle. Every placement leaves a decision, and so does the first time that a task was tried in vain. */
  cycle(nowMicros: number, output: SchedulerOutput): void {
    this.placeAfterEviction(nowMicros, output);
    this.unparkFitting();
    this.arrived = false;
    for (;;) {
      const task = this.pinned ?? this.queue.select(nowMicros);
      if (task === undefined) break;
      const attempt = this.place(task, nowMicros, 'in order', undefined, output);
      if (attempt !== undefined) {
        if (this.profile.unplaced === 'skip' && this.profile.overtakeMax > 0) this.countOvertaking(task, nowMicros);
        continue;
      }
      if (this.evict(task, nowMicros, output)) continue;
      if (this.pinned !== undefined || this.profile.unplaced === 'block') {
        this.explainWait(task, output);
        this.pinned = task;
        if (this.profile.backfill !== 'none') this.backfill(task, nowMicros, output);
        break;
      }
      switch (this.profile.unplaced) {
        case 'skip':
          this.explainWait(task, output);
          this.queue.park(task);
          break;
        case 'backoff': {
          this.decide(task, 'backs off', 'in order', output);
          const delay = Math.min(
            this.settings.get('scheduler.backoffFirstMicros') * powerOfTwo(Math.min(task.backoffs, 30)),
            this.settings.get('scheduler.backoffMaxMicros'),
          );
          task.backoffs++;
          this.queue.backOff(task, nowMicros + delay);
          break;
        }
        case 'drop':
          this.decide(task, 'dropped', 'in order', output);
          this.queue.remove(task);
          output.dropped(task);
          break;
      }
    }
  }

  save(): SchedulerSnapshot {
    return {
      queue: this.queue.save(),
      held: this.held.save(),
      pinned: this.pinned?.task ?? 0,
      freed: [...this.freed],
      arrived: this.arrived,
      shadowMicros: this.keptShadowMicros,
      decisionCount: this.placer.decisionCount,
      policyVersion: this.placer.policyVersion,
    };
  }

  /** `attempts` hold their resources again; the cluster's machines have been added already, entirely free. */
  restore(
    snapshot: SchedulerSnapshot,
    tasks: ReadonlyMap<number, Task>,
    attempts: readonly Attempt[],
    attemptCount: number,
    nowMicros: number,
  ): void {
    for (const attempt of attempts) this.placer.hold(attempt);
    this.placer.attemptCount = attemptCount;
    this.queue.restore(snapshot.queue, tasks, nowMicros);
    this.held.restore(snapshot.held, tasks);
    this.pinned = snapshot.pinned === 0 ? undefined : tasks.get(snapshot.pinned);
    this.freed = [...snapshot.freed];
    this.arrived = snapshot.arrived;
    // Only its time is ever looked at again: `never` reserves no machines.
    if (snapshot.shadowMicros >= 0) this.reservation = { shadowMicros: snapshot.shadowMicros, machines: new Set() };
    this.placer.decisionCount = snapshot.decisionCount;
    this.placer.policyVersion = snapshot.policyVersion;
  }

  get attemptsBegun(): number {
    return this.placer.attemptCount;
  }

  /** Filter, Score, Reserve, Bind. Returns undefined if no machine, or too few, can take the task. */
  private place(
    task: Task,
    nowMicros: number,
    rule: DecisionRule,
    reservation: Reservation | undefined,
    output: SchedulerOutput,
  ): Attempt | undefined {
    const machines = this.placer.find(
      task.kind,
      reservation === undefined ? undefined : (machine) => reservation.machines.has(machine),
    );
    if (machines === undefined) return undefined;
    const shadowMicros = rule === 'backfilled' ? this.backfillShadowMicros : -1;
    const queueLength = this.queueLength;
    const { attempt, record } = this.placer.reserve(task, machines, nowMicros, { rule, shadowMicros, queueLength });
    this.queue.remove(task);
    if (this.pinned === task) this.unpin();
    this.bind(attempt, record, output);
    return attempt;
  }

  private bind(attempt: Attempt, record: DecisionRecord, output: SchedulerOutput): void {
    const { task } = attempt;
    task.state = 'placed';
    task.attempts++;
    output.decided(record);
    output.placed(attempt);
  }

  /** Preempt: stops running tasks of lower priority, if that makes room, and holds their machines for `task`. */
  private evict(task: Task, nowMicros: number, output: SchedulerOutput): boolean {
    if (!this.preempts) return false;
    const preemptionsMax = this.settings.get('scheduler.preemptionsMax');
    const eviction = chooseVictims(task, this.attempts.values(), this.cluster, nowMicros, preemptionsMax);
    if (eviction === undefined) return false;
    output.decided(
      this.placer.explain(task, { outcome: 'evicts', rule: 'in order', eviction, queueLength: this.queueLength }),
    );
    this.queue.remove(task);
    if (this.pinned === task) this.unpin();
    this.held.hold(task, eviction);
    this.voidReservation();
    for (const victim of eviction.victims) {
      victim.task.preemptions++;
      output.evicted(victim);
    }
    return true;
  }

  /** Tasks whose victims are gone get their machines before anybody else looks at them. */
  private placeAfterEviction(nowMicros: number, output: SchedulerOutput): void {
    for (;;) {
      const wait = this.held.takeReady((attempt) => !this.attempts.has(attempt));
      if (wait === undefined) return;
      this.voidReservation();
      const { task } = wait;
      const machines = this.placer.findAt(task.kind, wait.machines);
      if (machines === undefined) {
        // A machine was lost meanwhile: the task waits as before, and the others may have what is left.
        this.queue.add(task, nowMicros);
        for (const machine of wait.machines) this.noteFreed(machine);
        continue;
      }
      const queueLength = this.queueLength + 1;
      const { attempt, record } = this.placer.reserve(task, machines, nowMicros, {
        rule: 'after eviction',
        queueLength,
      });
      this.bind(attempt, record, output);
      // There may be room left for others.
      for (const machine of machines) this.noteFreed(machine);
    }
  }

  /** EASY: later tasks may start now if that does not delay the blocked head by the estimates. Tried in order of submission. */
  private backfill(head: Task, nowMicros: number, output: SchedulerOutput): void {
    this.reservation ??= reserve(head.kind, this.attempts.values(), this.cluster);
    const reservation = this.reservation;
    this.backfillShadowMicros = reservation.shadowMicros;
    const waiting: Task[] = [];
    this.queue.collectBySubmission(waiting);
    // Within one pass resources only shrink: what did not fit once need not be tried for its twins.
    const unfitting = new Set<RequestKind>();
    const unfittingBeside = new Set<RequestKind>();
    for (const task of waiting) {
      if (task === head) continue;
      const endsBefore = nowMicros + task.estimateMicros < reservation.shadowMicros;
      if (!endsBefore && this.profile.backfill === 'never') continue;
      const tried = endsBefore ? unfitting : unfittingBeside;
      if (tried.has(task.kind)) continue;
      const attempt = this.place(task, nowMicros, 'backfilled', endsBefore ? undefined : reservation, output);
      if (attempt === undefined) tried.add(task.kind);
    }
  }

  private unpin(): void {
    this.pinned = undefined;
    this.reservation = undefined;
  }

  /** What the reservation was computed from has changed. */
  private voidReservation(): void {
    if (this.keptShadowMicros < 0) this.reservation = undefined;
  }

  /** The shadow time that holds whatever changes, −1 if none does. A task that fits at no known time has none to keep. */
  private get keptShadowMicros(): number {
    const shadowMicros = this.reservation?.shadowMicros ?? -1;
    return this.profile.backfill === 'never' && shadowMicros !== Number.POSITIVE_INFINITY ? shadowMicros : -1;
  }

  /** Bounds starvation: after `overtakeMax` later placements the first waiting task blocks the queue until it fits. */
  private countOvertaking(placed: Task, nowMicros: number): void {
    const head = this.queue.head(nowMicros);
    if (head === undefined || !this.queue.precedes(head, placed, nowMicros)) return;
    head.overtaken++;
    if (head.overtaken >= this.profile.overtakeMax) this.pinned = head;
  }

  private unparkFitting(): void {
    if (this.freed.length > freedMax) {
      this.queue.unpark(() => true);
    } else if (this.freed.length > 0 && this.queue.parkedLineCount > 0) {
      const running = this.preempts ? [...this.attempts.values()] : [];
      this.queue.unpark((task) => this.freed.some((machine) => this.mayFit(task, machine, running)));
    }
    this.freed.length = 0;
  }

  /** Whether a machine on which something has changed is worth a try. */
  private mayFit({ kind, priority }: Task, machine: number, running: readonly Attempt[]): boolean {
    if (this.placer.index.canFit(kind, machine)) return true;
    if (!this.preempts) return false;
    const there = running.filter((attempt) => attempt.machines.includes(machine));
    const victims = victimsByMachine(priority, there, this.settings.get('scheduler.preemptionsMax')).get(machine);
    return victims !== undefined && wouldFit(kind, machine, victims, this.cluster);
  }

  private noteFreed(machine: number): void {
    if (this.freed.length <= freedMax && this.freed[this.freed.length - 1] !== machine) this.freed.push(machine);
  }

  /** One record a task says why it waits; a task that is tried again and again would drown what matters. */
  private explainWait(task: Task, output: SchedulerOutput): void {
    if (task.explained) return;
    task.explained = true;
    this.decide(task, 'waits', 'in order', output);
  }

  private decide(task: Task, outcome: DecisionOutcome, rule: DecisionRule, output: SchedulerOutput): void {
    output.decided(this.placer.explain(task, { outcome, rule, queueLength: this.queueLength }));
  }
}
