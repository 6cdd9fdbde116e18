// Where a group's next messages come from: the topic's newest in memory, or else pieces read from the log, one read at a time
// and one piece in memory. What is asked for is durable.

import { readMessage } from './message-record.ts';
import type { Topic } from './topic.ts';
import type { TopicEnvironment } from './topic-environment.ts';
import type { ReadAnswer } from './topic-log.ts';
import type { TopicMessage } from './topic-protocol.ts';

export interface GroupSourceOwner {
  /** There is more. */
  pump(): void;
  skipTo(offset: number, cause: 'retention'): void;
}

export class GroupSource {
  /** No message is in [offset last asked for, here): compaction took them. */
  emptyUntil = 0;
  /** A read was refused for the time being. */
  isBlocked = false;
  private readonly topic: Topic;
  private readonly environment: TopicEnvironment;
  private readonly owner: GroupSourceOwner;
  private piece: TopicMessage[] = [];
  private at = 0;
  private isReading = false;
  /** Counts what was given up: an answer to an earlier life is disregarded. */
  private life = 0;

  constructor(topic: Topic, environment: TopicEnvironment, owner: GroupSourceOwner) {
    this.topic = topic;
    this.environment = environment;
    this.owner = owner;
  }

  /** The first message from `offset` on, or `undefined`: it is being read, or see {@link emptyUntil}. */
  peek(offset: number): TopicMessage | undefined {
    const { hot } = this.topic;
    if (offset >= hot.firstOffset && offset < hot.endOffset) return hot.at(offset);
    const { piece } = this;
    while (this.at < piece.length && (piece[this.at] as TopicMessage).offset < offset) this.at++;
    if (this.at < piece.length) return piece[this.at];
    if (!this.isReading && this.emptyUntil <= offset) this.read(offset);
    return undefined;
  }

  /** The next offset asked for has nothing to do with those before. */
  clear(): void {
    this.piece = [];
    this.at = 0;
    this.emptyUntil = 0;
    this.isReading = false;
    this.life++;
  }

  private read(offset: number): void {
    const { readMessagesMax, readBytesMax } = this.environment.settings;
    const { life } = this;
    this.piece = [];
    this.at = 0;
    this.isReading = this.topic.storage.read(offset, readMessagesMax, readBytesMax, (answer) => {
      if (life !== this.life) return;
      this.isReading = false;
      this.take(answer);
    });
    this.isBlocked = !this.isReading;
  }

  private take(answer: ReadAnswer): void {
    const { topic, environment, owner } = this;
    if (!answer.ok) {
      if (answer.fault.code === 'SIRA_OFFSET_GONE') owner.skipTo(topic.startOffset, 'retention');
      else environment.fail(topic.storage.store, answer.fault);
      return;
    }
    for (const record of answer.records) {
      const message = readMessage(record);
      if (typeof message === 'string') {
        const reason = `${topic.name}, offset ${record.offset}: ${message}`;
        environment.fail(topic.storage.store, { code: 'SIRA_LOG_CORRUPT', reason });
        return;
      }
      this.piece.push(message);
    }
    if (answer.records.length === 0) this.emptyUntil = answer.nextOffset;
    owner.pump();
  }
}
