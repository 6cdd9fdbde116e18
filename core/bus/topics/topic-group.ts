// A group: its window of unsettled messages, who holds which, and its cursor. Promises: first deliveries in the order of its
// mode; of a key one message at a time; credit never exceeded; nothing early, nothing late; after the last attempt a dead
// letter; the durable cursor never ahead of what is settled. The window is bounded; what lies behind it is read from the topic.

import type { Refused } from '../../base/status.ts';
import { DeadlineHeap } from '../deadline-heap.ts';
import { type CursorWriter, type GroupCursor, raiseFloor, settleInCursor } from './group-cursor.ts';
import { EntryList, GroupEntry } from './group-entry.ts';
import { type GroupMember, GroupMembers } from './group-members.ts';
import { backoffMicros, GroupPace } from './group-pace.ts';
import { GroupSource } from './group-source.ts';
import { messageOverheadBytes } from './hot-messages.ts';
import { KeyLanes } from './key-lanes.ts';
import { ReadyQueue } from './ready-queue.ts';
import type { Topic, TopicReader } from './topic.ts';
import type { Timed, TopicEnvironment } from './topic-environment.ts';
import type { AttemptEnd, GroupMode, ReplaySpeed, SkippedEffect, TopicMessage } from './topic-protocol.ts';

/** What a group asks of its broker. */
export interface GroupOwner {
  /** Its cursor is to be written at the next flush. */
  groupDirty(group: TopicGroup): void;
  /** Begins to make it a dead letter; {@link TopicGroup.finishCommit} follows. */
  beginDeadLetter(group: TopicGroup, entry: GroupEntry): Refused | undefined;
  /** Those that nobody can be given any more. */
  lostTensors(message: TopicMessage): readonly string[];
}

export class TopicGroup implements TopicReader, Timed {
  /** Its number in the ledger. */
  readonly id: number;
  readonly name: string;
  readonly topic: Topic;
  readonly mode: GroupMode;
  readonly speed: ReplaySpeed;
  readonly members = new GroupMembers();
  readonly source: GroupSource;
  heapKey = 0;
  heapIndex = -1;
  epoch: number;
  /** The group, and where it begins, is on the disk. */
  isDurable = false;
  isEnded = false;
  isDirty = false;
  isWriting = false;
  /** Whose facts end with the next cursor. */
  readonly finishedCommits: number[] = [];
  private readonly environment: TopicEnvironment;
  private readonly owner: GroupOwner;
  private readonly entries = new EntryList();
  private readonly ready: ReadyQueue;
  private readonly lanes: KeyLanes | undefined;
  private readonly timers = new DeadlineHeap<GroupEntry>();
  private readonly pace: GroupPace;
  private windowBytes = 0;
  private committingCount = 0;
  private lateCount = 0;
  /** The next offset to enter the window. */
  private next: number;
  /** What was settled ahead of `next` in an earlier life. */
  private restored: GroupCursor | undefined;
  /** From here on everything is unsettled and was never tried, so that a cursor need not list it. */
  private notedEnd: number;
  private durableFloor: number;
  private durableEpoch: number;
  /** The next message may not enter before. */
  private fillAtMicros = Number.POSITIVE_INFINITY;

  constructor(
    id: number,
    name: string,
    topic: Topic,
    mode: GroupMode,
    speed: ReplaySpeed,
    cursor: GroupCursor,
    environment: TopicEnvironment,
    owner: GroupOwner,
  ) {
    this.id = id;
    this.name = name;
    this.topic = topic;
    this.mode = mode;
    this.speed = speed;
    this.environment = environment;
    this.owner = owner;
    const { priorityPassesMax, replayGapMicrosMax } = environment.settings;
    this.ready = new ReadyQueue(priorityPassesMax, mode !== 'exclusive');
    this.lanes = mode === 'keyOrdered' ? new KeyLanes() : undefined;
    this.pace = new GroupPace(mode, speed, replayGapMicrosMax);
    this.source = new GroupSource(topic, environment, this);
    this.epoch = cursor.epoch;
    this.next = cursor.floor;
    this.durableFloor = cursor.floor;
    this.durableEpoch = cursor.epoch;
    this.notedEnd = cursor.end;
    this.restored = cursor.end > cursor.floor ? cursor : undefined;
  }

  get floorOffset(): number {
    return this.entries.first?.id ?? this.next;
  }

  get neededOffset(): number {
    return Math.min(this.durableFloor, this.floorOffset);
  }

  get hasCommits(): boolean {
    return this.committingCount > 0;
  }

  /** Whoever holds an unsettled offset now. */
  holderOf(offset: number): GroupMember | undefined {
    const entry = this.entries.find(offset);
    return entry?.state === 'held' ? entry.holder : undefined;
  }

  isSettled(offset: number): boolean {
    if (offset < this.next) return this.entries.find(offset) === undefined;
    const { restored } = this;
    return restored !== undefined && offset < restored.end && !restored.unsettled.has(offset);
  }

  /** Delivers what may be delivered now. */
  pump(): void {
    const { ready, members, environment } = this;
    if (!this.isDurable || this.isEnded || environment.failure !== undefined) return;
    for (;;) {
      this.fill();
      if (ready.isEmpty || !members.hasCredit) break;
      const entry = ready.peek() as GroupEntry;
      const { deadlineMicros, payload } = entry.message;
      if (deadlineMicros >= 0 && deadlineMicros < environment.nowMicros) {
        this.dropLate(entry);
        continue;
      }
      const member = members.choose(payload.length, entry.lane?.member);
      if (member === undefined) break;
      ready.take(entry);
      this.deliver(entry, member);
    }
    this.reschedule();
  }

  /** Attempts that are over, waits that have ended. */
  fire(nowMicros: number): void {
    for (;;) {
      const entry = this.timers.first;
      if (entry === undefined || entry.heapKey > nowMicros) break;
      this.timers.remove(entry);
      if (entry.state === 'held') {
        this.revoke(entry);
        this.failAttempt(entry, 'timedOut', '');
      } else if (entry.attempts >= this.topic.terms.attemptsMax) this.endAsDeadLetter(entry);
      else this.makeReady(entry);
    }
    if (this.fillAtMicros <= nowMicros) this.fillAtMicros = Number.POSITIVE_INFINITY;
    this.pump();
    this.reschedule();
  }

  /** Every attempt under way ends so much later. */
  extendAttempts(byMicros: number): void {
    for (let entry = this.entries.first; entry !== undefined; entry = entry.next)
      if (entry.state === 'held') this.timers.move(entry, entry.heapKey + byMicros);
    this.reschedule();
  }

  leave(member: GroupMember): void {
    this.members.leave(member);
    // From the end, so that each comes before those that came back already.
    for (let entry = this.entries.last; entry !== undefined; ) {
      const { previous } = entry;
      if (entry.state === 'held' && entry.holder === member) {
        this.timers.remove(entry);
        this.failAttempt(entry, 'disconnected', '');
      }
      entry = previous;
    }
    this.parkIfIdle();
    this.pump();
    this.reschedule();
  }

  /** The entry of an offset that `subscriber` may settle; or why not; `undefined`: it is settled. */
  claim(subscriber: string, offset: number): GroupEntry | string | undefined {
    const entry = this.entries.find(offset);
    if (entry === undefined) return this.isSettled(offset) ? undefined : 'the offset was not delivered';
    return entry.holder?.name === subscriber ? entry : 'the offset is not held by the subscriber';
  }

  /** Settles everything that `subscriber` was given last, up to `offset`. */
  settleThrough(subscriber: string, offset: number): void {
    for (let entry = this.entries.first; entry !== undefined && entry.id <= offset; ) {
      const { next } = entry;
      if (entry.holder?.name === subscriber && entry.state !== 'committing') this.settle(entry);
      entry = next;
    }
  }

  settle(entry: GroupEntry): void {
    this.remove(entry);
    this.notedEnd = Math.max(this.notedEnd, entry.id + 1);
    this.markDirty();
  }

  /** Of a held entry: the attempt ended without success. */
  reject(entry: GroupEntry, reason: string): void {
    this.timers.remove(entry);
    this.failAttempt(entry, 'rejected', reason);
  }

  extend(entry: GroupEntry, untilMicros: number): void {
    if (untilMicros > entry.heapKey) this.timers.move(entry, untilMicros);
  }

  /** The entry is part of a commit: no attempt ends and nobody else gets it, whatever happens to its holder. */
  beginCommit(entry: GroupEntry): void {
    if (entry.heapIndex >= 0) this.timers.remove(entry);
    if (entry.state === 'ready') this.ready.remove(entry);
    entry.state = 'committing';
    this.committingCount++;
  }

  finishCommit(commit: number, offsets: readonly number[]): void {
    for (const offset of offsets) {
      const entry = this.entries.find(offset);
      if (entry?.state === 'committing') this.settle(entry);
    }
    this.finishedCommits.push(commit);
    this.markDirty();
    this.parkIfIdle();
    this.pump();
  }

  /** Settles offsets of a commit that an earlier life had decided; nobody is a member yet. */
  settleFound(commit: number, offsets: readonly number[]): void {
    const { next: floor, epoch } = this;
    const cursor = this.restored ?? { epoch, floor, end: floor, unsettled: new Map() };
    for (const offset of offsets) settleInCursor(cursor, offset);
    this.restored = cursor;
    this.next = cursor.floor;
    // The commit is durable, and with it what it settles.
    this.durableFloor = cursor.floor;
    this.notedEnd = Math.max(this.notedEnd, cursor.end);
    this.finishedCommits.push(commit);
    this.markDirty();
  }

  /** Begins at `offset`, whatever was settled. No commits may be under way. */
  seek(offset: number): void {
    for (let entry = this.entries.first; entry !== undefined; entry = entry.next)
      if (entry.state === 'held') this.revoke(entry);
    this.clearWindow();
    this.epoch++;
    this.next = offset;
    this.notedEnd = offset;
    this.restored = undefined;
    this.topic.readerMoved();
    this.markDirty();
    this.pump();
  }

  skipTo(offset: number, cause: SkippedEffect['cause']): void {
    const fromOffset = this.floorOffset;
    let skipped = this.next < offset;
    for (let entry = this.entries.first; entry !== undefined && entry.id < offset; ) {
      const { next } = entry;
      if (entry.state !== 'committing') {
        if (entry.state === 'held') this.revoke(entry);
        this.remove(entry);
        skipped = true;
      }
      entry = next;
    }
    this.next = Math.max(this.next, offset);
    if (this.restored !== undefined) raiseFloor(this.restored, offset);
    this.notedEnd = Math.max(this.notedEnd, offset);
    if (!skipped) return;
    this.environment.emit({
      kind: 'skipped',
      group: this.name,
      topic: this.topic.name,
      cause,
      fromOffset,
      toOffset: offset,
    });
    this.markDirty();
    this.pump();
  }

  /** Writes the cursor as of now. */
  writeCursor(writer: CursorWriter): { readonly floor: number; readonly epoch: number } {
    const floor = this.floorOffset;
    const end = Math.max(this.notedEnd, floor);
    writer.begin(this.epoch, floor, end);
    for (let entry = this.entries.first; entry !== undefined && entry.id < end; entry = entry.next) {
      const failed = entry.state === 'held' ? entry.attempts - 1 : entry.attempts;
      writer.add(entry.id, failed, entry.attemptEnd);
    }
    if (this.restored !== undefined) {
      for (const [offset, { attempts, attemptEnd }] of this.restored.unsettled)
        if (offset >= this.next) writer.add(offset, attempts, attemptEnd);
    }
    return { floor, epoch: this.epoch };
  }

  /** The cursor that was written is on the disk. */
  cursorDurable(floor: number, epoch: number): void {
    const moved = floor !== this.durableFloor || epoch !== this.durableEpoch;
    this.durableFloor = floor;
    this.durableEpoch = epoch;
    if (!moved || this.isEnded) return;
    this.environment.emit({ kind: 'cursorMoved', group: this.name, topic: this.topic.name, offset: floor, epoch });
    this.topic.readerMoved();
  }

  end(): void {
    this.isEnded = true;
    this.clearWindow();
    this.reschedule();
  }

  private fill(): void {
    const { topic, source, entries, environment } = this;
    if (this.members.size === 0) return;
    const { windowMessagesMax, windowBytesMax } = environment.settings;
    while (
      this.next < topic.readableEnd &&
      entries.size < windowMessagesMax &&
      this.windowBytes < windowBytesMax &&
      this.fillAtMicros === Number.POSITIVE_INFINITY
    ) {
      const { restored } = this;
      if (restored !== undefined) {
        if (this.next >= restored.end) this.restored = undefined;
        else if (!restored.unsettled.has(this.next)) {
          this.next++;
          continue;
        }
      }
      const message = source.peek(this.next);
      if (message === undefined) {
        if (source.emptyUntil <= this.next) return;
        this.next = source.emptyUntil;
      } else if (message.offset > this.next) this.next = message.offset;
      else {
        const enterMicros = this.pace.timeOf(message);
        if (enterMicros > environment.nowMicros) this.fillAtMicros = enterMicros;
        else this.enter(message);
      }
    }
  }

  private enter(message: TopicMessage): void {
    const { lanes } = this;
    const entry = new GroupEntry(message);
    this.pace.entered(message, this.environment.nowMicros);
    this.next++;
    this.entries.add(entry);
    this.windowBytes += message.payload.length + messageOverheadBytes;
    const failed = this.restored?.unsettled.get(entry.id);
    if (failed !== undefined) {
      entry.attempts = failed.attempts;
      entry.attemptEnd = failed.attemptEnd;
      this.restored?.unsettled.delete(entry.id);
    }
    if (lanes === undefined || message.key === undefined || lanes.add(entry, message.key)) this.begin(entry);
    else entry.state = 'behind';
  }

  /** The entry may go as far as those before it are concerned. */
  private begin(entry: GroupEntry): void {
    const { nowMicros } = this.environment;
    const { deliverAtMicros } = entry.message;
    if (entry.attempts >= this.topic.terms.attemptsMax) this.endAsDeadLetter(entry);
    else if (deliverAtMicros > nowMicros) this.wait(entry, deliverAtMicros);
    else if (entry.attempts > 0 && entry.attemptEnd !== 'disconnected') this.backOff(entry);
    else this.makeReady(entry);
  }

  private makeReady(entry: GroupEntry): void {
    entry.state = 'ready';
    this.ready.add(entry);
  }

  private wait(entry: GroupEntry, untilMicros: number): void {
    entry.state = 'waiting';
    this.timers.add(entry, untilMicros);
  }

  private backOff(entry: GroupEntry): void {
    const { environment, topic } = this;
    const { backoffFloorMicros, backoffCeilingMicros, backoffJitter } = topic.terms;
    const random = environment.random.nextFloat();
    const wait = backoffMicros(entry.attempts, backoffFloorMicros, backoffCeilingMicros, backoffJitter, random);
    this.wait(entry, environment.nowMicros + wait);
  }

  private deliver(entry: GroupEntry, member: GroupMember): void {
    const { environment, topic, owner } = this;
    const { message } = entry;
    entry.state = 'held';
    entry.attempts++;
    entry.holder = member;
    if (entry.lane !== undefined) entry.lane.member = member;
    this.members.use(member, message.payload.length);
    const deadlineMicros = environment.nowMicros + topic.terms.acknowledgeWaitMicros;
    this.timers.add(entry, deadlineMicros);
    environment.emit({
      kind: 'deliver',
      subscriber: member.name,
      connection: member.connection,
      group: this.name,
      topic: topic.name,
      attempt: entry.attempts,
      deadlineMicros,
      lostTensors: owner.lostTensors(message),
      message,
    });
  }

  private dropLate(entry: GroupEntry): void {
    const { deadlineMicros } = entry.message;
    this.lateCount++;
    this.settle(entry);
    this.environment.emit({
      kind: 'lateDropped',
      group: this.name,
      topic: this.topic.name,
      offset: entry.id,
      deadlineMicros,
      count: this.lateCount,
    });
  }

  /** Of a held entry whose timer is off. */
  private failAttempt(entry: GroupEntry, attemptEnd: AttemptEnd, reason: string): void {
    entry.attemptEnd = attemptEnd;
    entry.reason = reason;
    this.notedEnd = Math.max(this.notedEnd, entry.id + 1);
    this.markDirty();
    if (entry.attempts >= this.topic.terms.attemptsMax) this.endAsDeadLetter(entry);
    else if (attemptEnd === 'disconnected') this.makeReady(entry);
    else this.backOff(entry);
  }

  private endAsDeadLetter(entry: GroupEntry): void {
    const { environment, topic } = this;
    const { deadLetterTopic, backoffFloorMicros } = topic.terms;
    if (deadLetterTopic === '') {
      const { id: offset, attempts, attemptEnd: cause } = entry;
      entry.state = 'waiting';
      this.settle(entry);
      environment.emit({
        kind: 'deadLettered',
        group: this.name,
        topic: topic.name,
        ...{ offset, attempts, cause, deadLetterTopic },
      });
      return;
    }
    entry.state = 'waiting';
    const refusal = this.owner.beginDeadLetter(this, entry);
    if (refusal === undefined) this.beginCommit(entry);
    else this.wait(entry, environment.nowMicros + backoffFloorMicros);
  }

  private revoke(entry: GroupEntry): void {
    const { name: subscriber, connection } = entry.holder as GroupMember;
    this.environment.emit({ kind: 'revoked', subscriber, connection, group: this.name, offset: entry.id });
  }

  /** Takes an entry out of everything; whoever waited behind it may go. */
  private remove(entry: GroupEntry): void {
    if (entry.heapIndex >= 0) this.timers.remove(entry);
    if (entry.state === 'ready') this.ready.remove(entry);
    if (entry.state === 'committing') this.committingCount--;
    entry.state = 'settled';
    this.entries.remove(entry);
    this.windowBytes -= entry.message.payload.length + messageOverheadBytes;
    const freed = this.lanes?.remove(entry);
    if (freed !== undefined) this.begin(freed);
  }

  /** Without members the window is given up: what is in it is read again when somebody comes. */
  private parkIfIdle(): void {
    if (this.members.size > 0 || this.committingCount > 0 || this.isEnded) return;
    const floor = this.floorOffset;
    const end = Math.max(this.notedEnd, floor);
    const parked: GroupCursor = { epoch: this.epoch, floor, end, unsettled: new Map() };
    for (let entry = this.entries.first; entry !== undefined && entry.id < end; entry = entry.next)
      parked.unsettled.set(entry.id, { attempts: entry.attempts, attemptEnd: entry.attemptEnd });
    for (const [offset, failed] of this.restored?.unsettled ?? [])
      if (offset >= this.next) parked.unsettled.set(offset, failed);
    this.clearWindow();
    this.next = floor;
    this.restored = end > floor ? parked : undefined;
  }

  private clearWindow(): void {
    for (let entry = this.entries.first; entry !== undefined; ) {
      const { next } = entry;
      if (entry.heapIndex >= 0) this.timers.remove(entry);
      if (entry.state === 'ready') this.ready.remove(entry);
      this.lanes?.remove(entry);
      entry.state = 'settled';
      entry = next;
    }
    this.entries.clear();
    this.windowBytes = 0;
    this.fillAtMicros = Number.POSITIVE_INFINITY;
    this.source.clear();
    this.pace.restart();
  }

  private markDirty(): void {
    if (this.isDirty) return;
    this.isDirty = true;
    this.owner.groupDirty(this);
  }

  private reschedule(): void {
    const dueMicros = Math.min(this.timers.first?.heapKey ?? Number.POSITIVE_INFINITY, this.fillAtMicros);
    this.environment.schedule(this, this.isEnded ? Number.POSITIVE_INFINITY : dueMicros);
  }
}
