// The audit of what was refused for want of permission or for too much of it: each denial is a structured log line, stands in a
// bounded list for whoever looks, and is counted. What a flood adds to the log is bounded; what it was is counted all the same.

import type { Logger } from '../logger.ts';
import { type CallRate, RateBucket } from './rates.ts';

export type DenialReason = 'unauthenticated' | 'forbidden' | 'rate' | 'size' | 'silence';

export interface Denial {
  /** Counts from 1 since the process began. */
  readonly number: number;
  readonly atMillis: number;
  readonly reason: DenialReason;
  /** `grpc` or `http`. */
  readonly over: 'grpc' | 'http';
  /** The identity, empty if there is none. */
  readonly identity: string;
  readonly address: string;
  /** What was asked for: a method, a route, a name. */
  readonly what: string;
  readonly detail: string;
}

const keptMax = 1000;
const textMax = 300;
const logged: CallRate = { perSecond: 20, burst: 200 };

export class Denials {
  /** Told of every denial; metrics count it. */
  counted: (reason: DenialReason, over: Denial['over']) => void = () => {};
  private readonly logger: Logger;
  private readonly kept: Denial[] = [];
  private readonly logRate = new RateBucket(logged);
  private unlogged = 0;
  private number = 0;

  constructor(logger: Logger) {
    this.logger = logger;
  }

  get count(): number {
    return this.number;
  }

  note(denial: Omit<Denial, 'number' | 'atMillis'>): void {
    const { reason, over, identity, address, what, detail } = denial;
    const atMillis = Date.now();
    const one: Denial = {
      number: ++this.number,
      atMillis,
      ...{ reason, over },
      identity: cut(identity),
      address: cut(address),
      what: cut(what),
      detail: cut(detail),
    };
    this.kept.push(one);
    if (this.kept.length > keptMax) this.kept.shift();
    this.counted(reason, over);
    if (!this.logRate.take()) {
      this.unlogged++;
      return;
    }
    const { unlogged } = this;
    this.unlogged = 0;
    this.logger.warn({ audit: 'denied', ...one, ...(unlogged > 0 ? { unlogged } : {}) }, 'denied');
  }

  /** The newest first. */
  latest(limit: number): readonly Denial[] {
    return this.kept.slice(-limit).reverse();
  }
}

function cut(text: string): string {
  return text.length <= textMax ? text : `${text.slice(0, textMax)}…`;
}
