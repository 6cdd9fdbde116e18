// What a group may deliver now, in its order: higher priority first, and within one the order of the topic. So that nothing
// starves, after at most `passesMax` deliveries that passed the lowest offset that is ready, the next one is that offset's.

import { assert } from '../../base/assert.ts';
import type { GroupEntry } from './group-entry.ts';
import { priorityMax } from './topic-settings.ts';

export class ReadyQueue {
  private readonly passesMax: number;
  private readonly usesPriorities: boolean;
  private readonly heads: (GroupEntry | undefined)[] = new Array<undefined>(priorityMax + 1).fill(undefined);
  private readonly tails: (GroupEntry | undefined)[] = new Array<undefined>(priorityMax + 1).fill(undefined);
  /** Bit n: something of priority n is ready. */
  private occupied = 0;
  /** Deliveries in a row that were not of the lowest offset. */
  private passes = 0;

  constructor(passesMax: number, usesPriorities: boolean) {
    this.passesMax = passesMax;
    this.usesPriorities = usesPriorities;
  }

  get isEmpty(): boolean {
    return this.occupied === 0;
  }

  add(entry: GroupEntry): void {
    const level = this.levelOf(entry);
    let before = this.tails[level];
    // New ones come at the end, those that come back mostly at the beginning.
    const head = this.heads[level];
    if (head !== undefined && head.id > entry.id) before = undefined;
    else while (before !== undefined && before.id > entry.id) before = before.readyPrevious;
    const after = before === undefined ? head : before.readyNext;
    entry.readyPrevious = before;
    entry.readyNext = after;
    if (before === undefined) this.heads[level] = entry;
    else before.readyNext = entry;
    if (after === undefined) this.tails[level] = entry;
    else after.readyPrevious = entry;
    this.occupied |= 1 << level;
  }

  remove(entry: GroupEntry): void {
    const level = this.levelOf(entry);
    const { readyPrevious, readyNext } = entry;
    if (readyPrevious === undefined) {
      assert(this.heads[level] === entry, 'only what is ready is taken out');
      this.heads[level] = readyNext;
    } else readyPrevious.readyNext = readyNext;
    if (readyNext === undefined) this.tails[level] = readyPrevious;
    else readyNext.readyPrevious = readyPrevious;
    entry.readyPrevious = undefined;
    entry.readyNext = undefined;
    if (this.heads[level] === undefined) this.occupied &= ~(1 << level);
  }

  /** The next one, left where it is. */
  peek(): GroupEntry | undefined {
    const { occupied } = this;
    if (occupied === 0) return undefined;
    const top = 31 - Math.clz32(occupied);
    if (occupied === 1 << top || this.passes < this.passesMax) return this.heads[top];
    return this.lowest();
  }

  /** `entry` was delivered, and is taken out. */
  take(entry: GroupEntry): void {
    if ((this.occupied & (this.occupied - 1)) !== 0) this.passes = entry === this.lowest() ? 0 : this.passes + 1;
    else this.passes = 0;
    this.remove(entry);
  }

  private lowest(): GroupEntry {
    let lowest: GroupEntry | undefined;
    for (let bits = this.occupied; bits !== 0; bits &= bits - 1) {
      const head = this.heads[31 - Math.clz32(bits & -bits)] as GroupEntry;
      if (lowest === undefined || head.id < lowest.id) lowest = head;
    }
    return lowest as GroupEntry;
  }

  private levelOf(entry: GroupEntry): number {
    return this.usesPriorities ? entry.message.priority : 0;
  }
}
