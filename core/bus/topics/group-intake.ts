// What comes into a group's window next, and whether it may now: past what is settled, past what is gone, when its pace allows.

import type { GroupNews } from './group-news.ts';
import { GroupPace } from './group-pace.ts';
import type { GroupProgress } from './group-progress.ts';
import { GroupSource, type GroupSourceOwner } from './group-source.ts';
import type { Topic } from './topic.ts';
import type { TopicEnvironment } from './topic-environment.ts';
import type { GroupMode, ReplaySpeed, TopicMessage } from './topic-protocol.ts';

export interface GroupIntakeOwner extends GroupSourceOwner {
  /** The cursor has moved. */
  markDirty(): void;
}

export class GroupIntake {
  readonly source: GroupSource;
  /** The next message may not enter before; Infinity: nothing waits for a time. */
  waitsUntilMicros = Number.POSITIVE_INFINITY;
  private readonly topic: Topic;
  private readonly environment: TopicEnvironment;
  private readonly progress: GroupProgress;
  private readonly pace: GroupPace;
  private readonly news: GroupNews;
  private readonly owner: GroupIntakeOwner;

  constructor(
    topic: Topic,
    mode: GroupMode,
    speed: ReplaySpeed,
    progress: GroupProgress,
    environment: TopicEnvironment,
    news: GroupNews,
    owner: GroupIntakeOwner,
  ) {
    this.news = news;
    this.owner = owner;
    this.topic = topic;
    this.environment = environment;
    this.progress = progress;
    this.source = new GroupSource(topic, environment, owner);
    this.pace = new GroupPace(mode, speed, environment.settings.replayGapMicrosMax);
  }

  /** The message at `progress.next`, if it may enter now; whoever takes it tells {@link entered}. */
  peek(): TopicMessage | undefined {
    const { progress, source, topic } = this;
    const end = topic.readableEnd;
    while (this.waitsUntilMicros === Number.POSITIVE_INFINITY) {
      progress.passSettled(end);
      const { next } = progress;
      if (next >= end) return undefined;
      const message = source.peek(next);
      if (message === undefined) {
        if (source.emptyUntil <= next) return undefined;
        this.pass(source.emptyUntil);
      } else if (message.offset > next) this.pass(message.offset);
      else {
        const enterMicros = this.pace.timeOf(message);
        if (enterMicros <= this.environment.nowMicros) return message;
        // Infinity: until the one before is delivered, which whoever delivers it will see.
        if (enterMicros === Number.POSITIVE_INFINITY) return undefined;
        this.waitsUntilMicros = enterMicros;
      }
    }
    return undefined;
  }

  entered(message: TopicMessage): void {
    this.pace.entered(message);
  }

  /** A message was delivered, or dropped. */
  left(offset: number): void {
    this.pace.left(offset, this.environment.nowMicros);
  }

  /** Time has come to `nowMicros`. */
  wake(nowMicros: number): void {
    if (this.waitsUntilMicros <= nowMicros) this.waitsUntilMicros = Number.POSITIVE_INFINITY;
  }

  /** What comes next has nothing to do with what came before. */
  clear(): void {
    this.waitsUntilMicros = Number.POSITIVE_INFINITY;
    this.source.clear();
    this.pace.restart();
  }

  /** Compaction took the messages up to `offset`. */
  private pass(offset: number): void {
    const { progress } = this;
    this.news.skipped('compaction', progress.next, offset);
    progress.next = offset;
    progress.note(offset - 1);
    this.owner.markDirty();
  }
}
