// Who is not among the matches of a discovery, and why: counted by reason, and kept by row only for those who ask.

import type { AgentRegistry } from './agent-registry.ts';

/** Number of no reason: the row is still in. */
export const noReason = 0;

export class Exclusions {
  private readonly reasons: string[] = [''];
  /** Rows by reason; may be longer. */
  private tally = new Uint32Array(64);
  private readonly reasonOf: Uint16Array | undefined;
  private readonly rows: number;

  /** `each`: also keeps the reason of each row. */
  constructor(rows: number, each: boolean) {
    this.rows = rows;
    this.reasonOf = each ? new Uint16Array(rows) : undefined;
  }

  /** The number of a reason, in order of first use. */
  reason(text: string): number {
    const reason = this.reasons.push(text) - 1;
    if (reason >= this.tally.length) {
      const larger = new Uint32Array(2 * this.tally.length);
      larger.set(this.tally);
      this.tally = larger;
    }
    return reason;
  }

  /** The `count` rows from `first` on, which were not looked at before: the reason against each, {@link noReason} for none. */
  exclude(first: number, count: number, reasons: Uint16Array): void {
    const { tally } = this;
    for (let at = 0; at < count; at++) tally[reasons[at] as number]!++;
    tally[noReason] = 0;
    this.reasonOf?.set(reasons.subarray(0, count), first);
  }

  /** All that were not excluded before but these, which were not either. */
  excludeOthers(kept: readonly number[], text: string): void {
    const reason = this.reason(text);
    const excluded = this.tally.reduce((sum, count) => sum + count, 0);
    this.tally[reason] = this.rows - excluded - kept.length;
    if (this.reasonOf === undefined) return;
    const isKept = new Uint8Array(this.rows);
    for (const row of kept) isKept[row] = 1;
    for (let row = 0; row < this.rows; row++)
      if (this.reasonOf[row] === noReason && isKept[row] === 0) this.reasonOf[row] = reason;
  }

  /** In order of first use; only reasons that occurred. */
  counts(): { reason: string; count: number }[] {
    return this.reasons
      .map((reason, index) => ({ reason, count: this.tally[index] as number }))
      .slice(1)
      .filter(({ count }) => count > 0);
  }

  /** By row; empty if they were not kept. */
  explain(registry: AgentRegistry): { row: number; name: string; reason: string }[] {
    const explanations: { row: number; name: string; reason: string }[] = [];
    this.reasonOf?.forEach((number, row) => {
      if (number === noReason) return;
      explanations.push({ row, name: registry.names[row] as string, reason: this.reasons[number] as string });
    });
    return explanations;
  }
}
