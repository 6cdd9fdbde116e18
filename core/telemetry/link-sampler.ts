// How good the links to agents are, from what the kernel sees anyway: the time from a dispatch to the agent's word that it took it (the
// way there and back, what disks and queues on it add), and dispatches that had to be said again. A row for each link that was
// heard since its last row.

import type { Dispatch } from '../kernel/effects.ts';
import type { DispatchAccepted } from '../kernel/inputs.ts';
import { LinkQuality } from '../registry/link-quality.ts';
import type { RowSink } from './rows.ts';

/** Dispatches that nobody has answered yet, at most. */
const openMax = 100_000;
const microsPerSecond = 1_000_000;

export class LinkSampler {
  private readonly run: string;
  private readonly sink: RowSink;
  private readonly quality = new LinkQuality(0);
  /** When each attempt was dispatched last. */
  private readonly dispatched = new Map<number, number>();
  private readonly heard = new Set<number>();

  constructor(run: string, sink: RowSink) {
    this.run = run;
    this.sink = sink;
  }

  dispatch({ attempt, agent }: Dispatch, nowMicros: number): void {
    this.quality.grow(agent + 1);
    if (this.dispatched.has(attempt)) {
      this.quality.lost(agent);
      this.heard.add(agent);
    } else if (this.dispatched.size >= openMax) return;
    this.dispatched.set(attempt, nowMicros);
  }

  accepted({ attempt, agent }: DispatchAccepted, nowMicros: number): void {
    const sentMicros = this.dispatched.get(attempt);
    if (sentMicros === undefined) return;
    this.dispatched.delete(attempt);
    this.quality.grow(agent + 1);
    this.quality.echoed(agent, nowMicros - sentMicros);
    this.heard.add(agent);
  }

  /** The attempt ended without its agent's word. */
  forget(attempt: number): void {
    this.dispatched.delete(attempt);
  }

  sample(nameOf: (agent: number) => string, nowMicros: number): void {
    if (this.heard.size === 0) return;
    this.quality.judge();
    for (const agent of this.heard) {
      const report = this.quality.report(agent);
      this.sink.add('links', {
        time: nowMicros,
        run: this.run,
        agent: nameOf(agent),
        round_trip_seconds: report.echoCount === 0 ? undefined : report.roundTripMicros / microsPerSecond,
        round_trip_least_seconds: report.echoCount === 0 ? undefined : report.roundTripMicrosMin / microsPerSecond,
        jitter_seconds: report.echoCount === 0 ? undefined : report.jitterMicros / microsPerSecond,
        loss: report.loss,
        bytes_per_second: report.bytesPerSecond,
        echoes: report.echoCount,
        anomalies: report.anomalies.join(' '),
      });
    }
    this.heard.clear();
  }
}
