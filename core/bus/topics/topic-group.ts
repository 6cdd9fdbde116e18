// A group: its window of unsettled messages, who holds which, and its cursor. Promises: first deliveries in the order of its
// mode; of a key one message at a time; credit never exceeded; nothing early, nothing late; after the last attempt a dead
// letter; the durable cursor never ahead of what is settled. The window is bounded; what lies behind it is read from the topic.

import type { Refused } from '../../base/status.ts';
import type { CursorWriter, GroupCursor } from './group-cursor.ts';
import type { GroupEntry } from './group-entry.ts';
import { GroupIntake } from './group-intake.ts';
import { type GroupMember, GroupMembers } from './group-members.ts';
import { GroupNews } from './group-news.ts';
import { backoffMicros } from './group-pace.ts';
import { GroupProgress } from './group-progress.ts';
import { GroupWindow } from './group-window.ts';
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
  heapKey = 0;
  heapIndex = -1;
  /** The group, and where it begins, is on the disk. */
  isDurable = false;
  isEnded = false;
  isDirty = false;
  /** Cursors on their way to the disk. */
  writingCount = 0;
  /** Whose facts end with the next cursor. */
  readonly finishedCommits: number[] = [];
  private readonly environment: TopicEnvironment;
  private readonly owner: GroupOwner;
  private readonly window: GroupWindow;
  private readonly intake: GroupIntake;
  private readonly news: GroupNews;
  private readonly progress: GroupProgress;

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
    this.window = new GroupWindow(mode, environment.settings.priorityPassesMax);
    this.progress = new GroupProgress(cursor);
    this.news = new GroupNews(environment, name, topic.name);
    this.intake = new GroupIntake(topic, mode, speed, this.progress, environment, this.news, this);
  }

  get epoch(): number {
    return this.progress.epoch;
  }

  get floorOffset(): number {
    return this.window.first?.id ?? this.progress.next;
  }

  get neededOffset(): number {
    return Math.min(this.progress.durableFloor, this.floorOffset);
  }

  /** Where the group stands on the disk. */
  get durablePlace(): { readonly offset: number; readonly epoch: number } {
    return { offset: this.progress.durableFloor, epoch: this.progress.durableEpoch };
  }

  get hasCommits(): boolean {
    return this.window.committingCount > 0;
  }

  /** Whoever holds an unsettled offset now. */
  holderOf(offset: number): GroupMember | undefined {
    const entry = this.window.find(offset);
    return entry?.state === 'held' ? entry.holder : undefined;
  }

  isSettled(offset: number): boolean {
    if (offset < this.progress.next) return this.window.find(offset) === undefined;
    return this.progress.isSettledAhead(offset);
  }

  /** A read of older messages was refused; {@link pump} tries again. */
  get isBlocked(): boolean {
    return this.intake.source.isBlocked;
  }

  /** Delivers what may be delivered now. */
  pump(): void {
    const { window, members, environment } = this;
    if (!this.isDurable || this.isEnded || environment.failure !== undefined) return;
    for (;;) {
      this.fill();
      if (!members.hasCredit) break;
      const entry = window.peekReady();
      if (entry === undefined) break;
      const { deadlineMicros, payload } = entry.message;
      if (deadlineMicros >= 0 && deadlineMicros < environment.nowMicros) {
        this.settle(entry);
        this.news.lateDropped(entry);
        continue;
      }
      const member = members.choose(payload.length, entry.lane?.member);
      if (member === undefined) break;
      this.deliver(entry, member);
    }
    this.reschedule();
  }

  /** Attempts that are over, waits that have ended. */
  fire(nowMicros: number): void {
    for (;;) {
      const entry = this.window.takeDue(nowMicros);
      if (entry === undefined) break;
      if (entry.state === 'held') {
        this.news.revoked(entry);
        this.failAttempt(entry, 'timedOut', '');
      } else if (entry.attempts >= this.topic.terms.attemptsMax) this.endAsDeadLetter(entry);
      else this.window.makeReady(entry);
    }
    this.intake.wake(nowMicros);
    this.pump();
    this.reschedule();
  }

  /** Every attempt under way ends so much later. */
  extendAttempts(byMicros: number): void {
    this.window.prolongAll(byMicros);
    this.reschedule();
  }

  leave(member: GroupMember): void {
    this.members.leave(member);
    // From the end, so that each comes before those that came back already.
    for (let entry = this.window.last; entry !== undefined; ) {
      const { previous } = entry;
      if (entry.state === 'held' && entry.holder === member) {
        this.window.release(entry);
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
    const entry = this.window.find(offset);
    if (entry === undefined) return this.isSettled(offset) ? undefined : 'the offset was not delivered';
    return entry.holder?.name === subscriber ? entry : 'the offset is not held by the subscriber';
  }

  /** Settles everything that `subscriber` was given last, up to `offset`. */
  settleThrough(subscriber: string, offset: number): void {
    for (let entry = this.window.first; entry !== undefined && entry.id <= offset; ) {
      const { next } = entry;
      if (entry.holder?.name === subscriber && entry.state !== 'committing') this.settle(entry);
      entry = next;
    }
  }

  settle(entry: GroupEntry): void {
    this.remove(entry);
    this.progress.note(entry.id);
    this.markDirty();
  }

  /** Of a held entry: the attempt ended without success. */
  reject(entry: GroupEntry, reason: string): void {
    this.window.release(entry);
    this.failAttempt(entry, 'rejected', reason);
  }

  /** Of a held entry: the attempt ends later. */
  extend(entry: GroupEntry, untilMicros: number): void {
    this.window.prolong(entry, untilMicros);
  }

  /** The entry is part of a commit: no attempt ends and nobody else gets it, whatever happens to its holder. */
  beginCommit(entry: GroupEntry): void {
    this.window.commit(entry);
  }

  finishCommit(commit: number, offsets: readonly number[]): void {
    for (const offset of offsets) {
      const entry = this.window.find(offset);
      if (entry?.state === 'committing') this.settle(entry);
    }
    this.finishedCommits.push(commit);
    this.markDirty();
    this.parkIfIdle();
    this.pump();
  }

  /** Settles offsets of a commit that an earlier life had decided; nobody is a member yet. */
  settleFound(commit: number, offsets: readonly number[]): void {
    this.progress.settleFound(offsets);
    this.finishedCommits.push(commit);
    this.markDirty();
  }

  /** Begins at `offset`, whatever was settled. No commits may be under way. */
  seek(offset: number): void {
    for (let entry = this.window.first; entry !== undefined; entry = entry.next)
      if (entry.state === 'held') this.news.revoked(entry);
    this.clearWindow();
    this.progress.seek(offset);
    this.topic.readerMoved();
    this.markDirty();
  }

  skipTo(offset: number, cause: SkippedEffect['cause']): void {
    let fromOffset = this.floorOffset;
    let count = 0;
    let kept: GroupEntry | undefined;
    const tell = (toOffset: number): void => {
      // Of a group that is only being made nobody knows where it begins.
      if (count > 0 && this.isDurable) this.news.skipped(cause, fromOffset, toOffset);
      count = 0;
    };
    for (;;) {
      const entry: GroupEntry | undefined = kept === undefined ? this.window.first : kept.next;
      if (entry === undefined || entry.id >= offset) break;
      if (entry.state === 'committing') {
        // Not lost: it ends by its commit.
        tell(entry.id);
        fromOffset = entry.id + 1;
        kept = entry;
      } else {
        if (entry.state === 'held') this.news.revoked(entry);
        this.remove(entry);
        count++;
      }
    }
    if (this.progress.next < offset) count++;
    this.progress.skipTo(offset);
    tell(offset);
    // What waited for its time may be among what is skipped.
    this.intake.wake(Number.POSITIVE_INFINITY);
    this.markDirty();
    this.pump();
  }

  /** Writes the cursor as of now; the floor that it has. */
  writeCursor(writer: CursorWriter): number {
    return this.progress.writeCursor(writer, this.window);
  }

  /** The cursor that was written is on the disk. */
  cursorDurable(floor: number, epoch: number): void {
    if (!this.progress.durable(floor, epoch) || this.isEnded || !this.isDurable) return;
    this.news.cursorMoved(floor, epoch);
    this.topic.readerMoved();
  }

  end(): void {
    this.isEnded = true;
    this.clearWindow();
    this.reschedule();
  }

  private fill(): void {
    const { window, intake, environment } = this;
    if (this.members.size === 0) return;
    const { windowMessagesMax, windowBytesMax } = environment.settings;
    while (window.size < windowMessagesMax && window.bytes < windowBytesMax) {
      const message = intake.peek();
      if (message === undefined) return;
      this.enter(message);
    }
  }

  private enter(message: TopicMessage): void {
    this.intake.entered(message);
    const entry = this.window.add(message);
    const failed = this.progress.enter();
    if (failed !== undefined) {
      entry.attempts = failed.attempts;
      entry.attemptEnd = failed.attemptEnd;
    }
    if (entry.state !== 'behind') this.begin(entry);
  }

  /** The entry may go as far as those before it are concerned. */
  private begin(entry: GroupEntry): void {
    const { nowMicros } = this.environment;
    const { deliverAtMicros } = entry.message;
    if (entry.attempts >= this.topic.terms.attemptsMax) this.endAsDeadLetter(entry);
    else if (deliverAtMicros > nowMicros) this.window.wait(entry, deliverAtMicros);
    else if (entry.attempts > 0 && entry.attemptEnd !== 'disconnected') this.backOff(entry);
    else this.window.makeReady(entry);
  }

  private backOff(entry: GroupEntry): void {
    const { environment, topic } = this;
    const { backoffFloorMicros, backoffCeilingMicros, backoffJitter } = topic.terms;
    const random = environment.random.nextFloat();
    const wait = backoffMicros(entry.attempts, backoffFloorMicros, backoffCeilingMicros, backoffJitter, random);
    this.window.wait(entry, environment.nowMicros + wait);
  }

  private deliver(entry: GroupEntry, member: GroupMember): void {
    const { environment, topic, owner } = this;
    const { message } = entry;
    entry.attempts++;
    entry.holder = member;
    if (entry.lane !== undefined) entry.lane.member = member;
    this.members.use(member, message.payload.length);
    const deadlineMicros = environment.nowMicros + topic.terms.acknowledgeWaitMicros;
    this.window.hold(entry, deadlineMicros);
    this.intake.left(entry.id);
    this.news.delivered(entry, member, deadlineMicros, owner.lostTensors(message));
  }

  /** Of a held entry whose timer is off. */
  private failAttempt(entry: GroupEntry, attemptEnd: AttemptEnd, reason: string): void {
    entry.attemptEnd = attemptEnd;
    entry.reason = reason;
    this.progress.note(entry.id);
    this.markDirty();
    if (entry.attempts >= this.topic.terms.attemptsMax) this.endAsDeadLetter(entry);
    else if (attemptEnd === 'disconnected') this.window.makeReady(entry);
    else this.backOff(entry);
  }

  private endAsDeadLetter(entry: GroupEntry): void {
    const { environment, topic } = this;
    const { deadLetterTopic, backoffFloorMicros } = topic.terms;
    entry.state = 'waiting';
    if (deadLetterTopic === '') {
      this.settle(entry);
      this.news.dropped(entry);
      return;
    }
    const refusal = this.owner.beginDeadLetter(this, entry);
    if (refusal === undefined) this.beginCommit(entry);
    else this.window.wait(entry, environment.nowMicros + backoffFloorMicros);
  }

  /** Takes an entry out of everything; whoever waited behind it may go. */
  private remove(entry: GroupEntry): void {
    this.intake.left(entry.id);
    const freed = this.window.remove(entry);
    if (freed !== undefined) this.begin(freed);
  }

  /** Without members the window is given up: what is in it is read again when somebody comes. */
  private parkIfIdle(): void {
    if (this.members.size > 0 || this.window.committingCount > 0 || this.isEnded) return;
    this.progress.park(this.window);
    this.clearWindow();
  }

  private clearWindow(): void {
    this.window.clear();
    this.intake.clear();
  }

  /** The cursor has moved. */
  markDirty(): void {
    if (this.isDirty) return;
    this.isDirty = true;
    this.owner.groupDirty(this);
  }

  private reschedule(): void {
    const dueMicros = Math.min(this.window.earliestMicros, this.intake.waitsUntilMicros);
    this.environment.schedule(this, this.isEnded ? Number.POSITIVE_INFINITY : dueMicros);
  }
}
