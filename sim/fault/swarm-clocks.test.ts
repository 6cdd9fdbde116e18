import { describe, expect, it } from 'vitest';
import { microsPerSecond } from '../../core/base/time.ts';
import { drawCase } from './check-case.ts';
import type { SwarmCase } from './swarm.ts';
import { withKnownClocks } from './swarm-clocks.ts';

const cases = Array.from({ length: 400 }, (_, index) => drawCase(5 * (index + 1)));
const errorOf = ({ settings }: SwarmCase): number => settings?.['registry.clockErrorMicros'] ?? 0;
const aheadOf = ({ faults }: SwarmCase): number[] =>
  faults.filter(({ kind }) => kind === 'kernelClock').map(({ factor }) => factor);

describe('known clocks', () => {
  it('are drawn now and then, and wrong by no more than the kernel knows', () => {
    const known = cases.filter((drawn) => errorOf(drawn) > 0);
    expect(known.length).toBeGreaterThan(60);
    expect(known.length).toBeLessThan(200);
    expect(known.filter((drawn) => aheadOf(drawn).length > 1).length).toBeGreaterThan(5);
    for (const drawn of known) {
      const ahead = [0, ...aheadOf(drawn)];
      expect((Math.max(...ahead) - Math.min(...ahead)) * microsPerSecond).toBeLessThanOrEqual(errorOf(drawn));
    }
  });

  it('leave clocks that may show anything to most cases, and cases without a journal alone', () => {
    const unknown = cases.filter((drawn) => errorOf(drawn) === 0);
    expect(unknown.filter((drawn) => aheadOf(drawn).includes(3600)).length).toBeGreaterThan(10);
    const plain = drawCase(1);
    expect(plain.journal).toBeUndefined();
    expect(withKnownClocks(plain)).toBe(plain);
  });
});
