// A simulated cluster around one kernel: the submitter plays the workload, machines run agents, every word between them
// crosses the simulated network, and faults strike by plan. The world knows how long work truly takes; the kernel is told
// estimates only. It has no scheduler of its own and no way around the messages.

import { assert } from '../../core/base/assert.ts';
import { FaultPoints } from '../../core/base/fault-points.ts';
import { RandomStream } from '../../core/base/random.ts';
import type { AgentMessage, ToAgent } from '../../core/client/agent-client.ts';
import type { ToSubmitter } from '../../core/client/submitter-client.ts';
import { createKernelSettings } from '../../core/config/kernel-setting-table.ts';
import type { Dispatch, Effect, TaskEnded } from '../../core/kernel/effects.ts';
import type { InputBody } from '../../core/kernel/inputs.ts';
import type { SubmissionDeferred } from '../../core/kernel/journaled-kernel.ts';
import { Kernel } from '../../core/kernel/kernel.ts';
import type { KernelSettings } from '../../core/kernel/kernel-settings.ts';
import { eventPriority } from '../engine/priority.ts';
import { Simulation } from '../engine/simulation.ts';
import { scheduleFaults } from '../fault/fault-plan.ts';
import type { WorkloadTask, WorkRun } from '../workload/workload.ts';
import { HeartbeatGateway } from './heartbeat-gateway.ts';
import type { JournaledKernelHost } from './journaled-kernel-host.ts';
import { KernelHost, type KernelShell } from './kernel-host.ts';
import { Machine } from './machine.ts';
import type { MachineWorld } from './machine-world.ts';
import { MeasuredOverheads } from './measured-overheads.ts';
import { bytesPerHeartbeat, firstMachineNode, gatewayNode, messageBytes, Network, submitterNode } from './network.ts';
import type { WorkEnd, WorldObserver } from './observer.ts';
import { openJournal } from './open-journal.ts';
import type { PowerState } from './power/machine-meter.ts';
import { withAttributes } from './power/power-model.ts';
import { PowerPlant } from './power/power-plant.ts';
import { SubmitterProcess, type SubmitterWorld } from './submitter-process.ts';
import type { WorldOptions } from './world-options.ts';

export type { WorldOptions } from './world-options.ts';

export class World implements MachineWorld, SubmitterWorld {
  readonly simulation: Simulation;
  readonly host: KernelShell;
  /** The host, if the world has a journal. */
  readonly journaled: JournaledKernelHost | undefined;
  readonly machines: readonly Machine[];
  readonly network: Network;
  /** What the machines draw, if the world has a power model. */
  readonly plant: PowerPlant | undefined;
  readonly settings: KernelSettings;
  /** Those outside the kernel. */
  readonly faultPoints: FaultPoints;
  readonly workEndHandler: number;
  readonly agentWakeHandler: number;
  private readonly options: WorldOptions;
  private readonly observers: readonly WorldObserver[];
  private readonly speechObservers: readonly WorldObserver[];
  readonly submitter: SubmitterProcess;
  readonly gateway: HeartbeatGateway;
  private readonly arrivals: Iterator<WorkloadTask>;
  private nextTask: WorkloadTask | undefined;
  private readonly machineOfName = new Map<string, number>();
  /** Machine index by the kernel's agent number. */
  private readonly machineOfAgent: number[] = [];
  /** True durations of tasks that have not ended, by submission. */
  private readonly durations = new Map<number, number>();
  /** How those of them go that do not go alike on every machine. */
  private readonly runs = new Map<number, NonNullable<WorkloadTask['run']>>();
  /** Attempts that run on more than one machine, by attempt: the machines' own indices. */
  private readonly spanning = new Map<number, readonly number[]>();
  private arrived = 0;
  private ended = 0;
  private stopWhenDone = false;
  private readonly overheads: MeasuredOverheads | undefined;
  private readonly later: number;
  private readonly toKernel: number;
  private readonly toSubmitter: number;
  private readonly toAgent: number;
  private readonly toGateway: number;

  constructor(options: WorldOptions) {
    this.options = options;
    this.observers = options.observers;
    this.faultPoints = new FaultPoints(options.faultPointSeed ?? 0, 'shell');
    this.speechObservers = options.observers.filter((observer) => observer.agentSaid !== undefined);
    const simulation = new Simulation(options.limits);
    this.simulation = simulation;
    this.settings = createKernelSettings({
      initial: {
        ...options.settings,
        'registry.leaseMicros': options.heartbeat.leaseMicros,
        'registry.heartbeatIntervalMicros': options.heartbeat.intervalMicros,
        'scheduler.queueLengthMax': options.limits.queueLengthMax,
      },
    });
    const kernel = new Kernel(options.profile, this.settings, options.seed);
    this.journaled = openJournal(options, simulation, kernel, this.faultPoints, (effect) => this.carryOut(effect));
    this.host =
      this.journaled ?? new KernelHost(kernel, simulation, options.observers, (effect) => this.carryOut(effect));
    const random = new RandomStream(options.seed, 'network');
    this.network = new Network(simulation, options.network, firstMachineNode + options.machines.length, random);

    if (options.calibration !== undefined)
      this.overheads = new MeasuredOverheads(options.calibration, options.machines, options.seed);
    this.later = simulation.defineHandler('after an overhead', (_, act) => (act as () => void)());

    const arrivalHandler = simulation.defineHandler('task arrives', () => this.arrive(arrivalHandler));
    this.toKernel = simulation.defineHandler('to kernel', (_, payload) => this.host.give(payload as InputBody));
    this.toSubmitter = simulation.defineHandler('to submitter', (_, payload) => {
      this.submitter.receive(payload as ToSubmitter);
    });
    this.toAgent = simulation.defineHandler('to agent', (machine, payload) =>
      this.machineAt(machine).receive(payload as ToAgent),
    );
    this.toGateway = simulation.defineHandler('to gateway', (batch, leaseMicros) =>
      this.gateway.recorded(batch, leaseMicros as number | undefined),
    );
    this.workEndHandler = simulation.defineHandler('work ends', (machine, attempt) =>
      this.machineAt(machine).endWork(attempt as number),
    );
    this.agentWakeHandler = simulation.defineHandler('agent wakes', (machine) => this.machineAt(machine).wake());
    const heartbeat = simulation.defineHandler('heartbeats', () => this.beat(heartbeat));
    const { power } = options;
    if (power !== undefined) this.plant = new PowerPlant(options.machines, power, this);

    // The clients' own: what the kernel's settings become later is no concern of theirs.
    const retryMicros = this.settings.get('dispatch.retryMicros');
    this.machines = options.machines.map((spec, index) => {
      this.machineOfName.set(spec.name, index);
      return new Machine(index, withAttributes(spec, power), retryMicros, this, this.faultPoints);
    });
    this.gateway = new HeartbeatGateway(this.machines, this.network, options.heartbeat.intervalMicros);
    const now = simulation.nowMicros;
    this.submitter = new SubmitterProcess(this, retryMicros, this.faultPoints);
    this.submitter.start();
    for (const machine of this.machines) machine.start();
    simulation.schedule(now + options.heartbeat.intervalMicros, eventPriority.timer, heartbeat, 0, undefined);
    scheduleFaults(options.faults, this, options.seed, options.observers);
    this.arrivals = options.workload.tasks();
    this.scheduleArrival(arrivalHandler);
  }

  get arrivedCount(): number {
    return this.arrived;
  }

  get endedCount(): number {
    return this.ended;
  }

  /** Times that the submitter was told to come again later. */
  get deferralCount(): number {
    return this.submitter.deferralCount;
  }

  /** True if the workload is at its end and every task of it has ended. */
  get done(): boolean {
    return this.nextTask === undefined && this.ended === this.arrived;
  }

  /** True if the workload has no further task. */
  get arrivalsDone(): boolean {
    return this.nextTask === undefined;
  }

  /** True if nothing waits, and all that has not ended is work that never ends by itself. */
  get onlyEndlessWork(): boolean {
    if (this.host.kernel.control.scheduler.queueLength > 0) return false;
    for (const duration of this.durations.values()) if (duration !== Number.POSITIVE_INFINITY) return false;
    return true;
  }

  runUntil(timeMicros: number): void {
    this.simulation.runUntil(timeMicros);
  }

  /** Runs until every task has ended, or until `limitMicros`. */
  runUntilDone(limitMicros: number): void {
    this.stopWhenDone = true;
    if (!this.done) this.simulation.runUntil(limitMicros);
  }

  /** The submitter wants a task no longer. Nothing happens if it has not come yet, or has ended. */
  cancel(submission: number): void {
    if (this.durations.has(submission)) this.submitter.cancel(submission);
  }

  /** Trouble that comes by itself ends: losses, failures of the disk, fault points. Faults of the plan end by the plan. */
  calm(): void {
    this.network.calm();
    this.journaled?.disk.calm();
    this.faultPoints.disarm();
    if (this.host.kernel.faultPoints.isArmed) this.changeSetting('faults.seed', 0);
  }

  /** Somebody changes a setting of the kernel, or tries to. */
  changeSetting(name: string, value: number): void {
    this.host.give({ kind: 'settingChanged', name, value, who: 'operator', why: 'the case says so' });
  }

  /** Replaces the kernel by one restored from its own snapshot, through text: what follows must be the same. */
  restartKernelFromSnapshot(): void {
    const text = JSON.stringify(this.host.kernel.save());
    this.host.kernel = Kernel.restore(JSON.parse(text), this.options.profile);
  }

  send(machine: number, message: AgentMessage): void {
    for (const observer of this.speechObservers) observer.agentSaid?.(machine, message, this.simulation.nowMicros);
    // What a crash overtakes is not said.
    this.after(this.overheads?.saidMicros(message) ?? 0, (isLate) => {
      if (!isLate || this.machineAt(machine).isUp)
        this.network.send(firstMachineNode + machine, this.toKernel, 0, message, messageBytes);
    });
  }

  /** Work that a machine does at once. */
  get lanes(): number | undefined {
    const lanes = this.overheads?.lanes;
    return lanes === undefined || lanes === 0 ? undefined : lanes;
  }

  setUpMicros({ attempt, submission, agent }: Dispatch): number {
    const own = this.runs.get(submission)?.(this.machineOfAgent[agent] as number, attempt).setUpMicros ?? 0;
    return own + (this.overheads?.setUpMicros(attempt) ?? 0);
  }

  private after(delayMicros: number, act: (isLate: boolean) => void): void {
    const { simulation } = this;
    if (delayMicros === 0) act(false);
    else simulation.schedule(simulation.nowMicros + delayMicros, eventPriority.world, this.later, 0, () => act(true));
  }

  submitterSays(message: InputBody): void {
    this.network.send(submitterNode, this.toKernel, 0, message, messageBytes);
  }

  isOpen(submission: number): boolean {
    return this.durations.has(submission);
  }

  durationMicros(dispatch: Dispatch, machine: number): number {
    const run = this.runs.get(dispatch.submission)?.(machine, dispatch.attempt);
    const durationMicros = run?.durationMicros ?? this.durations.get(dispatch.submission);
    assert(durationMicros !== undefined, 'work begins only for a task whose submitter awaits its end');
    return durationMicros;
  }

  endOf(machine: number, dispatch: Dispatch): WorkRun | undefined {
    return this.runs.get(dispatch.submission)?.(machine, dispatch.attempt);
  }

  workStarted(machine: number, dispatch: Dispatch): void {
    const machines = this.machinesOf(machine, dispatch);
    if (machines.length > 1) this.spanning.set(dispatch.attempt, machines);
    for (const [other, pace] of this.overheads?.begun(machines) ?? []) this.machineAt(other).setPace(pace);
    for (const observer of this.observers) observer.workStarted?.(dispatch, machines, this.simulation.nowMicros);
  }

  workSaved(_machine: number, dispatch: Dispatch, progressMicros: number): void {
    for (const observer of this.observers) observer.workSaved?.(dispatch, progressMicros, this.simulation.nowMicros);
  }

  workEnded(machine: number, dispatch: Dispatch, end: WorkEnd): void {
    const machines = this.machinesOf(machine, dispatch);
    if (machines.length > 1) this.spanning.delete(dispatch.attempt);
    for (const [other, pace] of this.overheads?.ended(machines) ?? []) this.machineAt(other).setPace(pace);
    for (const observer of this.observers) observer.workEnded?.(dispatch, machines, end, this.simulation.nowMicros);
  }

  machineHung(machine: number, hung: boolean): void {
    for (const observer of this.observers) observer.machineHung?.(machine, hung, this.simulation.nowMicros);
  }

  machinePower(machine: number, state: PowerState): void {
    for (const observer of this.observers) observer.machinePower?.(machine, state, this.simulation.nowMicros);
    this.machines[machine]?.powerChanged(state);
  }

  machineUp(machine: number, up: boolean): void {
    this.plant?.machineUp(machine, up);
    for (const observer of this.observers) observer.machineUp?.(machine, up, this.simulation.nowMicros);
  }

  /** A machine crashes: its work is lost, and work that it shares with others fails there. */
  crash(index: number): void {
    const { closing } = this.machineAt(index);
    if (closing !== undefined) this.network.send(firstMachineNode + index, this.toKernel, 0, closing, messageBytes);
    this.machineAt(index).crash();
    this.overheads?.lost(index);
    for (const [attempt, machines] of [...this.spanning]) {
      if (machines.includes(index)) this.machineAt(machines[0] as number).failWork(attempt);
    }
  }

  private machineAt(index: number): Machine {
    return this.machines[index] as Machine;
  }

  /** The world's indices of the machines that a dispatch spans, the leading one first. */
  machinesOf(leader: number, dispatch: Dispatch): readonly number[] {
    if (dispatch.machines.length === 1) return [leader];
    return dispatch.machines.map((agent) => this.machineOfAgent[agent] as number);
  }

  private scheduleArrival(handler: number): void {
    const next = this.arrivals.next();
    this.nextTask = next.done === true ? undefined : next.value;
    if (this.nextTask !== undefined) {
      this.simulation.schedule(
        Math.max(this.nextTask.arrivalMicros, this.simulation.nowMicros),
        eventPriority.arrival,
        handler,
        0,
        undefined,
      );
    }
  }

  private arrive(handler: number): void {
    const now = this.simulation.nowMicros;
    // All arrivals of one instant come in one event: a trace may bring thousands at once.
    do {
      const task = this.nextTask as WorkloadTask;
      this.arrived++;
      this.durations.set(this.arrived, this.overheads?.trueMicros(task) ?? task.durationMicros);
      if (task.run !== undefined) this.runs.set(this.arrived, task.run);
      this.plant?.taskArrived(this.arrived, task.request);
      for (const observer of this.observers) observer.taskArrived?.(this.arrived, task, now);
      this.submitter.submit(task);
      const next = this.arrivals.next();
      this.nextTask = next.done === true ? undefined : next.value;
    } while (this.nextTask !== undefined && this.nextTask.arrivalMicros <= now);
    if (this.nextTask !== undefined) {
      this.simulation.schedule(this.nextTask.arrivalMicros, eventPriority.arrival, handler, 0, undefined);
    }
  }

  private beat(handler: number): void {
    const now = this.simulation.nowMicros;
    const batch = this.gateway.tick(now);
    if (batch !== undefined) {
      this.network.send(gatewayNode, this.toKernel, 0, batch, messageBytes + bytesPerHeartbeat * batch.count);
    }
    this.simulation.schedule(now + this.options.heartbeat.intervalMicros, eventPriority.timer, handler, 0, undefined);
  }

  /** Carries an effect out: a message to whom it concerns. What only informs has been seen by the observers. */
  private carryOut(effect: Effect | SubmissionDeferred): void {
    switch (effect.kind) {
      case 'dispatch':
      case 'stop':
      case 'agentPower':
      case 'resultRecorded': {
        const machine = this.machineOfAgent[effect.agent] as number;
        const delayMicros = effect.kind === 'dispatch' ? (this.overheads?.dispatchMicros(machine, effect) ?? 0) : 0;
        if (effect.kind === 'stop' || effect.kind === 'resultRecorded') this.overheads?.forgotten(effect);
        this.after(delayMicros, () =>
          this.network.send(firstMachineNode + machine, this.toAgent, machine, effect, messageBytes),
        );
        break;
      }
      case 'agentRegistered':
      case 'agentRefused': {
        const machine = this.machineOfName.get(effect.name) as number;
        if (effect.kind === 'agentRegistered') this.machineOfAgent[effect.agent] = machine;
        this.network.send(firstMachineNode + machine, this.toAgent, machine, effect, messageBytes);
        break;
      }
      case 'heartbeatsRecorded':
        this.network.send(gatewayNode, this.toGateway, effect.batch, effect.terms?.leaseMicros, messageBytes);
        break;
      case 'submissionAccepted':
      case 'submissionRefused':
      case 'submissionDeferred':
      case 'subscribed':
      case 'deliver':
        this.network.send(submitterNode, this.toSubmitter, 0, effect, messageBytes);
        break;
      default:
        break;
    }
  }

  answered(submission: number, accepted: boolean, reason: string): void {
    for (const observer of this.observers)
      observer.submissionAnswered?.(submission, accepted, reason, this.simulation.nowMicros);
    if (!accepted) this.end(submission);
  }

  taskEnded(end: TaskEnded): void {
    for (const observer of this.observers) observer.taskEnded?.(end, this.simulation.nowMicros);
    this.end(end.submission);
  }

  private end(submission: number): void {
    this.durations.delete(submission);
    this.runs.delete(submission);
    this.plant?.taskGone(submission);
    this.ended++;
    if (this.stopWhenDone && this.done) this.simulation.stop();
  }
}
