// Heartbeats of all connections, gathered into one batch for the kernel every interval, and the kernel's receipts handed back to
// those who beat. An input for each beat would fill the journal with news of no change.

import type { LeaseTerms } from '../../kernel/effects.ts';
import type { Heartbeats } from '../../kernel/inputs.ts';

/** A connection that beats. */
export interface BeatingConnection {
  /** Its own batch has been recorded. */
  beatsRecorded(batch: number, terms: LeaseTerms | undefined): void;
}

/** Receipts are awaited for so many batches; older ones are forgotten, and their leases run from a later one. */
const sentMax = 256;

export class HeartbeatDesk {
  private readonly beats = new Map<number, number>();
  private waiting = new Map<BeatingConnection, number[]>();
  private readonly sent = new Map<number, ReadonlyMap<BeatingConnection, readonly number[]>>();
  private batchCount = 0;

  /** An agent of this kernel's beats; the caller has made sure that it may speak for it. */
  beat(agent: number, incarnation: number): void {
    this.beats.set(agent, incarnation);
  }

  /** The connection wants a receipt for its batch. */
  receiptFor(connection: BeatingConnection, batch: number): void {
    const batches = this.waiting.get(connection);
    if (batches === undefined) this.waiting.set(connection, [batch]);
    else if (batches.length < sentMax) batches.push(batch);
  }

  /** What came since the last call, `undefined` if nothing did. */
  take(): Heartbeats | undefined {
    if (this.waiting.size === 0) return undefined;
    const count = this.beats.size;
    const agents = Int32Array.from(this.beats.keys()).sort((left, right) => left - right);
    const incarnations = agents.map((agent) => this.beats.get(agent) as number);
    const batch = ++this.batchCount;
    this.sent.set(batch, this.waiting);
    for (const oldest of this.sent.keys()) {
      if (this.sent.size <= sentMax) break;
      this.sent.delete(oldest);
    }
    this.beats.clear();
    this.waiting = new Map();
    return { kind: 'heartbeats', gateway: 0, batch, agents, incarnations, count };
  }

  /** The kernel has recorded a batch. */
  recorded(batch: number, terms?: LeaseTerms): void {
    const connections = this.sent.get(batch);
    this.sent.delete(batch);
    if (connections === undefined) return;
    for (const [connection, batches] of connections) for (const one of batches) connection.beatsRecorded(one, terms);
  }
}
