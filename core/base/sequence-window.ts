// De-duplication of what one sender numbers 1, 2, 3 …: a watermark below which everything was seen, and the few numbers
// above it that arrived early. Bounded: a number further ahead than the window is told to come again later.

export type Seen = 'new' | 'duplicate' | 'tooFarAhead';

export interface SequenceWindowState {
  readonly watermark: number;
  readonly early: readonly number[];
}

/** Numbers that may arrive ahead of the lowest missing one. */
export const sequenceWindowMax = 65_536;

export class SequenceWindow {
  /** Every number up to here was seen. */
  private watermark = 0;
  private readonly early = new Set<number>();

  /** Classifies `number`; it is noted only by {@link note}. */
  look(number: number): Seen {
    if (number <= this.watermark || this.early.has(number)) return 'duplicate';
    return number > this.watermark + sequenceWindowMax ? 'tooFarAhead' : 'new';
  }

  /** Notes a number that is `new`. */
  note(number: number): void {
    if (number !== this.watermark + 1) {
      this.early.add(number);
      return;
    }
    this.watermark = number;
    while (this.early.size > 0 && this.early.delete(this.watermark + 1)) this.watermark++;
  }

  /** Every number up to `number` counts as seen. */
  advanceTo(number: number): void {
    if (number <= this.watermark) return;
    this.watermark = number;
    for (const early of this.early) if (early <= number) this.early.delete(early);
    while (this.early.size > 0 && this.early.delete(this.watermark + 1)) this.watermark++;
  }

  /** The largest number noted, 0 if none was. */
  get highest(): number {
    let highest = this.watermark;
    for (const number of this.early) highest = Math.max(highest, number);
    return highest;
  }

  /** Forgets everything: the sender counts from 1 again. */
  clear(): void {
    this.watermark = 0;
    this.early.clear();
  }

  save(): SequenceWindowState {
    return { watermark: this.watermark, early: [...this.early].sort((left, right) => left - right) };
  }

  restore(saved: SequenceWindowState): void {
    this.watermark = saved.watermark;
    this.early.clear();
    for (const number of saved.early) this.early.add(number);
  }
}
