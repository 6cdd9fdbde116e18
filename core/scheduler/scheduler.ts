// The scheduling cycle, top to bottom: select a task (QueueSort), find its machine (Filter, Score), take the resources
// (Reserve), hand it out (Bind); and what happens to a task that cannot be placed. The scheduler owns the cluster's columns,
// the queue and the attempts that hold resources; who the agents are and how they are told is the kernel's part.

import { assert } from '../base/assert.ts';
import { type FaultSwitch, noFaults } from '../base/fault-points.ts';
import type { RandomStream } from '../base/random.ts';
import type { KernelSettingTable } from '../config/kernel-setting-table.ts';
import type { Settings } from '../config/settings.ts';
import { backoffDelay } from './backoff-delay.ts';
import { ClusterState, holdAgent } from './cluster-state.ts';
import type { ConservativeBackfill } from './conservative-backfill.ts';
import type { DecisionOutcome, DecisionRule } from './decision.ts';
import type { Placement, Profile } from './framework.ts';
import { FreedMachines } from './freed-machines.ts';
import { type Gang, type GangReference, Gangs } from './gangs.ts';
import type { Begun, GangFacts } from './place-gang.ts';
import { placeTask } from './place-task.ts';
import { Placer } from './placer.ts';
import { Preemptor } from './preemptor.ts';
import { moveWaiting, type ProfileParts, profileParts } from './profile-parts.ts';
import { RequestKindTable } from './request.ts';
import { type Reservation, reservedMachines } from './reservation.ts';
import type { MoreParts, SchedulerOutput, SchedulerSnapshot } from './scheduler-output.ts';
import type { Attempt, Task } from './task.ts';

export type { SchedulerOutput, SchedulerSnapshot };

/** Why a task is placed now, and what it keeps off. */
type PlaceFacts = Pick<GangFacts, 'rule' | 'shadowMicros' | 'excluded'>;
const inOrder: PlaceFacts = { rule: 'in order', shadowMicros: -1, excluded: undefined };

export class Scheduler {
  readonly cluster = new ClusterState();
  readonly kinds = new RequestKindTable(this.cluster.models);
  /** Attempts that hold resources, by number, in order of placement. */
  readonly attempts: ReadonlyMap<number, Attempt>;
  parts: ProfileParts;
  private readonly placer: Placer;
  private readonly settings: Settings<KernelSettingTable>;
  private readonly faults: FaultSwitch;
  /** `block`: the task that the queue waits for. */
  private pinned: Task | undefined;
  private readonly freed = new FreedMachines();
  /** Tasks that have evicted others and wait for their machines. */
  private readonly preemptor: Preemptor;
  private readonly gangs = new Gangs();

  constructor(profile: Profile, random: RandomStream, settings: Settings<KernelSettingTable>, more: MoreParts = {}) {
    this.faults = more.faults ?? noFaults;
    this.settings = settings;
    const changed = (attempt: Attempt, sign: 1 | -1): void => {
      this.parts.easy.void();
      this.parts.order.changed?.(attempt.task, sign);
    };
    this.placer = new Placer(this.cluster, profile, random, settings, changed, more);
    this.attempts = this.placer.attempts;
    this.preemptor = new Preemptor(this.placer, settings);
    this.parts = profileParts(profile, this.cluster, this.placer);
  }

  /** The profile in force. */
  get profile(): Profile {
    return this.parts.profile;
  }

  /** Decides by another profile from now on, as that policy's `version` in decision records. What runs goes on; what waits is
   *  looked at anew. Plans and reservations of the profile before are void. */
  adopt(profile: Profile, version: number, nowMicros: number): void {
    const { parts } = this;
    this.pinned = undefined;
    this.isCut = false;
    this.placer.adopt(profile);
    this.placer.policyVersion = version;
    this.parts = profileParts(profile, this.cluster, this.placer);
    for (const attempt of this.attempts.values()) this.parts.order.changed?.(attempt.task, 1);
    for (const machine of moveWaiting(parts.queue, this.parts.queue, this.preemptor, nowMicros))
      this.freed.note(machine);
    // A plan looks at arrivals or room alone.
    this.arrived = this.parts.queue.size > 0;
  }

  /** Lets another profile's placement decide beside the one in force; its choice is in decision records and changes nothing. */
  shadow(profile: Profile | undefined): void {
    this.placer.setShadow(profile);
  }

  get placement(): Placement {
    return this.placer.placement;
  }
  get queueLength(): number {
    return this.parts.queue.size + this.preemptor.size + this.gangs.hiddenCount;
  }
  get nextBackoffMicros(): number {
    return this.parts.queue.nextBackoffMicros;
  }

  /** True if a cycle might place or drop something: an active task, or a waiting one and a freed machine. */
  get hasWork(): boolean {
    if (this.isCut && this.parts.queue.size > 0) return true;
    if (this.parts.planner !== undefined) return this.parts.queue.size > 0 && (this.freed.any || this.arrived);
    if (this.freed.any && this.preemptor.size > 0) return true;
    if (this.pinned !== undefined) return this.freed.any || (this.profile.backfill !== 'none' && this.arrived);
    return this.parts.queue.activeLineCount > 0 || (this.freed.any && this.parts.queue.size > 0);
  }

  /** True since a task was added after the last cycle: backfilling looks at newcomers although the head stays blocked. */
  private arrived = false;
  /** True if the last cycle ended before it had looked at all. */
  private isCut = false;

  enqueue(task: Task, nowMicros: number): void {
    task.state = 'waiting';
    this.parts.queue.add(task, nowMicros);
    this.arrived = true;
  }

  /** A new task that must start together with the others of its gang. */
  enqueueMember(task: Task, reference: GangReference, nowMicros: number): void {
    const gang = this.gangs.join(task, reference, nowMicros);
    if (gang !== undefined) this.enqueue(gang.members[0] as Task, nowMicros);
  }

  /** Takes a waiting task out of whichever part of the queue holds it. Returns the others of its gang, which cannot start
   *  without it: they are out as well. `shedTo`: it is given up for want of room; the decision goes there. */
  withdraw(task: Task, shedTo?: SchedulerOutput): readonly Task[] {
    if (shedTo !== undefined) this.decide(task, 'dropped', 'shed', shedTo);
    const standing = this.gangs.standing(task);
    if (standing === undefined) return this.gangs.separate(task).filter((member) => member !== task);
    this.unpin(standing);
    // What was set aside for it is free for others.
    for (const machine of this.parts.planner?.forget(standing) ?? []) this.freed.note(machine);
    const machines = this.preemptor.withdraw(standing);
    if (machines !== undefined) {
      this.parts.easy.void();
      for (const machine of machines) this.freed.note(machine);
    } else if (this.parts.queue.contains(standing)) this.parts.queue.remove(standing);
    else assert(this.parts.queue.removeBackingOff(standing), 'a waiting task is in the queue');
    return this.gangs.separate(task).filter((member) => member !== task);
  }

  /** The agent has begun the attempt's work. */
  started(attempt: Attempt, nowMicros: number): void {
    attempt.state = 'running';
    attempt.startedMicros = nowMicros;
    this.parts.easy.void();
  }

  /** To be called before a finished attempt is released. `never` sees arrivals before releases and releases one by one, as its
   *  published schedules do: what two releases of one instant free together another task may take after the first. */
  beforeRelease(nowMicros: number, output: SchedulerOutput): void {
    if (this.profile.backfill === 'never' && this.hasWork) this.cycle(nowMicros, output);
  }

  /** Returns the resources of an attempt. */
  release(attempt: Attempt): void {
    this.placer.release(attempt);
    for (const machine of attempt.machines) this.freed.note(machine);
  }

  /** A machine joins, leaves or drains. */
  setSchedulable(machine: number, schedulable: boolean): void {
    this.setHold(machine, holdAgent, !schedulable);
  }

  /** Keeps a machine from new tasks for one reason more, or one less. */
  setHold(machine: number, hold: number, held: boolean): void {
    this.cluster.setHold(machine, hold, held);
    this.parts.easy.void();
    if (!held) this.freed.note(machine);
  }

  /** Ends back-offs that are due; the next cycle tries those tasks. */
  endBackoffs(nowMicros: number): void {
    if (this.parts.queue.endBackoffs(nowMicros) > 0) this.arrived = true;
  }

  /** When the waiting task is to start at the latest by the estimates, `Infinity` if that is not planned. */
  plannedStart(task: Task): number {
    return this.parts.planner?.startOf(task) ?? Number.POSITIVE_INFINITY;
  }

  /** When a gang will have waited too long for its last member, `Infinity` if none waits. */
  get nextGangTimeoutMicros(): number {
    const { oldestMicros } = this.gangs;
    return oldestMicros === Infinity ? Infinity : oldestMicros + this.settings.get('scheduler.gangTimeoutMicros');
  }

  /** Gives up the gangs that have waited too long for a member. */
  dropIncompleteGangs(nowMicros: number, output: SchedulerOutput): void {
    while (this.nextGangTimeoutMicros <= nowMicros) {
      for (const member of this.gangs.separate((this.gangs.oldest as Gang).members[0] as Task)) {
        this.decide(member, 'dropped', 'incomplete gang', output);
        output.dropped(member);
      }
    }
  }

  /** One scheduling cycle. Every placement leaves a decision, and so does the first time that a task was tried in vain. */
  cycle(nowMicros: number, output: SchedulerOutput): void {
    this.isCut = false;
    if (this.faults.fires('scheduler.lostScores')) this.placer.index.forget();
    if (this.parts.planner !== undefined) {
      this.cycleByPlan(this.parts.planner, nowMicros, output);
      return;
    }
    this.placeAfterEviction(nowMicros, output);
    this.unparkFitting();
    this.arrived = false;
    for (;;) {
      const task = this.pinned ?? this.parts.queue.select(nowMicros);
      if (task === undefined) break;
      const attempt = this.place(task, nowMicros, output);
      if (attempt !== undefined) {
        if (this.profile.unplaced === 'skip' && this.profile.overtakeMax > 0) this.countOvertaking(task, nowMicros);
        this.isCut = this.profile.backfill === 'none' && this.faults.fires('scheduler.shortCycle');
        if (this.isCut) break;
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
          this.parts.queue.park(task);
          break;
        case 'backoff':
          this.decide(task, 'backs off', 'in order', output);
          this.parts.queue.backOff(task, nowMicros + backoffDelay(task.backoffs++, this.settings));
          break;
        case 'drop':
          this.decide(task, 'dropped', 'in order', output);
          this.parts.queue.remove(task);
          for (const member of this.gangs.separate(task)) output.dropped(member);
          break;
      }
    }
  }

  save(): SchedulerSnapshot {
    return {
      queue: this.parts.queue.save(),
      held: this.preemptor.save(),
      gangs: this.gangs.save(),
      plans: this.parts.planner?.save() ?? [],
      pinned: this.pinned?.task ?? 0,
      freed: this.freed.save(),
      arrived: this.arrived,
      ...(this.isCut ? { isCut: true } : {}),
      shadowMicros: this.parts.easy.keptShadowMicros,
      decisionCount: this.placer.decisionCount,
      policyVersion: this.placer.policyVersion,
      ties: this.placer.saveTies(),
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
    this.gangs.restore(snapshot.gangs, tasks);
    this.parts.planner?.restore(snapshot.plans, tasks);
    this.parts.queue.restore(snapshot.queue, tasks, nowMicros);
    this.preemptor.restore(snapshot.held, tasks);
    this.pinned = snapshot.pinned === 0 ? undefined : tasks.get(snapshot.pinned);
    this.freed.restore(snapshot.freed);
    this.arrived = snapshot.arrived;
    this.isCut = snapshot.isCut ?? false;
    this.parts.easy.restore(snapshot.shadowMicros);
    this.placer.decisionCount = snapshot.decisionCount;
    this.placer.policyVersion = snapshot.policyVersion;
    this.placer.restoreTies(snapshot.ties);
  }

  get attemptsBegun(): number {
    return this.placer.attemptCount;
  }

  /** Filter, Score, Reserve, Bind. Returns undefined if no machine, or too few, can take the task. */
  private place(task: Task, nowMicros: number, output: SchedulerOutput, facts = inOrder): Attempt | undefined {
    const begun = placeTask(task, this.placer, { ...facts, nowMicros, queueLength: this.queueLength });
    if (begun === undefined) return undefined;
    this.leaveQueue(task);
    if (task.gang !== undefined) this.gangs.dissolve(task.gang);
    for (const each of begun) this.bind(each, output);
    return begun[0]?.attempt;
  }

  private leaveQueue(task: Task): void {
    this.parts.queue.remove(task);
    this.unpin(task);
  }

  private unpin(task: Task): void {
    if (this.pinned !== task) return;
    this.pinned = undefined;
    this.parts.easy.forget();
  }

  private bind({ attempt, record }: Begun, output: SchedulerOutput): void {
    const { task } = attempt;
    task.state = 'placed';
    task.attempts++;
    output.decided(record);
    output.placed(attempt);
  }

  /** Preempt: running tasks of lower priority are stopped, if that makes room, and their machines held for `task`. */
  private evict(task: Task, nowMicros: number, output: SchedulerOutput): boolean {
    const evicted = this.parts.preempts ? this.preemptor.evict(task, nowMicros, this.queueLength) : undefined;
    if (evicted === undefined) return false;
    this.parts.easy.void();
    this.leaveQueue(task);
    output.decided(evicted.record);
    for (const victim of evicted.eviction.victims) output.evicted(victim);
    return true;
  }

  /** Tasks whose victims are gone get their machines before anybody else looks at them. */
  private placeAfterEviction(nowMicros: number, output: SchedulerOutput): void {
    while (this.preemptor.size > 0) {
      const ready = this.preemptor.takeReady(nowMicros, this.queueLength);
      if (ready === undefined) return;
      this.parts.easy.void();
      const { task, begun } = ready;
      // A machine was lost meanwhile: the task waits as before.
      if (begun === undefined) this.parts.queue.add(task, nowMicros);
      else this.bind(begun, output);
      // There may be room for others.
      for (const machine of ready.machines) this.freed.note(machine);
    }
  }

  /** EASY: later tasks may start now if that does not delay the blocked head by the estimates. */
  private backfill(head: Task, nowMicros: number, output: SchedulerOutput): void {
    const waiting = this.parts.queue.bySubmission();
    const start = (task: Task, reserved: Reservation | undefined, shadowMicros: number): boolean => {
      const excluded = reserved === undefined ? undefined : reservedMachines(reserved);
      return this.place(task, nowMicros, output, { rule: 'backfilled', shadowMicros, excluded }) !== undefined;
    };
    this.parts.easy.backfill(head, waiting, this.attempts.values(), this.cluster, nowMicros, start);
  }

  /** Conservative backfilling: plans for all that wait, and starts what can start now. */
  private cycleByPlan(planner: ConservativeBackfill, nowMicros: number, output: SchedulerOutput): void {
    const hasRoom = this.freed.any;
    this.freed.clear();
    this.arrived = false;
    const depthMax = this.settings.get('scheduler.reservationDepthMax');
    planner.plan(this.parts.queue.inOrder(nowMicros), hasRoom, depthMax, nowMicros, {
      queueLength: () => this.queueLength,
      started: (task, begun) => {
        this.leaveQueue(task);
        this.gangs.separate(task);
        for (const each of begun) this.bind(each, output);
      },
      waits: (task) => this.explainWait(task, output),
    });
  }

  /** Bounds starvation: after `overtakeMax` later placements the first waiting task blocks the queue until it fits. */
  private countOvertaking(placed: Task, nowMicros: number): void {
    const head = this.parts.queue.head(nowMicros);
    if (head === undefined || !this.parts.queue.precedes(head, placed, nowMicros)) return;
    head.overtaken++;
    if (head.overtaken >= this.profile.overtakeMax) this.pinned = head;
  }

  private unparkFitting(): void {
    if (this.freed.any && this.parts.queue.parkedLineCount > 0) {
      const running = this.parts.preempts ? [...this.attempts.values()] : undefined;
      this.parts.queue.unpark((task) => this.freed.some((machine) => this.preemptor.mayFit(task, machine, running)));
    }
    this.freed.clear();
  }

  /** One record a task says why it waits; a task that is tried again and again would drown what matters. */
  private explainWait(task: Task, output: SchedulerOutput): void {
    if (task.explained) return;
    task.explained = true;
    this.decide(task, 'waits', 'in order', output);
  }

  private decide(task: Task, outcome: DecisionOutcome, rule: DecisionRule, output: SchedulerOutput): void {
    // Nobody has looked for a machine for it just now.
    if (rule === 'shed' || rule === 'incomplete gang') this.placer.index.consider(task.kind);
    output.decided(this.placer.explain(task, { outcome, rule, queueLength: this.queueLength }));
  }
}
