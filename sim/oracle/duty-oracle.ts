// The promise of answers: every result gets its receipt at once; what is not answered is said again; an agent that is silent beyond
// its lease is declared dead soon after; what uses a machine that died is told to stop; and a task that is not wanted any more is
// not begun anew. Other oracles judge what must never happen, this one what must happen in time.

import type { Effect } from '../../core/kernel/effects.ts';
import type { Heartbeats, InputBody } from '../../core/kernel/inputs.ts';
import type { WorldObserver } from '../world/observer.ts';
import type { WorldOptions } from '../world/world-options.ts';
import type { Fail } from './violation.ts';

export interface DutyOptions {
  readonly heartbeat: { readonly intervalMicros: number; readonly leaseMicros: number };
  /** The kernel's `dispatch.retryMicros`. */
  readonly retryMicros: number;
  /** The kernel's, as it begins. */
  readonly settings?: WorldOptions['settings'];
}

interface Order {
  readonly attempt: number;
  readonly submission: number;
  readonly machines: readonly number[];
  readonly incarnation: number;
  saidMicros: number;
  stopping: boolean;
  accepted: boolean;
}

export class DutyOracle implements WorldObserver {
  private readonly options: DutyOptions;
  private readonly fail: Fail;
  /** Attempts that run as far as the kernel knows. */
  private readonly orders = new Map<number, Order>();
  private readonly attemptsBegun = new Set<number>();
  private readonly accepted = new Set<number>();
  private readonly unwanted = new Set<number>();
  // By agent.
  private readonly incarnations: number[] = [];
  private readonly leaseEnds: number[] = [];
  private readonly dead: boolean[] = [];
  private input: InputBody | undefined;
  private inputMicros = 0;
  private receiptDue = false;
  /** The longest that was in force. */
  private retryMicros: number;
  private diedNow: number[] = [];
  private leaseMicros: number;

  constructor(options: DutyOptions, fail: Fail) {
    this.options = options;
    this.retryMicros = options.retryMicros;
    this.leaseMicros = options.heartbeat.leaseMicros;
    this.fail = fail;
  }

  kernelInput(input: InputBody, nowMicros: number, handledMicros = nowMicros): void {
    this.settle(handledMicros);
    this.input = input;
    this.inputMicros = handledMicros;
    this.receiptDue = input.kind === 'taskFinished';
    if (input.kind === 'resumed') {
      const clockErrorMicros = this.options.settings?.['registry.clockErrorMicros'] ?? 0;
      const isOver = (end: number): boolean => clockErrorMicros > 0 && end + clockErrorMicros < handledMicros;
      const heardMicros = handledMicros + 4 * this.options.heartbeat.intervalMicros;
      for (const [agent, end] of this.leaseEnds.entries())
        this.leaseEnds[agent] = Math.max(
          handledMicros,
          Math.min(end + input.pausedMicros, isOver(end) ? heardMicros : Number.POSITIVE_INFINITY),
        );
      for (const order of this.orders.values()) order.saidMicros = handledMicros;
    }
  }

  kernelEffect(effect: Effect, nowMicros: number, handledMicros = nowMicros): void {
    switch (effect.kind) {
      case 'settingAnswered':
        if (this.input?.kind === 'settingChanged' && effect.refusal === '' && effect.name === 'dispatch.retryMicros')
          this.retryMicros = Math.max(this.retryMicros, this.input.value);
        return;
      case 'resultRecorded':
        this.receiptDue = false;
        return;
      case 'submissionAccepted':
        this.accepted.add(effect.submission);
        return;
      case 'heartbeatsRecorded':
        if (effect.terms !== undefined) this.leaseMicros = effect.terms.leaseMicros;
        if (this.input?.kind === 'heartbeats') this.beat(this.input, handledMicros);
        return;
      case 'agentRegistered':
        this.incarnations[effect.agent] = effect.incarnation;
        this.dead[effect.agent] = false;
        this.leaseMicros = effect.leaseMicros;
        this.leaseEnds[effect.agent] = Math.max(this.leaseEnds[effect.agent] ?? 0, handledMicros + this.leaseMicros);
        return;
      case 'agentStateChanged':
        if (effect.to === 'dead') {
          this.dead[effect.agent] = true;
          this.diedNow.push(effect.agent);
        }
        if (effect.to === 'dead' || effect.reason === 'restarted') this.forgetLedBy(effect.agent);
        return;
      case 'dispatch': {
        const order = this.orders.get(effect.attempt);
        if (order !== undefined) {
          order.saidMicros = handledMicros;
          return;
        }
        const { attempt, submission, machines, incarnation } = effect;
        if (this.attemptsBegun.has(attempt)) return;
        this.attemptsBegun.add(attempt);
        if (this.unwanted.has(submission))
          this.fail('duties', `submission ${submission} is dispatched although it is cancelled`, handledMicros, effect);
        const fresh = { saidMicros: handledMicros, stopping: false, accepted: false };
        this.orders.set(attempt, { attempt, submission, machines, incarnation, ...fresh });
        return;
      }
      case 'stop': {
        const order = this.orders.get(effect.attempt);
        if (order === undefined) return;
        order.stopping = true;
        order.saidMicros = handledMicros;
        return;
      }
      default:
        return;
    }
  }

  /** The input before has had all its effects. */
  private settle(nowMicros: number): void {
    const { input } = this;
    if (input === undefined) return;
    if (this.receiptDue && input.kind === 'taskFinished')
      this.fail('duties', `the result of attempt ${input.attempt} has no receipt`, nowMicros, input);
    for (const agent of this.diedNow) this.judgeDeath(agent, nowMicros);
    this.diedNow = [];
    this.input = undefined;
    if (input.kind === 'taskFinished' || input.kind === 'dispatchAccepted') {
      const order = this.orders.get(input.attempt);
      if (order?.machines[0] === input.agent && order.incarnation === input.incarnation) {
        if (input.kind === 'taskFinished') this.orders.delete(input.attempt);
        else order.accepted = true;
      }
    } else if (input.kind === 'taskCancelled') {
      this.judgeCancellation(input.submission, nowMicros);
      if (this.accepted.has(input.submission)) this.unwanted.add(input.submission);
    }
    // Judged as of then: before the next input the kernel may have been dead.
    if (input.kind === 'heartbeats') this.judgeLateness(this.inputMicros);
  }

  private beat({ agents, incarnations, count }: Heartbeats, nowMicros: number): void {
    for (let index = 0; index < count; index++) {
      const agent = agents[index] as number;
      if (this.incarnations[agent] !== incarnations[index] || this.dead[agent] === true) continue;
      this.leaseEnds[agent] = Math.max(this.leaseEnds[agent] ?? 0, nowMicros + this.leaseMicros);
    }
  }

  /** What runs for a task that is not wanted any more is told to stop at once. */
  private judgeCancellation(submission: number, nowMicros: number): void {
    for (const order of this.orders.values()) {
      if (order.submission !== submission || order.stopping) continue;
      const what = `submission ${submission} is cancelled, and attempt ${order.attempt} is not told to stop`;
      this.fail('duties', what, nowMicros, order);
    }
  }

  private judgeDeath(agent: number, nowMicros: number): void {
    for (const { attempt, machines, stopping, submission } of this.orders.values()) {
      if (stopping || !machines.includes(agent)) continue;
      const what = `attempt ${attempt} uses the machine of agent ${agent}, which is dead, and is not told to stop`;
      this.fail('duties', what, nowMicros, { attempt, submission, agent });
    }
  }

  /** Deadlines are looked at when heartbeats come: then the kernel has fired its timers. */
  private judgeLateness(nowMicros: number): void {
    const { heartbeat } = this.options;
    const { retryMicros } = this;
    for (const { attempt, accepted, stopping, saidMicros, submission } of this.orders.values()) {
      if ((accepted && !stopping) || nowMicros <= saidMicros + retryMicros) continue;
      const what = `attempt ${attempt} was told to ${stopping ? 'stop' : 'begin'} at ${saidMicros} µs, and not again`;
      this.fail('duties', what, nowMicros, { attempt, submission });
    }
    for (const [agent, end] of this.leaseEnds.entries()) {
      if (this.dead[agent] === true || nowMicros <= end + heartbeat.intervalMicros) continue;
      const what = `agent ${agent} is not declared dead, although its lease ended at ${end} µs`;
      this.fail('duties', what, nowMicros, { agent });
    }
  }

  private forgetLedBy(agent: number): void {
    for (const [attempt, { machines }] of this.orders) if (machines[0] === agent) this.orders.delete(attempt);
  }
}
