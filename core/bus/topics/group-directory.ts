// The groups of a broker and the subscribers that are connected: making, joining, leaving, seeking, ending, and writing cursors
// down, one at a time for each group, so that whatever was settled meanwhile shares the next one.

import { PackedReader, PackedWriter } from '../../base/packed-values.ts';
import { accepted, type Result, refused, type Status } from '../../base/status.ts';
import { CursorWriter, type GroupCursor, readCursor } from './group-cursor.ts';
import type { GroupMember } from './group-members.ts';
import type { Ledger } from './ledger.ts';
import type { Topic } from './topic.ts';
import type { TopicDirectory } from './topic-directory.ts';
import type { TopicEnvironment } from './topic-environment.ts';
import { type GroupOwner, TopicGroup } from './topic-group.ts';
import type {
  GroupMode,
  ReplayPosition,
  ReplaySpeed,
  SeekInput,
  SubscribeInput,
  SubscriberConnectedInput,
  UnsubscribeInput,
} from './topic-protocol.ts';

interface Subscriber {
  readonly connection: number;
  readonly groups: Set<TopicGroup>;
}

interface GroupFact {
  readonly name: string;
  readonly topic: number;
  readonly mode: GroupMode;
  readonly speed: ReplaySpeed;
}

export class GroupDirectory {
  private readonly environment: TopicEnvironment;
  private readonly ledger: Ledger;
  private readonly topics: TopicDirectory;
  private readonly owner: GroupOwner;
  private readonly groups = new Map<string, TopicGroup>();
  private readonly subscribers = new Map<string, Subscriber>();
  /** Who waits for a group to become durable. */
  private readonly joining = new Map<TopicGroup, SubscribeInput[]>();
  private readonly foundGroups = new Map<number, GroupFact>();
  private readonly foundCursors = new Map<number, GroupCursor>();
  private readonly cursorWriter = new CursorWriter();
  private dirty: TopicGroup[] = [];
  private nextNumber = 0;

  constructor(environment: TopicEnvironment, ledger: Ledger, topics: TopicDirectory, owner: GroupOwner) {
    this.environment = environment;
    this.ledger = ledger;
    this.topics = topics;
    this.owner = owner;
  }

  get all(): Iterable<TopicGroup> {
    return this.groups.values();
  }

  get size(): number {
    return this.groups.size;
  }

  find(name: string): TopicGroup | undefined {
    return this.groups.get(name);
  }

  connect({ subscriber, connection }: SubscriberConnectedInput): Status {
    const known = this.subscribers.get(subscriber);
    if (known !== undefined && known.connection >= connection) return accepted;
    if (known === undefined && this.subscribers.size >= this.environment.settings.subscriberCountMax)
      return refused('SIRA_QUEUE_FULL', 'too many subscribers');
    this.leaveAll(subscriber);
    this.subscribers.set(subscriber, { connection, groups: new Set() });
    return accepted;
  }

  disconnect(subscriber: string, connection: number): void {
    const known = this.subscribers.get(subscriber);
    if (known === undefined || known.connection > connection) return;
    this.leaveAll(subscriber);
    this.subscribers.delete(subscriber);
  }

  /** A member by its group, over the connection that counts; `undefined` if it is none. */
  memberOf(subscriber: string, group: TopicGroup, connection?: number): GroupMember | undefined {
    const member = group.members.find(subscriber);
    return connection === undefined || member?.connection === connection ? member : undefined;
  }

  subscribe(input: SubscribeInput): Status {
    if (this.subscribers.get(input.subscriber)?.connection !== input.connection)
      return refused('SIRA_MESSAGE_REFUSED', 'the subscriber is not connected by this connection');
    const known = this.groups.get(input.group);
    if (known !== undefined) {
      if (known.topic.name !== input.topic || known.mode !== input.mode)
        return refused('SIRA_MESSAGE_REFUSED', 'the group has other terms');
      if (known.isDurable) return this.join(known, input, true);
      return this.joinLater(known, input);
    }
    const topic = this.topics.find(input.topic);
    if (topic === undefined) return refused('SIRA_MESSAGE_REFUSED', 'there is no such topic');
    if (!topic.isReady) return refused('SIRA_QUEUE_FULL', 'the topic is being made');
    const { start } = input;
    if (typeof start !== 'object' || !('timeMicros' in start)) {
      const offset = offsetOf(topic, start);
      return offset.ok ? this.makeWhenDurable(topic, input, offset.value) : offset;
    }
    return topic.findTime(start.timeMicros, (offset) =>
      this.refuse('subscribe', input.subscriber, input.group, this.makeWhenDurable(topic, input, offset)),
    );
  }

  unsubscribe({ subscriber, group: name, endsGroup }: UnsubscribeInput): Status {
    const group = this.groups.get(name);
    const member = group?.members.find(subscriber);
    if (group === undefined || member === undefined)
      return refused('SIRA_MESSAGE_REFUSED', 'not a member of the group');
    const ends = endsGroup && group.members.size === 1;
    if (ends && group.hasCommits) return refused('SIRA_QUEUE_FULL', 'a commit is under way');
    this.subscribers.get(subscriber)?.groups.delete(group);
    group.leave(member);
    // Leaving may have made dead letters, which end the group's life later.
    return ends && !group.hasCommits ? this.end(group) : accepted;
  }

  seek({ client, group: name, position }: SeekInput): Status {
    const group = this.groups.get(name);
    if (group === undefined || !group.isDurable) return refused('SIRA_MESSAGE_REFUSED', 'there is no such group');
    const { topic } = group;
    if (typeof position !== 'object' || !('timeMicros' in position)) {
      const offset = offsetOf(topic, position);
      return offset.ok ? this.seekWhenDurable(group, client, offset.value) : offset;
    }
    return topic.findTime(position.timeMicros, (offset) =>
      this.refuse('seek', client, name, this.seekWhenDurable(group, client, offset)),
    );
  }

  groupDirty(group: TopicGroup): void {
    this.dirty.push(group);
  }

  /** Writes down the cursors that have moved; those on their way are written again when they have arrived. */
  flush(): void {
    if (this.dirty.length === 0) return;
    const { dirty } = this;
    this.dirty = [];
    for (const group of dirty) if (group.writingCount === 0) this.writeCursor(group);
  }

  /** Facts of groups: `g` and a number its terms, `c` its cursor. False if one is damaged. */
  fact(key: string, value: Uint8Array | undefined): boolean {
    const number = Number(key.slice(1));
    this.nextNumber = Math.max(this.nextNumber, number + 1);
    const found = key[0] === 'g' ? this.foundGroups : this.foundCursors;
    if (value === undefined) return found.delete(number) || true;
    if (key[0] === 'c') {
      const cursor = readCursor(value);
      if (cursor !== undefined) this.foundCursors.set(number, cursor);
      return cursor !== undefined;
    }
    const reader = new PackedReader(value);
    this.foundGroups.set(number, reader.value() as GroupFact);
    return reader.fault === undefined;
  }

  /** All topics are open. False if a group has none. */
  openFound(): boolean {
    for (const [number, { name, topic: topicNumber, mode, speed }] of this.foundGroups) {
      const topic = this.topics.numbered(topicNumber);
      const cursor = this.foundCursors.get(number);
      // A group becomes durable with its cursor, which is written after it.
      if (topic === undefined) return false;
      if (cursor === undefined) continue;
      clamp(cursor, topic.nextOffset);
      const group = this.add(number, name, topic, mode, speed, cursor);
      group.isDurable = true;
    }
    this.foundGroups.clear();
    this.foundCursors.clear();
    return true;
  }

  numbered(number: number): TopicGroup | undefined {
    for (const group of this.groups.values()) if (group.id === number) return group;
    return undefined;
  }

  private refuse(kind: 'subscribe' | 'seek', client: string, name: string, status: Status): void {
    if (!status.ok) this.environment.refuse(kind, client, name, -1, status.code, status.reason);
  }

  private leaveAll(subscriber: string): void {
    for (const group of this.subscribers.get(subscriber)?.groups ?? []) {
      const member = group.members.find(subscriber);
      if (member !== undefined) group.leave(member);
    }
  }

  /** Joins a group once it is durable; a repeat takes the place of what was asked before. */
  private joinLater(group: TopicGroup, input: SubscribeInput): Status {
    const joining = this.joining.get(group) ?? [];
    const before = joining.findIndex(({ subscriber }) => subscriber === input.subscriber);
    if (before >= 0) joining[before] = input;
    else if (joining.length >= this.environment.settings.membersPerGroupMax)
      return refused('SIRA_QUEUE_FULL', 'the group has too many members');
    else joining.push(input);
    return accepted;
  }

  /** A cursor may not say more than the topic keeps: what it counts as behind it must be durable. */
  private makeWhenDurable(topic: Topic, input: SubscribeInput, offset: number): Status {
    return topic.whenDurable(offset, () => {
      // Somebody else may have made it meanwhile.
      const status = this.groups.has(input.group) ? this.subscribe(input) : this.make(topic, input, offset);
      if (!status.ok) this.refuse('subscribe', input.subscriber, input.group, status);
    });
  }

  private seekWhenDurable(group: TopicGroup, client: string, offset: number): Status {
    return group.topic.whenDurable(offset, () => {
      if (group.isEnded) return;
      const status = this.seekTo(group, Math.max(offset, group.topic.startOffset));
      if (!status.ok) this.refuse('seek', client, group.name, status);
    });
  }

  private make(topic: Topic, input: SubscribeInput, offset: number): Status {
    if (this.groups.size >= this.environment.settings.groupCountMax)
      return refused('SIRA_QUEUE_FULL', 'too many groups');
    const number = this.nextNumber;
    const { group: name, mode, speed } = input;
    const fact: GroupFact = { name, topic: topic.number, mode, speed };
    const writer = new PackedWriter();
    writer.value(fact);
    const noted = this.ledger.append(`g${number}`, writer.written);
    if (!noted.ok) return noted;
    this.nextNumber++;
    const cursor: GroupCursor = { epoch: 0, floor: offset, end: offset, unsettled: new Map() };
    const group = this.add(number, name, topic, mode, speed, cursor);
    this.joining.set(group, [input]);
    this.writeCursor(group);
    return accepted;
  }

  /** The group, and the place where it begins, is durable: who asked for it becomes a member. */
  private announce(group: TopicGroup): void {
    group.isDurable = true;
    const joining = this.joining.get(group) ?? [];
    this.joining.delete(group);
    for (const [index, input] of joining.entries()) {
      const status = this.join(group, input, index > 0);
      if (!status.ok) this.refuse('subscribe', input.subscriber, group.name, status);
    }
  }

  private add(
    number: number,
    name: string,
    topic: Topic,
    mode: GroupMode,
    speed: ReplaySpeed,
    cursor: GroupCursor,
  ): TopicGroup {
    const group = new TopicGroup(number, name, topic, mode, speed, cursor, this.environment, this.owner);
    this.groups.set(name, group);
    topic.addReader(group);
    return group;
  }

  private join(group: TopicGroup, input: SubscribeInput, resumed: boolean): Status {
    const { subscriber: name, connection } = input;
    const subscriber = this.subscribers.get(name);
    if (subscriber?.connection !== connection)
      return refused('SIRA_MESSAGE_REFUSED', 'the subscriber is not connected by this connection');
    const { members } = group;
    if (members.find(name) === undefined) {
      if (group.mode === 'exclusive' && members.size > 0)
        return refused('SIRA_QUEUE_FULL', 'the group is held by another subscriber');
      if (members.size >= this.environment.settings.membersPerGroupMax)
        return refused('SIRA_QUEUE_FULL', 'the group has too many members');
      members.join(name, connection);
      subscriber.groups.add(group);
    }
    this.environment.emit({
      ...{ kind: 'subscribed', subscriber: name, connection, group: group.name, topic: group.topic.name, resumed },
      ...group.durablePlace,
    });
    group.pump();
    return accepted;
  }

  private end(group: TopicGroup): Status {
    const { id, name } = group;
    for (const commit of group.finishedCommits) this.ledger.append(`x${commit}`, undefined);
    const noted = this.ledger.append(`c${id}`, undefined);
    const ended = this.ledger.append(`g${id}`, undefined, () =>
      this.environment.emit({ kind: 'groupEnded', group: name }),
    );
    // Without room in the ledger it stays, without members.
    if (!noted.ok) return noted;
    if (!ended.ok) return ended;
    group.end();
    this.groups.delete(name);
    group.topic.removeReader(group);
    return accepted;
  }

  private seekTo(group: TopicGroup, offset: number): Status {
    if (group.hasCommits) return refused('SIRA_QUEUE_FULL', 'a commit is under way');
    group.seek(offset);
    // At once, whatever is on its way: where the epoch begins is told before what comes of it.
    this.writeCursor(group);
    group.pump();
    return accepted;
  }

  private writeCursor(group: TopicGroup): void {
    group.isDirty = false;
    if (group.isEnded) return;
    const { epoch } = group;
    const floor = group.writeCursor(this.cursorWriter);
    const written = this.ledger.append(`c${group.id}`, this.cursorWriter.bytes, () => {
      group.writingCount--;
      group.cursorDurable(floor, epoch);
      // A group that had to skip meanwhile begins elsewhere, which is written first.
      if (group.isDirty) this.dirty.push(group);
      else if (!group.isDurable) this.announce(group);
    });
    if (!written.ok) {
      group.isDirty = true;
      this.dirty.push(group);
      return;
    }
    group.writingCount++;
    while (group.finishedCommits.length > 0) {
      // Behind the cursor that has their offsets: a crash between the two finds the commit again, and settles nothing twice.
      if (!this.ledger.append(`x${group.finishedCommits[0]}`, undefined).ok) return;
      group.finishedCommits.shift();
    }
  }
}

/** Where a position is now; SIRA_OFFSET_GONE or SIRA_MESSAGE_REFUSED if nowhere. */
function offsetOf(topic: Topic, position: Exclude<ReplayPosition, { readonly timeMicros: number }>): Result<number> {
  const { startOffset, nextOffset } = topic;
  if (position === 'earliest') return { ok: true, value: startOffset };
  if (position === 'latest') return { ok: true, value: nextOffset };
  const { offset } = position;
  if (offset < startOffset) return refused('SIRA_OFFSET_GONE', `the first offset kept is ${startOffset}`);
  if (!(Number.isSafeInteger(offset) && offset <= nextOffset))
    return refused('SIRA_MESSAGE_REFUSED', `the topic ends at ${nextOffset}`);
  return { ok: true, value: offset };
}

/** Messages that were never durable may have been counted in; their offsets are given to others. */
function clamp(cursor: GroupCursor, nextOffset: number): void {
  cursor.floor = Math.min(cursor.floor, nextOffset);
  cursor.end = Math.min(cursor.end, nextOffset);
  for (const offset of [...cursor.unsettled.keys()]) if (offset >= nextOffset) cursor.unsettled.delete(offset);
}
