import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatDuration, microsPerDay, parseDurationMicros } from './time.ts';

describe('time', () => {
  it('reads durations in every unit and nothing else', () => {
    const cases: [string, number | undefined][] = [
      ['250us', 250],
      ['1.5ms', 1500],
      ['1.5s', 1_500_000],
      [' 10 m ', 600_000_000],
      ['10min', 600_000_000],
      ['2h', 7_200_000_000],
      ['1d', microsPerDay],
      ['0s', 0],
      ['10', undefined],
      ['-1s', undefined],
      ['1e3s', undefined],
      ['1 week', undefined],
      ['', undefined],
      ['99999999999999d', undefined],
    ];
    for (const [text, micros] of cases) expect(parseDurationMicros(text), text).toBe(micros);
  });

  it('writes durations for people', () => {
    const cases: [number, string][] = [
      [0, '0 µs'],
      [850, '850 µs'],
      [12_500, '12.5 ms'],
      [3_200_000, '3.2 s'],
      [250_000_000, '4 m 10 s'],
      [7_500_000_000, '2 h 5 m'],
      [27 * 3_600_000_000, '1 d 3 h'],
      [59_999_999, '60 s'],
      [119_999_999, '2 m'],
      [-3_200_000, '−3.2 s'],
    ];
    for (const [micros, text] of cases) expect(formatDuration(micros)).toBe(text);
  });

  it('never names a smaller unit up to the larger one', () => {
    fc.assert(
      fc.property(fc.integer({ min: 60_000_000, max: 100 * microsPerDay }), (micros) => {
        expect(formatDuration(micros)).not.toMatch(/ 60 [sm]$| 24 h$/);
      }),
      { numRuns: 2000 },
    );
  });
});
