// The promise of the scheduler, judged decision by decision against a second account of the cluster: a task is placed where it
// fits, on the best machine by its policy, when it is its turn; it waits only if it fits nowhere; it is overtaken no more often than
// the policy allows; evicting hurts only the less important, and no more of them than must go. For small clusters: it looks at
// every machine and every waiting task each time. Where a policy is more than it can follow, it says nothing.

import { microsPerMinute } from '../../core/base/time.ts';
import type { AgentRegistered, AgentStateChanged, Effect } from '../../core/kernel/effects.ts';
import type { AgentHello, InputBody, SettingChanged, TaskSubmitted } from '../../core/kernel/inputs.ts';
import { deviceCountMax } from '../../core/scheduler/cluster-state.ts';
import type { DecisionRecord } from '../../core/scheduler/decision.ts';
import type { Profile } from '../../core/scheduler/framework.ts';
import type { MachineSpec, WorkloadTask } from '../workload/workload.ts';
import type { WorldObserver } from '../world/observer.ts';
import { BackfillCheck } from './backfill-check.ts';
import { type Asking, ClusterModel, type ModelAttempt, type ModelMachine, type ModelTask } from './cluster-model.ts';
import { ConservativeCheck } from './conservative-check.ts';
import { leastLeft } from './least-left.ts';
import { bestMachine, queueKey } from './policy-model.ts';
import { StarvationCheck } from './starvation-check.ts';
import type { Fail } from './violation.ts';

export interface PlacementOptions {
  readonly machines: readonly MachineSpec[];
  readonly tasks: readonly WorkloadTask[];
  readonly profile: Profile;
  readonly queueLengthMax: number;
  readonly settings?: Readonly<Record<string, unknown>> | undefined;
  readonly heartbeat: { readonly intervalMicros: number };
  readonly journal?: unknown;
  readonly faultPointSeed?: number | undefined;
}

const attemptsMaxDefault = 16;
const preemptionsMaxDefault = 8;
const backoffMaxDefault = 5 * microsPerMinute;
/** The reason of machines that are kept for a task. */
const keptReason = 6;

export class PlacementOracle implements WorldObserver {
  private readonly options: PlacementOptions;
  private readonly fail: Fail;
  private readonly model: ClusterModel;
  private readonly backfill: BackfillCheck;
  private readonly starvation: StarvationCheck;
  private readonly conservative: ConservativeCheck | undefined;
  /** Whether turns are followed: gangs wait as one, and who evicts waits outside the queue. */
  private readonly followsTurns: boolean;
  /** Whether it is known when a machine that was kept for a task is open again: with `never` that is in the middle of an input. */
  private readonly followsKept: boolean;
  /** Whether devices are the fullest that fit. */
  private readonly packsDevices: boolean;
  /** Whether what fits may be taken: conservative backfilling keeps machines for whom they were promised to. */
  private readonly takesWhatFits: boolean;
  private queueLengthMax: number;
  private preemptionsMax: number;
  private change: SettingChanged | undefined;
  private hello: AgentHello | undefined;
  private submitted: TaskSubmitted | undefined;
  /** Submissions that were sent away once: what they hear again says nothing of now. */
  private readonly refused = new Set<number>();

  constructor(options: PlacementOptions, fail: Fail) {
    this.options = options;
    this.queueLengthMax = options.queueLengthMax;
    this.preemptionsMax =
      (options.settings?.['scheduler.preemptionsMax'] as number | undefined) ?? preemptionsMaxDefault;
    this.fail = fail;
    const { profile, settings, tasks } = options;
    this.model = new ClusterModel(
      options.machines,
      (settings?.['scheduler.attemptsMax'] as number | undefined) ?? attemptsMaxDefault,
    );
    this.followsKept = profile.backfill !== 'never' || (profile.preempt ?? 'never') === 'never';
    this.model.followsKept = this.followsKept;
    this.packsDevices = profile.place !== 'random' && profile.place !== 'fgd' && profile.backfill !== 'conservative';
    this.takesWhatFits = profile.backfill !== 'conservative';
    this.followsTurns =
      this.takesWhatFits &&
      (profile.preempt ?? 'never') === 'never' &&
      queueKey(profile, this.model) !== undefined &&
      tasks.every((task) => task.gang === undefined);
    this.backfill = new BackfillCheck(profile, this.model, fail);
    const backoffMaxMicros = (settings?.['scheduler.backoffMaxMicros'] as number | undefined) ?? backoffMaxDefault;
    const mayBeCut = options.journal !== undefined && options.faultPointSeed !== undefined;
    this.starvation = new StarvationCheck(
      { profile, heartbeat: options.heartbeat, backoffMaxMicros, mayBeCut },
      this.model,
      fail,
    );
    const plansAlone = profile.backfill === 'conservative' && tasks.every((task) => task.gang === undefined);
    this.conservative = plansAlone ? new ConservativeCheck(profile, this.model, fail) : undefined;
  }

  taskArrived(submission: number, task: WorkloadTask): void {
    this.model.taskArrived(submission, task);
  }

  kernelInput(input: InputBody, nowMicros: number, handledMicros = nowMicros): void {
    if (input.kind === 'settingChanged') this.change = input;
    if (input.kind === 'agentHello') this.hello = input;
    this.submitted = input.kind === 'taskSubmitted' ? input : undefined;
    if (this.followsTurns) this.backfill.inputDone();
    this.model.begin(input, handledMicros);
    this.starvation.inputBegins(input, handledMicros);
    if (this.followsTurns) this.backfill.inputBegins(input, handledMicros);
  }

  kernelEffect(effect: Effect, nowMicros: number, handledMicros = nowMicros): void {
    if (effect.kind === 'agentRegistered') this.judgeRegistration(effect, handledMicros);
    if (effect.kind === 'agentStateChanged') this.judgeReturn(effect, handledMicros);
    if (effect.kind === 'decisionMade') {
      this.judge(effect.record, handledMicros);
      this.starvation.decided(effect.record, handledMicros);
    }
    if (effect.kind === 'settingAnswered' && effect.refusal === '') this.setTo(effect.name);
    else if (effect.kind === 'submissionAccepted') this.judgeAcceptance(effect.submission, handledMicros);
    else if (effect.kind === 'submissionRefused' && effect.code === 'SIRA_QUEUE_FULL')
      this.judgeRefusal(effect.submission, handledMicros);
    this.model.effect(effect, handledMicros);
  }

  private setTo(name: string): void {
    const { value } = this.change as SettingChanged;
    if (name === 'scheduler.attemptsMax') this.model.attemptsMax = value;
    else if (name === 'scheduler.preemptionsMax') this.preemptionsMax = value;
    else if (name === 'scheduler.backoffMaxMicros') this.starvation.setTo(value);
    else if (name === 'scheduler.queueLengthMax') this.queueLengthMax = value;
  }

  /** A machine is what it was when it was first registered, or it is refused. */
  private judgeRegistration({ name, agent }: AgentRegistered, nowMicros: number): void {
    const spec = this.options.machines.find((machine) => machine.name === name);
    if (spec === undefined || this.hello?.name !== name) return;
    const { cpuMilli, memoryMib, gpuCount } = this.hello.resources;
    if (cpuMilli === spec.cpuMilli && memoryMib === spec.memoryMib && gpuCount === spec.gpuCount) return;
    this.fail('placement', `agent ${agent} is registered with other resources than it had`, nowMicros, { agent });
  }

  /** Who drains is not ready again by being heard of. */
  private judgeReturn({ agent, to, reason }: AgentStateChanged, nowMicros: number): void {
    if (to !== 'ready' || reason !== 'heartbeat returned' || !this.model.drains(agent)) return;
    this.fail('placement', `agent ${agent} drains, and is ready because it was heard of`, nowMicros, { agent });
  }

  private judge(record: DecisionRecord, now: number): void {
    const task = this.model.tasks.get(record.task);
    if (task === undefined || (task.state !== 'waiting' && task.state !== 'evicting')) {
      this.broken(
        `a decision is made on a task that ${task === undefined ? 'is unknown' : `is ${task.state}`}`,
        record,
        now,
      );
    }
    if (record.rule === 'shed') this.judgeShedding(task, record, now);
    else if (record.outcome === 'placed') this.judgePlacement(task, record, now);
    else if (record.outcome === 'evicts') this.judgeEviction(task, record, now);
    else if (this.takesWhatFits && task.gang === '' && record.rule === 'in order' && this.follows(record)) {
      const fitting = this.fitting(task.of);
      if (fitting.length >= task.of.request.machineCount)
        this.broken(`the task ${record.outcome} although it fits on machine ${fitting[0]}`, record, now);
    }
  }

  private judgePlacement(task: ModelTask, record: DecisionRecord, now: number): void {
    const { request } = task.of;
    const { machines, rule } = record;
    for (const [position, machine] of machines.entries()) {
      const state = this.model.machines[machine];
      if (state === undefined || !this.model.isOpen(machine))
        this.broken(`machine ${machine} is chosen, which takes no tasks`, record, now);
      if (!state.fits(task.of)) this.broken(`machine ${machine} is chosen, where the task does not fit`, record, now);
      const mask = record.deviceMasks[position] as number;
      if (this.packsDevices) this.judgeDevices(request, machine, mask, record, now);
      state.devices.forEach((free, device) => {
        if ((mask & (1 << device)) !== 0 && free < request.gpuMilli)
          this.broken(`device ${device} of machine ${machine} is chosen, which has ${free} milli left`, record, now);
      });
    }
    if (rule === 'after eviction' || !this.follows(record)) return;
    const fitting = this.fitting(task.of);
    if (record.feasibleCount !== fitting.length)
      this.broken(`${record.feasibleCount} machines are said to fit, ${fitting.length} do`, record, now);
    if (this.takesWhatFits && rule === 'in order' && request.machineCount === 1)
      this.judgeChoice(task, record, fitting, now);
    if (rule === 'backfilled') this.conservative?.judge(task, record, now);
    if (!this.followsTurns) return;
    if (rule === 'in order') {
      this.judgeTurn(task, record, now);
      this.countOvertaking(task, record, now);
    } else if (rule === 'backfilled') this.backfill.judge(task, record, now);
    this.backfill.placed(task);
  }

  private judgeDevices(
    request: WorkloadTask['request'],
    machine: number,
    mask: number,
    record: DecisionRecord,
    now: number,
  ): void {
    const expected = leastLeft(request, this.model.machines[machine] as ModelMachine);
    if (expected.reduce((bits, device) => bits | (1 << device), 0) === mask) return;
    const what = `devices ${devicesOf(mask).join(', ')} of machine ${machine} are chosen, those with least left are ${expected.join(', ')}`;
    this.broken(what, record, now);
  }

  private judgeChoice(task: ModelTask, record: DecisionRecord, fitting: readonly number[], now: number): void {
    // Who explores takes another machine on purpose; that it fits was looked at.
    if (record.explored === true) return;
    const best = bestMachine(this.options.profile, task.of.request, fitting, this.model.machines);
    const [chosen] = record.machines;
    if (best !== undefined && !best.includes(chosen as number))
      this.broken(`machine ${chosen} is chosen, ${this.options.profile.place} takes machine ${best[0]}`, record, now);
  }

  /** Nobody whose turn comes first is passed over. */
  private judgeTurn(placed: ModelTask, record: DecisionRecord, now: number): void {
    const { order, unplaced, overtakeMax } = this.options.profile;
    const key = queueKey(this.options.profile, this.model) as NonNullable<ReturnType<typeof queueKey>>;
    const placedKey = key(placed, now);
    // A task for which the queue blocks stays first, whoever comes later, and however keys change.
    const pins = unplaced === 'block' || overtakeMax > 0;
    if (pins && key.dynamic) return;
    for (const other of this.model.waiting()) {
      if (other === placed || (other.backedOff && unplaced === 'backoff')) continue;
      const otherKey = key(other, now);
      if (otherKey > placedKey || (otherKey === placedKey && other.task > placed.task)) continue;
      if (pins && other.since > placed.since) continue;
      if (unplaced !== 'block' && this.fitting(other.of).length < other.of.request.machineCount) continue;
      this.broken(`task ${other.task} waits and comes first by ${order}, task ${placed.task} is placed`, record, now);
    }
  }

  private countOvertaking(placed: ModelTask, record: DecisionRecord, now: number): void {
    const { order, unplaced, overtakeMax } = this.options.profile;
    // Fair shares have changed by when the kernel counts.
    if (unplaced !== 'skip' || overtakeMax === 0 || order === 'drf') return;
    const key = queueKey(this.options.profile, this.model) as NonNullable<ReturnType<typeof queueKey>>;
    const before = (left: ModelTask, right: ModelTask): boolean =>
      key(left, now) < key(right, now) || (key(left, now) === key(right, now) && left.task < right.task);
    const others = this.model.waiting().filter((task) => task !== placed);
    if (others.length === 0) return;
    const head = others.reduce((first, task) => (before(task, first) ? task : first));
    if (!before(head, placed)) return;
    head.overtaken++;
    if (head.overtaken > overtakeMax)
      this.broken(`task ${head.task} is first and is overtaken for the ${head.overtaken}th time`, record, now);
  }

  private judgeEviction(task: ModelTask, record: DecisionRecord, now: number): void {
    const { request } = task.of;
    const { preemptionsMax } = this;
    const victims = (record.victims ?? []).map((number) => this.model.attempts.get(number));
    for (const victim of victims) {
      if (victim === undefined) this.broken('an attempt is evicted that does not run', record, now);
      if (victim.task.of.priority >= task.of.priority)
        this.broken(
          `task ${victim.task.task} of priority ${victim.task.of.priority} is evicted for one of priority ${task.of.priority}`,
          record,
          now,
        );
      if (victim.task.preemptions >= preemptionsMax)
        this.broken(`task ${victim.task.task} is evicted for the ${victim.task.preemptions + 1}th time`, record, now);
    }
    const gone = victims as readonly ModelAttempt[];
    if (this.follows(record) && this.fitting(task.of).length >= request.machineCount)
      this.broken('tasks are evicted for one that fits as it is', record, now);
    this.judgeHurt(task, record, gone, now);
    if (!this.fitsWithout(record.machines, gone, task.of))
      this.broken('evicting does not make room enough', record, now);
    for (const spared of gone) {
      const others = gone.filter((victim) => victim !== spared);
      if (this.fitsWithout(record.machines, others, task.of))
        this.broken(`task ${spared.task.task} is evicted although the room of the others is enough`, record, now);
    }
  }

  /** No other machine could be cleared of less important tasks alone. */
  private judgeHurt(task: ModelTask, record: DecisionRecord, gone: readonly ModelAttempt[], now: number): void {
    const { request, priority } = task.of;
    if (request.machineCount > 1 || !this.follows(record)) return;
    const highest = Math.max(...gone.map((victim) => victim.task.of.priority));
    const { preemptionsMax } = this;
    const lesser = [...this.model.attempts.values()].filter(
      ({ stopping, task: { of, preemptions } }) =>
        !stopping && of.gang === undefined && of.priority < Math.min(priority, highest) && preemptions < preemptionsMax,
    );
    for (let machine = 0; machine < this.model.machines.length; machine++) {
      if (!this.model.isOpen(machine)) continue;
      const there = lesser.filter(({ machines }) => machines.includes(machine));
      if (there.length === 0 || !this.fitsWithout([machine], there, task.of)) continue;
      const what = `a task of priority ${highest} is evicted from machine ${record.machines[0]}, on machine ${machine} less important ones would do`;
      this.broken(what, record, now);
    }
  }

  private judgeAcceptance(submission: number, now: number): void {
    if (this.model.taskOfSubmission(submission) !== undefined) return;
    const waiting = this.waitingCount();
    if (waiting < this.queueLengthMax) return;
    const what = `a task is accepted although ${waiting} wait, and ${this.queueLengthMax} may`;
    this.fail('placement', what, now, { submission });
  }

  /** Waiting tasks that were never started and have no gang, less important than this. */
  private lesser(priority: number): ModelTask[] {
    const all = [...this.model.tasks.values()];
    return all.filter(
      ({ state, attempts, of }) =>
        (state === 'waiting' || state === 'evicting') &&
        attempts === 0 &&
        of.gang === undefined &&
        (of.priority ?? 0) < priority,
    );
  }

  /** The least important gives way, of several the one that came last, to one that is more important, when there is no room. */
  private judgeShedding(task: ModelTask, record: DecisionRecord, now: number): void {
    const lesser = this.lesser(this.submitted?.priority ?? Number.NEGATIVE_INFINITY);
    const least = Math.min(...lesser.map(({ of }) => of.priority ?? 0));
    const expected = lesser.filter(({ of }) => (of.priority ?? 0) === least).at(-1);
    if (expected !== task)
      this.broken(`it is given up for want of room, where task ${expected?.task ?? 'none'} should be`, record, now);
    const waiting = this.waitingCount();
    if (waiting < this.queueLengthMax && this.options.faultPointSeed === undefined)
      this.broken(`it is given up although ${waiting} wait, and ${this.queueLengthMax} may`, record, now);
  }

  /** Nobody is sent away for want of room while somebody less important waits. */
  private judgeRefusal(submission: number, now: number): void {
    const { submitted } = this;
    if (submitted === undefined || this.refused.has(submission)) return;
    this.refused.add(submission);
    const [lesser] = this.waitingCount() === this.queueLengthMax ? this.lesser(submitted.priority) : [];
    if (lesser === undefined) return;
    const what = `a submission of priority ${submitted.priority} is refused for want of room, and task ${lesser.task} of priority ${lesser.of.priority ?? 0} waits`;
    this.fail('placement', what, now, { submission });
  }

  private waitingCount(): number {
    let count = 0;
    for (const { state } of this.model.tasks.values()) if (state === 'waiting' || state === 'evicting') count++;
    return count;
  }

  private follows({ reasonCounts }: DecisionRecord): boolean {
    return this.followsKept || (reasonCounts[keptReason] ?? 0) === 0;
  }

  /** Machines that take the request now, in order. */
  private fitting(of: Asking): number[] {
    const fitting: number[] = [];
    this.model.machines.forEach((machine, index) => {
      if (this.model.isOpen(index) && machine.fits(of)) fitting.push(index);
    });
    return fitting;
  }

  private fitsWithout(machines: readonly number[], gone: readonly ModelAttempt[], of: Asking): boolean {
    return machines.every((machine) => {
      const copy = this.model.machines[machine]?.copy();
      for (const attempt of gone) {
        const position = attempt.machines.indexOf(machine);
        if (position >= 0) copy?.apply(attempt.task.of.request, attempt.deviceMasks[position] as number, 1);
      }
      return copy?.fits(of) === true;
    });
  }

  private broken(what: string, { task, submission, attempt }: DecisionRecord, nowMicros: number): never {
    this.fail('placement', `task ${task}: ${what}`, nowMicros, { task, submission, attempt });
  }
}

function devicesOf(mask: number): number[] {
  return Array.from({ length: deviceCountMax }, (_, device) => device).filter((device) => (mask & (1 << device)) !== 0);
}
