import { describe, expect, it } from 'vitest';
import type { Estimate } from '../sim/experiment/results.ts';
import {
  formatDuration,
  formatEstimate,
  formatNumber,
  formatPValue,
  formatQuantity,
  joinWords,
  plural,
  scaleOf,
  scaleOfValues,
} from './format.ts';

const around = (mean: number, half: number): Estimate => ({ mean, low: mean - half, high: mean + half, perSeed: [] });

describe('scaleOf', () => {
  it('gives the typical half interval two significant digits', () => {
    const scale = scaleOf({ unit: '%' }, [around(94.021, 0.31), around(82.4, 0.28), around(90, 0.4)]);
    expect(formatEstimate(around(94.021, 0.31), scale)).toBe('94.02 ± 0.31');
  });

  it('takes the unit of time of the largest mean', () => {
    expect(scaleOf({ unit: 's' }, [around(0.4, 0.01)]).unit).toBe('ms');
    expect(scaleOf({ unit: 's' }, [around(5, 1), around(100, 1)]).unit).toBe('s');
    const hours = scaleOf({ unit: 's' }, [around(7200, 360), around(36_000, 360)]);
    expect(hours.unit).toBe('h');
    expect(formatQuantity(7200, hours)).toBe('2.00 h');
  });

  it('shows whole numbers whole and single runs with four digits', () => {
    expect(formatQuantity(15_900, scaleOfValues('tasks', [15_900], []))).toBe('15,900 tasks');
    expect(formatQuantity(9.516326, scaleOfValues('s', [9.516326], []))).toBe('9.516 s');
    expect(formatQuantity(0, scaleOfValues('s', [], []))).toBe('0 s');
  });

  it('adds no decimals beyond five digits, and shows small values beside large ones', () => {
    expect(formatNumber(123_456.789, scaleOf({ unit: 'J' }, [around(123_456.789, 0.001)]))).toBe('123,457');
    expect(formatNumber(0.2, scaleOf({ unit: '%' }, [around(0.2, 5), around(50, 5)]))).toBe('0.2');
  });
});

describe('formatNumber', () => {
  it('has a true minus, no negative zero, and a plus where asked', () => {
    const scale = { factor: 1, decimals: 1 };
    expect(formatNumber(-2.25, { factor: 1, decimals: 2 })).toBe('−2.25');
    expect(formatNumber(-0.01, scale)).toBe('0.0');
    expect(formatNumber(3, scale, true)).toBe('+3.0');
    expect(formatNumber(null, scale)).toBe('–');
  });
});

describe('formatDuration', () => {
  it('uses at most two units', () => {
    expect(
      [0, 0.0123, 0.25, 45, 59.96, 120, 150, 3599.9, 9000, 86_400, 86_399, 100_000, 259_200].map(formatDuration),
    ).toEqual([
      '0 s',
      '12.3 ms',
      '0.25 s',
      '45 s',
      '60 s',
      '2 min',
      '2 min 30 s',
      '60 min',
      '2 h 30 min',
      '1 d',
      '24 h',
      '1 d 4 h',
      '3 d',
    ]);
    expect(formatDuration(-90)).toBe('−90 s');
  });
});

it('formats p-values, lists and plurals', () => {
  expect([0.0004, 0.0123, 0.5].map(formatPValue).map((text) => text.replaceAll('\u00a0', ' '))).toEqual([
    'p < 0.001',
    'p = 0.012',
    'p = 0.50',
  ]);
  expect([joinWords([]), joinWords(['a']), joinWords(['a', 'b', 'c'])]).toEqual(['', 'a', 'a, b and c']);
  expect([plural(1, 'seed'), plural(1213, 'machine')]).toEqual(['1 seed', '1,213 machines']);
});
