// Every tensor of every type that a format has goes through it and comes back with the same bits, and equal tensors give equal
// bytes. What a format lacks is refused when it is written.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { DataType } from '../data-type.ts';
import { elementCount } from '../shape.ts';
import { TensorView } from '../tensor-view.ts';
import { readArrowTable, readArrowTensor, requireColumn } from './arrow.ts';
import { type NamedTensor, writeArrowTable, writeArrowTensor } from './arrow-writer.ts';
import { readNpy, writeNpy } from './npy.ts';
import { readOnnxTensor, writeOnnxTensor } from './onnx-tensor.ts';
import { readSafetensors, writeSafetensors } from './safetensors.ts';
import { allDataTypes, arbitraryTensor, bitsOf } from './tensor-samples.contract.ts';

const single = { name: 'x' };

interface Format {
  readonly name: string;
  readonly lacks: readonly DataType[];
  readonly write: (tensor: TensorView) => Uint8Array;
  readonly read: (bytes: Uint8Array) => TensorView;
}

const formats: readonly Format[] = [
  {
    name: 'safetensors',
    lacks: ['complex128', 'string'],
    write: (tensor) => writeSafetensors({ tensors: new Map([['x', tensor]]), metadata: new Map() }),
    read: (bytes) => readSafetensors(bytes).tensors.get('x')!,
  },
  { name: 'npy', lacks: ['bfloat16', 'float8_e4m3', 'float8_e5m2'], write: writeNpy, read: (bytes) => readNpy(bytes) },
  {
    name: 'onnx',
    lacks: [],
    write: (tensor) => writeOnnxTensor({ ...single, tensor }),
    read: (bytes) => readOnnxTensor(bytes).tensor,
  },
  {
    name: 'arrow tensor message',
    lacks: ['bool', 'bfloat16', 'float8_e4m3', 'float8_e5m2', 'complex64', 'complex128', 'string'],
    write: writeArrowTensor,
    read: (bytes) => readArrowTensor(bytes).tensor,
  },
  {
    name: 'arrow record batch',
    lacks: ['bfloat16', 'float8_e4m3', 'float8_e5m2', 'complex64', 'complex128'],
    // A scalar has no rows.
    write: (tensor) => writeArrowTable([{ ...single, tensor: tensor.rank === 0 ? tensor.reshape([1]) : tensor }]),
    read: (bytes) => requireColumn(readArrowTable(bytes).batches[0]!, 'x'),
  },
];

/** The same elements in other strides: a window onto every second of twice as many. */
function spread(tensor: TensorView): TensorView {
  const wide = TensorView.zeros(tensor.dataType, [elementCount(tensor.shape), 2]);
  for (const [index, element] of tensor.toElements().entries()) wide.set([index, 0], element);
  return wide.select(1, 0);
}

describe.each(formats)('$name', ({ name, lacks, write, read }) => {
  it('gives back every bit', () => {
    const types = allDataTypes.filter((type) => !lacks.includes(type));
    fc.assert(
      fc.property(arbitraryTensor(types), (tensor) => {
        const isPadded = name === 'npy' && tensor.dataType === 'string';
        fc.pre(!isPadded || tensor.toElements().every((text) => !String(text).endsWith('\0')));
        const { shape, ...bits } = bitsOf(tensor);
        const found = bitsOf(read(write(tensor)));
        expect(found).toEqual({ ...bits, shape: name === 'arrow record batch' && shape.length === 0 ? [1] : shape });
      }),
      { numRuns: 200 },
    );
  });

  it('gives equal bytes for equal tensors, however they lie', () => {
    for (const dataType of ['int16', 'float64', 'uint8'] as const) {
      const elements = [1, 2, 3, 4];
      const together = TensorView.from(dataType, [4], elements);
      expect(write(spread(together))).toEqual(write(together));
    }
  });

  it('refuses what it lacks', () => {
    for (const dataType of lacks)
      expect(() => write(TensorView.zeros(dataType, [1])), dataType).toThrow(
        expect.objectContaining({ code: 'SIRA_TENSOR_INVALID' }),
      );
    if (!lacks.includes('string'))
      expect(() => write(TensorView.from('string', [1], ['\ud800']))).toThrow('half a surrogate pair');
  });
});

describe('files of several tensors', () => {
  const named = fc.uniqueArray(
    fc.record({
      name: fc.string({ unit: 'binary', maxLength: 6 }),
      tensor: arbitraryTensor(['int8', 'float32', 'bool', 'int64']),
    }),
    { selector: (one) => one.name, maxLength: 6 },
  );

  it('safetensors: names, metadata and bits come back, whatever the order in which they were given', () => {
    const metadata = fc.dictionary(
      fc.string({ unit: 'binary', maxLength: 4 }),
      fc.string({ unit: 'binary', maxLength: 4 }),
    );
    fc.assert(
      fc.property(named, metadata, (tensors, texts) => {
        fc.pre(tensors.every(({ name }) => name !== '__metadata__'));
        const file = (list: readonly NamedTensor[]): Uint8Array =>
          writeSafetensors({
            tensors: new Map(list.map(({ name, tensor }) => [name, tensor])),
            metadata: new Map(Object.entries(texts)),
          });
        const bytes = file(tensors);
        expect(file(tensors.toReversed())).toEqual(bytes);
        const found = readSafetensors(bytes);
        expect(new Map([...found.tensors].map(([name, tensor]) => [name, bitsOf(tensor)]))).toEqual(
          new Map(tensors.map(({ name, tensor }) => [name, bitsOf(tensor)])),
        );
        expect(Object.fromEntries(found.metadata)).toEqual({ ...texts });
      }),
    );
    const tensor = TensorView.zeros('int8', [1]);
    expect(() => writeSafetensors({ tensors: new Map([['__metadata__', tensor]]), metadata: new Map() })).toThrow(
      'no name',
    );
  });

  it('arrow: all columns come back', () => {
    fc.assert(
      fc.property(named, (tensors) => {
        const columns = tensors.map(({ name, tensor }) => ({ name, tensor: tensor.broadcastTo([1, ...tensor.shape]) }));
        const [batch] = readArrowTable(writeArrowTable(columns)).batches;
        expect(batch!.columns.map(({ name, tensor, valid }) => [name, bitsOf(tensor!), valid])).toEqual(
          columns.map(({ name, tensor }) => [name, bitsOf(tensor), undefined]),
        );
      }),
    );
    const columns = [2, 3].map((rows) => ({ name: `${rows}`, tensor: TensorView.zeros('int8', [rows]) }));
    expect(() => writeArrowTable(columns)).toThrow('column 3 of shape [3] has not 2 rows');
  });
});
