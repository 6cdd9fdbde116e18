// What goes into the durable topics and what comes out: plain object literals with a `kind`, and what each promises. Transport,
// files and clocks are the shell's: it hands in inputs with non-decreasing `timeMicros`, file completions and due timers, calls
// `flush` once after those of one instant, and carries the effects out. Clients (producers, subscribers, owners of tensors) are
// names, not beginning with `~`; one that restarts with its sequences at 1 again takes a new name, such as `name#incarnation`.
//
// A client may repeat any input of which it does not know the outcome: repeats are harmless. After `topicsFailed`, or a crash, a
// new TopicBroker is opened on the same stores; subscribers then connect, subscribe and grant anew, producers repeat what was
// not answered with `published`, owners of tensors do nothing.

import type { FileCompletion } from '../../ports/file-port.ts';
import type { TopicEffect, TopicStore } from './topic-effects.ts';
import type { TopicInput } from './topic-inputs.ts';

export type * from './topic-effects.ts';
export type * from './topic-inputs.ts';
export type * from './topic-terms.ts';

/** Where effects go, in order; an array will do. */
export interface TopicEffectSink {
  push(effect: TopicEffect): unknown;
}

/** The shape of the broker that hosts drive: core/bus/topics/topic-broker.ts is it. */
export interface TopicMachine {
  /** Recovers what the stores hold, or begins anew; answered by `topicsOpened` or `topicsFailed`. */
  open(nowMicros: number, effects: TopicEffectSink): void;
  /** Takes one input. Timers that were due before it must have been fired. */
  handle(input: TopicInput, effects: TopicEffectSink): void;
  /** A completion of a file operation of `store`. */
  complete(store: TopicStore, completion: FileCompletion, nowMicros: number, effects: TopicEffectSink): void;
  /** Begins to write what the inputs, completions and timers of this instant brought about. */
  flush(effects: TopicEffectSink): void;
  /** When {@link fireDue} has something to do next, Infinity if never. Not below the truth by more than what a settled entry leaves. */
  nextDeadlineMicros(): number;
  fireDue(nowMicros: number, effects: TopicEffectSink): void;
  /** Time passes: retention, checkpoints, compaction, another try on a full disk. Call it about once a second. */
  maintain(nowMicros: number, effects: TopicEffectSink): void;
  /** After a pause of the shell: nobody is blamed for an answer that nobody could hear. Moves every deadline of an attempt. */
  extendDeadlines(byMicros: number): void;
  /** Over everything that went in and came out, files excepted: equal for equal runs. */
  readonly digest: string;
}
