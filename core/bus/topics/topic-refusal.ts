// Whom a refusal concerns: the client, the topic, group or tensor, and the number that tells the input from others.

import { unreachable } from '../../base/assert.ts';
import type { TopicInput } from './topic-protocol.ts';

export interface InputSubject {
  readonly client: string;
  readonly subject: string;
  readonly sequence: number;
}

export function subjectOf(input: TopicInput): InputSubject {
  switch (input.kind) {
    case 'createTopic':
      return { client: input.topic, subject: '', sequence: -1 };
    case 'publish':
      return { client: input.producer, subject: input.topic, sequence: input.sequence };
    case 'subscriberConnected':
    case 'subscriberDisconnected':
      return { client: input.subscriber, subject: '', sequence: -1 };
    case 'subscribe':
    case 'unsubscribe':
    case 'grant':
      return { client: input.subscriber, subject: input.group, sequence: -1 };
    case 'acknowledge':
    case 'reject':
    case 'extend':
      return { client: input.subscriber, subject: input.group, sequence: input.offset };
    case 'commit':
      return { client: input.subscriber, subject: input.group, sequence: input.commit };
    case 'seek':
      return { client: input.client, subject: input.group, sequence: -1 };
    case 'tensorOwned':
      return { client: input.owner, subject: '', sequence: -1 };
    case 'tensorLost':
    case 'tensorReleased':
      return { client: input.tensor, subject: '', sequence: -1 };
    default:
      return unreachable(input);
  }
}
