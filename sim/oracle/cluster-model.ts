// A second account of what waits, what runs and what is free, kept from the kernel's inputs and effects alone, by other code than
// the kernel's: what oracles compare decisions with. It follows every task from its acceptance to its end, and every attempt from
// its decision to the report, death or restart that frees its machines.

import type { Effect } from '../../core/kernel/effects.ts';
import type { InputBody, TaskFinished } from '../../core/kernel/inputs.ts';
import type { DecisionRecord } from '../../core/scheduler/decision.ts';
import type { MachineSpec, WorkloadTask } from '../workload/workload.ts';

export interface ModelTask {
  readonly task: number;
  readonly submission: number;
  readonly of: WorkloadTask;
  readonly submittedMicros: number;
  /** `evicting`: it waits for its victims, or waits again because a machine was lost meanwhile. */
  state: 'waiting' | 'evicting' | 'placed' | 'ended';
  /** Grows with each entry into the queue. */
  since: number;
  /** The gang that it must start with; empty once it has started. */
  gang: string;
  attempts: number;
  preemptions: number;
  /** Placements of others since it waits, while it was first. */
  overtaken: number;
  backedOff: boolean;
  cancelled: boolean;
}

/** What decides where a task may run. */
export type Asking = Pick<WorkloadTask, 'request' | 'skill'>;

export interface ModelAttempt {
  readonly attempt: number;
  readonly task: ModelTask;
  readonly machines: readonly number[];
  readonly deviceMasks: readonly number[];
  readonly placedMicros: number;
  startedMicros: number;
  resumeMicros: number;
  stopping: boolean;
}

export class ModelMachine {
  readonly spec: MachineSpec;
  cpuMilli: number;
  memoryMib: number;
  readonly devices: number[];
  allocations = 0;
  /** Running tasks by GPU class: 0 shares a device, n has n whole ones. */
  readonly classes: number[] = [];

  constructor(spec: MachineSpec) {
    this.spec = spec;
    this.cpuMilli = spec.cpuMilli;
    this.memoryMib = spec.memoryMib;
    this.devices = Array.from({ length: spec.gpuCount }, () => 1000);
  }

  copy(): ModelMachine {
    const copy = new ModelMachine(this.spec);
    copy.cpuMilli = this.cpuMilli;
    copy.memoryMib = this.memoryMib;
    copy.devices.splice(0, copy.devices.length, ...this.devices);
    copy.classes.push(...this.classes);
    return copy;
  }

  fits({ request, skill }: Asking): boolean {
    const { cpuMilli, memoryMib, gpuCount, gpuMilli, gpuModels } = request;
    if (this.cpuMilli < cpuMilli || this.memoryMib < memoryMib) return false;
    if (skill !== undefined && skill !== '' && this.spec.skills?.[skill] === undefined) return false;
    if (gpuCount === 0) return true;
    if (gpuModels.length > 0 && !gpuModels.includes(this.spec.gpuModel)) return false;
    return this.devices.filter((free) => free >= gpuMilli).length >= gpuCount;
  }

  /** `sign` −1 takes, 1 gives back. */
  apply(request: WorkloadTask['request'], mask: number, sign: 1 | -1): void {
    const { cpuMilli, memoryMib, gpuMilli } = request;
    this.cpuMilli += sign * cpuMilli;
    this.memoryMib += sign * memoryMib;
    this.allocations -= sign;
    const own = gpuClass(request);
    if (own >= 0) this.classes[own] = (this.classes[own] ?? 0) - sign;
    for (let device = 0; device < this.devices.length; device++)
      if ((mask & (1 << device)) !== 0) this.devices[device] = (this.devices[device] as number) + sign * gpuMilli;
  }
}

/** −1 without GPUs. */
export function gpuClass({ gpuCount, gpuMilli }: WorkloadTask['request']): number {
  if (gpuCount === 0) return -1;
  return gpuMilli < 1000 ? 0 : gpuCount;
}

export class ClusterModel {
  readonly tasks = new Map<number, ModelTask>();
  readonly attempts = new Map<number, ModelAttempt>();
  /** By agent number. */
  readonly machines: ModelMachine[] = [];
  private readonly ready: boolean[] = [];
  /** Agents that said that they take no new work, with their incarnation. */
  private readonly draining: (number | undefined)[] = [];
  /** Causes for which each agent is held. */
  private readonly held: Set<string>[] = [];
  /** Whether it is known when a kept machine is open again. */
  followsKept = true;
  /** Machines that are kept for a task until its victims are gone, by task. */
  private readonly kept = new Map<
    number,
    { readonly machines: readonly number[]; readonly victims: readonly number[] }
  >();
  /** As it is set now. */
  attemptsMax: number;
  private readonly specs = new Map<string, MachineSpec>();
  private readonly incarnations: number[] = [];
  private readonly arrivals: WorkloadTask[] = [];
  private readonly bySubmission = new Map<number, ModelTask>();
  private input: InputBody | undefined;
  private inputMicros = 0;
  private clock = 0;

  constructor(machines: readonly MachineSpec[], attemptsMax: number) {
    for (const spec of machines) this.specs.set(spec.name, spec);
    this.attemptsMax = attemptsMax;
  }

  taskOfSubmission(submission: number): ModelTask | undefined {
    return this.bySubmission.get(submission);
  }

  /** Whether new tasks may go to the machine. */
  isOpen(machine: number): boolean {
    if (this.drains(machine)) return false;
    if (this.ready[machine] !== true || (this.held[machine]?.size ?? 0) > 0) return false;
    for (const { machines } of this.kept.values()) if (machines.includes(machine)) return false;
    return true;
  }

  /** The machine's agent takes no new tasks until it restarts. */
  drains(machine: number): boolean {
    return this.draining[machine] !== undefined && this.draining[machine] === this.incarnations[machine];
  }

  waiting(): ModelTask[] {
    return [...this.tasks.values()].filter((task) => task.state === 'waiting');
  }

  taskArrived(submission: number, task: WorkloadTask): void {
    this.arrivals[submission] = task;
  }

  /** What the input before has changed beyond its effects is settled; then this one begins. */
  begin(input: InputBody, nowMicros: number): void {
    this.settle();
    this.input = input;
    this.inputMicros = nowMicros;
    // Who evicted gets its machines first, before anybody else looks at them.
    if (input.kind === 'instantEnded') this.openKept();
  }

  effect(effect: Effect, nowMicros: number): void {
    switch (effect.kind) {
      case 'submissionAccepted':
        if (!this.bySubmission.has(effect.submission)) this.accept(effect.submission, nowMicros);
        return;
      case 'agentRegistered': {
        const spec = this.specs.get(effect.name);
        if (this.machines[effect.agent] === undefined && spec !== undefined)
          this.machines[effect.agent] = new ModelMachine(spec);
        this.incarnations[effect.agent] = effect.incarnation;
        return;
      }
      case 'agentStateChanged':
        this.ready[effect.agent] = effect.to === 'ready';
        if (effect.to === 'dead' || effect.reason === 'restarted') this.releaseLedBy(effect.agent);
        return;
      case 'agentHeld': {
        const causes = this.held[effect.agent] ?? new Set<string>();
        this.held[effect.agent] = causes;
        if (effect.held) causes.add(effect.cause);
        else causes.delete(effect.cause);
        return;
      }
      case 'decisionMade':
        this.decided(effect.record, nowMicros);
        return;
      case 'dispatch': {
        const attempt = this.attempts.get(effect.attempt);
        if (attempt !== undefined) attempt.resumeMicros = effect.checkpoint?.resumeMicros ?? 0;
        return;
      }
      case 'stop': {
        const attempt = this.attempts.get(effect.attempt);
        if (attempt !== undefined) attempt.stopping = true;
        return;
      }
      default:
        return;
    }
  }

  private openKept(): void {
    for (const [task, { victims }] of this.kept)
      if (victims.every((victim) => !this.attempts.has(victim))) this.kept.delete(task);
  }

  private settle(): void {
    const { input } = this;
    this.input = undefined;
    if (input?.kind === 'taskFinished') {
      const attempt = this.current(input);
      if (attempt !== undefined) this.release(attempt, input.outcome === 'completed');
    } else if (input?.kind === 'dispatchAccepted') {
      const attempt = this.current(input);
      if (attempt !== undefined && !attempt.stopping && attempt.startedMicros < 0)
        attempt.startedMicros = this.inputMicros;
    } else if (input?.kind === 'agentDraining') {
      if (this.incarnations[input.agent] === input.incarnation) this.draining[input.agent] = input.incarnation;
    } else if (input?.kind === 'taskCancelled') {
      const task = this.bySubmission.get(input.submission);
      if (task === undefined || task.state === 'ended') return;
      task.cancelled = true;
      if (task.state !== 'placed') this.end(task);
    }
  }

  private current({ attempt: number, agent, incarnation }: Pick<TaskFinished, 'attempt' | 'agent' | 'incarnation'>) {
    const attempt = this.attempts.get(number);
    return attempt?.machines[0] === agent && this.incarnations[agent] === incarnation ? attempt : undefined;
  }

  private accept(submission: number, nowMicros: number): void {
    const of = this.arrivals[submission] as WorkloadTask;
    const task: ModelTask = {
      task: this.tasks.size + 1,
      submission,
      of,
      submittedMicros: nowMicros,
      state: 'waiting',
      since: ++this.clock,
      gang: of.gang?.name ?? '',
      attempts: 0,
      preemptions: 0,
      overtaken: 0,
      backedOff: false,
      cancelled: false,
    };
    this.tasks.set(task.task, task);
    this.bySubmission.set(submission, task);
  }

  private decided(record: DecisionRecord, nowMicros: number): void {
    const task = this.tasks.get(record.task);
    if (task === undefined) return;
    if (record.outcome === 'dropped') this.end(task, record.rule === 'incomplete gang');
    else if (record.outcome === 'backs off') task.backedOff = true;
    else if (record.outcome === 'evicts') {
      task.state = 'evicting';
      if (this.followsKept) this.kept.set(task.task, { machines: record.machines, victims: record.victims ?? [] });
      for (const victim of record.victims ?? []) {
        const attempt = this.attempts.get(victim);
        if (attempt !== undefined) attempt.task.preemptions++;
      }
    } else if (record.outcome === 'placed') {
      const { attempt, machines, deviceMasks } = record;
      task.state = 'placed';
      task.attempts++;
      task.gang = '';
      task.backedOff = false;
      this.attempts.set(attempt, {
        attempt,
        task,
        machines,
        deviceMasks,
        placedMicros: nowMicros,
        startedMicros: -1,
        resumeMicros: 0,
        stopping: false,
      });
      machines.forEach((machine, position) => {
        this.machines[machine]?.apply(task.of.request, deviceMasks[position] as number, -1);
      });
    }
  }

  /** A gang that waits ends with each of its members, unless each is decided on by itself (`alone`). */
  private end(task: ModelTask, alone = false): void {
    task.state = 'ended';
    this.kept.delete(task.task);
    if (alone || task.gang === '') return;
    for (const other of this.tasks.values())
      if (other.gang === task.gang && other.state === 'waiting') other.state = 'ended';
  }

  private releaseLedBy(agent: number): void {
    for (const attempt of [...this.attempts.values()]) if (attempt.machines[0] === agent) this.release(attempt, false);
  }

  private release({ attempt, task, machines, deviceMasks }: ModelAttempt, completed: boolean): void {
    this.attempts.delete(attempt);
    machines.forEach((machine, position) => {
      this.machines[machine]?.apply(task.of.request, deviceMasks[position] as number, 1);
    });
    if (completed || task.cancelled || task.attempts - task.preemptions >= this.attemptsMax) task.state = 'ended';
    else {
      task.state = 'waiting';
      task.since = ++this.clock;
      task.overtaken = 0;
    }
  }
}
