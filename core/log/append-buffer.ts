// Records that wait to be written, already as bytes. One buffer fills while another is on its way to the disk. Durable ends and
// checksums are added when a batch leaves, because only then it is known what was durable before it.

import { assert } from '../base/assert.ts';
import { finishRecord, getUint64, isMessage, lengthAt, recordLength, writeRecord } from './record.ts';
import type { SegmentIndex } from './segment-index.ts';

/** Records on their way to the disk. */
export interface Batch {
  readonly bytes: Uint8Array;
  /** Behind its last record. */
  readonly endOffset: number;
  readonly lastTimeMicros: number;
}

const firstBytes = 4096;

export class AppendBuffer {
  private bytes: Uint8Array = new Uint8Array(firstBytes);
  private end = 0;
  private spare: Uint8Array | undefined;

  get lengthBytes(): number {
    return this.end;
  }

  add(
    kind: number,
    offset: number,
    timeMicros: number,
    key: Uint8Array | undefined,
    value: Uint8Array | undefined,
  ): void {
    const length = recordLength(key?.length ?? 0, value?.length ?? 0);
    if (this.end + length > this.bytes.length) this.grow(this.end + length);
    writeRecord(this.bytes, this.end, kind, offset, timeMicros, key, value);
    this.end += length;
  }

  /**
   * Takes records from the front: as many as fit `bytesMax`, but at least one, or with `onlyOne` the first alone.
   * @param durableEnd written into each.
   * @param position in the file where the batch will stand; the records are added to `index` accordingly.
   */
  take(bytesMax: number, durableEnd: number, position: number, index: SegmentIndex, onlyOne = false): Batch {
    assert(this.end > 0, 'there is a record to take');
    const { bytes } = this;
    let at = 0;
    let last = 0;
    while (at < this.end && (at === 0 || (!onlyOne && at + lengthAt(bytes, at) <= bytesMax))) {
      assert(isMessage(bytes[at + 30]!), 'only messages are appended');
      index.add(getUint64(bytes, at + 8), getUint64(bytes, at + 16), position + at);
      last = at;
      at += finishRecord(bytes, at, durableEnd);
    }
    const rest = bytes.subarray(at, this.end);
    const next = this.spare ?? new Uint8Array(bytes.length);
    this.spare = undefined;
    this.bytes = next.length >= rest.length ? next : new Uint8Array(bytes.length);
    this.bytes.set(rest);
    this.end = rest.length;
    const batch = bytes.subarray(0, at);
    const endOffset = getUint64(bytes, last + 8) + 1;
    return { bytes: batch, endOffset, lastTimeMicros: getUint64(bytes, last + 16) };
  }

  /** The batch is on the disk; its memory may be used again. */
  release(batch: Batch): void {
    this.spare = new Uint8Array(batch.bytes.buffer);
  }

  private grow(size: number): void {
    const larger = new Uint8Array(Math.max(size, this.bytes.length * 2));
    larger.set(this.bytes.subarray(0, this.end));
    this.bytes = larger;
  }
}
