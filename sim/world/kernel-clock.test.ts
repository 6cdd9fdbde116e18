import { describe, expect, it } from 'vitest';
import { KernelClock } from './kernel-clock.ts';

describe('the clock of a shell', () => {
  it('shows the wall clock of its beginning, and the monotonic time since', () => {
    const clock = new KernelClock(5_000_000, 100);
    expect(clock.at(100)).toBe(5_000_000);
    expect(clock.at(350)).toBe(5_000_250);
    expect(clock.monotonicAt(5_000_250)).toBe(350);
  });

  it('goes on from the last input if the wall clock went back, without standing still', () => {
    const clock = new KernelClock(1_000, 0);
    clock.notBefore(9_000, 10);
    expect(clock.at(10)).toBe(9_000);
    expect(clock.at(11)).toBe(9_001);
    clock.notBefore(2_000, 12);
    expect(clock.at(12)).toBe(9_002);
  });
});
