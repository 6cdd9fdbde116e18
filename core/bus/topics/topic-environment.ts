// What the parts of a TopicBroker share: its settings, the time of the moment, the way out for effects, the digest over them,
// the heap of who has a deadline. It decides nothing.

import { Digest } from '../../base/digest.ts';
import type { ErrorCode } from '../../base/errors.ts';
import { RandomStream } from '../../base/random.ts';
import type { LogFault } from '../../log/log.ts';
import type { FileOperation } from '../../ports/file-port.ts';
import { type DeadlineEntry, DeadlineHeap } from '../deadline-heap.ts';
import { addTopicEffect } from './topic-digest.ts';
import type { TopicEffect, TopicEffectSink, TopicInput, TopicStore } from './topic-protocol.ts';
import type { TopicSettings } from './topic-settings.ts';

export interface Timed extends DeadlineEntry {
  /** Something of it is due at `nowMicros`. */
  fire(nowMicros: number): void;
}

export class TopicEnvironment {
  readonly settings: TopicSettings;
  readonly digest = new Digest();
  readonly deadlines = new DeadlineHeap<Timed>();
  /** For the jitter of redeliveries; begun anew at each opening. */
  random: RandomStream;
  nowMicros = 0;
  /** Of the call under way. */
  sink: TopicEffectSink | undefined;
  failure: LogFault | undefined;
  private readonly seed: number;

  constructor(settings: TopicSettings, seed: number) {
    this.settings = settings;
    this.seed = seed;
    this.random = new RandomStream(seed, 'topics/redelivery/0');
  }

  /** `openings`: how often the stores were opened, so that no two openings draw the same. */
  beginRandom(openings: number): void {
    this.random = new RandomStream(this.seed, `topics/redelivery/${openings}`);
  }

  emit(effect: TopicEffect): void {
    addTopicEffect(this.digest, effect);
    this.sink?.push(effect);
  }

  /** Files are the one thing that the digest leaves out. */
  ask(store: TopicStore, operation: FileOperation): void {
    this.sink?.push({ kind: 'file', store, operation });
  }

  refuse(
    input: TopicInput['kind'],
    client: string,
    subject: string,
    sequence: number,
    code: ErrorCode,
    reason: string,
  ): void {
    this.emit({ kind: 'refused', input, client, subject, sequence, code, reason });
  }

  /** A store can be used no more: nothing is taken from here on. */
  fail(store: TopicStore, fault: LogFault): void {
    if (this.failure !== undefined) return;
    this.failure = fault;
    this.emit({ kind: 'topicsFailed', store, fault });
  }

  /** `timed` is due at `dueMicros`, Infinity: never. */
  schedule(timed: Timed, dueMicros: number): void {
    if (dueMicros === Number.POSITIVE_INFINITY) {
      if (timed.heapIndex >= 0) this.deadlines.remove(timed);
    } else if (timed.heapIndex < 0) this.deadlines.add(timed, dueMicros);
    else if (timed.heapKey !== dueMicros) this.deadlines.move(timed, dueMicros);
  }
}
