// A column of short texts outside the garbage-collected heap: their UTF-8 bytes one after another. A million names as strings
// would be live objects that every collection visits, and the heap grows to a multiple of what lives.

const room = 1024;

export class TextColumn {
  private bytes = new Uint8Array(16 * room);
  /** Where text number i ends; it begins where the one before ends. */
  private ends = new Float64Array(room);
  private count = 0;
  private readonly encoder = new TextEncoder();
  private readonly decoder = new TextDecoder();

  get length(): number {
    return this.count;
  }

  push(text: string): void {
    const start = this.endOf(this.count - 1);
    // A UTF-16 code unit takes three bytes at most.
    const needed = start + 3 * text.length;
    if (needed > this.bytes.length) {
      const bytes = new Uint8Array(Math.max(needed, 2 * this.bytes.length));
      bytes.set(this.bytes.subarray(0, start));
      this.bytes = bytes;
    }
    if (this.count === this.ends.length) {
      const ends = new Float64Array(2 * this.count);
      ends.set(this.ends);
      this.ends = ends;
    }
    this.ends[this.count] = start + this.encoder.encodeInto(text, this.bytes.subarray(start)).written;
    this.count++;
  }

  /** Text number `row`, from 0 to below {@link length}. */
  at(row: number): string {
    return this.decoder.decode(this.bytes.subarray(this.endOf(row - 1), this.endOf(row)));
  }

  /** Texts number `from` to below `to`. */
  slice(from = 0, to = this.count): string[] {
    return Array.from({ length: Math.max(0, Math.min(to, this.count) - from) }, (_, index) => this.at(from + index));
  }

  private endOf(row: number): number {
    return row < 0 ? 0 : (this.ends[row] as number);
  }
}
