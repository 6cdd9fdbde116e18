// Lanes of keys: the unsettled messages of one key in order of offset, of which only the first may go. A lane remembers who got
// its last message, to whom the next one goes if credit allows. A lane without messages is forgotten.

import type { GroupEntry } from './group-entry.ts';
import type { GroupMember } from './group-members.ts';

export interface KeyLane {
  readonly key: string;
  first: GroupEntry | undefined;
  last: GroupEntry | undefined;
  member: GroupMember | undefined;
}

export class KeyLanes {
  private readonly lanes = new Map<string, KeyLane>();

  /** Adds at the end of its key's lane; true if it is the first there. */
  add(entry: GroupEntry, key: string): boolean {
    let lane = this.lanes.get(key);
    if (lane === undefined) {
      lane = { key, first: undefined, last: undefined, member: undefined };
      this.lanes.set(key, lane);
    }
    entry.lane = lane;
    entry.lanePrevious = lane.last;
    if (lane.last === undefined) lane.first = entry;
    else lane.last.laneNext = entry;
    lane.last = entry;
    return lane.first === entry;
  }

  /** Takes an entry out; the one that thereby became the first, if any. */
  remove(entry: GroupEntry): GroupEntry | undefined {
    const { lane, lanePrevious, laneNext } = entry;
    if (lane === undefined) return undefined;
    const wasFirst = lane.first === entry;
    if (lanePrevious === undefined) lane.first = laneNext;
    else lanePrevious.laneNext = laneNext;
    if (laneNext === undefined) lane.last = lanePrevious;
    else laneNext.lanePrevious = lanePrevious;
    entry.lane = undefined;
    entry.lanePrevious = undefined;
    entry.laneNext = undefined;
    if (lane.first === undefined) this.lanes.delete(lane.key);
    return wasFirst ? lane.first : undefined;
  }
}
