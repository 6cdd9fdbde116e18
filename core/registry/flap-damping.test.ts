import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { FlapDamping, type FlapRules } from './flap-damping.ts';

const rules: FlapRules = { returnsMax: 3, windowMicros: 100, holdFirstMicros: 10, holdMaxMicros: 50 };

describe('flap damping', () => {
  test('holds at the third return within the window, and counts anew after that', () => {
    const damping = new FlapDamping();
    expect([0, 60, 99].map((time) => damping.returned(7, time, rules))).toEqual([0, 0, 10]);
    expect([110, 120].map((time) => damping.returned(7, time, rules))).toEqual([0, 0]);
    // Others are not concerned.
    expect(damping.returned(8, 120, rules)).toBe(0);
  });

  test('returns further apart than the window do not add up', () => {
    const damping = new FlapDamping();
    expect([0, 60, 100, 160, 200].map((time) => damping.returned(1, time, rules))).toEqual([0, 0, 0, 0, 0]);
    expect(damping.returned(1, 259, rules)).toBe(10);
  });

  test('each hold is twice as long as the one before, up to the longest; a long good time forgives all', () => {
    const damping = new FlapDamping();
    const thrice = (from: number): number => {
      damping.returned(1, from, rules);
      damping.returned(1, from + 1, rules);
      return damping.returned(1, from + 2, rules);
    };
    expect([0, 100, 200, 300, 400].map(thrice)).toEqual([10, 20, 40, 50, 50]);
    expect(thrice(402 + 150)).toBe(50);
    expect(thrice(554 + 151)).toBe(10);
  });

  test('nobody is held by default', () => {
    const damping = new FlapDamping();
    for (let time = 0; time < 50; time++) expect(damping.returned(1, time, { ...rules, returnsMax: 0 })).toBe(0);
  });

  test('property: as many holds as whole groups of close returns; a restored one goes on the same way', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat({ max: 2 }), fc.nat({ max: 60 })), { maxLength: 60 }), (script) => {
        const plain = new FlapDamping();
        let restored = new FlapDamping();
        let now = 0;
        let held = 0;
        for (const [row, gap] of script) {
          now += gap;
          const next = new FlapDamping();
          next.restore(JSON.parse(JSON.stringify(restored.save())));
          restored = next;
          const hold = plain.returned(row, now, rules);
          expect(restored.returned(row, now, rules)).toBe(hold);
          if (hold > 0) held++;
          expect(hold === 0 || (hold >= 10 && hold <= 50)).toBe(true);
        }
        expect(held).toBeLessThanOrEqual(script.length / 3);
      }),
    );
  });
});
