// Malformed input answers with a coded error that says where: never a crash, a hang, or more memory than the input warrants.
// The corpus (make-tricky-files.py), random bytes, every cut of sound files, and sound files with bytes changed at random.

import { readdirSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { dataTypes } from '../data-type.ts';
import { TensorView } from '../tensor-view.ts';
import { readArrowTable, readArrowTensor } from './arrow.ts';
import { readNpy } from './npy.ts';
import { readOnnxTensor } from './onnx-tensor.ts';
import { readSafetensors } from './safetensors.ts';
import { decodeTensorMessage, encodeTensorMessage } from './tensor-message.ts';
import { dataFolder, readOrRefusal } from './tensor-samples.contract.ts';

/** The tensors in a file, by its ending. */
const readers: Record<string, (bytes: Uint8Array) => TensorView[]> = {
  npy: (bytes) => [readNpy(bytes)],
  safetensors: (bytes) => [...readSafetensors(bytes).tensors.values()],
  'onnx-tensor': (bytes) => [readOnnxTensor(bytes).tensor],
  'arrow-tensor': (bytes) => [readArrowTensor(bytes).tensor],
  arrow: (bytes) =>
    readArrowTable(bytes).batches.flatMap((batch) =>
      batch.columns.flatMap(({ tensor, valid }) => [tensor, valid].filter((one) => one !== undefined)),
    ),
  sira: (bytes) => [decodeTensorMessage(bytes).tensor],
};

function readerOf(file: string): (bytes: Uint8Array) => TensorView[] {
  return readers[file.slice(file.indexOf('.') + 1)] ?? readers[file.split('.').at(-1)!]!;
}

/** Bytes that the tensors hold besides the input's own. */
function ownBytes(tensors: readonly TensorView[], input: Uint8Array): number {
  return tensors.reduce((sum, { data }) => {
    if (Array.isArray(data)) return sum + data.reduce((length, text) => length + 8 + 2 * text.length, 0);
    return data.buffer === input.buffer ? sum : sum + data.byteLength;
  }, 0);
}

/** Bits become bytes, a bitmap a tensor of bools besides: 16 times at most; packed one-byte varints 8 times. */
function check(file: string, bytes: Uint8Array): boolean {
  const tensors = readOrRefusal(() => readerOf(file)(bytes));
  if (tensors === undefined) return false;
  expect(ownBytes(tensors, bytes)).toBeLessThanOrEqual(64 + 16 * bytes.length);
  // What was accepted can be read in full.
  for (const tensor of tensors) if (tensor.elementCount < 10_000) tensor.toElements();
  return true;
}

const tricky = JSON.parse(readFileSync(`${dataFolder}tricky/tricky.json`, 'utf8')) as { file: string; error: string }[];
const reference = readdirSync(`${dataFolder}reference`)
  .filter((name) => !name.endsWith('.json'))
  .toSorted((left, right) => (left < right ? -1 : 1))
  .map((file) => ({ file, bytes: new Uint8Array(readFileSync(`${dataFolder}reference/${file}`)) }));
const sound = [
  ...reference,
  ...(['int16', 'string', 'bool'] as const).map((dataType) => {
    const elements = { int16: [1, -2], string: ['a', 'é'], bool: [true, false] }[dataType];
    const tensor = TensorView.from(dataType, [2], elements);
    return { file: `${dataType}.sira`, bytes: encodeTensorMessage({ topic: 't', producer: 'p', sequence: 1 }, tensor) };
  }),
].filter(({ file, bytes }) => readOrRefusal(() => readerOf(file)(bytes)) !== undefined);

describe('malformed tensor files', () => {
  it('of the corpus are all listed, at least 150', () => {
    const present = readdirSync(`${dataFolder}tricky`).filter((name) => name !== 'tricky.json');
    expect(present.length).toBe(tricky.length);
    expect(tricky.length).toBeGreaterThan(150);
  });

  it.each(tricky)('$file: $error', ({ file, error }) => {
    const bytes = new Uint8Array(readFileSync(`${dataFolder}tricky/${file}`));
    expect(() => readerOf(file)(bytes)).toThrow(error);
    expect(check(file, bytes)).toBe(false);
  });

  it('of random bytes, with or without a sound beginning', () => {
    const begins = [
      [],
      [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0],
      [0x53, 0x49, 0x52, 0x54, 1],
      [0xff, 0xff, 0xff, 0xff, 64, 0, 0, 0],
    ];
    fc.assert(
      fc.property(fc.constantFrom(...begins), fc.uint8Array({ maxLength: 300 }), (begin, rest) => {
        const bytes = Uint8Array.from([...begin, ...rest]);
        for (const format of Object.keys(readers)) check(`random.${format}`, bytes);
      }),
      { numRuns: 3000 },
    );
  });

  it('cut at every byte', () => {
    for (const { file, bytes } of sound) {
      const step = bytes.length > 4000 ? 7 : 1;
      for (let length = 0; length < bytes.length; length += step) check(file, bytes.slice(0, length));
    }
  });

  it('with bytes changed, removed or doubled', () => {
    const change = fc.record({
      place: fc.nat({ max: 2 ** 20 - 1 }),
      kind: fc.constantFrom('set', 'flip', 'word', 'remove', 'double'),
      value: fc.constantFrom(0, 1, 2, 0x7f, 0x80, 0xff, 0x28, 0x5b, 0x7b, 0x22, 0x2c),
    });
    let accepted = 0;
    let refused = 0;
    fc.assert(
      fc.property(
        fc.constantFrom(...sound),
        fc.array(change, { minLength: 1, maxLength: 3 }),
        ({ file, bytes }, changes) => {
          const list = [...bytes];
          for (const { place, kind, value } of changes) {
            const at = Math.floor((place / 2 ** 20) * list.length);
            if (kind === 'set') list[at] = value;
            else if (kind === 'flip') list[at] = list[at]! ^ (1 << (value & 7));
            else if (kind === 'word') list.splice(at, 4, ...[value, value, value, value].slice(0, list.length - at));
            else if (kind === 'remove') list.splice(at, 1 + (value & 7));
            else list.splice(at, 0, ...list.slice(at, at + 8));
          }
          if (check(file, Uint8Array.from(list))) accepted += 1;
          else refused += 1;
        },
      ),
      { numRuns: 8000 },
    );
    // Neither everything nor nothing: the changes reach both outcomes.
    expect(Math.min(accepted, refused)).toBeGreaterThan(400);
  });

  it('covers every data type', () => {
    const seen = new Set(sound.flatMap(({ file, bytes }) => readerOf(file)(bytes).map((tensor) => tensor.dataType)));
    expect(seen.size).toBe(Object.keys(dataTypes).length);
  });
});
