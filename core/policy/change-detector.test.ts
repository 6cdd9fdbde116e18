import { expect, it } from 'vitest';
import { RandomStream } from '../base/random.ts';
import { ChangeDetector } from './change-detector.ts';

const random = new RandomStream(1, 'change detector test');

/** Windows until the alarm, if each is strange with `share`. */
function windowsUntilAlarm(detector: ChangeDetector, share: number): number {
  let windows = 1;
  while (!detector.add(random.nextFloat() < share)) windows++;
  return windows;
}

it('lets at least as many windows pass as promised, on average, even where strange ones are as frequent as they may be', () => {
  for (const rareShare of [0.05, 0.2, 0.5]) {
    const runs = Array.from({ length: 200 }, () => windowsUntilAlarm(new ChangeDetector(rareShare, 200), rareShare));
    expect(runs.reduce((sum, windows) => sum + windows, 0) / runs.length).toBeGreaterThan(200);
  }
});

it('notices a change soon, however long nothing had happened', () => {
  const detector = new ChangeDetector(0.05, 50_000);
  for (let window = 0; window < 10_000; window++) expect(detector.add(false)).toBe(false);
  expect(detector.quickestWindows).toBe(4);
  expect(windowsUntilAlarm(detector, 1)).toBe(4);
});

it('is saved and restored as it stands', () => {
  const detector = new ChangeDetector(0.1, 1000);
  for (const isStrange of [true, false, true, true]) detector.add(isStrange);
  const other = new ChangeDetector(0.1, 1000);
  other.restore(detector.save());
  expect(windowsUntilAlarm(other, 1)).toBe(windowsUntilAlarm(detector, 1));
});
