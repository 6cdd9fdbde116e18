import { describe, expect, it } from 'vitest';
import { AgentClock } from './agent-clock.ts';

describe('the clock of an agent', () => {
  it('shows the true time until something befalls it', () => {
    const clock = new AgentClock();
    expect(clock.isTrue).toBe(true);
    expect(clock.at(123)).toBe(123);
    expect(clock.trueTimeOf(500, 123)).toBe(500);
    expect(clock.trueTimeOf(50, 123)).toBe(123);
  });

  it('jumps ahead, and knows what it showed before', () => {
    const clock = new AgentClock();
    clock.jump(1000, 200);
    expect(clock.at(199)).toBe(199);
    expect(clock.at(200)).toBe(1200);
    expect(clock.at(250)).toBe(1250);
    expect(() => clock.jump(-1, 300)).toThrow();
  });

  it('drifts, and says when it will show a time, never too early', () => {
    const clock = new AgentClock();
    clock.run(0.99, 1_000_000);
    expect(clock.at(2_000_000)).toBe(1_990_000);
    clock.run(1.01, 2_000_000);
    expect(clock.at(3_000_000)).toBe(3_000_000);
    clock.jump(77, 3_000_001);
    for (const shown of [3_000_100, 3_123_457, 9_999_999]) {
      const time = clock.trueTimeOf(shown, 3_000_002);
      expect(clock.at(time)).toBeGreaterThanOrEqual(shown);
      expect(clock.at(time - 3)).toBeLessThan(shown);
    }
  });

  it('never goes back', () => {
    const clock = new AgentClock();
    let last = 0;
    for (let time = 1; time < 20_000; time++) {
      if (time % 1000 === 0) clock.run(time % 2000 === 0 ? 0.99 : 1.01, time);
      if (time % 3333 === 0) clock.jump(5, time);
      expect(clock.at(time)).toBeGreaterThanOrEqual(last);
      last = clock.at(time);
    }
  });
});
