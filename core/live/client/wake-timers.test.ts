import { expect, test } from 'vitest';
import type { LiveClock } from '../live-clock.ts';
import { WakeTimers } from './wake-timers.ts';

test('a timer that is early waits on, and what is cleared never wakes', async () => {
  // A clock that runs at a tenth of the platform's: every timer is early.
  const began = performance.now();
  const clock = { now: () => Math.floor((performance.now() - began) * 100) } as LiveClock;
  const woken: number[] = [];
  const timers = new WakeTimers(clock, () => void woken.push(clock.now()));
  timers.at(3000);
  timers.at(1000);
  while (woken.length < 2) await new Promise((resolve) => setTimeout(resolve, 5));
  expect(woken[0]).toBeGreaterThanOrEqual(1000);
  expect(woken[1]).toBeGreaterThanOrEqual(3000);
  timers.at(clock.now() + 500);
  timers.clear();
  await new Promise((resolve) => setTimeout(resolve, 30));
  expect(woken).toHaveLength(2);
});
