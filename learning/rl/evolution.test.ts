import { expect, test } from 'vitest';
import { SeparableCmaEs } from './evolution.ts';

/** An ellipsoid about (1, 2, 3, …) whose axes differ a hundredfold. */
function cost(point: Float64Array): number {
  return point.reduce((sum, value, index) => sum + 100 ** (index / (point.length - 1)) * (value - index - 1) ** 2, 0);
}

function evolve(seed: number, generations: number): SeparableCmaEs {
  const evolution = new SeparableCmaEs(new Array<number>(8).fill(0), 1, 12, seed);
  for (let generation = 0; generation < generations; generation++) {
    const members = evolution.ask();
    evolution.tell(members, members.map(cost));
  }
  return evolution;
}

test('finds the bottom of an ellipsoid', () => {
  for (const seed of [1, 2, 3]) expect(cost(evolve(seed, 250).mean)).toBeLessThan(1e-6);
});

test('goes on from what was saved as if it had not been', () => {
  const whole = evolve(5, 30);
  const half = evolve(5, 15);
  const resumed = new SeparableCmaEs(new Array<number>(8).fill(0), 1, 12, 99);
  resumed.restore(JSON.parse(JSON.stringify(half.save())));
  for (let generation = 15; generation < 30; generation++) {
    const members = resumed.ask();
    resumed.tell(members, members.map(cost));
  }
  expect(resumed.save()).toEqual(whole.save());
});
