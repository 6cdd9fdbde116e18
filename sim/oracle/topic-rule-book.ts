// What every oracle of the durable topics is given: the facts, and the way to say that a promise is broken.

import type { TopicStream } from '../world/topic-stream.ts';
import { type GroupFacts, StreamFacts, type TopicFacts } from './topic-model.ts';
import { nobody, type TopicRecorder } from './topic-recorder.ts';
import { OracleViolation } from './violation.ts';

export class TopicRuleBook {
  readonly streams: StreamFacts[] = [];
  readonly streamOf = new Map<string, StreamFacts>();
  readonly topics = new Map<string, TopicFacts>();
  readonly groups = new Map<string, GroupFacts>();
  readonly recorder: TopicRecorder;
  nowMicros = 0;

  constructor(recorder: TopicRecorder) {
    this.recorder = recorder;
  }

  addStream(stream: TopicStream): void {
    const facts = new StreamFacts(stream);
    this.streams[stream.index] = facts;
    this.streamOf.set(stream.producer, facts);
  }

  /** A group stays where it is. */
  seekRefused(name: string): void {
    const group = this.groups.get(name);
    if (group !== undefined && group.seeks > 0) group.seeks--;
  }

  /** `subject`: the group or topic, by name. */
  fail(oracle: string, what: string, subject: string, offset = nobody): never {
    const chain = this.recorder.chain(this.recorder.code(subject), offset);
    const where = offset === nobody ? subject : `${subject}, offset ${offset}`;
    throw new OracleViolation(oracle, `${where}: ${what}`, this.nowMicros, {}, chain);
  }
}
