// The walking skeleton: a topic is made, messages are stored, delivered, acknowledged, and everything is there again.

import { describe, expect, test } from 'vitest';
import { granting, publication, subscription, TopicHarness, textOf } from './topic-harness.contract.ts';
import type { TopicInput } from './topic-protocol.ts';

const connected = (subscriber: string, connection = 1) =>
  ({ kind: 'subscriberConnected', subscriber, connection }) as Omit<TopicInput, 'timeMicros'>;
const acknowledgement = (subscriber: string, group: string, offset: number, cumulative = false) =>
  ({ kind: 'acknowledge', subscriber, group, offset, cumulative }) as Omit<TopicInput, 'timeMicros'>;

describe('a durable topic', () => {
  test('is made, filled, read and found again after a crash', () => {
    const harness = new TopicHarness().open();
    expect(harness.takeAll('topicsOpened')).toMatchObject([{ report: { openings: 1, topics: 0 } }]);
    harness.give({ kind: 'createTopic', topic: 'a', terms: {} } as never);
    expect(harness.takeAll('topicCreated')).toEqual([]);
    harness.settle();
    expect(harness.takeAll('topicCreated')).toEqual([{ kind: 'topicCreated', topic: 'a', existed: false }]);

    harness.give(connected('s'), subscription('s', 'g')).settle();
    expect(harness.takeAll('subscribed')).toMatchObject([{ subscriber: 's', group: 'g', resumed: false, offset: 0 }]);
    harness.give(publication('a', 1, 'one'), publication('a', 2, 'two'), granting('s', 'g', 10));
    expect(harness.news).toEqual([]);
    harness.settle();
    expect(harness.takeAll('published').map(({ sequence, offset }) => [sequence, offset])).toEqual([
      [1, 0],
      [2, 1],
    ]);
    expect(harness.takeAll('deliver').map(({ message }) => textOf(message.payload))).toEqual(['one', 'two']);
    harness.give(acknowledgement('s', 'g', 0));
    expect(harness.news).toEqual([]);
    harness.settle();
    expect(harness.takeAll('cursorMoved')).toMatchObject([{ group: 'g', offset: 1, epoch: 0 }]);

    harness.crash();
    expect(harness.takeAll('topicsOpened')).toMatchObject([
      { report: { openings: 2, topics: 1, groups: 1, messages: 2 } },
    ]);
    harness.give(publication('a', 2, 'two'), publication('a', 3, 'three')).settle();
    expect(harness.takeAll('published')).toMatchObject([
      { sequence: 2, duplicate: true, offset: -1 },
      { sequence: 3, duplicate: false, offset: 2 },
    ]);
    harness.give(connected('s'), subscription('s', 'g'), granting('s', 'g', 10)).settle();
    expect(harness.takeAll('subscribed')).toMatchObject([{ resumed: true, offset: 1 }]);
    expect(harness.takeAll('deliver').map(({ message }) => textOf(message.payload))).toEqual(['two', 'three']);
    expect(harness.takeAll('refused')).toEqual([]);
  });
});
