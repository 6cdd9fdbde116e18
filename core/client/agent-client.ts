// The agent's side of the protocol, sans-I/O: it registers, keeps its lease, takes dispatches once, reports results until
// they are recorded, and stops all work when its lease has run out, before the kernel may give that work to another. What
// runs the work, sends the messages and wakes the agent is the shell's: in the simulator a machine, live a process.

import { assert } from '../base/assert.ts';
import { type FaultSwitch, noFaults } from '../base/fault-points.ts';
import { SequenceWindow } from '../base/sequence-window.ts';
import type { AgentPower, AgentRefused, AgentRegistered, Dispatch, ResultRecorded, Stop } from '../kernel/effects.ts';
import type {
  AgentDraining,
  AgentHello,
  AgentPowerChanged,
  AttemptReference,
  DispatchAccepted,
  TaskFinished,
  TaskProgressed,
} from '../kernel/inputs.ts';
import type { AgentResources, Capabilities } from '../registry/agent-hello.ts';

export type AgentMessage =
  | AgentHello
  | AgentDraining
  | AgentPowerChanged
  | DispatchAccepted
  | TaskProgressed
  | TaskFinished;
export type ToAgent = AgentRegistered | AgentRefused | Dispatch | Stop | ResultRecorded | AgentPower;

/** What the agent asks of its shell. */
export interface AgentShell {
  send(message: AgentMessage): void;
  /** Begin the work; answer with {@link AgentClient.workEnded}. */
  startWork(dispatch: Dispatch): void;
  /** End the work now, without an answer. */
  stopWork(reference: AttemptReference): void;
  /** The machine shall be awake, or may sleep; answer with {@link AgentClient.powerChanged} once it is so, or is so already. Left out
   *  by agents whose machines never sleep. */
  power?(awake: boolean): void;
  /** Call {@link AgentClient.wake} at this time; replaces no earlier wish. */
  wakeAt(timeMicros: number): void;
}

export interface AgentOptions {
  readonly gateway: number;
  readonly name: string;
  readonly resources: AgentResources;
  readonly capabilities: Capabilities;
  readonly attributes: Readonly<Record<string, string | number>>;
  /** Time until an unanswered message is sent again. */
  readonly retryMicros: number;
  /** 1 if left out. A process that does not know how often it was started takes what only grows, such as seconds of a clock. */
  readonly firstIncarnation?: number | undefined;
  /** How far the agent's monotonic clock may drift from the kernel's, as a share of time; 0.01 if left out. Its leases are shorter by
   *  so much, so that work has ended here before the kernel gives it to another. */
  readonly clockDriftMax?: number | undefined;
}

/** `progressMicros`: service that the latest checkpoint holds, 0 if there is none. */
type Work = { readonly dispatch: Dispatch; result: TaskFinished | undefined; progressMicros: number };

export class AgentClient {
  private readonly options: AgentOptions;
  private readonly shell: AgentShell;
  private readonly faults: FaultSwitch;
  private resources: AgentResources;
  private readonly leaseShare: number;
  private draining = false;
  /** −1 until registered. */
  private number = -1;
  private incarnation: number;
  /** Counts the connections of this incarnation. */
  private connection = 1;
  private leaseMicros = 0;
  /** How long it keeps its work once it has closed its connection. */
  private graceMicros = Number.POSITIVE_INFINITY;
  private leaseExpiryMicros = Number.POSITIVE_INFINITY;
  private registered = false;
  /** Work that runs, or whose result is not recorded yet, by attempt. */
  private readonly work = new Map<number, Work>();
  private unrecorded = 0;
  /** Dispatches seen, by the order that the kernel gave them: a late copy must not begin work again. */
  private readonly orders = new SequenceWindow();
  private retryAtMicros = Number.POSITIVE_INFINITY;

  constructor(options: AgentOptions, shell: AgentShell, faults: FaultSwitch = noFaults) {
    this.options = options;
    this.shell = shell;
    this.faults = faults;
    this.resources = options.resources;
    this.leaseShare = 1 - (options.clockDriftMax ?? 0.01);
    this.incarnation = (options.firstIncarnation ?? 1) - 1;
  }

  get agent(): number {
    return this.number;
  }

  /** How often it has connected in this incarnation. */
  get currentConnection(): number {
    return this.connection;
  }

  get currentIncarnation(): number {
    return this.incarnation;
  }

  /** Whether the kernel has said what follows when the connection closes. */
  get hasGrace(): boolean {
    return this.graceMicros !== Number.POSITIVE_INFINITY;
  }

  /** True if a heartbeat should be sent for it. */
  get beats(): boolean {
    return this.registered;
  }

  get runningCount(): number {
    return this.work.size - this.unrecorded;
  }

  /** Begins, or begins anew after a restart: what ran before is lost, and the new incarnation says so. */
  start(nowMicros: number): void {
    this.giveUp();
    // A wake that came while the agent was down went unheard.
    this.retryAtMicros = Number.POSITIVE_INFINITY;
    this.hello(nowMicros);
  }

  /** What it sent may be lost, and so may be what was sent to it: it says what it runs, and the kernel what it should. */
  reconnected(nowMicros: number): void {
    this.connection++;
    this.hello(nowMicros);
    if (this.registered) for (const { result } of this.work.values()) if (result !== undefined) this.shell.send(result);
  }

  /** It has closed its connection: the kernel may give its work to another after a while, unless it comes back. Who was left by the
   *  kernel does not call this: a kernel that restarts takes no work away. */
  disconnected(nowMicros: number): void {
    if (this.registered) this.leaseExpiryMicros = Math.min(this.leaseExpiryMicros, nowMicros + this.graceMicros);
  }

  /** The kernel knows a later incarnation of this agent: the next one comes after that. */
  incarnationKnown(incarnation: number): void {
    if (incarnation >= this.incarnation) this.incarnation = incarnation;
  }

  receive(message: ToAgent, nowMicros: number): void {
    if (message.kind === 'agentRegistered') this.onRegistered(message, nowMicros);
    else if (message.kind === 'agentRefused') this.onRefused(message, nowMicros);
    else if (this.registered && message.agent === this.number && message.incarnation === this.incarnation) {
      if (message.kind === 'dispatch') this.onDispatch(message);
      else if (message.kind === 'stop') this.onStop(message, nowMicros);
      else if (message.kind === 'agentPower') this.shell.power?.(message.awake);
      else this.forget(message.attempt);
    }
  }

  /** When the lease runs out, `Infinity` without one. */
  get leaseEndMicros(): number {
    return this.leaseExpiryMicros;
  }

  /** How long a lease lasts from the heartbeat that renews it. */
  get leaseLengthMicros(): number {
    return this.leaseMicros;
  }

  /** A heartbeat that was sent at `sentMicros` has been recorded: the lease runs from then. `leaseMicros`: its length by the kernel's
   *  clock, if the receipt says it. */
  leaseRenewed(sentMicros: number, leaseMicros?: number): void {
    if (leaseMicros !== undefined) this.leaseMicros = Math.floor(leaseMicros * this.leaseShare);
    if (this.registered) this.leaseExpiryMicros = Math.max(this.leaseExpiryMicros, sentMicros + this.leaseMicros);
  }

  /** To be called at least once per heartbeat interval: gives up all work if the lease could end before the next call. */
  tick(nowMicros: number, intervalMicros: number): void {
    if (!this.registered || nowMicros + intervalMicros < this.leaseExpiryMicros) return;
    this.start(nowMicros);
  }

  /** Takes no new work; what it runs it finishes. The kernel is told until the agent ends or {@link endDrain} is called. */
  drain(nowMicros: number): void {
    this.draining = true;
    this.sayDraining();
    this.wishWake(nowMicros);
  }

  /** It has new work again with its next incarnation. */
  endDrain(): void {
    this.draining = false;
  }

  /** What its next incarnation says that it has. */
  hasResources(resources: AgentResources): void {
    this.resources = resources;
  }

  /** The work of an attempt has saved a checkpoint that holds this much service, earlier attempts' included. */
  workProgressed({ task, attempt }: AttemptReference, progressMicros: number): void {
    const work = this.work.get(attempt);
    assert(work !== undefined && work.result === undefined, 'only what runs progresses');
    assert(progressMicros >= work.progressMicros, 'progress never falls');
    work.progressMicros = progressMicros;
    const { number: agent, incarnation } = this;
    this.shell.send({ kind: 'taskProgressed', agent, incarnation, task, attempt, progressMicros });
  }

  /** The work of an attempt has ended by itself. `joules`: the energy that it took, `queueMicros`: how long it had waited here for
   *  its begin, if that was measured. */
  workEnded(
    reference: AttemptReference,
    outcome: 'completed' | 'failed',
    serviceMicros: number,
    nowMicros: number,
    joules?: number,
    queueMicros?: number,
  ): void {
    const work = this.work.get(reference.attempt);
    assert(work !== undefined && work.result === undefined, 'work ends once');
    this.report(work, outcome, serviceMicros, nowMicros, joules, queueMicros);
  }

  /** The machine sleeps, or is awake, as the kernel wished. Said once: the kernel asks again if it was lost. */
  powerChanged(awake: boolean): void {
    const { number: agent, incarnation } = this;
    if (this.registered) this.shell.send({ kind: 'agentPowerChanged', agent, incarnation, awake });
  }

  /** Sends again what is overdue for an answer. */
  wake(nowMicros: number): void {
    if (nowMicros < this.retryAtMicros) return;
    this.retryAtMicros = Number.POSITIVE_INFINITY;
    if (!this.registered) {
      this.hello(nowMicros);
      return;
    }
    if (this.faults.fires('agent.helloAgain')) this.hello(nowMicros);
    for (const { result } of this.work.values()) if (result !== undefined) this.shell.send(result);
    this.sayDraining();
    if (this.unrecorded > 0 || this.draining) this.wishWake(nowMicros);
  }

  /** Ends all work; what follows is a new incarnation, without a lease until it is registered. */
  private giveUp(): void {
    for (const { dispatch, result } of this.work.values()) if (result === undefined) this.shell.stopWork(dispatch);
    this.work.clear();
    this.unrecorded = 0;
    this.orders.clear();
    this.incarnation++;
    this.connection = 1;
    this.registered = false;
    this.leaseExpiryMicros = Number.POSITIVE_INFINITY;
  }

  private hello(nowMicros: number): void {
    const { gateway, name } = this.options;
    const { resources } = this;
    this.shell.send({
      kind: 'agentHello',
      gateway,
      name,
      incarnation: this.incarnation,
      sentMicros: nowMicros,
      connection: this.connection,
      resources,
      capabilities: this.options.capabilities,
      attributes: this.options.attributes,
      running: [...this.work.values()].map(({ dispatch }) => ({ task: dispatch.task, attempt: dispatch.attempt })),
    });
    this.wishWake(nowMicros);
  }

  private onRegistered(message: AgentRegistered, nowMicros: number): void {
    if (message.incarnation !== this.incarnation) return;
    const leaseMicros = Math.floor(message.leaseMicros * this.leaseShare);
    const expiryMicros = message.helloSentMicros + leaseMicros;
    // An answer that took so long gives no lease to work under; the hello is repeated.
    if (!this.registered && nowMicros + message.heartbeatIntervalMicros >= expiryMicros) return;
    this.number = message.agent;
    this.leaseMicros = leaseMicros;
    const { disconnectGraceMicros = Number.POSITIVE_INFINITY } = message;
    this.graceMicros = disconnectGraceMicros * this.leaseShare;
    this.leaseExpiryMicros = this.registered ? Math.max(this.leaseExpiryMicros, expiryMicros) : expiryMicros;
    this.registered = true;
    for (const { attempt } of message.stop) this.stopAttempt(attempt, nowMicros);
    if (this.draining) this.drain(nowMicros);
  }

  private sayDraining(): void {
    const { number: agent, incarnation } = this;
    if (this.draining && this.registered) this.shell.send({ kind: 'agentDraining', agent, incarnation });
  }

  private onRefused(message: AgentRefused, nowMicros: number): void {
    if (message.incarnation !== this.incarnation) return;
    this.giveUp();
    this.wishWake(nowMicros);
  }

  private onDispatch(dispatch: Dispatch): void {
    const known = this.work.get(dispatch.attempt);
    if (known === undefined) {
      if (this.orders.look(dispatch.order) !== 'new') return;
      this.orders.note(dispatch.order);
      const progressMicros = dispatch.checkpoint?.resumeMicros ?? 0;
      this.work.set(dispatch.attempt, { dispatch, result: undefined, progressMicros });
      this.shell.startWork(dispatch);
    } else if (known.result !== undefined) {
      this.shell.send(known.result);
      return;
    }
    const { task, attempt } = dispatch;
    const { number: agent, incarnation } = this;
    const times = this.faults.fires('agent.acceptTwice') ? 2 : 1;
    for (let time = 0; time < times; time++)
      this.shell.send({ kind: 'dispatchAccepted', agent, incarnation, task, attempt });
  }

  private onStop(message: Stop, nowMicros: number): void {
    if (this.work.has(message.attempt)) {
      this.stopAttempt(message.attempt, nowMicros);
    } else {
      // Its dispatch may be on its way still.
      if (this.orders.look(message.order) === 'new') this.orders.note(message.order);
      // It may have been recorded already, or never have come; either way it does not run here.
      const { agent, incarnation, task, attempt } = message;
      this.shell.send({
        kind: 'taskFinished',
        agent,
        incarnation,
        task,
        attempt,
        outcome: 'stopped',
        serviceMicros: 0,
      });
    }
  }

  private stopAttempt(attempt: number, nowMicros: number): void {
    const work = this.work.get(attempt);
    if (work === undefined || work.result !== undefined) return;
    this.shell.stopWork(work.dispatch);
    this.report(work, 'stopped', 0, nowMicros);
  }

  private report(
    work: Work,
    outcome: TaskFinished['outcome'],
    serviceMicros: number,
    nowMicros: number,
    joules?: number,
    queueMicros?: number,
  ): void {
    const { task, attempt } = work.dispatch;
    const { progressMicros } = work;
    const result: TaskFinished = {
      kind: 'taskFinished',
      agent: this.number,
      incarnation: this.incarnation,
      task,
      attempt,
      outcome,
      serviceMicros,
      ...(joules === undefined ? {} : { joules }),
      ...(queueMicros === undefined ? {} : { queueMicros }),
    };
    work.result = progressMicros > 0 && outcome !== 'completed' ? { ...result, progressMicros } : result;
    this.unrecorded++;
    this.shell.send(work.result);
    this.wishWake(nowMicros);
  }

  private forget(attempt: number): void {
    const work = this.work.get(attempt);
    if (work === undefined || work.result === undefined) return;
    this.work.delete(attempt);
    this.unrecorded--;
  }

  private wishWake(nowMicros: number): void {
    if (this.retryAtMicros !== Number.POSITIVE_INFINITY) return;
    const { retryMicros } = this.options;
    const isSoon = this.faults.fires('agent.retrySoon');
    this.retryAtMicros = nowMicros + (isSoon ? Math.ceil(retryMicros / 32) : retryMicros);
    this.shell.wakeAt(this.retryAtMicros);
  }
}
