import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TextColumn } from './text-column.ts';

describe('text column', () => {
  it('gives back every text, whatever its length and script', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'grapheme', maxLength: 40 }), { maxLength: 60 }), (texts) => {
        const column = new TextColumn();
        for (const text of texts) column.push(text);
        expect(column.length).toBe(texts.length);
        expect(texts.map((_, row) => column.at(row))).toEqual(texts);
        expect(column.slice()).toEqual(texts);
        expect(column.slice(1, 3)).toEqual(texts.slice(1, 3));
      }),
    );
  });

  it('grows beyond its first room', () => {
    const column = new TextColumn();
    for (let row = 0; row < 5000; row++) column.push(`openb-pod-${row}`);
    column.push('é'.repeat(50_000));
    expect(column.at(0)).toBe('openb-pod-0');
    expect(column.at(4999)).toBe('openb-pod-4999');
    expect(column.at(5000)).toBe('é'.repeat(50_000));
  });
});
