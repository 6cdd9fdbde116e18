import { expect, test } from 'vitest';
import { RandomStream } from '../base/random.ts';
import { SymmetricTest } from './symmetric-test.ts';

/** Heavy-tailed, each as likely to be below 0 as above it; the last ones depend on those before. */
function symmetric(random: RandomStream, before: number): number {
  const size = 1 / Math.max(1e-3, random.nextFloat()) + Math.abs(before) / 2;
  return random.nextUint32() % 2 === 0 ? size : -size;
}

/** Looks after every difference; whether it was ever decided, and how. */
function run(seed: number, count: number, draw: (random: RandomStream, before: number) => number): string {
  const random = new RandomStream(seed, 'test');
  const test = new SymmetricTest(count);
  let before = 0;
  for (let index = 0; index < count; index++) {
    before = draw(random, before);
    test.add(before);
    const { verdict } = test.look(0.05);
    if (verdict !== 'cannotTell') return verdict;
  }
  return 'cannotTell';
}

test('wrong verdicts stay below the level although it is looked at after every difference', () => {
  const verdicts = Array.from({ length: 2000 }, (_, seed) => run(seed, 200, symmetric));
  const wrong = verdicts.filter((verdict) => verdict !== 'cannotTell').length;
  expect(wrong / verdicts.length).toBeLessThan(0.05);
  // A test that never says anything keeps any level.
  expect(wrong).toBeGreaterThan(0);
});

test('a shift is found, on the right side', () => {
  for (const [shift, word] of [
    [0.7, 'above'],
    [-0.7, 'below'],
  ] as const) {
    const verdicts = Array.from({ length: 200 }, (_, seed) =>
      run(seed, 200, (random) => shift + 2 * (random.nextFloat() + random.nextFloat() - 1)),
    );
    expect(verdicts.filter((verdict) => verdict === word).length).toBeGreaterThan(198);
  }
});

test('goes on from its state as if nothing had been', () => {
  const random = new RandomStream(3, 'state');
  let one = new SymmetricTest(50);
  const other = new SymmetricTest(50);
  for (let index = 0; index < 60; index++) {
    const difference = symmetric(random, 0);
    one.add(difference);
    other.add(difference);
    const next = new SymmetricTest(50);
    next.restore(JSON.parse(JSON.stringify(one.save())));
    one = next;
    expect(one.look(0.05)).toEqual(other.look(0.05));
  }
});

test('says what it knows before the first difference', () => {
  expect(new SymmetricTest(10).look(0.05)).toMatchObject({ count: 0, verdict: 'cannotTell', logEvidence: 0 });
});
