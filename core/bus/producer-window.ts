// Which of a producer's sequences are stored already: everything up to a watermark, and a bounded window of bits above it for
// what came out of order. A sequence is told apart exactly, never by chance, so that a duplicate is never stored twice and a
// new message never taken for a duplicate; what lies beyond the window is neither, and must wait.

import { assert } from '../base/assert.ts';

export type SequenceStanding = 'new' | 'duplicate' | 'beyond';

/** JSON-able state: `early` are the sequences stored above the watermark, rising. */
export interface ProducerWindowState {
  readonly watermark: number;
  readonly early: readonly number[];
}

export class ProducerWindow {
  /** Every sequence up to this one is stored or given up. */
  watermark = 0;
  /** Highest sequence stored. */
  private highest = 0;
  /** Bit s mod width: sequence s above the watermark is stored. Allocated at the first sequence out of order. */
  private bits: Int32Array | undefined;
  private readonly width: number;

  /** `width`: a power of two, at least 32. */
  constructor(width: number) {
    assert(width >= 32 && (width & (width - 1)) === 0, 'the window must be a power of two, at least 32');
    this.width = width;
  }

  standing(sequence: number): SequenceStanding {
    if (sequence <= this.watermark) return 'duplicate';
    if (sequence > this.highest) return sequence > this.watermark + this.width ? 'beyond' : 'new';
    return this.has(sequence) ? 'duplicate' : 'new';
  }

  /** Notes a `new` sequence as stored. */
  note(sequence: number): void {
    if (sequence === this.watermark + 1 && this.highest === this.watermark) {
      this.watermark = sequence;
      this.highest = sequence;
      return;
    }
    assert(this.standing(sequence) === 'new', 'only a new sequence within the window can be noted');
    if (this.bits === undefined) this.bits = new Int32Array(this.width >> 5);
    const position = sequence & (this.width - 1);
    this.bits[position >> 5] = (this.bits[position >> 5] as number) | (1 << (position & 31));
    if (sequence > this.highest) this.highest = sequence;
    this.advance();
  }

  /** The producer gives up what is missing up to `sequence`. */
  settle(sequence: number): void {
    if (sequence <= this.watermark) return;
    const end = Math.min(sequence, this.highest);
    for (let stored = this.watermark + 1; stored <= end; stored++) this.clear(stored);
    this.watermark = sequence;
    if (this.highest < sequence) this.highest = sequence;
    this.advance();
  }

  save(): ProducerWindowState {
    const early: number[] = [];
    for (let sequence = this.watermark + 1; sequence <= this.highest; sequence++) {
      if (this.has(sequence)) early.push(sequence);
    }
    return { watermark: this.watermark, early };
  }

  /** On a fresh window. */
  restore(state: ProducerWindowState): void {
    this.watermark = state.watermark;
    this.highest = state.watermark;
    for (const sequence of state.early) this.note(sequence);
  }

  private advance(): void {
    while (this.watermark < this.highest && this.has(this.watermark + 1)) {
      this.watermark++;
      this.clear(this.watermark);
    }
  }

  private has(sequence: number): boolean {
    if (this.bits === undefined) return false;
    const position = sequence & (this.width - 1);
    return ((this.bits[position >> 5] as number) & (1 << (position & 31))) !== 0;
  }

  private clear(sequence: number): void {
    if (this.bits === undefined) return;
    const position = sequence & (this.width - 1);
    this.bits[position >> 5] = (this.bits[position >> 5] as number) & ~(1 << (position & 31));
  }
}
