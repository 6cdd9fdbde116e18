// A discrete-event simulation: a virtual clock that jumps from event to event in the order (time, priority, sequence), and
// limits that turn an endless exchange of messages at one instant into an error that says who caused it. What events mean is
// left to the handlers; randomness, machines and networks are others' business.

import { assert } from '../../core/base/assert.ts';
import { SiraError } from '../../core/base/errors.ts';
import { EventQueue } from './event-queue.ts';

export interface SimulationLimits {
  /** Most events that may run at one timestamp. */
  readonly eventsPerInstantMax: number;
  /** Longest chain of events at one timestamp, each scheduled by the one before; at most 2²²−1. */
  readonly causalDepthMax: number;
}

/** Room for a fleet of thousands that registers, or a trace of a million tasks that arrives, at one instant. */
export const defaultSimulationLimits: SimulationLimits = { eventsPerInstantMax: 20_000_000, causalDepthMax: 100_000 };

/** What an event does. `target` and `payload` are what was given to {@link Simulation.schedule}. */
export type EventHandler = (target: number, payload: unknown) => void;

const handlerLimit = 1024;
const depthBits = 22;
const depthLimit = 2 ** depthBits;
const timeLimit = Number.MAX_SAFE_INTEGER;
/** Events whose ancestry is remembered; a power of two. */
const historyLength = 4096;

export class Simulation {
  readonly limits: SimulationLimits;
  private readonly queue = new EventQueue();
  private readonly handlers: EventHandler[] = [];
  private readonly handlerNames: string[] = [];
  private now = 0;
  private runs = 0;
  private depth = 0;
  /** Number of the event that ran last, from 1, modulo 2³² as a signed integer; 0 stands for none. */
  private currentRun = 0;
  private eventsAtInstant = 0;
  private running = false;
  private stopped = false;
  // What ran lately, by run number modulo the length: enough to name an event's ancestors.
  private readonly historyTime = new Float64Array(historyLength);
  private readonly historyMeta = new Int32Array(historyLength);
  private readonly historyTarget = new Int32Array(historyLength);
  private readonly historyParent = new Int32Array(historyLength);

  constructor(limits: SimulationLimits = defaultSimulationLimits) {
    assert(limits.eventsPerInstantMax >= 1, 'eventsPerInstantMax must be at least 1');
    assert(limits.causalDepthMax >= 0 && limits.causalDepthMax < depthLimit, 'causalDepthMax must be in 0…2²²−1');
    this.limits = limits;
  }

  /** The virtual time, in microseconds. */
  get nowMicros(): number {
    return this.now;
  }

  /** Events run so far. */
  get eventCount(): number {
    return this.runs;
  }

  /** Events waiting, cancelled ones not counted. */
  get pendingCount(): number {
    return this.queue.size;
  }

  /** Registers what events of one kind do; `name` is for dumps and errors. Returns the handler's id. At most 1024 handlers. */
  defineHandler(name: string, handler: EventHandler): number {
    assert(this.handlers.length < handlerLimit, 'too many handlers');
    this.handlers.push(handler);
    this.handlerNames.push(name);
    return this.handlers.length - 1;
  }

  /**
   * Schedules an event and returns its id, with which it can be cancelled.
   * @param atMicros whole microseconds, not before now; now itself means this same instant, after what is already scheduled for it.
   * @param priority 0…255, lower first among events of one timestamp (see `eventPriority`).
   * @param target a 32-bit integer, handed to the handler.
   */
  schedule(atMicros: number, priority: number, handlerId: number, target: number, payload: unknown): number {
    assert(
      atMicros >= this.now && atMicros <= timeLimit && Math.floor(atMicros) === atMicros,
      'an event needs a time in whole microseconds, not before now',
    );
    assert((priority & 255) === priority, 'a priority is an integer in 0…255');
    assert(handlerId >= 0 && handlerId < this.handlers.length, 'unknown handler');
    assert((target | 0) === target, 'a target is a 32-bit integer');
    const depth = this.running && atMicros === this.now ? this.depth + 1 : 0;
    return this.queue.push(
      atMicros,
      priority,
      (handlerId << depthBits) | depth,
      target,
      this.running ? this.currentRun : 0,
      payload,
    );
  }

  /** Takes back an event. False if it has run or was cancelled already. */
  cancel(eventId: number): boolean {
    return this.queue.cancel(eventId);
  }

  /**
   * Runs all events with a time up to and including `untilMicros`, then sets the clock to it. Ends early, with the clock where
   * it is, when a handler calls {@link stop}.
   * @throws SiraError SIRA_LIMIT_EXCEEDED when a limit is broken.
   */
  runUntil(untilMicros: number): void {
    assert(untilMicros >= this.now, 'time does not run backwards');
    this.begin();
    try {
      while (!this.stopped && this.runNext(untilMicros)) {}
    } finally {
      this.running = false;
    }
    if (!this.stopped) this.now = untilMicros;
  }

  /** Runs the next event, whatever its time. False if there is none. */
  step(): boolean {
    if (this.pendingCount === 0) return false;
    this.begin();
    try {
      return this.runNext(timeLimit);
    } finally {
      this.running = false;
    }
  }

  /** Called by a handler: no further event runs in this `runUntil`. */
  stop(): void {
    this.stopped = true;
  }

  /** The event that ran last and its ancestors, youngest first, as far back as remembered. */
  causalChain(limit = 20): string[] {
    const links: string[] = [];
    let run = this.currentRun;
    while (links.length < limit && run !== 0 && (this.currentRun - run) >>> 0 < Math.min(historyLength, this.runs)) {
      const at = run & (historyLength - 1);
      links.push(
        `${this.handlerNames[this.historyMeta[at]! >>> depthBits]}(${this.historyTarget[at]}) at ${this.historyTime[at]} µs`,
      );
      run = this.historyParent[at]!;
    }
    return links;
  }

  /** The clock, the counts and the next `limit` events, for people. */
  dump(limit: number): string {
    const lines = [`now ${this.now} µs, ${this.runs} events run, ${this.pendingCount} pending`];
    for (const event of this.queue.first(limit)) {
      const name = this.handlerNames[event.meta >>> depthBits];
      lines.push(`  ${event.timeMicros} µs  priority ${event.priority}  #${event.sequence}  ${name}(${event.target})`);
    }
    if (this.pendingCount > limit) lines.push(`  … and ${this.pendingCount - limit} more`);
    return lines.join('\n');
  }

  private begin(): void {
    assert(!this.running, 'a handler must not run the simulation');
    this.running = true;
    this.stopped = false;
  }

  private runNext(until: number): boolean {
    const { queue } = this;
    const { slots } = queue;
    const slot = queue.popUntil(until);
    if (slot < 0) return false;
    const time = slots.doubles[slot * 4]!;
    const meta = slots.metaOf(slot);
    const target = slots.targetOf(slot);
    if (time !== this.now) {
      this.now = time;
      this.eventsAtInstant = 0;
    }
    const run = (this.runs + 1) | 0;
    this.runs += 1;
    this.currentRun = run;
    this.depth = meta & (depthLimit - 1);
    this.eventsAtInstant += 1;
    const at = run & (historyLength - 1);
    this.historyTime[at] = time;
    this.historyMeta[at] = meta;
    this.historyTarget[at] = target;
    this.historyParent[at] = slots.parentOf(slot);
    if (this.eventsAtInstant > this.limits.eventsPerInstantMax)
      this.fail(`more than ${this.limits.eventsPerInstantMax} events`);
    if (this.depth > this.limits.causalDepthMax)
      this.fail(`a causal chain of more than ${this.limits.causalDepthMax} events`);
    this.handlers[meta >>> depthBits]!(target, slots.takePayload(slot));
    return true;
  }

  private fail(what: string): never {
    throw new SiraError(
      'SIRA_LIMIT_EXCEEDED',
      `${what} at one instant, ${this.now} µs. Youngest first: ${this.causalChain().join(' ← ')}\n${this.dump(10)}`,
    );
  }
}
