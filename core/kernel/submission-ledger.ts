// What the kernel remembers of one submitter's submissions: which it has seen, and which of those it refused, so that a
// repeated question gets the same answer for as long as the submitter may ask it again.

import { type Seen, SequenceWindow, type SequenceWindowState, sequenceWindowMax } from '../base/sequence-window.ts';

export interface SubmissionLedgerState extends SequenceWindowState {
  /** In order of refusal. */
  readonly refused: readonly number[];
  readonly settled: number;
  /** Snapshots of before submitters were forgotten lack these two. */
  readonly heardMicros?: number | undefined;
  readonly hasEnds?: boolean | undefined;
}

export class SubmissionLedger {
  private readonly window = new SequenceWindow();
  private readonly refused = new Set<number>();
  /** The submitter has the answers to all submissions up to this one. */
  private settled = 0;
  /** When the submitter was last heard of, or a task of it ended. */
  heardMicros = 0;
  /** Its tasks that have not ended. */
  openTasks = 0;
  /** Its ends are kept until it has taken them. */
  hasEnds = false;

  /** Classifies a submission; one that is `settled` needs no answer any more. `settled`: what its submitter says of itself. */
  look(submission: number, settled: number): Seen | 'refused' | 'settled' {
    if (settled > this.settled) this.settle(settled);
    if (submission <= this.settled) return 'settled';
    return this.refused.has(submission) ? 'refused' : this.window.look(submission);
  }

  /** The largest number that its submitter is known to have used. */
  get highest(): number {
    return Math.max(this.settled, this.window.highest);
  }

  noteAccepted(submission: number): void {
    this.window.note(submission);
  }

  /** False if no more refusals can be remembered: leave the submission unanswered, its submitter will ask again. */
  noteRefused(submission: number): boolean {
    if (this.refused.size >= sequenceWindowMax) return false;
    this.window.note(submission);
    this.refused.add(submission);
    return true;
  }

  save(): SubmissionLedgerState {
    const { settled, heardMicros, hasEnds } = this;
    return { ...this.window.save(), refused: [...this.refused], settled, heardMicros, hasEnds };
  }

  static restored(saved: SubmissionLedgerState): SubmissionLedger {
    const ledger = new SubmissionLedger();
    ledger.window.restore(saved);
    for (const submission of saved.refused) ledger.refused.add(submission);
    ledger.settled = saved.settled;
    ledger.heardMicros = saved.heardMicros ?? 0;
    ledger.hasEnds = saved.hasEnds ?? true;
    return ledger;
  }

  private settle(settled: number): void {
    this.settled = settled;
    // What it says of numbers before is true as well of a submitter that was forgotten meanwhile.
    this.window.advanceTo(settled);
    // In order of refusal, which is nearly that of the numbers: what is left behind goes a little later.
    for (const number of this.refused) {
      if (number > settled) return;
      this.refused.delete(number);
    }
  }
}
