// How far a group is: the next offset to come into its window, what was settled ahead of it in an earlier life, what its cursor
// must list, and what of all that is on the disk.

import {
  type CursorWriter,
  type FailedAttempts,
  type GroupCursor,
  raiseFloor,
  settleInCursor,
} from './group-cursor.ts';
import type { GroupWindow } from './group-window.ts';

export class GroupProgress {
  epoch: number;
  /** The next offset to enter the window. */
  next: number;
  /** Everything below is settled, durably. */
  durableFloor: number;
  durableEpoch: number;
  /** What was settled ahead of `next`. */
  private restored: GroupCursor | undefined;
  /** From here on everything is unsettled and was never tried, so that a cursor need not list it. */
  private notedEnd: number;

  constructor(cursor: GroupCursor) {
    this.epoch = cursor.epoch;
    this.next = cursor.floor;
    this.durableFloor = cursor.floor;
    this.durableEpoch = cursor.epoch;
    this.notedEnd = cursor.end;
    this.restored = cursor.end > cursor.floor ? cursor : undefined;
  }

  /** Something happened to an offset that the cursor must tell. */
  note(offset: number): void {
    if (this.notedEnd <= offset) this.notedEnd = offset + 1;
  }

  /** Of an offset that has not come into the window. */
  isSettledAhead(offset: number): boolean {
    const { restored } = this;
    return restored !== undefined && offset < restored.end && !restored.unsettled.has(offset);
  }

  /** Passes over what is settled ahead, up to `end`. */
  passSettled(end: number): void {
    const { restored } = this;
    if (restored === undefined) return;
    while (this.next < end && this.next < restored.end && !restored.unsettled.has(this.next)) this.next++;
    if (this.next >= restored.end) this.restored = undefined;
  }

  /** What is known of the next offset, which enters the window now. */
  enter(): FailedAttempts | undefined {
    const offset = this.next++;
    const failed = this.restored?.unsettled.get(offset);
    if (failed !== undefined) this.restored?.unsettled.delete(offset);
    return failed;
  }

  /** Settles offsets of a commit that is durable, while nothing is in the window. */
  settleFound(offsets: readonly number[]): void {
    const { next: floor, epoch } = this;
    const cursor = this.restored ?? { epoch, floor, end: floor, unsettled: new Map() };
    for (const offset of offsets) settleInCursor(cursor, offset);
    this.restored = cursor;
    this.next = cursor.floor;
    this.durableFloor = cursor.floor;
    this.notedEnd = Math.max(this.notedEnd, cursor.end);
  }

  seek(offset: number): void {
    this.epoch++;
    this.next = offset;
    this.notedEnd = offset;
    this.restored = undefined;
  }

  skipTo(offset: number): void {
    this.next = Math.max(this.next, offset);
    this.notedEnd = Math.max(this.notedEnd, offset);
    if (this.restored !== undefined) raiseFloor(this.restored, offset);
  }

  /** Takes what is in the window back, which is cleared after it. */
  park(window: GroupWindow): void {
    const floor = window.first?.id ?? this.next;
    const end = Math.max(this.notedEnd, floor);
    const parked: GroupCursor = { epoch: this.epoch, floor, end, unsettled: new Map() };
    for (let entry = window.first; entry !== undefined && entry.id < end; entry = entry.next)
      parked.unsettled.set(entry.id, { attempts: entry.attempts, attemptEnd: entry.attemptEnd });
    for (const [offset, failed] of this.restored?.unsettled ?? [])
      if (offset >= this.next) parked.unsettled.set(offset, failed);
    this.next = floor;
    this.restored = end > floor ? parked : undefined;
  }

  /** Writes the cursor as of now; the floor that it has. */
  writeCursor(writer: CursorWriter, window: GroupWindow): number {
    const floor = window.first?.id ?? this.next;
    const end = Math.max(this.notedEnd, floor);
    writer.begin(this.epoch, floor, end);
    for (let entry = window.first; entry !== undefined && entry.id < end; entry = entry.next) {
      // An attempt under way may yet succeed.
      const failed = entry.state === 'held' ? entry.attempts - 1 : entry.attempts;
      writer.add(entry.id, failed, entry.attemptEnd);
    }
    if (this.restored !== undefined) {
      for (const [offset, { attempts, attemptEnd }] of this.restored.unsettled)
        if (offset >= this.next) writer.add(offset, attempts, attemptEnd);
    }
    return floor;
  }

  /** The cursor that was written is on the disk; whether that is news. */
  durable(floor: number, epoch: number): boolean {
    const isNews = floor !== this.durableFloor || epoch !== this.durableEpoch;
    this.durableFloor = floor;
    this.durableEpoch = epoch;
    return isNews;
  }
}
