// Durable topics on their disks: what is stored is there again, once, and what may go goes. Deliveries are topic-group.test.ts's.

import { describe, expect, test } from 'vitest';
import { acknowledgement, granting, publication, subscription, TopicHarness } from './topic-harness.contract.ts';

describe('a durable topic', () => {
  test('is made, filled, read and found again after a crash', () => {
    const harness = new TopicHarness().open();
    expect(harness.takeAll('topicsOpened')).toMatchObject([{ report: { openings: 1, topics: 0 } }]);
    harness.give({ kind: 'createTopic', topic: 'a', terms: {} });
    expect(harness.takeAll('topicCreated')).toEqual([]);
    harness.settle();
    expect(harness.takeAll('topicCreated')).toEqual([{ kind: 'topicCreated', topic: 'a', existed: false }]);

    harness.give({ kind: 'subscriberConnected', subscriber: 's', connection: 1 }, subscription('s', 'g')).settle();
    expect(harness.takeAll('subscribed')).toMatchObject([{ subscriber: 's', group: 'g', resumed: false, offset: 0 }]);
    harness.give(publication('a', 1, 'one'), publication('a', 2, 'two'), granting('s', 'g', 10));
    expect(harness.news, 'nothing before the disk has it').toEqual([]);
    harness.settle();
    expect(harness.takeAll('published').map(({ sequence, offset }) => [sequence, offset])).toEqual([
      [1, 0],
      [2, 1],
    ]);
    expect(harness.delivered()).toEqual(['s one#1', 's two#1']);
    harness.give(acknowledgement('s', 'g', 0));
    expect(harness.news).toEqual([]);
    harness.settle();
    expect(harness.takeAll('cursorMoved')).toMatchObject([{ group: 'g', offset: 1, epoch: 0 }]);

    harness.crash();
    expect(harness.takeAll('topicsOpened')).toMatchObject([
      { report: { openings: 2, topics: 1, groups: 1, messages: 2 } },
    ]);
    harness.publish('a', 2, 'two', 'three');
    expect(harness.takeAll('published')).toMatchObject([
      { sequence: 2, duplicate: true, offset: -1 },
      { sequence: 3, duplicate: false, offset: 2 },
    ]);
    harness.join('s', 'g');
    expect(harness.takeAll('subscribed')).toMatchObject([{ resumed: true, offset: 1 }]);
    expect(harness.delivered()).toEqual(['s two#1', 's three#1']);
    expect(harness.takeAll('refused')).toEqual([]);
  });

  test('a duplicate is answered when its first copy is durable, not before', () => {
    const harness = new TopicHarness().open().make({ a: {} });
    harness.give(publication('a', 1, 'one'));
    harness.give(publication('a', 1, 'one'));
    expect(harness.takeAll('published')).toEqual([]);
    harness.settle();
    expect(harness.takeAll('published').map(({ duplicate }) => duplicate)).toEqual([false, true]);
    harness.give(publication('a', 1, 'one'));
    expect(harness.takeAll('published').map(({ duplicate }) => duplicate)).toEqual([true]);
  });

  test('sequences out of order, given up, too far ahead: each is stored once or refused', () => {
    const harness = new TopicHarness({ producerWindow: 32 }).open().make({ a: {} });
    harness.give(publication('a', 3, 'three'), publication('a', 1, 'one'), publication('a', 3, 'three')).settle();
    expect(harness.takeAll('published').map(({ sequence, offset }) => [sequence, offset])).toEqual([
      [3, 0],
      [1, 1],
      [3, -1],
    ]);
    harness.give(
      publication('a', 34, 'far'),
      publication('a', 0, 'none'),
      publication('a', 5, 'x', { settledSequence: 5 }),
    );
    expect(harness.takeAll('refused').map(({ sequence, code }) => [sequence, code])).toEqual([
      [34, 'SIRA_QUEUE_FULL'],
      [0, 'SIRA_MESSAGE_REFUSED'],
      [5, 'SIRA_MESSAGE_REFUSED'],
    ]);
    harness.give(publication('a', 34, 'far', { settledSequence: 2 })).settle();
    expect(harness.takeAll('published')).toMatchObject([{ sequence: 34, offset: 2 }]);
    harness.crash();
    harness
      .give(publication('a', 2, 'given up'), publication('a', 34, 'far'), publication('a', 33, 'still new'))
      .settle();
    expect(harness.takeAll('published').map(({ sequence, offset }) => [sequence, offset])).toEqual([
      [2, -1],
      [34, -1],
      [33, 3],
    ]);
  });

  test('de-duplication outlives checkpoints, retention and many openings', () => {
    const harness = new TopicHarness().open().make({ a: { retainBytesMax: 1, retainMicros: 1_000_000 } });
    const text = 'x'.repeat(300);
    for (let sequence = 1; sequence <= 200; sequence += 10) {
      harness.publish('a', sequence, ...Array.from({ length: 10 }, () => text));
      harness.pass(1_000_000).maintain();
      if (sequence % 50 === 1) harness.crash();
    }
    harness.crash();
    const [opened] = harness.takeAll('topicsOpened');
    expect(opened?.report.messages, 'most are gone').toBeLessThan(60);
    harness.news = [];
    harness.give(...Array.from({ length: 200 }, (_, index) => publication('a', index + 1, text))).settle();
    expect(harness.takeAll('published').filter(({ duplicate }) => !duplicate)).toEqual([]);
    harness.publish('a', 201, 'new');
    expect(harness.takeAll('published')).toMatchObject([{ sequence: 201, offset: 200 }]);
  });

  test('retention keeps what a group needs, unless the terms say otherwise: then it is told', () => {
    for (const overrides of [false, true]) {
      const harness = new TopicHarness().open();
      harness.make({ a: { retainMicros: 1_000_000, retentionOverridesGroups: overrides } }).join('s', 'g', {}, 0);
      for (let sequence = 1; sequence <= 100; sequence += 10) {
        harness.publish('a', sequence, ...Array.from({ length: 10 }, (_, index) => `${sequence + index}`.padEnd(300)));
        harness.pass(1_000_000).maintain();
      }
      const skipped = harness.takeAll('skipped');
      expect(skipped.length > 0).toBe(overrides);
      harness.give(granting('s', 'g', 1000)).settle();
      const offsets: number[] = [];
      for (let delivered = harness.takeAll('deliver'); delivered.length > 0; delivered = harness.takeAll('deliver')) {
        for (const { message } of delivered) {
          offsets.push(message.offset);
          harness.give(acknowledgement('s', 'g', message.offset));
        }
        harness.settle();
      }
      const first = skipped.at(-1)?.toOffset ?? 0;
      expect(offsets).toEqual(Array.from({ length: 100 - first }, (_, index) => first + index));
      expect(harness.takeAll('cursorMoved').at(-1)?.offset).toBe(100);
    }
  });

  test('a full backlog refuses, or drops the oldest and tells', () => {
    const harness = new TopicHarness().open();
    harness.make({ a: { backlogMessagesMax: 4 }, b: { backlogMessagesMax: 4, whenFull: 'dropOldest' } });
    harness.join('s', 'g', {}, 0).join('t', 'h', { topic: 'b' }, 0);
    harness.publish('a', 1, '1', '2', '3', '4', '5');
    expect(harness.takeAll('refused')).toMatchObject([{ sequence: 5, code: 'SIRA_QUEUE_FULL' }]);
    harness
      .give(granting('s', 'g', 1))
      .give(acknowledgement('s', 'g', 0))
      .publish('a', 5, '5');
    expect(harness.takeAll('published').map(({ sequence }) => sequence)).toEqual([1, 2, 3, 4, 5]);
    harness.delivered();

    harness.publish('b', 1, '1', '2', '3', '4').publish('b', 5, '5');
    expect(harness.takeAll('skipped')).toMatchObject([{ group: 'h', cause: 'backlog', fromOffset: 0, toOffset: 1 }]);
    harness.give(granting('t', 'h', 10));
    expect(harness.delivered()).toEqual(['t 2#1', 't 3#1', 't 4#1', 't 5#1']);
  });

  test('compaction keeps the last message of each key', () => {
    const harness = new TopicHarness().open().make({ a: { compaction: true } });
    for (let sequence = 1; sequence <= 100; sequence++)
      harness.give(publication('a', sequence, `${sequence}`.padEnd(300), { key: `k${sequence % 5}` })).settle();
    for (let round = 0; round < 3; round++) harness.pass(1_000_000).maintain();
    harness.crash().join('s', 'g');
    const offsets: number[] = [];
    for (let delivered = harness.takeAll('deliver'); delivered.length > 0; delivered = harness.takeAll('deliver')) {
      for (const { message } of delivered) {
        offsets.push(message.offset);
        harness.give(acknowledgement('s', 'g', message.offset));
      }
      harness.settle();
    }
    expect(offsets.length, 'old values are gone').toBeLessThan(50);
    expect(offsets.slice(-5)).toEqual([95, 96, 97, 98, 99]);
    expect(harness.takeAll('cursorMoved').at(-1)?.offset).toBe(100);
    harness.publish('a', 1, 'again');
    expect(harness.takeAll('published')).toMatchObject([{ duplicate: true }]);
  });

  test('a full disk: what waits is written once there is room, and was not announced before', () => {
    const harness = new TopicHarness().open().make({ a: {} });
    const folder = harness.folder('topic-0');
    folder.isFull = true;
    harness.publish('a', 1, 'one');
    expect(harness.takeAll('published')).toEqual([]);
    expect(harness.takeAll('topicsStalled')).toMatchObject([{ store: 'topic-0' }]);
    harness.pass(1_000_000).maintain();
    expect(harness.takeAll('published')).toEqual([]);
    folder.isFull = false;
    harness.pass(1_000_000).maintain();
    expect(harness.takeAll('published')).toMatchObject([{ sequence: 1, offset: 0 }]);
    expect(harness.takeAll('topicsStalled').at(-1)).toMatchObject({ store: 'topic-0', reason: '' });
  });

  test('malformed inputs are refused with a reason', () => {
    const harness = new TopicHarness().open().make({ a: {} });
    harness.takeAll('topicsOpened');
    harness.give(
      publication('nowhere', 1, ''),
      publication('a', 1, '', { producer: '~g' }),
      publication('a', 1, '', { priority: 10 }),
      publication('a', 1, 'x'.repeat(1024 * 1024)),
      publication('a', 1, '', { tensors: [{ tensor: 't', sizeBytes: 1, digest: new Uint8Array(8) }] }),
      { kind: 'createTopic', topic: 'a', terms: { attemptsMax: 3 } },
      { kind: 'createTopic', topic: 'b', terms: { attemptsMax: 0 } },
      { kind: 'createTopic', topic: 'b', terms: { deadLetterTopic: 'b' } },
      subscription('s', 'g'),
      acknowledgement('s', 'g', 0),
    );
    expect(
      harness
        .settle()
        .takeAll('refused')
        .map(({ reason }) => reason),
    ).toEqual([
      'there is no such topic',
      'a producer has a name',
      'a priority is a whole number from 0 to 9',
      'a message has at most 1048576 bytes, 1024 of them for names',
      'tensor t is not owned by anybody',
      'the topic has other terms',
      'attemptsMax is at least 1, not 0',
      'a topic is not its own dead-letter topic',
      'the subscriber is not connected by this connection',
      'there is no such group',
    ]);
    expect(harness.news).toEqual([]);
  });

  test('equal runs have equal digests; another acknowledgement makes another', () => {
    const run = (offset: number): string => {
      const harness = new TopicHarness().open().make({ a: {} }).join('s', 'g').publish('a', 1, 'one', 'two');
      return harness.give(acknowledgement('s', 'g', offset)).settle().broker.digest;
    };
    expect(run(0)).toBe(run(0));
    expect(run(0)).not.toBe(run(1));
  });

  test('a damaged ledger is told, and nothing is taken', () => {
    const harness = new TopicHarness().open().make({ a: {} }).join('s', 'g').publish('a', 1, 'one');
    harness
      .give(acknowledgement('s', 'g', 0))
      .settle()
      .maintain();
    for (const file of harness.folder('ledger').files.values()) file.bytes[300] = (file.bytes[300] as number) ^ 1;
    harness.crash();
    expect(harness.takeAll('topicsFailed')).toMatchObject([{ store: 'ledger', fault: { code: 'SIRA_LOG_CORRUPT' } }]);
    harness.publish('a', 2, 'two');
    expect(harness.takeAll('refused')).toMatchObject([{ code: 'SIRA_LOG_CLOSED' }]);
  });
});
