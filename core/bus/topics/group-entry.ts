// A message in the hands of a group, and the list of them in order of offset. An entry stands in several structures at once and
// carries its own places in them, so that none needs a search: the list here, the ready queue, the lane of its key, the timers.

import type { DeadlineEntry } from '../deadline-heap.ts';
import type { GroupMember } from './group-members.ts';
import type { KeyLane } from './key-lanes.ts';
import type { AttemptEnd, TopicMessage } from './topic-protocol.ts';

/**
 * - `ready`: may be delivered. - `waiting`: until a time. - `behind`: until those before it in its lane are settled.
 * - `held`: delivered, its attempt under way. - `committing`: part of a commit that is being made durable. - `settled`: gone.
 */
export type EntryState = 'ready' | 'waiting' | 'behind' | 'held' | 'committing' | 'settled';

export class GroupEntry implements DeadlineEntry {
  /** The offset. */
  readonly id: number;
  readonly message: TopicMessage;
  state: EntryState = 'waiting';
  /** Deliveries so far, over all openings as far as known. */
  attempts = 0;
  /** How the last attempt ended. */
  attemptEnd: AttemptEnd = 'disconnected';
  reason = '';
  /** Who got it last. */
  holder: GroupMember | undefined;
  heapKey = 0;
  heapIndex = -1;
  /** Neighbours in the window. */
  previous: GroupEntry | undefined;
  next: GroupEntry | undefined;
  readyPrevious: GroupEntry | undefined;
  readyNext: GroupEntry | undefined;
  lane: KeyLane | undefined;
  lanePrevious: GroupEntry | undefined;
  laneNext: GroupEntry | undefined;

  constructor(message: TopicMessage) {
    this.id = message.offset;
    this.message = message;
  }
}

/** Unsettled entries, lowest offset first; new ones come at the end. */
export class EntryList {
  first: GroupEntry | undefined;
  last: GroupEntry | undefined;
  private readonly byOffset = new Map<number, GroupEntry>();

  get size(): number {
    return this.byOffset.size;
  }

  find(offset: number): GroupEntry | undefined {
    return this.byOffset.get(offset);
  }

  add(entry: GroupEntry): void {
    entry.previous = this.last;
    if (this.last === undefined) this.first = entry;
    else this.last.next = entry;
    this.last = entry;
    this.byOffset.set(entry.id, entry);
  }

  clear(): void {
    this.first = undefined;
    this.last = undefined;
    this.byOffset.clear();
  }

  remove(entry: GroupEntry): void {
    const { previous, next } = entry;
    if (previous === undefined) this.first = next;
    else previous.next = next;
    if (next === undefined) this.last = previous;
    else next.previous = previous;
    entry.previous = undefined;
    entry.next = undefined;
    this.byOffset.delete(entry.id);
  }
}
