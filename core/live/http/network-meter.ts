// What trained policies decided, and how often their shields left it to the fallback: sums over all policies that served in this
// process. A policy that takes over counts from zero, and one that comes back as well; here nothing of either is lost.

import type { ShieldCounts } from '../../policy/shield.ts';
import type { LiveKernel } from '../live-kernel.ts';

/** What of a policy a network may decide: who is next in the queue, or where a task goes. */
export const networkParts = ['order', 'placement'] as const;
export type NetworkPart = (typeof networkParts)[number];

export class NetworkMeter {
  /** By part; zeros where no network ever decided. */
  readonly totals: Readonly<Record<NetworkPart, ShieldCounts>> = { order: zeros(), placement: zeros() };
  private readonly live: LiveKernel;
  private readonly seen: Record<NetworkPart, { counts: ShieldCounts | undefined; known: ShieldCounts }>;

  /** Counts from now on: what was replayed at the start is no decision of this process. */
  constructor(live: LiveKernel) {
    this.live = live;
    const begin = (counts: ShieldCounts | undefined) => ({
      counts,
      known: counts === undefined ? zeros() : { ...counts },
    });
    const { order, placement } = this.current();
    this.seen = { order: begin(order), placement: begin(placement) };
  }

  /** To be called whenever another policy may have taken over, and before {@link totals} are read. */
  update(): void {
    const now = this.current();
    for (const part of networkParts) {
      const seen = this.seen[part];
      // Also what the one before did last.
      if (seen.counts !== undefined) add(this.totals[part], seen.counts, seen.known);
      if (now[part] !== seen.counts) {
        seen.known = zeros();
        if (now[part] !== undefined) add(this.totals[part], now[part], seen.known);
      }
      seen.counts = now[part];
    }
  }

  /** Of the policy that serves now; undefined where no network decides. */
  current(): Readonly<Record<NetworkPart, ShieldCounts | undefined>> {
    const { parts, placement } = this.live.kernel.control.scheduler;
    return { order: parts.order.shieldCounts, placement: placement.shieldCounts };
  }
}

function zeros(): ShieldCounts {
  return { decisions: 0, outside: 0, overBudget: 0, broken: 0 };
}

/** Adds what is not known of `counts` yet. */
function add(total: ShieldCounts, counts: ShieldCounts, known: ShieldCounts): void {
  for (const name of ['decisions', 'outside', 'overBudget', 'broken'] as const) {
    total[name] += counts[name] - known[name];
    known[name] = counts[name];
  }
}
