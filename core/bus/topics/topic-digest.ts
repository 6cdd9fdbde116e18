// Adds an effect of the durable topics to a digest: everything that says who is told what, payloads by length and first bytes
// (their content is the input's own). File operations are left out: they say when, not what.

import type { Digest } from '../../base/digest.ts';
import type { TopicEffect, TopicMessage } from './topic-protocol.ts';

type Kind = TopicEffect['kind'];

/** Numbers that never change: digests are compared between versions of the code. */
const codes: Readonly<Record<Kind, number>> = {
  file: 0,
  topicsOpened: 1,
  topicsFailed: 2,
  topicsStalled: 3,
  topicCreated: 4,
  published: 5,
  subscribed: 6,
  groupEnded: 7,
  deliver: 8,
  revoked: 9,
  cursorMoved: 10,
  committed: 11,
  lateDropped: 12,
  deadLettered: 13,
  skipped: 14,
  tensorKept: 15,
  tensorReleased: 16,
  tensorLost: 17,
  refused: 18,
};

export function addTopicEffect(digest: Digest, effect: TopicEffect): void {
  digest.addInt32(codes[effect.kind]);
  switch (effect.kind) {
    case 'published':
      digest.addText(effect.producer);
      digest.addInteger(effect.sequence);
      digest.addInteger(effect.offset);
      return;
    case 'deliver':
      digest.addText(effect.subscriber);
      digest.addText(effect.group);
      digest.addInt32(effect.attempt);
      digest.addInteger(effect.deadlineMicros);
      digest.addInt32(effect.lostTensors.length);
      addMessage(digest, effect.message);
      return;
    case 'cursorMoved':
      digest.addText(effect.group);
      digest.addInteger(effect.offset);
      digest.addInt32(effect.epoch);
      return;
    case 'file':
      return;
    default:
      addPlain(digest, effect);
  }
}

function addMessage(digest: Digest, message: TopicMessage): void {
  digest.addInteger(message.offset);
  digest.addInteger(message.publishMicros);
  digest.addText(message.producer);
  digest.addInteger(message.sequence);
  digest.addInteger(message.payload.length);
  digest.addInt32(message.payload[0] ?? 0);
}

/** The rare ones, field by field in the order in which they were written. */
function addPlain(digest: Digest, value: unknown): void {
  if (typeof value === 'number') digest.addFloat(value);
  else if (typeof value === 'string') digest.addText(value);
  else if (typeof value === 'boolean') digest.addInt32(value ? 1 : 2);
  else if (typeof value === 'object' && value !== null) {
    const parts = Object.values(value);
    digest.addInt32(parts.length);
    for (const part of parts) addPlain(digest, part);
  } else digest.addInt32(0);
}
