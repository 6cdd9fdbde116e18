// The calls on a broker of durable topics as plain data: everything that reaches it, what the disk answered included. Who keeps them
// in order can play them to another broker later, which must come to the same.

import { unreachable } from '../../base/assert.ts';
import type { FileCompletion } from '../../ports/file-port.ts';
import type { TopicEffectSink, TopicInput, TopicMachine, TopicStore } from './topic-protocol.ts';

export type RecordedCall =
  | { readonly call: 'open'; readonly nowMicros: number }
  | { readonly call: 'handle'; readonly input: TopicInput }
  | {
      readonly call: 'complete';
      readonly store: TopicStore;
      readonly completion: FileCompletion;
      readonly nowMicros: number;
    }
  | { readonly call: 'fireDue'; readonly nowMicros: number }
  | { readonly call: 'maintain'; readonly nowMicros: number }
  | { readonly call: 'flush' };

/** The first frame of a recording: what the broker was made with. */
export interface RecordingHead {
  readonly format: 1;
  /** Of the deterministic code. */
  readonly codeHash: string;
  readonly seed: number;
  readonly messageBytesMax: number;
}

/** A further frame: a call, and the digest over everything that the broker had said after it, 16 hex digits. */
export interface RecordedFrame {
  readonly call: RecordedCall;
  readonly digest: string;
}

export function playCall(broker: TopicMachine, call: RecordedCall, effects: TopicEffectSink): void {
  switch (call.call) {
    case 'open':
      broker.open(call.nowMicros, effects);
      return;
    case 'handle':
      broker.handle(call.input, effects);
      return;
    case 'complete':
      broker.complete(call.store, call.completion, call.nowMicros, effects);
      return;
    case 'fireDue':
      broker.fireDue(call.nowMicros, effects);
      return;
    case 'maintain':
      broker.maintain(call.nowMicros, effects);
      return;
    case 'flush':
      broker.flush(effects);
      return;
    default:
      unreachable(call);
  }
}
