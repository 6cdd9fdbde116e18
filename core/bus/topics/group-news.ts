// What a group tells, as effects.

import type { GroupEntry } from './group-entry.ts';
import type { GroupMember } from './group-members.ts';
import type { TopicEnvironment } from './topic-environment.ts';
import type { SkippedEffect } from './topic-protocol.ts';

export class GroupNews {
  private readonly environment: TopicEnvironment;
  private readonly group: string;
  private readonly topic: string;
  private lateCount = 0;

  constructor(environment: TopicEnvironment, group: string, topic: string) {
    this.environment = environment;
    this.group = group;
    this.topic = topic;
  }

  delivered(entry: GroupEntry, member: GroupMember, deadlineMicros: number, lostTensors: readonly string[]): void {
    const { group, topic } = this;
    this.environment.emit({
      kind: 'deliver',
      subscriber: member.name,
      connection: member.connection,
      group,
      topic,
      attempt: entry.attempts,
      deadlineMicros,
      lostTensors,
      message: entry.message,
    });
  }

  /** Of a held entry. */
  revoked(entry: GroupEntry): void {
    const { name: subscriber, connection } = entry.holder as GroupMember;
    this.environment.emit({ kind: 'revoked', subscriber, connection, group: this.group, offset: entry.id });
  }

  cursorMoved(offset: number, epoch: number): void {
    const { group, topic } = this;
    this.environment.emit({ kind: 'cursorMoved', group, topic, offset, epoch });
  }

  lateDropped(entry: GroupEntry): void {
    this.lateCount++;
    const { group, topic, lateCount: count } = this;
    const { offset, deadlineMicros } = entry.message;
    this.environment.emit({ kind: 'lateDropped', group, topic, offset, deadlineMicros, count });
  }

  /** Without a dead-letter topic. */
  dropped({ id: offset, attempts, attemptEnd: cause }: GroupEntry): void {
    const { group, topic } = this;
    this.environment.emit({ kind: 'deadLettered', group, topic, offset, attempts, cause, deadLetterTopic: '' });
  }

  skipped(cause: SkippedEffect['cause'], fromOffset: number, toOffset: number): void {
    const { group, topic } = this;
    this.environment.emit({ kind: 'skipped', group, topic, cause, fromOffset, toOffset });
  }
}
