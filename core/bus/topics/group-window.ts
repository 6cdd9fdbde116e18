// The unsettled messages that a group has in hand, and where each stands: ready in its order, waiting for a time, behind another
// of its key, held by a member, being committed. It keeps the structures in step; when what changes is the group's business.

import { DeadlineHeap } from '../deadline-heap.ts';
import { EntryList, GroupEntry } from './group-entry.ts';
import { messageOverheadBytes } from './hot-messages.ts';
import { KeyLanes } from './key-lanes.ts';
import { ReadyQueue } from './ready-queue.ts';
import type { GroupMode, TopicMessage } from './topic-protocol.ts';

export class GroupWindow {
  /** What its messages take in memory. */
  bytes = 0;
  /** Entries that are being committed. */
  committingCount = 0;
  private readonly entries = new EntryList();
  private readonly ready: ReadyQueue;
  private readonly lanes: KeyLanes | undefined;
  private readonly timers = new DeadlineHeap<GroupEntry>();

  constructor(mode: GroupMode, priorityPassesMax: number) {
    this.ready = new ReadyQueue(priorityPassesMax, mode !== 'exclusive');
    this.lanes = mode === 'keyOrdered' ? new KeyLanes() : undefined;
  }

  get size(): number {
    return this.entries.size;
  }

  /** By offset. */
  get first(): GroupEntry | undefined {
    return this.entries.first;
  }

  get last(): GroupEntry | undefined {
    return this.entries.last;
  }

  /** When a wait or an attempt ends, Infinity if none does. */
  get earliestMicros(): number {
    return this.timers.first?.heapKey ?? Number.POSITIVE_INFINITY;
  }

  find(offset: number): GroupEntry | undefined {
    return this.entries.find(offset);
  }

  /** A message of a higher offset than all. It waits for nothing yet, unless it is `behind` another of its key. */
  add(message: TopicMessage): GroupEntry {
    const { lanes } = this;
    const entry = new GroupEntry(message);
    this.entries.add(entry);
    this.bytes += message.payload.length + messageOverheadBytes;
    const isFirst = lanes === undefined || message.key === undefined || lanes.add(entry, message.key);
    if (!isFirst) entry.state = 'behind';
    return entry;
  }

  /** The next to be delivered, left where it is. */
  peekReady(): GroupEntry | undefined {
    return this.ready.peek();
  }

  makeReady(entry: GroupEntry): void {
    entry.state = 'ready';
    this.ready.add(entry);
  }

  wait(entry: GroupEntry, untilMicros: number): void {
    entry.state = 'waiting';
    this.timers.add(entry, untilMicros);
  }

  /** The ready entry is delivered; its attempt ends at `untilMicros`. */
  hold(entry: GroupEntry, untilMicros: number): void {
    this.ready.take(entry);
    entry.state = 'held';
    this.timers.add(entry, untilMicros);
  }

  /** The attempt ends later. */
  prolong(entry: GroupEntry, untilMicros: number): void {
    if (untilMicros > entry.heapKey) this.timers.move(entry, untilMicros);
  }

  prolongAll(byMicros: number): void {
    for (let entry = this.first; entry !== undefined; entry = entry.next)
      if (entry.state === 'held') this.timers.move(entry, entry.heapKey + byMicros);
  }

  /** Takes the earliest entry whose time has come; it stands nowhere but in the window then. */
  takeDue(nowMicros: number): GroupEntry | undefined {
    const entry = this.timers.first;
    if (entry === undefined || entry.heapKey > nowMicros) return undefined;
    this.timers.remove(entry);
    return entry;
  }

  /** The attempt of a held entry has ended. */
  release(entry: GroupEntry): void {
    if (entry.heapIndex >= 0) this.timers.remove(entry);
  }

  commit(entry: GroupEntry): void {
    if (entry.heapIndex >= 0) this.timers.remove(entry);
    if (entry.state === 'ready') this.ready.remove(entry);
    entry.state = 'committing';
    this.committingCount++;
  }

  /** Takes an entry out of everything; whoever was behind it and is no more. */
  remove(entry: GroupEntry): GroupEntry | undefined {
    if (entry.heapIndex >= 0) this.timers.remove(entry);
    if (entry.state === 'ready') this.ready.remove(entry);
    if (entry.state === 'committing') this.committingCount--;
    entry.state = 'settled';
    this.entries.remove(entry);
    this.bytes -= entry.message.payload.length + messageOverheadBytes;
    return this.lanes?.remove(entry);
  }

  clear(): void {
    for (let entry = this.first; entry !== undefined; ) {
      const { next } = entry;
      if (entry.heapIndex >= 0) this.timers.remove(entry);
      if (entry.state === 'ready') this.ready.remove(entry);
      this.lanes?.remove(entry);
      entry.state = 'settled';
      entry = next;
    }
    this.entries.clear();
    this.bytes = 0;
    this.committingCount = 0;
  }
}
