import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { fromBase64, toBase64 } from './base64.ts';

test('writes what Node writes, and reads it back', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
      const text = toBase64(bytes);
      expect(text).toBe(Buffer.from(bytes).toString('base64'));
      expect(fromBase64(text)).toEqual(bytes);
    }),
  );
});

test('reads the canonical form alone', () => {
  for (const text of ['A', 'AA=', 'AB==', 'AAB=', 'A===', '====', 'AA-_', 'AAA\n', '=AAA'])
    expect(fromBase64(text), text).toBeUndefined();
});
