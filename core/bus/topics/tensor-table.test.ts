// Tensors by reference: released once, when everybody is durably done, never earlier; whoever would still get a lost one is told.

import { describe, expect, test } from 'vitest';
import { acknowledgement, publication, rejection, TopicHarness, type Untimed } from './topic-harness.contract.ts';

const digest = new Uint8Array([1, 2, 3, 4]);
const reference = (tensor: string) => ({ tensor, sizeBytes: 1000, digest });
const owned = (tensor: string, publications = 1, leaseEndMicros = -1): Untimed => ({
  ...{ kind: 'tensorOwned', owner: 'o', publications, leaseEndMicros },
  ...reference(tensor),
});
const carrying = (sequence: number, ...tensors: string[]): Untimed =>
  publication('a', sequence, 'm', { tensors: tensors.map(reference) });

function begin(): TopicHarness {
  return new TopicHarness()
    .open()
    .make({ a: { attemptsMax: 1, deadLetterTopic: 'dead' } })
    .join('s', 'g')
    .join('t', 'h');
}

describe('a tensor', () => {
  test('is released when every group is done with every message that refers to it', () => {
    const harness = begin().give(owned('x', 2)).settle();
    expect(harness.takeAll('tensorKept')).toMatchObject([{ tensor: 'x', owner: 'o' }]);
    harness.give(carrying(1, 'x'), carrying(2, 'x'), carrying(3, 'x')).settle();
    expect(harness.takeAll('refused')).toMatchObject([
      { sequence: 3, reason: 'tensor x has had all its publications' },
    ]);
    expect(harness.takeAll('deliver').map(({ message }) => message.tensors)).toEqual(Array(4).fill([reference('x')]));
    harness.give(acknowledgement('s', 'g', 0), acknowledgement('t', 'h', 0), acknowledgement('s', 'g', 1)).settle();
    expect(harness.takeAll('tensorReleased')).toEqual([]);
    harness.give(acknowledgement('t', 'h', 1));
    expect(harness.takeAll('tensorReleased'), 'not before the cursor is durable').toEqual([]);
    harness.settle();
    expect(harness.takeAll('tensorReleased')).toMatchObject([{ tensor: 'x', owner: 'o', cause: 'done' }]);
    harness.crash();
    expect(harness.takeAll('tensorReleased'), 'until the owner confirms').toMatchObject([{ tensor: 'x' }]);
    harness.give({ kind: 'tensorReleased', tensor: 'x' }).settle();
    harness.crash();
    expect(harness.takeAll('tensorReleased')).toEqual([]);
    harness.give(owned('x')).settle();
    expect(harness.takeAll('refused')).toMatchObject([{ input: 'tensorOwned', reason: 'the tensor is freed' }]);
  });

  test('mentions are known again after crashes, before and after checkpoints', () => {
    for (const messages of [1, 25]) {
      const harness = begin().give(owned('x')).settle().give(carrying(1, 'x')).settle();
      for (let sequence = 2; sequence <= messages; sequence++) harness.give(publication('a', sequence, 'm')).settle();
      harness.maintain().crash();
      const [opened] = harness.takeAll('topicsOpened');
      if (messages === 25) expect(opened?.report.messagesRead, 'there was a checkpoint').toBeLessThan(messages);
      harness.join('s', 'g').join('t', 'h');
      harness.give(acknowledgement('s', 'g', 0)).settle();
      expect(harness.takeAll('tensorReleased')).toEqual([]);
      harness.give(acknowledgement('t', 'h', 0)).settle();
      expect(harness.takeAll('tensorReleased')).toMatchObject([{ tensor: 'x', cause: 'done' }]);
    }
  });

  test('a dead letter keeps it until that is done with, too', () => {
    const harness = begin().give(owned('x')).settle().give(carrying(1, 'x')).settle();
    harness.join('d', 'dead', { topic: 'dead' });
    harness.give(rejection('s', 'g', 0), acknowledgement('t', 'h', 0)).settle();
    expect(harness.takeAll('deadLettered').length).toBe(1);
    expect(harness.takeAll('tensorReleased')).toEqual([]);
    harness.give(acknowledgement('d', 'dead', 0)).settle();
    expect(harness.takeAll('tensorReleased')).toMatchObject([{ cause: 'done' }]);
  });

  test('does not outlive its lease; who has not got it is told', () => {
    const harness = begin()
      .give(owned('x', 1, 1_005_000))
      .settle()
      .give(carrying(1, 'x'))
      .settle();
    harness
      .give(acknowledgement('s', 'g', 0))
      .settle()
      .takeAll('deliver');
    harness
      .give(owned('x', 1, 1_010_000))
      .settle()
      .pass(9_000);
    expect(harness.takeAll('tensorReleased')).toEqual([]);
    harness.pass(1_000).settle();
    expect(harness.takeAll('tensorReleased')).toMatchObject([{ tensor: 'x', cause: 'leaseEnd' }]);
    expect(harness.takeAll('tensorLost')).toMatchObject([
      { tensor: 'x', group: 'h', subscriber: 't', offset: 0, cause: 'leaseEnd' },
    ]);
  });

  test('that is lost: each group that would still get it is told once, deliveries name it, then it is released', () => {
    const harness = begin()
      .give(owned('x'), owned('y'))
      .settle()
      .give(carrying(1, 'x', 'y'))
      .settle();
    harness.give(acknowledgement('s', 'g', 0)).settle();
    harness.give({ kind: 'tensorLost', tensor: 'x', reason: 'its host died' });
    harness.give({ kind: 'tensorLost', tensor: 'x', reason: 'its host died' });
    expect(harness.takeAll('tensorLost')).toEqual([]);
    harness.settle();
    expect(harness.takeAll('tensorLost')).toMatchObject([
      { tensor: 'x', topic: 'a', offset: 0, producer: 'p', group: 'h', subscriber: 't', reason: 'its host died' },
    ]);
    harness.crash();
    expect(harness.takeAll('tensorLost'), 'told before').toEqual([]);
    harness.join('t', 'h');
    expect(harness.takeAll('deliver')).toMatchObject([{ lostTensors: ['x'] }]);
    harness.give(acknowledgement('t', 'h', 0)).settle();
    expect(harness.takeAll('tensorReleased').map(({ tensor, cause }) => [tensor, cause])).toEqual([
      ['x', 'lost'],
      ['y', 'done'],
    ]);
  });
});
