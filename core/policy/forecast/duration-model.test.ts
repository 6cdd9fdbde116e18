import { expect, test } from 'vitest';
import { SiraError } from '../../base/errors.ts';
import { readSafetensors, writeSafetensors } from '../../tensor/wire/safetensors.ts';
import { type DurationModel, forecastSeconds, readDurations, writeDurations } from './duration-model.ts';

const model: DurationModel = {
  name: 'two',
  medianSeconds: new Map([
    ['', 60],
    ['train', 1 / 3],
    ['train 8', 7200.125],
  ]),
  lineage: { command: 'test' },
};

test('a class with its accelerators, else the class, else all', () => {
  expect(forecastSeconds(model, 'train', 8)).toBe(7200.125);
  expect(forecastSeconds(model, 'train', 1)).toBe(1 / 3);
  expect(forecastSeconds(model, 'other', 8)).toBe(60);
  expect(forecastSeconds(model, '', 0)).toBe(60);
});

test('what is written is read, to the bit, and what is not sound is refused', () => {
  const bytes = writeDurations(model);
  expect(readDurations(bytes)).toEqual(model);
  const file = readSafetensors(bytes);
  const refusal = (change: readonly [string, string]): string => {
    try {
      readDurations(writeSafetensors({ ...file, metadata: new Map([...file.metadata, change]) }));
    } catch (error) {
      if (error instanceof SiraError) return error.code;
      throw error;
    }
    return 'none';
  };
  for (const change of [
    ['format', 'sira-durations/2'],
    ['entries', '["","a"]'],
    ['entries', '["","a","a"]'],
    ['entries', '["x","a","b"]'],
    ['entries', '{'],
  ] as const)
    expect(refusal(change), change.join(' ')).toBe('SIRA_POLICY_INVALID');
  for (const seconds of [0, -1, Number.NaN, Number.POSITIVE_INFINITY])
    expect(() => writeDurations({ ...model, medianSeconds: new Map([['', seconds]]) })).toThrow(/runs for/);
});
