// Files written by the reference libraries, against what those libraries read in them (make-reference-files.py wrote both).

import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { DataType } from '../data-type.ts';
import type { TensorView } from '../tensor-view.ts';
import { readArrowTable, readArrowTensor, requireColumn } from './arrow.ts';
import type { ArrowColumn } from './arrow-batch.ts';
import { readNpy, writeNpy } from './npy.ts';
import { readOnnxTensor, writeOnnxTensor } from './onnx-tensor.ts';
import { rowMajorBytes } from './row-major-bytes.ts';
import { readSafetensors, writeSafetensors } from './safetensors.ts';
import { bitsOf, dataFolder } from './tensor-samples.contract.ts';

interface Expected {
  readonly name: string;
  readonly dataType: DataType;
  readonly shape: readonly number[];
  readonly hex?: string;
  readonly strings?: readonly string[];
}

interface ExpectedColumn {
  readonly name: string;
  readonly dataType: DataType;
  readonly shape: readonly number[];
  /** Hex of each element (of each row, if `rows`), or text; null for null. */
  readonly elements: readonly (string | null)[];
  readonly rows?: boolean;
  readonly refused?: boolean;
}

interface ReferenceFile {
  readonly file: string;
  readonly format: 'npy' | 'safetensors' | 'onnx' | 'arrow' | 'arrow-tensor';
  readonly tensors?: readonly Expected[];
  readonly batches?: readonly (readonly ExpectedColumn[])[];
  readonly metadata?: Readonly<Record<string, string>>;
  /** Our writer must give the very bytes of the library. */
  readonly canonical?: boolean;
  /** Part of the reason why there is no tensor. */
  readonly refused?: string;
}

const folder = `${dataFolder}reference/`;
const { files, libraries } = JSON.parse(readFileSync(`${folder}reference.json`, 'utf8')) as {
  files: ReferenceFile[];
  libraries: Record<string, string>;
};

interface Named {
  readonly name: string;
  readonly tensor: TensorView;
}

/** The tensors of a file, and the file written again. */
const readers = {
  npy: (bytes: Uint8Array): { tensors: Named[]; write: () => Uint8Array } => {
    const tensor = readNpy(bytes);
    return { tensors: [{ name: '', tensor }], write: () => writeNpy(tensor) };
  },
  safetensors: (bytes: Uint8Array) => {
    const file = readSafetensors(bytes);
    const tensors = [...file.tensors].map(([name, tensor]) => ({ name, tensor }));
    return { tensors, write: () => writeSafetensors(file), metadata: Object.fromEntries(file.metadata) };
  },
  onnx: (bytes: Uint8Array) => {
    const named = readOnnxTensor(bytes);
    return { tensors: [named], write: () => writeOnnxTensor(named) };
  },
  'arrow-tensor': (bytes: Uint8Array) => {
    const { tensor, end } = readArrowTensor(bytes);
    expect(end).toBe(bytes.length);
    return { tensors: [{ name: '', tensor }], write: () => bytes };
  },
};

function byName(tensors: readonly { readonly name: string }[]): unknown[] {
  return tensors.toSorted((left, right) => (left.name < right.name ? -1 : 1));
}

function elementsOf(column: ArrowColumn, isByRow: boolean): (string | null)[] {
  const { tensor, valid } = column;
  if (tensor === undefined) throw new Error(column.refusal);
  const [rows = 0, ...inner] = tensor.shape;
  const perRow = isByRow ? 1 : inner.reduce((product, extent) => product * extent, 1);
  const flags = valid?.toElements();
  const perFlag = flags === undefined ? 1 : (rows * perRow) / flags.length;
  const isThere = (index: number): boolean => flags === undefined || flags[Math.floor(index / perFlag)] === true;
  if (tensor.dataType === 'string')
    return tensor.toElements().map((text, index) => (isThere(index) ? String(text) : null));
  const bytes = Buffer.from(rowMajorBytes(tensor, 'test'));
  const size = rows * perRow === 0 ? 0 : bytes.length / (rows * perRow);
  return Array.from({ length: rows * perRow }, (_, index) =>
    isThere(index) ? bytes.subarray(index * size, (index + 1) * size).toString('hex') : null,
  );
}

describe(`files of the reference libraries ${JSON.stringify(libraries)}`, () => {
  it('cover every format', () => {
    for (const format of ['npy', 'safetensors', 'onnx', 'arrow', 'arrow-tensor'])
      expect(files.filter((file) => file.format === format).length).toBeGreaterThan(5);
  });

  it.each(files)('$file', ({ file, format, tensors, batches, metadata, canonical, refused }) => {
    const bytes = new Uint8Array(readFileSync(folder + file));
    if (refused !== undefined) {
      const read = (): unknown => (format === 'arrow' ? readArrowTable(bytes) : readers[format](bytes));
      expect(read).toThrow(refused);
      expect(read).toThrow(expect.objectContaining({ code: 'SIRA_TENSOR_INVALID' }));
      return;
    }
    if (format === 'arrow') {
      const table = readArrowTable(bytes);
      const found = table.batches.map((batch, index) =>
        batch.columns.map((column, place) => {
          const { name, tensor, refusal } = column;
          if (tensor === undefined) return { name, refused: refusal !== undefined };
          const { rows = false } = batches![index]![place]!;
          const { dataType, shape } = tensor;
          return { name, dataType, shape: [...shape], elements: elementsOf(column, rows), ...(rows ? { rows } : {}) };
        }),
      );
      expect(found).toEqual(batches);
      return;
    }
    const found = readers[format](bytes);
    const expected = tensors!.map(({ name, dataType, shape, hex, strings }) => ({
      ...{ name, dataType, shape, content: strings ?? hex },
    }));
    expect(byName(found.tensors.map(({ name, tensor }) => ({ name, ...bitsOf(tensor) })))).toEqual(byName(expected));
    if (metadata !== undefined) expect('metadata' in found && found.metadata).toEqual(metadata);
    if (canonical) expect(Buffer.from(found.write()).equals(bytes)).toBe(true);
  });

  it('give windows onto their bytes, not copies', () => {
    for (const [file, read] of [
      ['float32.npy', (bytes: Uint8Array) => readNpy(bytes)],
      ['int16-fortran.npy', (bytes: Uint8Array) => readNpy(bytes)],
      ['every-type.safetensors', (bytes: Uint8Array) => readSafetensors(bytes).tensors.get('13.float32')!],
      ['float32-raw.onnx-tensor', (bytes: Uint8Array) => readOnnxTensor(bytes).tensor],
      ['float32.arrow-tensor', (bytes: Uint8Array) => readArrowTensor(bytes).tensor],
      ['primitive-file.arrow', (bytes: Uint8Array) => requireColumn(readArrowTable(bytes).batches[0]!, 'float32')],
      ['lists.arrow', (bytes: Uint8Array) => requireColumn(readArrowTable(bytes).batches[0]!, 'matrices')],
    ] as const) {
      const bytes = new Uint8Array(readFileSync(folder + file));
      expect((read(bytes).data as Uint8Array).buffer, file).toBe(bytes.buffer);
    }
  });

  it('say why a column is no tensor when it is asked for', () => {
    const [batch] = readArrowTable(new Uint8Array(readFileSync(`${folder}mixed.arrow`))).batches;
    expect(() => requireColumn(batch!, 'dictionary')).toThrow('column dictionary: dictionary-encoded');
    expect(() => requireColumn(batch!, 'nowhere')).toThrow('column nowhere: is not there');
    const [lists] = readArrowTable(new Uint8Array(readFileSync(`${folder}lists.arrow`))).batches;
    expect(() => requireColumn(lists!, 'both-nulls')).toThrow('column both-nulls: has nulls');
  });
});
