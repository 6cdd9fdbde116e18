// All oracles of a run, ready to watch a world. They are on in every run; they see everything, change nothing, and raise an
// {@link OracleViolation} at the first promise that is broken.

import type { Dispatch, Effect, TaskEnded } from '../../core/kernel/effects.ts';
import type { InputBody } from '../../core/kernel/inputs.ts';
import type { JournalReport, JournalStore } from '../../core/kernel/journal.ts';
import type { ReleasedInput } from '../../core/kernel/journaled-kernel.ts';
import type { Kernel } from '../../core/kernel/kernel.ts';
import type { FileCompletion, FileOperation } from '../../core/ports/file-port.ts';
import type { WorkloadTask } from '../workload/workload.ts';
import type { WorkEnd, WorldObserver } from '../world/observer.ts';
import type { EnergyAccount, PowerState } from '../world/power/machine-meter.ts';
import type { WorldOptions } from '../world/world.ts';
import { CapacityOracle } from './capacity-oracle.ts';
import { DeliveryOracle } from './delivery-oracle.ts';
import { EndOracle } from './end-oracle.ts';
import { EnergyOracle } from './energy-oracle.ts';
import { FlightRecorder } from './flight-recorder.ts';
import { GangOracle } from './gang-oracle.ts';
import { JournalOracle } from './journal-oracle.ts';
import { LeaseOracle } from './lease-oracle.ts';
import { type LivenessOptions, LivenessOracle } from './liveness-oracle.ts';
import { OwnerOracle } from './owner-oracle.ts';
import { PhysicalWorks } from './physical-work.ts';
import { ProgressOracle } from './progress-oracle.ts';
import { type Fail, OracleViolation } from './violation.ts';

export interface Oracles {
  /** For `WorldOptions.observers`. */
  readonly observers: readonly WorldObserver[];
  /** Checks what only the end of a run shows. Call it once, with the simulated time at which the run stopped. */
  finish(nowMicros: number, world?: MeteredWorld): void;
}

/** What the oracles ask a world at its end. */
export interface MeteredWorld {
  readonly plant: { readAccounts(): readonly EnergyAccount[] } | undefined;
}

/** What the oracles need to know of a world: options for one will do. Without `seed`, runs in which a drawn share of the
 *  machines is lost for ever are not judged for liveness. */
export type OracleOptions = Pick<WorldOptions, 'machines' | 'profile' | 'heartbeat' | 'faults'> &
  Partial<Pick<WorldOptions, 'seed' | 'power' | 'settings'>> &
  Pick<LivenessOptions, 'horizonMicros'>;

/** @throws {@link OracleViolation} (SIRA_ORACLE_VIOLATED) from any call to an observer or to `finish`. */
export function createOracles(options: OracleOptions): Oracles {
  const panel = new OraclePanel(options);
  return { observers: [panel], finish: (nowMicros, world) => panel.finish(nowMicros, world) };
}

/** One observer that tells each oracle what it asks for, by calls that the compiler can see through: half the cost of as
 *  many observers in a list. What is new is first recorded, then judged. */
class OraclePanel implements WorldObserver {
  private readonly recorder: FlightRecorder;
  private readonly works: PhysicalWorks;
  private readonly ends: EndOracle;
  private readonly leases: LeaseOracle;
  private readonly owners: OwnerOracle;
  private readonly capacity: CapacityOracle;
  private readonly deliveries: DeliveryOracle;
  private readonly gangs: GangOracle;
  private readonly liveness: LivenessOracle;
  private readonly progress: ProgressOracle;
  private readonly journal: JournalOracle;
  private readonly energy: EnergyOracle | undefined;
  /** Only the account of energy listens to agents: nobody needs to tell of them without it. */
  readonly agentSaid?: NonNullable<WorldObserver['agentSaid']>;

  constructor(options: OracleOptions) {
    const names = options.machines.map((machine) => machine.name);
    this.recorder = new FlightRecorder(names);
    const fail: Fail = (oracle, what, nowMicros, concerned) => {
      throw new OracleViolation(oracle, what, nowMicros, concerned, this.recorder.chain(concerned));
    };
    this.works = new PhysicalWorks(names);
    this.ends = new EndOracle(fail);
    this.leases = new LeaseOracle(
      this.works,
      options.heartbeat,
      options.settings?.['registry.clockErrorMicros'] ?? 0,
      fail,
    );
    this.owners = new OwnerOracle(fail);
    this.capacity = new CapacityOracle(options.machines, fail);
    this.deliveries = new DeliveryOracle(fail);
    this.gangs = new GangOracle(fail);
    this.liveness = new LivenessOracle(options, fail);
    this.progress = new ProgressOracle(fail);
    this.journal = new JournalOracle(fail);
    const energy = options.power === undefined ? undefined : new EnergyOracle(options.machines, options.power, fail);
    this.energy = energy;
    if (energy !== undefined) this.agentSaid = (_, message, nowMicros) => energy.agentSaid(message, nowMicros);
    this.works.listeners.push(this.leases, this.owners, this.capacity, this.liveness);
  }

  taskArrived(submission: number, task: WorkloadTask, nowMicros: number): void {
    this.recorder.taskArrived(submission, task, nowMicros);
    this.ends.taskArrived(submission);
    this.capacity.taskArrived(submission, task);
    this.gangs.taskArrived(submission, task);
    this.liveness.taskArrived(submission, task, nowMicros);
    this.progress.taskArrived(submission, task);
    this.energy?.taskArrived(submission, task);
  }

  submissionAnswered(submission: number, accepted: boolean, reason: string, nowMicros: number): void {
    this.recorder.submissionAnswered(submission, accepted, reason, nowMicros);
    this.ends.submissionAnswered(submission, accepted, reason, nowMicros);
    this.liveness.submissionAnswered(submission, accepted);
  }

  kernelInput(input: InputBody, nowMicros: number, handledMicros = nowMicros): void {
    this.recorder.kernelInput(input, nowMicros);
    this.leases.kernelInput(input, handledMicros);
    this.deliveries.kernelInput(input, nowMicros);
    this.progress.kernelInput(input);
    this.gangs.kernelInput(handledMicros);
    this.liveness.kernelInput(input, nowMicros);
  }

  kernelEffect(effect: Effect, nowMicros: number, handledMicros = nowMicros): void {
    switch (effect.kind) {
      case 'dispatch':
        this.recorder.kernelEffect(effect, nowMicros);
        this.ends.kernelEffect(effect, nowMicros);
        this.leases.kernelEffect(effect, handledMicros);
        this.progress.kernelEffect(effect, nowMicros);
        this.gangs.dispatched(effect);
        return;
      case 'deliver':
        this.recorder.kernelEffect(effect, nowMicros);
        this.deliveries.kernelEffect(effect, nowMicros);
        return;
      case 'submissionAccepted':
      case 'submissionRefused':
        this.recorder.kernelEffect(effect, nowMicros);
        this.ends.kernelEffect(effect, nowMicros);
        this.liveness.kernelEffect(effect, nowMicros);
        return;
      case 'agentRegistered':
      case 'agentStateChanged':
        this.recorder.kernelEffect(effect, nowMicros);
        this.works.kernelEffect(effect, nowMicros);
        this.leases.kernelEffect(effect, handledMicros);
        this.progress.kernelEffect(effect, nowMicros);
        return;
      case 'heartbeatsRecorded':
        this.leases.kernelEffect(effect, handledMicros);
        return;
      case 'wakeAt':
        return;
      default:
        this.recorder.kernelEffect(effect, nowMicros);
    }
  }

  workStarted(dispatch: Dispatch, machines: readonly number[], nowMicros: number): void {
    this.recorder.workStarted(dispatch, machines, nowMicros);
    this.works.workStarted(dispatch, machines, nowMicros);
    this.progress.workStarted(dispatch, machines, nowMicros);
    this.energy?.workStarted({ dispatch, machines }, nowMicros);
  }

  workSaved(dispatch: Dispatch, progressMicros: number): void {
    this.progress.workSaved(dispatch, progressMicros);
  }

  workEnded(dispatch: Dispatch, machines: readonly number[], end: WorkEnd, nowMicros: number): void {
    this.recorder.workEnded(dispatch, machines, end, nowMicros);
    this.works.workEnded(dispatch, machines, end, nowMicros);
    this.progress.workEnded(dispatch, machines, end, nowMicros);
    this.energy?.workEnded({ dispatch }, end, nowMicros);
  }

  machinePower(machine: number, state: PowerState, nowMicros: number): void {
    this.energy?.machinePower(machine, state, nowMicros);
  }

  machineHung(machine: number, hung: boolean, nowMicros: number): void {
    this.recorder.machineHung(machine, hung, nowMicros);
    this.works.machineHung(machine, hung);
    this.leases.machineHung(machine, hung, nowMicros);
  }

  taskEnded(end: TaskEnded, nowMicros: number): void {
    this.recorder.taskEnded(end, nowMicros);
    this.ends.taskEnded(end, nowMicros);
    this.owners.taskEnded(end, nowMicros);
    this.deliveries.taskEnded(end, nowMicros);
    this.liveness.taskEnded(end, nowMicros);
  }

  inputReleased(input: ReleasedInput, again: boolean, nowMicros: number): void {
    this.journal.inputReleased(input, again, nowMicros);
    this.leases.inputReleased(input);
  }

  fileAsked(store: JournalStore, operation: FileOperation): void {
    this.journal.fileAsked(store, operation);
  }

  fileDone(store: JournalStore, completion: FileCompletion): void {
    this.journal.fileDone(store, completion);
  }

  inputLost(_input: InputBody, nowMicros: number): void {
    this.liveness.check(nowMicros);
  }

  kernelDown(nowMicros: number): void {
    this.journal.kernelDown(nowMicros);
  }

  kernelClock(aheadMicros: number): void {
    this.leases.kernelClock(aheadMicros);
    this.journal.kernelClock(aheadMicros);
  }

  kernelRecovered(kernel: Kernel, report: JournalReport, nowMicros: number): void {
    this.journal.kernelRecovered(kernel, report, nowMicros);
    this.leases.kernelRecovered(kernel, report);
  }

  finish(nowMicros: number, world?: MeteredWorld): void {
    this.liveness.check(nowMicros);
    if (world?.plant !== undefined) this.energy?.finish(world.plant.readAccounts(), nowMicros);
  }
}
