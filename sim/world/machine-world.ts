// What a simulated machine needs of the world around it, and of the power of the machines that its work runs on.

import type { AgentMessage } from '../../core/client/agent-client.ts';
import type { Dispatch } from '../../core/kernel/effects.ts';
import type { Simulation } from '../engine/simulation.ts';
import type { WorkEnd } from './observer.ts';
import type { PowerState } from './power/machine-meter.ts';

/** What a machine needs of the world around it. */
export interface MachineWorld {
  readonly simulation: Simulation;
  readonly workEndHandler: number;
  readonly agentWakeHandler: number;
  send(machine: number, message: AgentMessage): void;
  /** True duration of the dispatched work, microseconds; `Infinity` never ends by itself. */
  durationMicros(dispatch: Dispatch, machine: number): number;
  /** How work on this machine ends that is not stopped before, and what energy it takes; it completes if left out. */
  endOf?(machine: number, dispatch: Dispatch): { readonly fails: boolean; readonly joules: number } | undefined;
  workStarted(machine: number, dispatch: Dispatch): void;
  /** The work has saved a checkpoint that holds this much service, earlier attempts' included. */
  workSaved?(machine: number, dispatch: Dispatch, progressMicros: number): void;
  workEnded(machine: number, dispatch: Dispatch, end: WorkEnd): void;
  /** How many pieces of work a machine does at once; others that were dispatched to it wait there. Any number if left out. */
  readonly lanes?: number | undefined;
  /** Time that a machine takes for this work before it begins. */
  setUpMicros?(dispatch: Dispatch): number;
  machineHung(machine: number, hung: boolean): void;
  /** The machine begins to run, or has crashed. */
  machineUp?(machine: number, up: boolean): void;
  /** If energy is measured. */
  readonly plant?: WorkPower | undefined;
}

/** What work has to do with the power of its machines. */
export interface WorkPower {
  /** Its machines wake up and stay awake for it. Returns when they will be; undefined if all are. */
  claim(leader: number, dispatch: Dispatch): number | undefined;
  begin(leader: number, dispatch: Dispatch): void;
  /** What was claimed has ended, or never began. Returns the joules that it took. */
  end(leader: number, dispatch: Dispatch): number;
  /** The machine shall sleep: it does if it is on and has no work. */
  sleep(machine: number): void;
  wake(machine: number): void;
  stateOf(machine: number): PowerState;
}
