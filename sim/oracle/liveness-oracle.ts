// The promise: once the faults have stopped, every accepted task ends, and the kernel is never busy with nothing. The bound
// is that of a single server: while work is open, one task after another could run, each for its own length and some slack
// for messages, back-offs and leases; a kernel that is slower than that has lost something or goes in circles. Tasks that
// never end by design or fit no machine are exempt, and gangs that never become whole; where they may block others, nothing is
// judged.

import { microsPerHour, microsPerMinute } from '../../core/base/time.ts';
import type { Effect, TaskEnded } from '../../core/kernel/effects.ts';
import type { InputBody } from '../../core/kernel/inputs.ts';
import type { Profile } from '../../core/scheduler/framework.ts';
import type { GangReference } from '../../core/scheduler/gangs.ts';
import type { FaultSpec } from '../experiment/scenario.ts';
import { drawFaultMachines, isKernelFault } from '../fault/fault-plan.ts';
import { createFitTest } from '../workload/fit.ts';
import type { MachineSpec, WorkloadTask } from '../workload/workload.ts';
import type { WorldObserver } from '../world/observer.ts';
import { type Asking, ModelMachine } from './cluster-model.ts';
import { withRoom } from './column.ts';
import type { PhysicalWorkListener } from './physical-work.ts';
import type { Fail } from './violation.ts';

export interface LivenessOptions {
  readonly machines: readonly MachineSpec[];
  readonly profile: Pick<Profile, 'unplaced' | 'overtakeMax' | 'preempt'>;
  readonly heartbeat: { readonly intervalMicros: number; readonly leaseMicros: number };
  readonly faults: readonly FaultSpec[];
  /** The run's seed: it draws the machines of faults that strike a share of them. */
  readonly seed?: number | undefined;
  /** When all trouble is over; the end of the faults if left out. */
  readonly horizonMicros?: number | undefined;
}

/** Retransmissions an hour of one open question, doubled messages included: one every 5 s. */
const repetitionsPerHour = 1500;

export class LivenessOracle implements WorldObserver, PhysicalWorkListener {
  private readonly fail: Fail;
  /** Those that are not lost for ever. */
  private readonly machines: readonly MachineSpec[];
  /** Members of gangs that are not whole yet, by gang. */
  private readonly gathering = new Map<string, { readonly submission: number; readonly task: WorkloadTask }[]>();
  /** Whether members that ask for this fit side by side. */
  private readonly fitting = new Map<string, boolean>();
  private readonly fits: (request: WorkloadTask['request']) => boolean;
  private readonly blocks: boolean;
  private readonly preempts: boolean;
  private readonly slackMicros: number;
  private readonly slowest: number;
  private faultsEnd: number;
  private readonly machineCount: number;
  private readonly beatsPerHour: number;
  /** Longest time that each open task may still take, by submission; 0 for those that ended or are exempt. */
  private allowed = new Float64Array(0);
  private openCount = 0;
  private openSum = 0;
  private judged: boolean;
  /** By when the single server would be done; undefined until the faults have ended. */
  private deadlineMicros: number | undefined;
  private runningCount = 0;
  /** Since when nothing runs although a task is open. */
  private idleSinceMicros = 0;
  private inputsSinceProgress = 0;
  private progressMicros = 0;

  constructor(options: LivenessOptions, fail: Fail) {
    const { machines, profile, heartbeat, faults } = options;
    this.fail = fail;
    const lost = lostMachines(options);
    this.judged = lost !== undefined;
    this.machines = machines.filter((_, index) => lost?.has(index) !== true);
    this.fits = createFitTest(this.machines);
    this.blocks = profile.unplaced === 'block' || profile.overtakeMax > 0;
    this.preempts = (profile.preempt ?? 'never') !== 'never';
    this.slackMicros = 15 * microsPerMinute + 3 * heartbeat.leaseMicros;
    this.slowest = faults.reduce(
      (factor, fault) => (fault.kind === 'slow' ? Math.max(factor, fault.factor) : factor),
      1,
    );
    this.faultsEnd = faults.reduce((latest, fault) => {
      const last = fault.forMicros === Number.POSITIVE_INFINITY ? fault.atMicros : fault.atMicros + fault.forMicros;
      return Math.max(latest, last);
    }, 0);
    this.faultsEnd = Math.max(this.faultsEnd, options.horizonMicros ?? 0);
    this.machineCount = machines.length;
    this.beatsPerHour = microsPerHour / heartbeat.intervalMicros;
  }

  taskArrived(submission: number, task: WorkloadTask, nowMicros: number): void {
    this.progressed(nowMicros);
    if (task.durationMicros === Number.POSITIVE_INFINITY) {
      this.judged = false;
    } else if (task.gang !== undefined) {
      this.memberArrived(submission, task, task.gang, nowMicros);
    } else if (task.skill === undefined ? this.fits(task.request) : this.fitTogether([task]))
      this.open(submission, task, nowMicros);
    else if (this.blocks) this.judged = false;
  }

  submissionAnswered(submission: number, accepted: boolean): void {
    if (!accepted) this.close(submission);
  }

  taskEnded(end: TaskEnded, nowMicros: number): void {
    this.progressed(nowMicros);
    // Ends that come one by one, through a topic with little room, are no standstill.
    this.idleSinceMicros = Math.max(this.idleSinceMicros, nowMicros);
    this.close(end.submission);
  }

  begun(_work: unknown, nowMicros: number): void {
    this.progressed(nowMicros);
    this.runningCount++;
  }

  gone(_work: unknown, nowMicros: number): void {
    this.progressed(nowMicros);
    this.runningCount--;
    if (this.runningCount === 0) this.idleSinceMicros = nowMicros;
  }

  kernelEffect(effect: Effect, nowMicros: number): void {
    if (effect.kind === 'submissionAccepted') this.progressed(nowMicros);
  }

  kernelInput(input: InputBody, nowMicros: number): void {
    this.inputsSinceProgress++;
    if (input.kind !== 'heartbeats' && (this.inputsSinceProgress & 1023) !== 0) return;
    this.check(nowMicros);
    if (nowMicros - this.progressMicros > microsPerHour) this.progressed(nowMicros);
    const inputsMax = 10_000 + 2 * this.beatsPerHour + repetitionsPerHour * (this.machineCount + this.openCount);
    if (this.inputsSinceProgress > inputsMax) {
      const what = `the kernel took ${this.inputsSinceProgress} inputs since ${this.progressMicros} µs, and no task came, began or ended`;
      this.fail('progress', what, nowMicros, this.oldest());
    }
  }

  /** To be called at the end of a run as well. */
  check(nowMicros: number): void {
    if (!this.judged || nowMicros < this.faultsEnd) return;
    if (this.deadlineMicros === undefined) {
      this.deadlineMicros = this.faultsEnd + this.openSum;
      this.idleSinceMicros = Math.max(this.idleSinceMicros, this.faultsEnd);
    }
    if (this.openCount === 0) return;
    if (nowMicros > this.deadlineMicros) {
      this.fail(
        'liveness',
        `${this.openCount} tasks have not ended, although one after another would have by ${this.deadlineMicros} µs: ${this.openText()}`,
        nowMicros,
        this.oldest(),
      );
    }
    if (this.runningCount === 0 && nowMicros - this.idleSinceMicros > this.slackMicros) {
      this.fail(
        'liveness',
        `${this.openCount} tasks are open and fit, but nothing has run since ${this.idleSinceMicros} µs: ${this.openText()}`,
        nowMicros,
        this.oldest(),
      );
    }
  }

  /** A gang that is whole must start if its members find room side by side; one that is not is given up after its time. */
  private memberArrived(
    submission: number,
    task: WorkloadTask,
    { name, size }: GangReference,
    nowMicros: number,
  ): void {
    const members = this.gathering.get(name) ?? [];
    members.push({ submission, task });
    if (members.length < size) {
      this.gathering.set(name, members);
      return;
    }
    this.gathering.delete(name);
    if (this.fitTogether(members.map((member) => member.task)))
      for (const member of members) this.open(member.submission, member.task, nowMicros);
    // Where one place after the other finds no room for all, another order might.
    else if (this.blocks) this.judged = false;
  }

  private open(submission: number, task: WorkloadTask, nowMicros: number): void {
    const allowed = task.durationMicros * this.slowest + this.slackMicros;
    if (this.openCount === 0) this.idleSinceMicros = nowMicros;
    this.allowed = withRoom(this.allowed, submission);
    this.allowed[submission] = allowed;
    this.openCount++;
    this.openSum += allowed;
    if (this.deadlineMicros === undefined) return;
    // A newcomer may undo what others have done, if tasks are preempted.
    const former = this.preempts ? this.openSum - allowed : 0;
    this.deadlineMicros = Math.max(this.deadlineMicros, nowMicros + former) + allowed;
  }

  private fitTogether(tasks: readonly Asking[]): boolean {
    const key = JSON.stringify(tasks.map(({ request, skill }) => [request, skill]));
    const fits = this.fitting.get(key) ?? this.tryTogether(tasks);
    this.fitting.set(key, fits);
    return fits;
  }

  private tryTogether(tasks: readonly Asking[]): boolean {
    const machines = this.machines.map((spec) => new ModelMachine(spec));
    for (const task of tasks) {
      const { request } = task;
      const fitting = machines.filter((machine) => machine.fits(task)).slice(0, request.machineCount);
      if (fitting.length < request.machineCount) return false;
      for (const machine of fitting) machine.apply(request, devicesFor(machine, request), -1);
    }
    return true;
  }

  /** The first few. */
  private openText(): string {
    const shown: number[] = [];
    for (let submission = 0; submission < this.allowed.length && shown.length < 8; submission++)
      if ((this.allowed[submission] as number) > 0) shown.push(submission);
    return `submissions ${shown.join(', ')}${shown.length < this.openCount ? ', …' : ''}`;
  }

  private oldest(): { submission: number } {
    return { submission: this.allowed.findIndex((allowed) => allowed > 0) };
  }

  private close(submission: number): void {
    const allowed = this.allowed[submission] ?? 0;
    if (allowed === 0) {
      this.leaveGathering(submission);
      return;
    }
    this.allowed[submission] = 0;
    this.openCount--;
    this.openSum -= allowed;
  }

  /** Who was refused, cancelled or given up before its gang was whole is no member of it any more. */
  private leaveGathering(submission: number): void {
    for (const members of this.gathering.values()) {
      const index = members.findIndex((member) => member.submission === submission);
      if (index >= 0) members.splice(index, 1);
    }
  }

  private progressed(nowMicros: number): void {
    this.inputsSinceProgress = 0;
    this.progressMicros = nowMicros;
  }
}

/** Devices of the machine that have room, as many as are asked for: bits. */
function devicesFor({ devices }: ModelMachine, { gpuCount, gpuMilli }: WorkloadTask['request']): number {
  let mask = 0;
  let count = 0;
  for (let device = 0; device < devices.length && count < gpuCount; device++) {
    if ((devices[device] as number) < gpuMilli) continue;
    mask |= 1 << device;
    count++;
  }
  return mask;
}

/** Machines that a fault takes away for ever; undefined if that cannot be told, or if messages are lost for ever. */
function lostMachines({ faults, machines, seed }: LivenessOptions): ReadonlySet<number> | undefined {
  const lost = new Set<number>();
  const struck = drawFaultMachines(faults, machines, seed ?? 0);
  for (const [index, fault] of faults.entries()) {
    if (fault.kind === 'diskRot') return undefined;
    if (fault.forMicros !== Number.POSITIVE_INFINITY || fault.kind === 'slow' || fault.kind === 'diskSlow') continue;
    if (fault.kind === 'lossy' || isKernelFault(fault) || ('share' in fault.machines && seed === undefined))
      return undefined;
    for (const machine of struck[index] as readonly number[]) lost.add(machine);
  }
  return lost;
}
