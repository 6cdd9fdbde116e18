// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the sources under test hold templates

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { stripSource } from './strip-source.ts';

test('comments and strings become blanks, code stays in place', () => {
  expect(stripSource("a // b\nc /* d\n e */ f('g\\'h') \"i\"")).toBe('a     \nc     \n      f(\'    \') " "');
});

test('templates keep their expressions, nested too', () => {
  expect(stripSource('`a ${b + `c ${d} e`} f` + g')).toBe('`  ${b + `  ${d}  `}  ` + g');
  expect(stripSource('`\\`${a}`')).toBe('`  ${a}`');
  expect(stripSource('x = { y: `${{ z: 1 }.z}` }; w')).toBe('x = { y: `${{ z: 1 }.z}` }; w');
});

test('regular expressions are told from divisions', () => {
  expect(stripSource('x = /a[/]"b/g; y')).toBe('x = /      /g; y');
  expect(stripSource('return /a"/.test(b)')).toBe('return /  /.test(b)');
  expect(stripSource('(a) / b / "c"')).toBe('(a) / b / " "');
  expect(stripSource('a[1] / 2 / x')).toBe('a[1] / 2 / x');
});

test('every character keeps its line and column', () => {
  const piece = fc.constantFrom('a', '/', '*', '"', "'", '`', '${', '}', '{', '\n', '\\', ' ', '[', ']', '=', '(');
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 40 }), (pieces) => {
      const source = pieces.join('');
      const stripped = stripSource(source);
      expect(stripped).toHaveLength(source.length);
      for (let index = 0; index < source.length; index++) {
        const same = stripped[index] === source[index];
        expect(same || (stripped[index] === ' ' && source[index] !== '\n')).toBe(true);
      }
    }),
    { numRuns: 500 },
  );
});
