// A few drawn cases of the durable topics keep every promise, the same seed does the same, and a broker that lies is caught.

import { describe, expect, test } from 'vitest';
import { TopicBroker } from '../../../core/bus/topics/topic-broker.ts';
import type { TopicEffect, TopicEffectSink, TopicMachine } from '../../../core/bus/topics/topic-protocol.ts';
import { TopicBits } from '../../oracle/topic-bits.ts';
import type { TopicCase } from '../../world/topic-case.ts';
import { checkTopicCase, settingsOf } from './check-topic-case.ts';
import { drawBulkCase } from './draw-bulk-case.ts';
import { drawTopicCase } from './draw-topic-case.ts';

/** The broker, with what it says changed on the way. */
function liar(drawn: TopicCase, change: (effect: TopicEffect) => readonly TopicEffect[]): TopicMachine {
  const broker = new TopicBroker(settingsOf(drawn), drawn.seed);
  const through = (effects: TopicEffectSink): TopicEffectSink => ({
    push: (effect) => {
      for (const said of change(effect)) effects.push(said);
    },
  });
  return {
    open: (now, effects) => broker.open(now, through(effects)),
    handle: (input, effects) => broker.handle(input, through(effects)),
    complete: (store, completion, now, effects) => broker.complete(store, completion, now, through(effects)),
    flush: (effects) => broker.flush(through(effects)),
    nextDeadlineMicros: () => broker.nextDeadlineMicros(),
    fireDue: (now, effects) => broker.fireDue(now, through(effects)),
    maintain: (now, effects) => broker.maintain(now, through(effects)),
    extendDeadlines: (by) => broker.extendDeadlines(by),
    digest: '',
  };
}

/** The oracles that catch `change` in the first seeds. */
function catches(change: (effect: TopicEffect) => readonly TopicEffect[]): string[] {
  const oracles: string[] = [];
  for (let seed = 1; seed <= 4; seed++) {
    const drawn = { ...drawTopicCase(seed), settleMicros: 5_000_000 };
    const { finding } = checkTopicCase(drawn, { create: (of) => liar(of, change) });
    if (finding !== undefined) oracles.push(finding.oracle);
  }
  return oracles;
}

describe('the swarm of durable topics', () => {
  test.each(Array.from({ length: 16 }, (_, index) => index + 1))('seed %i keeps every promise', (seed) => {
    expect(checkTopicCase(drawTopicCase(seed)).finding).toBeUndefined();
  });

  test('a bulk case keeps every promise', () => {
    const { finding, published } = checkTopicCase(drawBulkCase(3, 20_000));
    expect(finding).toBeUndefined();
    expect(published).toBeGreaterThanOrEqual(20_000);
  });

  test('the same seed does the same', () => {
    const [one, other] = [checkTopicCase(drawTopicCase(7)), checkTopicCase(drawTopicCase(7))];
    expect(one).toEqual(other);
    expect(checkTopicCase(drawTopicCase(8)).digest).not.toBe(one.digest);
  });

  test('a broker that confirms nothing is found by liveness', () => {
    expect(catches((effect) => (effect.kind === 'published' ? [] : [effect]))).toContain('topic liveness');
  });

  test('a broker that delivers twice is caught', () => {
    const oracles = catches((effect) => (effect.kind === 'deliver' ? [effect, effect] : [effect]));
    expect(oracles).toHaveLength(4);
  });

  test('a cursor one too high is caught', () => {
    const ahead = (effect: TopicEffect): TopicEffect[] =>
      effect.kind === 'cursorMoved' ? [{ ...effect, offset: effect.offset + 1 }] : [effect];
    expect(catches(ahead)).toContain('topic cursor');
  });
});

describe('TopicBits', () => {
  test('is a set of numbers, whatever the order', () => {
    const bits = new TopicBits(5);
    const known = new Set<number>();
    let drawn = 1;
    for (let step = 0; step < 5000; step++) {
      drawn = (drawn * 48271) % 2147483647;
      const number = 5 + Math.floor(step / 3) + (drawn % 300);
      expect(bits.add(number)).toBe(!known.has(number));
      known.add(number);
    }
    for (let number = 5; number < 2100; number++) expect(bits.has(number)).toBe(known.has(number));
    expect(bits.has(4)).toBe(true);
    let missing = 5;
    while (known.has(missing)) missing++;
    expect(bits.floor).toBe(missing);
    expect(bits.nextMissing(0)).toBe(missing);
  });
});
