// Watches a world and keeps the account of its requests: who asked when, who was answered when, what was in the way of those
// answered late, and how long work that a fault displaced took to run again. It sees what an outsider sees, and the faults.

import { microsPerSecond } from '../../../core/base/time.ts';
import type { Effect, TaskEnded } from '../../../core/kernel/effects.ts';
import type { WorldObserver } from '../../world/observer.ts';
import type { DrawnFault } from './draw-faults.ts';
import type { FaultEffect } from './fault-model.ts';

interface Request {
  readonly arrivedMicros: number;
  accepted: boolean;
  /** Its present attempt, and since when; −1 before the first. */
  attempt: number;
  machine: number;
  dispatchedMicros: number;
  /** When the work was stopped before its end, −1 if it was not. */
  stoppedMicros: number;
  /** Displaced: by what and when, until the work runs again. */
  faultMicros: number;
  cause: string;
}

/** A fault that has begun in this world; `Infinity` while it lasts. */
interface SeenFault {
  readonly fault: DrawnFault;
  readonly beginMicros: number;
  endMicros: number;
}

export interface Recovery {
  readonly cause: string;
  /** From the fault to the work running again. */
  readonly micros: number;
}

export interface LedgerCounts {
  requests: number;
  /** Answered within the promise. */
  served: number;
  late: number;
  refused: number;
  failed: number;
  /** Requests not served, by what was in the way. */
  readonly notServed: Record<string, number>;
  /** Counted requests by whole seconds to the answer; the last place holds all that took longer. */
  readonly responseSeconds: number[];
  longestMicros: number;
  readonly recoveries: Recovery[];
  /** Displaced, and answered without another start. */
  rodeOut: number;
  /** From a fault of the kernel to a process that has recovered, microseconds. */
  readonly kernelOutages: number[];
  /** Times that no gateway was there. */
  readonly gatewayOutages: number[];
}

export const responseSecondsMax = 300;
export const nobody = 'nothing known';
/** For so long after a fault of all it may still be the cause of what is amiss. */
const aftermathMicros = 30 * microsPerSecond;
/** Faults of all are looked at in this order, then those of the machine that had the request, then the rest. */
const fleetEffects: readonly FaultEffect[] = ['kernelDown', 'gatewayCut', 'diskSlow'];

export class RequestLedger implements WorldObserver {
  readonly counts: LedgerCounts = {
    requests: 0,
    served: 0,
    late: 0,
    refused: 0,
    failed: 0,
    notServed: {},
    responseSeconds: new Array<number>(responseSecondsMax + 1).fill(0),
    longestMicros: 0,
    recoveries: [],
    rodeOut: 0,
    kernelOutages: [],
    gatewayOutages: [],
  };
  private readonly promiseMicros: number;
  private readonly isCounted: (arrivedMicros: number) => boolean;
  private readonly answered: (askedMicros: number, tookMicros: number) => void;
  private readonly machineOfName: ReadonlyMap<string, number>;
  private readonly machineOfAgent: number[] = [];
  private readonly open = new Map<number, Request>();
  private readonly seen: SeenFault[] = [];
  private downSinceMicros = -1;
  lastLateMicros = Number.NEGATIVE_INFINITY;

  /** `isCounted`: whether a request that came then counts. */
  constructor(
    promiseMicros: number,
    names: readonly string[],
    isCounted: (arrivedMicros: number) => boolean,
    answered: (askedMicros: number, tookMicros: number) => void = () => {},
  ) {
    this.promiseMicros = promiseMicros;
    this.isCounted = isCounted;
    this.answered = answered;
    this.machineOfName = new Map(names.map((name, index) => [name, index]));
  }

  /** When the oldest request came that has no answer; `Infinity` if there is none. */
  get oldestOpenMicros(): number {
    for (const { arrivedMicros } of this.open.values()) return arrivedMicros;
    return Number.POSITIVE_INFINITY;
  }

  /** Counted requests without an answer: accepted ones are lost if nothing is left that could answer them. */
  get openCounted(): { readonly accepted: number; readonly unanswered: number } {
    const counted = [...this.open.values()].filter(({ arrivedMicros }) => this.isCounted(arrivedMicros));
    const accepted = counted.filter((request) => request.accepted).length;
    return { accepted, unanswered: counted.length - accepted };
  }

  faultBegins(fault: DrawnFault, nowMicros: number): void {
    this.seen.push({ fault, beginMicros: nowMicros, endMicros: Number.POSITIVE_INFINITY });
  }

  faultEnds(fault: DrawnFault, nowMicros: number): void {
    const seen = this.seen.find((one) => one.fault === fault);
    if (seen === undefined) return;
    seen.endMicros = nowMicros;
    if (fault.effect === 'gatewayCut') this.counts.gatewayOutages.push(nowMicros - seen.beginMicros);
  }

  kernelDown(nowMicros: number): void {
    if (this.downSinceMicros < 0) this.downSinceMicros = nowMicros;
  }

  kernelRecovered(_kernel: unknown, _report: unknown, nowMicros: number): void {
    if (this.downSinceMicros >= 0) this.counts.kernelOutages.push(nowMicros - this.downSinceMicros);
    this.downSinceMicros = -1;
  }

  taskArrived(submission: number, _task: unknown, nowMicros: number): void {
    this.open.set(submission, {
      arrivedMicros: nowMicros,
      accepted: false,
      attempt: -1,
      machine: -1,
      dispatchedMicros: -1,
      stoppedMicros: -1,
      faultMicros: -1,
      cause: '',
    });
    if (this.isCounted(nowMicros)) this.counts.requests++;
  }

  submissionAnswered(submission: number, accepted: boolean, _reason: string, nowMicros: number): void {
    const request = this.open.get(submission);
    if (request === undefined) return;
    request.accepted = accepted;
    if (accepted) return;
    this.open.delete(submission);
    if (!this.isCounted(request.arrivedMicros)) return;
    this.counts.refused++;
    this.blame(request, nowMicros);
  }

  kernelEffect(effect: Effect, nowMicros: number): void {
    if (effect.kind === 'agentRegistered') {
      this.machineOfAgent[effect.agent] = this.machineOfName.get(effect.name) as number;
      return;
    }
    if (effect.kind !== 'dispatch') return;
    const request = this.open.get(effect.submission);
    if (request === undefined || request.attempt === effect.attempt) return;
    if (request.attempt !== -1 && request.faultMicros < 0) this.displace(request, nowMicros);
    request.attempt = effect.attempt;
    request.machine = this.machineOfAgent[effect.agent] as number;
    request.dispatchedMicros = nowMicros;
    request.stoppedMicros = -1;
  }

  workStarted(
    dispatch: { readonly submission: number; readonly attempt: number },
    _: unknown,
    nowMicros: number,
  ): void {
    const request = this.open.get(dispatch.submission);
    if (request === undefined || request.faultMicros < 0 || request.attempt !== dispatch.attempt) return;
    if (this.isCounted(request.arrivedMicros)) {
      this.counts.recoveries.push({ cause: request.cause, micros: nowMicros - request.faultMicros });
    }
    request.faultMicros = -1;
  }

  workEnded(
    dispatch: { readonly submission: number; readonly attempt: number },
    _: unknown,
    end: string,
    nowMicros: number,
  ): void {
    const request = this.open.get(dispatch.submission);
    if (request?.attempt === dispatch.attempt && end !== 'completed') request.stoppedMicros = nowMicros;
  }

  taskEnded({ submission, outcome }: TaskEnded, nowMicros: number): void {
    const request = this.open.get(submission);
    if (request === undefined) return;
    this.open.delete(submission);
    if (!this.isCounted(request.arrivedMicros)) return;
    const { counts } = this;
    const micros = nowMicros - request.arrivedMicros;
    if (request.faultMicros >= 0) counts.rodeOut++;
    if (outcome !== 'completed') {
      counts.failed++;
      this.blame(request, nowMicros);
      return;
    }
    this.answered(request.arrivedMicros, micros);
    const second = Math.min(responseSecondsMax, Math.floor(micros / microsPerSecond));
    counts.responseSeconds[second] = (counts.responseSeconds[second] as number) + 1;
    counts.longestMicros = Math.max(counts.longestMicros, micros);
    if (micros <= this.promiseMicros) {
      counts.served++;
      return;
    }
    counts.late++;
    this.blame(request, nowMicros);
  }

  /** The kernel has given the request to another machine: which fault made it do so, and when was that? */
  private displace(request: Request, nowMicros: number): void {
    const { machine, dispatchedMicros, stoppedMicros } = request;
    const ofMachine = this.overlapping(dispatchedMicros, nowMicros).filter(
      ({ fault }) => fault.machines.includes(machine) && fault.effect !== 'slow',
    );
    const clear =
      ofMachine.findLast(({ fault }) => fault.effect !== 'lossy') ?? this.ofFleet(dispatchedMicros, nowMicros);
    if (clear !== undefined) {
      request.cause = clear.fault.cause;
      request.faultMicros = Math.max(clear.beginMicros, request.arrivedMicros);
      return;
    }
    // Given to an agent that had stopped for want of a kernel and was not back yet: an aftermath.
    const before = this.ofFleet(dispatchedMicros - aftermathMicros, nowMicros);
    request.cause = (ofMachine.at(-1) ?? before)?.fault.cause ?? nobody;
    request.faultMicros = stoppedMicros >= 0 ? stoppedMicros : dispatchedMicros;
  }

  private blame(request: Request, nowMicros: number): void {
    const { notServed } = this.counts;
    this.lastLateMicros = nowMicros;
    const overlapping = this.overlapping(request.arrivedMicros, nowMicros);
    const fault =
      this.ofFleet(request.arrivedMicros, nowMicros) ??
      overlapping.findLast((seen) => seen.fault.machines.includes(request.machine)) ??
      overlapping.at(-1);
    const cause = request.cause !== '' ? request.cause : (fault?.fault.cause ?? nobody);
    notServed[cause] = (notServed[cause] ?? 0) + 1;
  }

  /** The latest fault of kernel, gateway or disk in that time. */
  private ofFleet(fromMicros: number, untilMicros: number): SeenFault | undefined {
    const overlapping = this.overlapping(fromMicros, untilMicros);
    for (const effect of fleetEffects) {
      const found = overlapping.findLast(({ fault }) => fault.effect === effect);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  private overlapping(fromMicros: number, untilMicros: number): SeenFault[] {
    return this.seen.filter(({ beginMicros, endMicros }) => beginMicros <= untilMicros && endMicros >= fromMicros);
  }
}
