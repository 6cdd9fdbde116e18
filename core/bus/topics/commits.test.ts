// Exactly once: offsets and results of a commit together or not at all, wherever the process dies.

import { describe, expect, test } from 'vitest';
import { acknowledgement, bytesOf, commitment, publication, TopicHarness, textOf } from './topic-harness.contract.ts';

const result = (text: string, topic = 'results') => ({ topic, payload: bytesOf(text) });

function begin(): TopicHarness {
  return new TopicHarness()
    .open()
    .make({ a: {}, results: {}, others: {} })
    .join('s', 'g')
    .publish('a', 1, '1', '2', '3');
}

/** Everything in a topic, read by a group of its own. */
function contentOf(harness: TopicHarness, topic: string): string[] {
  harness.takeAll('deliver');
  harness.join('reader', `reader of ${topic}`, { topic });
  const found = harness.takeAll('deliver').map(({ message }) => textOf(message.payload));
  harness.give({ kind: 'unsubscribe', subscriber: 'reader', group: `reader of ${topic}`, endsGroup: true }).settle();
  expect(harness.takeAll('groupEnded').length).toBe(1);
  return found;
}

describe('a commit', () => {
  test('settles and publishes; answered when both are durable; repeated it stores nothing', () => {
    const harness = begin();
    harness.give(commitment('s', 'g', 7, [0, 2], [result('x'), result('y', 'others')]));
    expect(harness.takeAll('committed')).toEqual([]);
    harness.settle();
    expect(harness.takeAll('committed')).toMatchObject([{ subscriber: 's', commit: 7, duplicate: false }]);
    expect(harness.takeAll('cursorMoved')).toMatchObject([{ group: 'g', offset: 1 }]);
    harness.give(commitment('s', 'g', 7, [0, 2], [result('x'), result('y', 'others')])).settle();
    expect(harness.takeAll('committed')).toMatchObject([{ commit: 7, duplicate: true }]);
    harness.give(commitment('s', 'g', 8, [1, 2], [result('z')])).settle();
    expect(harness.takeAll('refused')).toMatchObject([
      { sequence: 8, reason: 'some of the offsets are settled already' },
    ]);
    expect([contentOf(harness, 'results'), contentOf(harness, 'others')]).toEqual([['x'], ['y']]);
  });

  test('of what was settled otherwise is answered only when no crash undoes that', () => {
    const harness = begin();
    harness.give(acknowledgement('s', 'g', 0), commitment('s', 'g', 7, [0], [result('x')]));
    expect(harness.takeAll('committed')).toEqual([]);
    expect(harness.takeAll('refused')).toMatchObject([{ sequence: 7, code: 'SIRA_QUEUE_FULL' }]);
    harness.settle().give(commitment('s', 'g', 7, [0], [result('x')]));
    expect(harness.takeAll('committed')).toMatchObject([{ commit: 7, duplicate: true }]);
    harness.crash().join('s', 'g');
    expect(harness.takeAll('deliver').map(({ message }) => message.offset)).not.toContain(0);
  });

  test('is all or nothing wherever the process dies, and whatever is on its way', () => {
    const outcomes = new Set<string>();
    for (let steps = 0; steps <= 12; steps++) {
      for (const stuck of ['', 'topic-1', 'topic-2']) {
        const harness = begin();
        harness.give(commitment('s', 'g', 1, [0], [result('x'), result('y', 'others')]), acknowledgement('s', 'g', 1));
        if (stuck !== '') harness.folder(stuck).isFull = true;
        for (let step = 0; step < steps && harness.operationCount > 0; step++) harness.step();
        const wasTold = harness.takeAll('committed').length > 0;
        if (stuck !== '') harness.folder(stuck).isFull = false;
        harness.crash().join('s', 'g');
        const again = harness.takeAll('deliver').map(({ message }) => message.offset);
        const results = [...contentOf(harness, 'results'), ...contentOf(harness, 'others')];
        const isDone = !again.includes(0);
        expect(results, `after ${steps} steps`).toEqual(isDone ? ['x', 'y'] : []);
        if (wasTold) expect(isDone).toBe(true);
        outcomes.add(`${isDone} ${wasTold}`);
        harness.crash();
        expect([...contentOf(harness, 'results'), ...contentOf(harness, 'others')]).toEqual(results);
      }
    }
    expect([...outcomes].sort((left, right) => (left < right ? -1 : 1))).toEqual([
      'false false',
      'true false',
      'true true',
    ]);
  });

  test('of one who does not hold the offsets, into no topic, of too much: refused as a whole', () => {
    const harness = begin();
    harness.give(
      commitment('t', 'g', 1, [0], []),
      commitment('s', 'g', 2, [0, 5], []),
      commitment('s', 'g', 3, [0, 0], []),
      commitment('s', 'g', 4, [0], [result('x', 'nowhere')]),
      commitment('s', 'g', 5, [], [result('x')]),
    );
    expect(harness.takeAll('refused').map(({ sequence, reason }) => [sequence, reason])).toEqual([
      [1, 'the offset is not held by the subscriber'],
      [2, 'the offset was not delivered'],
      [3, 'a commit names each offset once'],
      [4, 'there is no topic nowhere'],
      [5, 'a commit settles at least one offset'],
    ]);
    harness.settle();
    expect(contentOf(harness, 'results')).toEqual([]);
  });

  test('holds its offsets while it is under way: nobody else gets them, and a seek waits', () => {
    const harness = begin();
    harness.give(commitment('s', 'g', 1, [0], [result('x')]));
    harness.give({ kind: 'seek', client: 'o', group: 'g', position: 'earliest' });
    expect(harness.takeAll('refused')).toMatchObject([{ input: 'seek', code: 'SIRA_QUEUE_FULL' }]);
    harness.takeAll('deliver');
    harness.give({ kind: 'subscriberDisconnected', subscriber: 's', connection: 1 });
    harness.join('t', 'g');
    expect(harness.takeAll('deliver').map(({ message }) => message.offset)).toEqual([1, 2]);
    expect(contentOf(harness, 'results')).toEqual(['x']);
  });

  test('results of many commits keep their order, and the ledger does not grow with them', () => {
    const harness = begin();
    for (let sequence = 4; sequence <= 300; sequence++) {
      harness.give(publication('a', sequence, `${sequence}`)).settle();
      for (const { message, group } of harness.takeAll('deliver'))
        harness.give(commitment('s', group, message.offset, [message.offset], [result(`${message.offset}`)]));
      harness.settle();
      if (sequence % 50 === 0) harness.pass(1_000_000).maintain();
    }
    let size = 0;
    harness.pass(1_000_000).maintain().pass(1_000_000).maintain();
    for (const { bytes } of harness.folder('ledger').files.values()) size += bytes.length;
    expect(size).toBeLessThan(30_000);
    harness.crash();
    const wide = new TopicHarness({ windowMessagesMax: 1000 });
    for (const [store, folder] of harness.folders) wide.folders.set(store, folder);
    wide.nowMicros = harness.nowMicros;
    const found = contentOf(wide.open(), 'results').map(Number);
    expect(found).toEqual(Array.from({ length: found.length }, (_, index) => index + (found[0] as number)));
    expect(found.length).toBeGreaterThan(280);
  });
});
