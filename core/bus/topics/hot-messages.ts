// The newest messages of a topic in memory: a ring by offset, bounded in count and bytes, except that what is not durable yet
// always stays (the log bounds that). Groups at the end are served from here; older messages are read from the log.

import { assert } from '../../base/assert.ts';
import type { TopicMessage } from './topic-protocol.ts';

/** What a message costs besides its payload. */
export const messageOverheadBytes = 200;

export class HotMessages {
  /** The first offset that is here, and the one behind the last. */
  firstOffset: number;
  endOffset: number;
  private readonly countMax: number;
  private readonly bytesMax: number;
  private ring: (TopicMessage | undefined)[] = new Array<TopicMessage | undefined>(16).fill(undefined);
  private mask = 15;
  private bytes = 0;

  constructor(countMax: number, bytesMax: number, offset = 0) {
    this.countMax = countMax;
    this.bytesMax = bytesMax;
    this.firstOffset = offset;
    this.endOffset = offset;
  }

  /** Adds the next message. `keepFrom`: what may not be dropped to make room. */
  add(message: TopicMessage, keepFrom: number): void {
    const { offset } = message;
    if (offset !== this.endOffset) this.restart(offset);
    this.endOffset = offset + 1;
    this.bytes += message.payload.length + messageOverheadBytes;
    this.trim(keepFrom);
    if (this.endOffset - this.firstOffset > this.ring.length) this.grow();
    this.ring[offset & this.mask] = message;
  }

  /** Makes room down to the bounds again, for what became durable. */
  trim(keepFrom: number): void {
    const last = Math.min(keepFrom, this.endOffset - 1);
    while (
      this.firstOffset < last &&
      (this.endOffset - this.firstOffset > this.countMax || this.bytes > this.bytesMax)
    ) {
      const slot = this.firstOffset & this.mask;
      this.bytes -= (this.ring[slot] as TopicMessage).payload.length + messageOverheadBytes;
      this.ring[slot] = undefined;
      this.firstOffset++;
    }
  }

  /** The message at an offset, which must be here. */
  at(offset: number): TopicMessage {
    assert(offset >= this.firstOffset && offset < this.endOffset, 'the message is in memory');
    return this.ring[offset & this.mask] as TopicMessage;
  }

  /** A gap (compaction): what came before it is dropped. */
  private restart(offset: number): void {
    this.ring.fill(undefined);
    this.bytes = 0;
    this.firstOffset = offset;
  }

  private grow(): void {
    const larger = new Array<TopicMessage | undefined>(this.ring.length * 2).fill(undefined);
    for (let offset = this.firstOffset; offset < this.endOffset - 1; offset++)
      larger[offset & (larger.length - 1)] = this.ring[offset & this.mask];
    this.ring = larger;
    this.mask = larger.length - 1;
  }
}
