// The promise: energy is kept in double entry. What agents report for their tasks, and what the machines took to idle, sleep and
// wake, is what the machines took in all; no machine works while it sleeps, and none sleeps before its time. Judged by an account
// of its own: it looks at what runs where and what is asleep, asks the model what that draws, and adds up, machine by machine.

import { microsPerSecond } from '../../core/base/time.ts';
import type { AgentMessage } from '../../core/client/agent-client.ts';
import type { ResourceRequest } from '../../core/scheduler/request.ts';
import type { MachineSpec, WorkloadTask } from '../workload/workload.ts';
import type { WorkEnd } from '../world/observer.ts';
import type { EnergyAccount, PowerState } from '../world/power/machine-meter.ts';
import { type PowerModel, processorShare, ratingOf } from '../world/power/power-model.ts';
import type { PhysicalWork } from './physical-work.ts';
import type { Fail } from './violation.ts';

/** Sums of as many parts differ in their last bits. */
const toleranceShare = 1e-9;
const toleranceJoules = 1e-3;

interface Piece {
  readonly request: ResourceRequest;
  readonly machines: readonly number[];
  joules: number;
}

/** By state: what a machine took in each. */
type StateJoules = Record<Exclude<PowerState, 'off'>, number>;

interface MachineAccount {
  state: PowerState;
  lastMicros: number;
  /** Since when it is on and has no work; −1 if it has some, or is not on. */
  idleSinceMicros: number;
  wakesSinceMicros: number;
  readonly pieces: Set<Piece>;
  readonly idle: StateJoules;
  workJoules: number;
}

export class EnergyOracle {
  private readonly specs: readonly MachineSpec[];
  private readonly model: PowerModel;
  private readonly fail: Fail;
  private readonly machines: readonly MachineAccount[];
  private readonly requests: (ResourceRequest | undefined)[] = [undefined];
  private readonly running = new Map<number, Piece>();
  /** What completed work took, until its agent says so. */
  private readonly ended = new Map<number, number>();

  constructor(specs: readonly MachineSpec[], model: PowerModel, fail: Fail) {
    this.specs = specs;
    this.model = model;
    this.fail = fail;
    this.machines = specs.map(() => ({
      ...{ state: 'off', lastMicros: 0, idleSinceMicros: -1, wakesSinceMicros: -1, pieces: new Set(), workJoules: 0 },
      idle: { on: 0, asleep: 0, waking: 0 },
    }));
  }

  taskArrived(submission: number, task: WorkloadTask): void {
    this.requests[submission] = task.request;
  }

  machinePower(machine: number, state: PowerState, nowMicros: number): void {
    const account = this.account(machine, nowMicros);
    const { sleep } = this.model;
    const { name } = this.specs[machine] as MachineSpec;
    if (state === 'asleep') {
      if (account.state !== 'on' || account.pieces.size > 0)
        this.broken(`${name} falls asleep over its work`, nowMicros);
      if (sleep === undefined) this.broken(`${name} sleeps where no machine does`, nowMicros);
      const idleMicros = nowMicros - account.idleSinceMicros;
      if (sleep.afterMicros !== Number.POSITIVE_INFINITY && idleMicros < sleep.afterMicros)
        this.broken(`${name} sleeps after ${idleMicros} of ${sleep.afterMicros} µs without work`, nowMicros);
    }
    if (state === 'waking') {
      if (account.state !== 'asleep') this.broken(`${name} wakes up and does not sleep`, nowMicros);
      account.wakesSinceMicros = nowMicros;
    }
    if (state === 'on' && account.state !== 'off') {
      const tookMicros = nowMicros - account.wakesSinceMicros;
      if (account.state !== 'waking' || tookMicros !== sleep?.wakeMicros)
        this.broken(`${name} is awake after ${tookMicros} µs`, nowMicros);
    }
    account.state = state;
    account.idleSinceMicros = state === 'on' ? nowMicros : -1;
  }

  workStarted({ dispatch, machines }: Pick<PhysicalWork, 'dispatch' | 'machines'>, nowMicros: number): void {
    const request = this.requests[dispatch.submission] as ResourceRequest;
    const on: number[] = [];
    for (const machine of machines) {
      const account = this.account(machine, nowMicros);
      if (account.state === 'asleep' || account.state === 'waking')
        this.broken(`work begins on ${this.specs[machine]?.name}, which is ${account.state}`, nowMicros);
      if (account.state === 'on') on.push(machine);
      account.idleSinceMicros = -1;
    }
    const piece: Piece = { request, machines: on, joules: 0 };
    this.running.set(dispatch.attempt, piece);
    for (const machine of on) (this.machines[machine] as MachineAccount).pieces.add(piece);
  }

  workEnded({ dispatch }: Pick<PhysicalWork, 'dispatch'>, end: WorkEnd, nowMicros: number): void {
    const piece = this.running.get(dispatch.attempt);
    if (piece === undefined) return;
    this.running.delete(dispatch.attempt);
    for (const machine of piece.machines) {
      const account = this.account(machine, nowMicros);
      account.pieces.delete(piece);
      if (account.state === 'on' && account.pieces.size === 0) account.idleSinceMicros = nowMicros;
    }
    if (end === 'completed' || end === 'failed') this.ended.set(dispatch.attempt, piece.joules);
  }

  agentSaid(message: AgentMessage, nowMicros: number): void {
    if (message.kind !== 'taskFinished') return;
    const joules = this.ended.get(message.attempt);
    if (joules === undefined) return;
    // A result is repeated until it is recorded; one look is enough.
    this.ended.delete(message.attempt);
    if (!isClose(message.joules ?? 0, joules))
      this.broken(`the agent reports ${message.joules} J for work that took ${joules} J`, nowMicros, message);
  }

  /** `accounts`: what the world's own meters say of each machine. */
  finish(accounts: readonly EnergyAccount[], nowMicros: number): void {
    for (const [machine, said] of accounts.entries()) {
      const { name } = this.specs[machine] as MachineSpec;
      const { idle, workJoules } = this.account(machine, nowMicros);
      const pairs = [
        ['idling', said.idleJoules, idle.on],
        ['work', said.workJoules, workJoules],
        ['sleeping', said.sleepJoules, idle.asleep],
        ['waking', said.wakeJoules, idle.waking],
      ] as const;
      for (const [what, metered, own] of pairs)
        if (!isClose(metered, own)) this.broken(`${name}: ${metered} J metered for ${what}, not ${own} J`, nowMicros);
    }
  }

  /** The machine's account, brought up to now: what its state drew since, and what each piece of its work. */
  private account(machine: number, nowMicros: number): MachineAccount {
    const account = this.machines[machine] as MachineAccount;
    const seconds = (nowMicros - account.lastMicros) / microsPerSecond;
    account.lastMicros = nowMicros;
    if (seconds === 0 || account.state === 'off') return account;
    const spec = this.specs[machine] as MachineSpec;
    const rating = ratingOf(spec, this.model);
    const { watts = 0, wakeWatts = 0 } = this.model.sleep ?? {};
    account.idle[account.state] += seconds * { on: rating.idleWatts, asleep: watts, waking: wakeWatts }[account.state];
    if (account.state !== 'on') return account;
    let cpuMilli = 0;
    for (const { request } of account.pieces) cpuMilli += request.cpuMilli;
    // Work whose leading machine hangs may hold a share that was given to others meanwhile.
    const processorWatts = rating.processorWatts * processorShare(Math.min(1, cpuMilli / spec.cpuMilli));
    for (const piece of account.pieces) {
      const { request } = piece;
      const ownWatts =
        (request.cpuMilli > 0 ? (processorWatts * request.cpuMilli) / cpuMilli : 0) +
        (rating.acceleratorWatts * request.gpuCount * request.gpuMilli) / 1000;
      piece.joules += ownWatts * seconds;
      account.workJoules += ownWatts * seconds;
    }
    return account;
  }

  private broken(what: string, nowMicros: number, concerned: { readonly attempt?: number } = {}): never {
    this.fail('energy', what, nowMicros, concerned);
  }
}

function isClose(left: number, right: number): boolean {
  return Math.abs(left - right) <= toleranceJoules + toleranceShare * Math.max(Math.abs(left), Math.abs(right));
}
