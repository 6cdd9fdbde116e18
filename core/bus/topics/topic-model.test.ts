// The durable topics against a model of a few lines, over random stories: publications repeated, acknowledgements, rejections,
// connections lost, crashes in the middle of writing, a disk that fills up. In the end everything is there once and settled.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { acknowledgement, publication, rejection, TopicHarness, textOf } from './topic-harness.contract.ts';
import type { GroupMode } from './topic-protocol.ts';

type Step =
  | { readonly kind: 'publish'; readonly count: number }
  | { readonly kind: 'repeat' | 'acknowledge' | 'reject'; readonly pick: number }
  | { readonly kind: 'steps' | 'pass'; readonly count: number }
  | { readonly kind: 'reconnect' | 'crash' | 'maintain' | 'full' | 'room' };

const number = fc.nat({ max: 1000 });
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ kind: fc.constant('publish' as const), count: fc.integer({ min: 1, max: 12 }) }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('repeat' as const), pick: number }) },
  { weight: 12, arbitrary: fc.record({ kind: fc.constant('acknowledge' as const), pick: number }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('reject' as const), pick: number }) },
  { weight: 8, arbitrary: fc.record({ kind: fc.constant('steps' as const), count: fc.integer({ min: 1, max: 30 }) }) },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('pass' as const), count: fc.integer({ min: 1, max: 3_000_000 }) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constantFrom('reconnect' as const, 'crash' as const, 'maintain' as const) }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constantFrom('full' as const, 'room' as const) }) },
);

/** `expect` costs more than the broker does. */
function must(holds: boolean, what: string): void {
  if (!holds) throw new Error(what);
}

/** What must be true, by the words of the broker alone. */
class Story {
  readonly harness = new TopicHarness({
    ...{ windowMessagesMax: 5, hotMessagesMax: 4, readMessagesMax: 3, checkpointMessages: 7, ledgerCompactBytes: 2000 },
    log: { segmentBytesMax: 4096 },
  });
  private readonly mode: GroupMode;
  private sent = 0;
  private connection = 1;
  /** By sequence: the offset that was announced. */
  private readonly published = new Map<number, number>();
  private readonly settled = new Set<number>();
  /** Settled before a crash, above the durable cursor: whether that was durable shows later. */
  private readonly maybeSettled = new Set<number>();
  private readonly held = new Map<number, string | undefined>();
  private cursor = 0;

  constructor(mode: GroupMode) {
    this.mode = mode;
    this.harness.open().make({ a: { attemptsMax: 1000, backoffFloorMicros: 1000 } });
    this.harness.join('s', 'g', { mode }).takeAll('refused');
  }

  run(steps: readonly Step[]): void {
    for (const step of steps) {
      this.take(step);
      this.listen();
    }
    this.setFull(false);
    this.finish();
  }

  private take(step: Step): void {
    const { harness } = this;
    switch (step.kind) {
      case 'publish':
        for (let left = step.count; left > 0; left--) this.publish(++this.sent);
        return;
      case 'repeat':
        if (this.sent > 0) this.publish((step.pick % this.sent) + 1);
        return;
      case 'acknowledge':
      case 'reject': {
        const offsets = [...this.held.keys()];
        const offset = offsets[step.pick % Math.max(1, offsets.length)];
        if (offset === undefined) return;
        this.held.delete(offset);
        if (step.kind === 'acknowledge') this.settled.add(offset);
        harness.give(step.kind === 'acknowledge' ? acknowledgement('s', 'g', offset) : rejection('s', 'g', offset));
        return;
      }
      case 'steps':
        for (let left = step.count; left > 0 && harness.operationCount > 0; left--) harness.step();
        return;
      case 'pass':
        harness.settle().pass(step.count);
        return;
      case 'maintain':
        harness.maintain();
        return;
      case 'full':
      case 'room':
        this.setFull(step.kind === 'full');
        return;
      case 'reconnect':
        this.reconnect();
        return;
      case 'crash':
        this.listen();
        this.setFull(false);
        this.held.clear();
        harness.crash();
        for (const offset of [...this.settled]) {
          if (offset < this.cursor) continue;
          this.settled.delete(offset);
          this.maybeSettled.add(offset);
        }
        this.reconnect();
        return;
    }
  }

  private listen(): void {
    const { harness } = this;
    for (const { sequence, offset, duplicate } of harness.takeAll('published')) {
      if (duplicate) continue;
      must(!this.published.has(sequence), `${sequence} is stored once`);
      this.published.set(sequence, offset);
    }
    for (const { offset } of harness.takeAll('revoked')) this.held.delete(offset);
    for (const { message } of harness.takeAll('deliver')) {
      must(message.offset >= this.cursor, 'never again below the cursor');
      must(!this.settled.has(message.offset), 'never again what is settled');
      this.maybeSettled.delete(message.offset);
      const known = this.published.get(message.sequence);
      must(known === undefined || message.offset === known, 'the offset that was announced');
      if (this.mode === 'keyOrdered' && message.key !== undefined)
        for (const [offset, key] of this.held)
          must(offset === message.offset || key !== message.key, 'of a key one at a time');
      this.held.set(message.offset, message.key);
    }
    for (const { offset } of harness.takeAll('cursorMoved')) {
      must(offset >= this.cursor, 'the cursor rises');
      for (let at = this.cursor; at < offset; at++)
        must(this.settled.has(at) || this.maybeSettled.has(at), `${at} is settled`);
      this.cursor = offset;
    }
    for (const { reason } of harness.takeAll('refused'))
      must(/far ahead|maximum|is held|not held/.test(reason), reason);
    must(harness.takeAll('topicsFailed').length === 0, 'nothing fails');
  }

  private finish(): void {
    const { harness } = this;
    harness.settle().pass(1_000_000).maintain();
    this.listen();
    for (let sequence = 1; sequence <= this.sent; sequence++) this.publish(sequence);
    for (let round = 0; round < 2000; round++) {
      harness.settle().pass(2_000_000).maintain();
      this.listen();
      if (this.held.size === 0 && this.cursor >= this.sent) break;
      for (const offset of [...this.held.keys()])
        this.take({ kind: 'acknowledge', pick: [...this.held.keys()].indexOf(offset) });
    }
    expect(this.cursor, 'everything is settled').toBe(this.sent);
    harness.crash().join('r', 'reader');
    const found: number[] = [];
    for (let all = harness.takeAll('deliver'); all.length > 0; all = harness.takeAll('deliver')) {
      for (const { message } of all) {
        must(message.offset === found.length, 'in the order of the topic');
        must(textOf(message.payload) === `text ${message.sequence}`, 'as it was sent');
        const announced = this.published.get(message.sequence);
        must(announced === undefined || announced === message.offset, 'where it was announced');
        found.push(message.sequence);
        harness.give(acknowledgement('r', 'reader', message.offset)).settle();
      }
    }
    expect(found.sort((left, right) => left - right)).toEqual(
      Array.from({ length: this.sent }, (_, index) => index + 1),
    );
  }

  private publish(sequence: number): void {
    const key = sequence % 7 === 0 ? undefined : `k${sequence % 3}`;
    this.harness.give(publication('a', sequence, `text ${sequence}`, { key, priority: sequence % 2 }));
  }

  private reconnect(): void {
    this.connection++;
    this.held.clear();
    this.harness.join('s', 'g', { connection: this.connection, mode: this.mode }, 1_000_000);
  }

  private setFull(isFull: boolean): void {
    for (const folder of this.harness.folders.values()) folder.isFull = isFull;
  }
}

describe.each(['exclusive', 'shared', 'keyOrdered'] as const)('random stories of an %s group', (mode) => {
  test('keep what was promised', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60, size: 'max' }), (steps) => new Story(mode).run(steps)),
      { numRuns: 30 },
    );
  });
});
