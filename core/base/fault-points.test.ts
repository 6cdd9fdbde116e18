import { describe, expect, it } from 'vitest';
import { type FaultPointName, FaultPoints, faultPointTable, noFaults } from './fault-points.ts';

const names = Object.keys(faultPointTable) as FaultPointName[];
const firesOf = (points: FaultPoints, count = 200): string =>
  Array.from({ length: count }, (_, index) =>
    points.fires(names[index % names.length] as FaultPointName) ? '1' : '0',
  ).join('');

describe('fault points', () => {
  it('fire nowhere unless they are armed', () => {
    const points = new FaultPoints(0, 'test');
    expect(points.isArmed).toBe(false);
    for (const name of names) {
      expect(points.fires(name)).toBe(false);
      expect(noFaults.fires(name)).toBe(false);
    }
    expect(points.save()).toBeUndefined();
  });

  it('follow from the seed and the part', () => {
    expect(firesOf(new FaultPoints(7, 'test'))).toBe(firesOf(new FaultPoints(7, 'test')));
    expect(firesOf(new FaultPoints(7, 'test'))).not.toBe(firesOf(new FaultPoints(8, 'test')));
    expect(firesOf(new FaultPoints(7, 'test'))).not.toBe(firesOf(new FaultPoints(7, 'other')));
  });

  it('are all armed in some run and not in others, and an armed one fires about as often as it says', () => {
    const armedIn = new Map<FaultPointName, number>();
    for (let seed = 1; seed <= 200; seed++)
      for (const name of new FaultPoints(seed, 'test').probabilities.keys())
        armedIn.set(name, (armedIn.get(name) ?? 0) + 1);
    for (const name of names) {
      expect(armedIn.get(name)).toBeGreaterThan(30);
      expect(armedIn.get(name)).toBeLessThan(120);
    }
    const points = new FaultPoints(3, 'test');
    for (const [name, probability] of points.probabilities) {
      for (let count = 0; count < 20_000; count++) points.fires(name);
      expect(Math.abs((points.fired.get(name) ?? 0) / 20_000 - probability)).toBeLessThan(0.02);
    }
  });

  it('go on from a saved state as if nothing had happened, and stop when they are disarmed', () => {
    const points = new FaultPoints(5, 'test');
    firesOf(points, 77);
    const restored = new FaultPoints(5, 'test');
    restored.restore(points.save());
    expect(firesOf(restored)).toBe(firesOf(points));
    points.disarm();
    expect(firesOf(points)).not.toContain('1');
    expect(() => points.restore(restored.save())).toThrow();
  });
});
