// Who may watch a world: oracles, collectors of metrics, recorders. Observers see everything and change nothing.

import type { AgentMessage } from '../../core/client/agent-client.ts';
import type { Dispatch, Effect, TaskEnded } from '../../core/kernel/effects.ts';
import type { InputBody } from '../../core/kernel/inputs.ts';
import type { JournalReport, JournalStore } from '../../core/kernel/journal.ts';
import type { ReleasedInput } from '../../core/kernel/journaled-kernel.ts';
import type { Kernel } from '../../core/kernel/kernel.ts';
import type { FileCompletion, FileOperation } from '../../core/ports/file-port.ts';
import type { WorkloadTask } from '../workload/workload.ts';
import type { PowerState } from './power/machine-meter.ts';

/** Why work on a machine is over. `lost`: the machine crashed under it. */
export type WorkEnd = 'completed' | 'failed' | 'stopped' | 'lost';

export interface WorldObserver {
  /** A task of the workload came to the submitter and got its submission number. */
  taskArrived?(submission: number, task: WorkloadTask, nowMicros: number): void;
  submissionAnswered?(submission: number, accepted: boolean, reason: string, nowMicros: number): void;
  /** With a journal: when the input is durable and its effects leave, the first time. `handledMicros` is the input's own time. */
  kernelInput?(input: InputBody, nowMicros: number, handledMicros?: number): void;
  kernelEffect?(effect: Effect, nowMicros: number, handledMicros?: number): void;
  /** Work physically begins on `machines` (the world's own indices, the leading one first). */
  workStarted?(dispatch: Dispatch, machines: readonly number[], nowMicros: number): void;
  /** The work has saved a checkpoint that holds this much service, earlier attempts' included. */
  workSaved?(dispatch: Dispatch, progressMicros: number, nowMicros: number): void;
  workEnded?(dispatch: Dispatch, machines: readonly number[], end: WorkEnd, nowMicros: number): void;
  /** A machine stands still, with the work that it leads; or it goes on, after its agent has looked at its lease. */
  machineHung?(machine: number, hung: boolean, nowMicros: number): void;
  /** A machine begins to run, with its agent, or has crashed. */
  machineUp?(machine: number, up: boolean, nowMicros: number): void;
  /** With a power model: what the machine draws is of another kind from now on. */
  machinePower?(machine: number, state: PowerState, nowMicros: number): void;
  /** The agent of a machine sends a message, which may be lost on its way. */
  agentSaid?(machine: number, message: AgentMessage, nowMicros: number): void;
  /** The submitter took note of the end of a task. */
  taskEnded?(end: TaskEnded, nowMicros: number): void;
  /** With a journal: an input and its effects leave, for the first time or (`again`) after a recovery. */
  inputReleased?(input: ReleasedInput, again: boolean, nowMicros: number): void;
  /** The kernel's process asks the disk, or is answered. */
  fileAsked?(store: JournalStore, operation: FileOperation): void;
  fileDone?(store: JournalStore, completion: FileCompletion): void;
  /** The kernel's process is down, or takes nothing now: what was sent to it is lost. */
  inputLost?(input: InputBody, nowMicros: number): void;
  /** The kernel's process has died, with all that it remembered. */
  kernelDown?(nowMicros: number): void;
  /** With a journal: how far the time of inputs is ahead of the world's from now on. Said when a process has recovered. */
  kernelClock?(aheadMicros: number): void;
  /** A process has recovered `kernel` from the disk; inputs whose effects may not have left are released next. */
  kernelRecovered?(kernel: Kernel, report: JournalReport, nowMicros: number): void;
  /** A fault of the plan begins (`active`) or ends. */
  faultChanged?(fault: string, active: boolean, nowMicros: number): void;
}
