import { expect, test } from 'vitest';
import { CodedColumn } from './coded-column.ts';

test('values that nobody has any more are forgotten, and codes stay few', () => {
  const column = new CodedColumn<string>();
  let largest = 0;
  for (let step = 0; step < 5000; step++) {
    column.set(step % 10, `value ${step}`);
    largest = Math.max(largest, ...column.codes);
    if (step >= 10) expect(column.get((step + 1) % 10)).toBe(`value ${step - 9}`);
  }
  expect(largest).toBeLessThanOrEqual(2 * 10 + 65);
  expect(column.toArray()).toEqual(Array.from({ length: 10 }, (_, row) => `value ${4990 + row}`));
});

test('rows without a value, and values by code', () => {
  const column = new CodedColumn<string | number>();
  column.set(2, 7);
  column.set(0, 'seven');
  column.set(5, null);
  expect(column.toArray()).toEqual(['seven', null, 7]);
  const judged = column.judged((value) => (value === 7 ? 1 : 2), 3);
  expect([0, 1, 2].map((row) => judged[column.codes[row] as number])).toEqual([2, 3, 1]);
  const other = new CodedColumn<string | number>();
  column.set(2, null);
  other.restore(column.toArray());
  expect(other.toArray()).toEqual(['seven', null, null]);
});
