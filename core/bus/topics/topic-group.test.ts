// Deliveries of durable topics, a promise a section: order, credit, redelivery, dead letters, priorities, deadlines, delays, replay.

import { describe, expect, test } from 'vitest';
import {
  acknowledgement,
  granting,
  publication,
  rejection,
  subscription,
  TopicHarness,
  textOf,
} from './topic-harness.contract.ts';
import type { TopicTerms } from './topic-protocol.ts';

const exact: Partial<TopicTerms> = { backoffJitter: 0, backoffFloorMicros: 100, backoffCeilingMicros: 1000 };

function begin(terms: Partial<TopicTerms> = exact, settings = {}): TopicHarness {
  const harness = new TopicHarness({ windowMessagesMax: 16, hotMessagesMax: 8, readMessagesMax: 4, ...settings });
  return harness.open().make({ a: terms });
}

describe('order', () => {
  test('exclusive: the topic’s, whatever the priority; a second subscriber waits until the first is gone', () => {
    const harness = begin().join('s', 'g');
    harness.give(publication('a', 1, 'low'), publication('a', 2, 'high', { priority: 9 })).settle();
    expect(harness.delivered()).toEqual(['s low#1', 's high#1']);
    harness.join('t', 'g');
    expect(harness.takeAll('refused').map(({ input, code }) => [input, code])).toEqual([
      ['subscribe', 'SIRA_QUEUE_FULL'],
      ['grant', 'SIRA_MESSAGE_REFUSED'],
    ]);
    harness.give({ kind: 'subscriberDisconnected', subscriber: 's', connection: 1 });
    harness.give(subscription('t', 'g'), granting('t', 'g', 10));
    expect(harness.delivered()).toEqual(['t low#2', 't high#2']);
    harness.give(acknowledgement('s', 'g', 0));
    expect(harness.takeAll('refused')).toMatchObject([{ reason: 'the offset is not held by the subscriber' }]);
    harness.give(acknowledgement('t', 'g', 1, true)).settle();
    expect(harness.takeAll('cursorMoved')).toMatchObject([{ offset: 2 }]);
  });

  test('shared: members in turn, as far as their credit goes', () => {
    const harness = begin();
    harness
      .join('s', 'g', { mode: 'shared' }, 2)
      .join('t', 'g', { mode: 'shared' }, 1)
      .publish('a', 1, '1', '2', '3', '4');
    expect(harness.delivered()).toEqual(['s 1#1', 't 2#1', 's 3#1']);
    harness.give(granting('t', 'g', 2));
    expect(harness.delivered()).toEqual(['t 4#1']);
  });

  test('keyOrdered: of a key one at a time, in order, also over the death of a member', () => {
    const harness = begin();
    harness.join('s', 'g', { mode: 'keyOrdered' }).join('t', 'g', { mode: 'keyOrdered' });
    const keyed = ['a', 'b', 'a', 'a', 'b'];
    harness.give(...keyed.map((key, index) => publication('a', index + 1, `${key}${index}`, { key }))).settle();
    expect(harness.delivered()).toEqual(['s a0#1', 't b1#1']);
    harness.give({ kind: 'subscriberDisconnected', subscriber: 's', connection: 1 });
    expect(harness.delivered()).toEqual(['t a0#2']);
    harness.give(acknowledgement('t', 'g', 0));
    expect(harness.delivered()).toEqual(['t a2#1']);
    harness.give(rejection('t', 'g', 2));
    expect(harness.delivered(), 'the key waits for the back-off').toEqual([]);
    harness.pass(100);
    expect(harness.delivered()).toEqual(['t a2#2']);
    harness.give(acknowledgement('t', 'g', 2), acknowledgement('t', 'g', 1));
    expect(harness.delivered()).toEqual(['t a3#1', 't b4#1']);
  });

  test('higher priority first, but what is ready is passed only so often', () => {
    const harness = begin(exact, { priorityPassesMax: 2 }).join('s', 'g', { mode: 'shared' }, 0);
    harness.give(publication('a', 1, 'low'));
    for (let sequence = 2; sequence <= 6; sequence++)
      harness.give(publication('a', sequence, `high ${sequence}`, { priority: 3 }));
    harness.settle().give(granting('s', 'g', 10));
    expect(harness.delivered()).toEqual([
      's high 2#1',
      's high 3#1',
      's low#1',
      's high 4#1',
      's high 5#1',
      's high 6#1',
    ]);
  });
});

describe('credit', () => {
  test('messages and bytes are totals; repeated and older grants change nothing', () => {
    const harness = begin();
    harness.give({ kind: 'subscriberConnected', subscriber: 's', connection: 1 }, subscription('s', 'g')).settle();
    harness.publish('a', 1, '12345', '12345', '12345').give(granting('s', 'g', 3, 1, 12));
    expect(harness.delivered().length).toBe(2);
    harness.give(granting('s', 'g', 2, 1, 11), granting('s', 'g', 3, 1, 14));
    expect(harness.delivered()).toEqual([]);
    harness.give(granting('s', 'g', 3, 1, 15));
    expect(harness.delivered().length).toBe(1);
  });

  test('a new connection begins without credit, and grants of the old one count for nothing', () => {
    const harness = begin().join('s', 'g', {}, 1).publish('a', 1, '1', '2');
    expect(harness.delivered()).toEqual(['s 1#1']);
    harness.give({ kind: 'subscriberConnected', subscriber: 's', connection: 2 });
    harness.give(subscription('s', 'g', { connection: 2 }), granting('s', 'g', 100, 1));
    expect(harness.delivered()).toEqual([]);
    expect(harness.takeAll('refused')).toMatchObject([{ input: 'grant' }]);
    harness.give(granting('s', 'g', 1, 2));
    expect(harness.delivered()).toEqual(['s 1#2']);
  });

  test('a group far behind reads from the files, and its memory is bounded', () => {
    const harness = begin();
    for (let sequence = 1; sequence <= 200; sequence++) harness.give(publication('a', sequence, `${sequence}`));
    harness.settle().join('s', 'g', {}, 100_000);
    const texts: string[] = [];
    for (let all = harness.takeAll('deliver'); all.length > 0; all = harness.takeAll('deliver')) {
      expect(all.length).toBeLessThanOrEqual(16);
      for (const { message } of all) {
        texts.push(textOf(message.payload));
        harness.give(acknowledgement('s', 'g', message.offset)).settle();
      }
    }
    expect(texts).toEqual(Array.from({ length: 200 }, (_, index) => `${index + 1}`));
  });
});

describe('redelivery', () => {
  test('waits double, up to the ceiling; jitter shortens them, the same in equal runs', () => {
    const waits = (jitter: number): number[] => {
      const harness = begin({ ...exact, backoffJitter: jitter, attemptsMax: 100 })
        .join('s', 'g')
        .publish('a', 1, '1');
      const found: number[] = [];
      for (let attempt = 1; attempt <= 6; attempt++) {
        harness.takeAll('deliver');
        const from = harness.nowMicros;
        harness.give(rejection('s', 'g', 0));
        harness.pass(harness.broker.nextDeadlineMicros() - from);
        found.push(harness.nowMicros - from);
      }
      return found;
    };
    expect(waits(0)).toEqual([100, 200, 400, 800, 1000, 1000]);
    const jittered = waits(0.5);
    expect(jittered).toEqual(waits(0.5));
    expect(jittered.every((wait, at) => wait >= (waits(0)[at] as number) / 2 && wait <= (waits(0)[at] as number))).toBe(
      true,
    );
    expect(jittered).not.toEqual(waits(0));
  });

  test('an attempt ends by time unless it is extended; its member is told, and may still acknowledge until another has it', () => {
    const harness = begin({ ...exact, acknowledgeWaitMicros: 1000 })
      .join('s', 'g')
      .publish('a', 1, '1');
    harness.delivered();
    harness.pass(900).give({ kind: 'extend', subscriber: 's', group: 'g', offset: 0, extraMicros: 1000 }).pass(900);
    expect(harness.takeAll('revoked')).toEqual([]);
    harness.pass(100);
    expect(harness.takeAll('revoked')).toMatchObject([{ subscriber: 's', offset: 0 }]);
    harness
      .give(acknowledgement('s', 'g', 0))
      .settle()
      .pass(10_000);
    expect(harness.delivered()).toEqual([]);
    expect(harness.takeAll('cursorMoved')).toMatchObject([{ offset: 1 }]);
  });

  test('after a pause nobody is blamed', () => {
    const harness = begin({ ...exact, acknowledgeWaitMicros: 1000 })
      .join('s', 'g')
      .publish('a', 1, '1');
    harness.broker.extendDeadlines(50_000);
    harness.pass(50_000);
    expect(harness.takeAll('revoked')).toEqual([]);
    harness.pass(1000);
    expect(harness.takeAll('revoked').length).toBe(1);
  });
});

describe('dead letters', () => {
  test('after the last attempt: durable in their topic before the cursor passes them, with origin and cause, once', () => {
    const harness = begin({ ...exact, attemptsMax: 2, deadLetterTopic: 'dead' })
      .join('s', 'g')
      .publish('a', 1, 'bad', 'good');
    harness
      .give(acknowledgement('s', 'g', 1), rejection('s', 'g', 0))
      .settle()
      .pass(100);
    harness.give(rejection('s', 'g', 0, 'cannot read it'));
    harness.folder('topic-0').isFull = true;
    harness.settle();
    expect(harness.takeAll('deadLettered')).toEqual([]);
    expect(harness.takeAll('cursorMoved')).toEqual([]);
    harness.crash();
    expect(harness.takeAll('topicsOpened'), 'it waits for room').toEqual([]);
    harness.folder('topic-0').isFull = false;
    harness.crash();
    expect(harness.takeAll('topicsOpened')).toMatchObject([{ report: { commitsFinished: 1 } }]);
    expect(harness.takeAll('deadLettered')).toMatchObject([
      { group: 'g', offset: 0, attempts: 2, cause: 'rejected', deadLetterTopic: 'dead' },
    ]);
    harness.crash().join('s', 'g').join('d', 'dead letters', { topic: 'dead' });
    const delivered = harness.takeAll('deliver');
    expect(delivered.map(({ message }) => [textOf(message.payload), message.producer, message.sequence])).toEqual([
      ['bad', '~g', 1],
    ]);
    expect(delivered[0]?.message.origin).toEqual({
      ...{ topic: 'a', group: 'g', offset: 0, producer: 'p', sequence: 1, attempts: 2 },
      ...{ cause: 'rejected', reason: 'cannot read it' },
    });
  });

  test('without a topic for them they are dropped, and told', () => {
    const harness = begin({ ...exact, attemptsMax: 1 })
      .join('s', 'g')
      .publish('a', 1, 'bad');
    harness.give(rejection('s', 'g', 0)).settle();
    expect(harness.takeAll('deadLettered')).toMatchObject([{ offset: 0, attempts: 1, deadLetterTopic: '' }]);
    expect(harness.takeAll('cursorMoved')).toMatchObject([{ offset: 1 }]);
  });
});

describe('times', () => {
  test('what is late is dropped and counted, never delivered', () => {
    const harness = begin().join('s', 'g', {}, 0);
    const deadlineMicros = harness.nowMicros + 1000;
    harness.give(publication('a', 1, 'late', { deadlineMicros }), publication('a', 2, 'in time')).settle();
    harness
      .pass(1001)
      .give(granting('s', 'g', 1))
      .settle();
    expect(harness.takeAll('lateDropped')).toMatchObject([{ offset: 0, deadlineMicros, count: 1 }]);
    expect(harness.delivered()).toEqual(['s in time#1']);
    expect(harness.takeAll('cursorMoved')).toMatchObject([{ offset: 1 }]);
  });

  test('what is delayed is not early: it holds back an exclusive group and its key, not a shared one', () => {
    for (const mode of ['exclusive', 'shared', 'keyOrdered'] as const) {
      const harness = begin().join('s', 'g', { mode });
      const deliverAtMicros = harness.nowMicros + 1000;
      harness.give(
        publication('a', 1, 'delayed', { deliverAtMicros, key: 'k' }),
        publication('a', 2, 'same key', { key: 'k' }),
        publication('a', 3, 'other'),
      );
      harness.settle().pass(999);
      const early = { exclusive: [], shared: ['s same key#1', 's other#1'], keyOrdered: ['s other#1'] };
      expect(harness.delivered()).toEqual(early[mode]);
      harness.pass(1);
      const late = {
        exclusive: ['s delayed#1', 's same key#1', 's other#1'],
        shared: ['s delayed#1'],
        keyOrdered: ['s delayed#1'],
      };
      expect(harness.delivered()).toEqual(late[mode]);
    }
  });
});

describe('replay', () => {
  const filled = (): TopicHarness => {
    const harness = begin();
    for (let sequence = 1; sequence <= 20; sequence++) {
      harness.publish('a', sequence, `${sequence}`);
      harness.pass(1000 * sequence);
    }
    return harness;
  };
  const startMicros = 1_000_000;

  test('from an offset, from a time, from the end', () => {
    const harness = filled();
    const begins = (group: string, start: Parameters<typeof subscription>[2]): string | undefined => {
      harness.join(group, group, start);
      return harness.delivered()[0];
    };
    expect(begins('g1', { start: { offset: 7 } })).toBe('g1 8#1');
    expect(begins('g2', { start: { timeMicros: startMicros + 1001 } })).toBe('g2 3#1');
    expect(begins('g3', { start: 'latest' })).toBe(undefined);
    expect(begins('g4', { start: { offset: 21 } })).toBe(undefined);
    expect(harness.takeAll('refused')[0]).toMatchObject({ input: 'subscribe', code: 'SIRA_MESSAGE_REFUSED' });
  });

  test('a time that lies among messages on their way to the disk', () => {
    const harness = begin().join('s', 'g', {}, 0);
    harness.give(publication('a', 1, 'before'));
    harness.nowMicros += 10;
    harness.give(publication('a', 2, 'behind'), {
      ...{ kind: 'seek', client: 'o', group: 'g' },
      position: { timeMicros: harness.nowMicros },
    } as const);
    harness.settle();
    expect(harness.takeAll('cursorMoved')).toMatchObject([{ offset: 1, epoch: 1 }]);
  });

  test('a seek begins a new epoch, forward or back, and lasts', () => {
    const harness = filled().join('s', 'g');
    harness.give(acknowledgement('s', 'g', 9, true)).settle();
    harness.delivered();
    harness.give({ kind: 'seek', client: 'operator', group: 'g', position: { offset: 3 } }).settle();
    expect(harness.takeAll('cursorMoved')).toMatchObject([
      { offset: 10, epoch: 0 },
      { offset: 3, epoch: 1 },
    ]);
    expect(harness.takeAll('revoked').length).toBe(10);
    expect(harness.delivered()[0]).toBe('s 4#1');
    harness
      .give({ kind: 'seek', client: 'operator', group: 'g', position: { timeMicros: startMicros + 15_000 } })
      .settle();
    expect(harness.takeAll('cursorMoved')).toMatchObject([{ offset: 5, epoch: 2 }]);
    harness.crash().join('s', 'g');
    expect(harness.takeAll('subscribed')).toMatchObject([{ offset: 5, epoch: 2 }]);
    expect(harness.delivered()[0]).toBe('s 6#1');
  });

  test('at original speed with the gaps that were, capped', () => {
    const harness = filled();
    const capped = new TopicHarness({ windowMessagesMax: 4, replayGapMicrosMax: 5000 });
    for (const [store, folder] of harness.folders) capped.folders.set(store, folder);
    capped.nowMicros = harness.nowMicros;
    capped.open().join('s', 'g', { speed: 'original' });
    const times: number[] = [];
    const fromMicros = capped.nowMicros;
    for (let step = 0; step < 200 && times.length < 10; step++) {
      for (const { message } of capped.takeAll('deliver')) {
        times.push(capped.nowMicros - fromMicros);
        capped.give(acknowledgement('s', 'g', message.offset)).settle();
      }
      capped.pass(500);
    }
    expect(times).toEqual([0, 1000, 3000, 6000, 10_000, 15_000, 20_000, 25_000, 30_000, 35_000]);
  });
});
