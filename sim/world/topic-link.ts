// A subscriber's connection to the broker: a stream, in which nothing is lost, doubled or overtaken while it stands. What a
// network does to a stream is to delay it and to break it; then what was under way is gone, and each end notices in its own time.

import type { RandomStream } from '../../core/base/random.ts';
import { eventPriority } from '../engine/priority.ts';
import type { Simulation } from '../engine/simulation.ts';
import { type LatencySpec, sampleLatency } from './latency.ts';

export interface TopicLinkEnd<Message> {
  /** A message came; `connection` is the one it was sent over, which stands. */
  received(message: Message, connection: number): void;
  /** The connection is known to be broken. */
  broken(connection: number): void;
}

interface Parcel {
  readonly connection: number;
  readonly message: unknown;
}

export interface TopicLinkSpec {
  readonly latency: LatencySpec;
  /** Share of messages at which the connection breaks instead. May be changed on the way. */
  breakShare: number;
  /** Until an end that hears nothing any more gives up, at most. */
  readonly noticeMicros: number;
}

const down = 0;
const up = 1;

export class TopicLink<Down, Up> {
  private readonly simulation: Simulation;
  private readonly spec: TopicLinkSpec;
  private readonly random: RandomStream;
  private readonly lastArrival = [0, 0];
  private readonly handlers: readonly [number, number];
  private readonly brokenHandlers: readonly [number, number];
  /** The connection that stands; 0: none. */
  private standing = 0;
  isCut = false;

  constructor(
    simulation: Simulation,
    spec: TopicLinkSpec,
    random: RandomStream,
    client: TopicLinkEnd<Down>,
    broker: TopicLinkEnd<Up>,
  ) {
    this.simulation = simulation;
    this.spec = spec;
    this.random = random;
    const arrives = (end: TopicLinkEnd<never>) => (_: number, payload: unknown) => {
      const { connection, message } = payload as Parcel;
      if (connection === this.standing) end.received(message as never, connection);
    };
    const breaks = (end: TopicLinkEnd<never>) => (connection: number) => end.broken(connection);
    this.handlers = [
      simulation.defineHandler('subscriber is told', arrives(client)),
      simulation.defineHandler('subscriber says', arrives(broker)),
    ];
    this.brokenHandlers = [
      simulation.defineHandler('subscriber notices the break', breaks(client)),
      simulation.defineHandler('broker notices the break', breaks(broker)),
    ];
  }

  /** The client begins connection `connection`, above all before; false if nothing gets through. */
  connect(connection: number): boolean {
    this.break(this.standing, false, true);
    if (this.isCut) return false;
    this.standing = connection;
    return true;
  }

  toClient(connection: number, message: Down, weight: number): void {
    this.send(down, connection, message, weight);
  }

  toBroker(connection: number, message: Up, weight: number): void {
    this.send(up, connection, message, weight);
  }

  /** The connection ends now; those ends that are to know notice in their own time. */
  break(connection: number, tellClient: boolean, tellBroker: boolean): void {
    if (connection === 0 || connection !== this.standing) return;
    this.standing = 0;
    if (tellClient) this.later(this.brokenHandlers[down], connection);
    if (tellBroker) this.later(this.brokenHandlers[up], connection);
  }

  cut(isCut: boolean): void {
    this.isCut = isCut;
    if (isCut) this.break(this.standing, true, true);
  }

  /** The connection that stands; 0: none. */
  get connection(): number {
    return this.standing;
  }

  private send(direction: 0 | 1, connection: number, message: unknown, weight: number): void {
    if (connection !== this.standing || connection === 0) return;
    const { breakShare, latency } = this.spec;
    if (breakShare > 0 && this.random.nextFloat() < breakShare * Math.min(weight, 4)) {
      this.break(connection, true, true);
      return;
    }
    const { nowMicros } = this.simulation;
    const atMicros = Math.max(this.lastArrival[direction]!, nowMicros + 1 + sampleLatency(this.random, latency));
    this.lastArrival[direction] = atMicros;
    this.simulation.schedule(atMicros, eventPriority.message, this.handlers[direction], 0, { connection, message });
  }

  private later(handler: number, connection: number): void {
    const delay = 1 + this.random.nextBelow(this.spec.noticeMicros);
    this.simulation.schedule(this.simulation.nowMicros + delay, eventPriority.message, handler, connection, undefined);
  }
}
