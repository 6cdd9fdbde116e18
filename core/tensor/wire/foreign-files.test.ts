// Test files of other projects: ONNX's model tests, NumPy's arrays and pickled object arrays, Arrow's gold files. A part is
// copied into this project; the whole set is read from the folder shared beside it. What is expected: for ONNX the digests that
// the onnx library's own reading gave (make-reference-files.py), for Arrow the JSON that comes with each gold file.

import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import type { TensorView } from '../tensor-view.ts';
import { readArrowTable } from './arrow.ts';
import type { ArrowColumn } from './arrow-batch.ts';
import { readNpy, writeNpy } from './npy.ts';
import { readOnnxTensor } from './onnx-tensor.ts';
import { rowMajorBytes } from './row-major-bytes.ts';
import { dataFolder, isSharedMissing, sharedFolder } from './tensor-samples.contract.ts';

const digests = JSON.parse(readFileSync(`${dataFolder}onnx-digests.json`, 'utf8')) as Record<string, unknown[]>;

function filesBelow(folder: string, ending: RegExp): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => ending.test(name))
    .toSorted((left, right) => (left < right ? -1 : 1));
}

function bytesOf(path: string): Uint8Array {
  return new Uint8Array(readFileSync(path));
}

function digest(tensor: TensorView): string {
  const content = tensor.dataType === 'string' ? tensor.toElements().join('\n') : rowMajorBytes(tensor, 'test');
  return createHash('sha256').update(content).digest('hex');
}

function checkOnnx(folder: string, countMin: number): void {
  const names = filesBelow(folder, /\.pb$/);
  expect(names.length).toBeGreaterThanOrEqual(countMin);
  for (const name of names) {
    const { name: tensorName, tensor } = readOnnxTensor(bytesOf(`${folder}/${name}`));
    expect([tensor.dataType, tensor.shape, tensorName, digest(tensor)], name).toEqual(digests[name]);
  }
}

interface GoldColumn {
  readonly name: string;
  readonly count: number;
  readonly VALIDITY?: readonly number[];
  readonly DATA?: readonly (number | string | boolean)[];
  readonly children?: readonly GoldColumn[];
}

interface GoldField {
  readonly name: string;
  readonly type: {
    readonly name: string;
    readonly unit?: string;
    readonly bitWidth?: number;
    readonly listSize?: number;
  };
  readonly children: readonly GoldField[];
  readonly dictionary?: unknown;
}

interface Gold {
  readonly schema: { readonly fields: readonly GoldField[] };
  readonly batches: readonly { readonly count: number; readonly columns: readonly GoldColumn[] }[];
}

/** What no tensor holds. */
const refusedTypes = ['binary', 'list', 'struct', 'null'];

/** Compares one column, element by element where the gold file says that there is one. */
function checkColumn(column: ArrowColumn, field: GoldField, gold: GoldColumn, label: string): number {
  if (refusedTypes.includes(field.type.name) || field.dictionary !== undefined) {
    expect(column.tensor, label).toBeUndefined();
    expect(column.refusal, label).toBeTruthy();
    return 0;
  }
  const { tensor } = column;
  if (tensor === undefined) throw new Error(`${label}: ${column.refusal}`);
  const width = field.type.listSize ?? 1;
  const [leafField, leaf] =
    field.type.name === 'fixedsizelist' ? [field.children[0]!, gold.children![0]!] : [field, gold];
  const flags = column.valid?.toElements();
  const isBinary = leafField.type.name === 'fixedsizebinary';
  const elements = isBinary ? rowsAsHex(tensor) : tensor.toElements();
  expect(elements.length, label).toBe(leaf.DATA!.length);
  const perFlag = flags === undefined ? 1 : elements.length / flags.length;
  elements.forEach((element, index) => {
    const isThere =
      (leaf.VALIDITY?.[index] ?? 1) === 1 && (leaf === gold || (gold.VALIDITY?.[Math.floor(index / width)] ?? 1) === 1);
    expect(flags?.[Math.floor(index / perFlag)] ?? true, `${label} ${index}`).toBe(isThere);
    if (isThere) expect(element, `${label} ${index}`).toEqual(goldElement(leafField, leaf.DATA![index]!));
  });
  return elements.length;
}

function rowsAsHex(tensor: TensorView): string[] {
  const [rows = 0, width = 0] = tensor.shape;
  const bytes = Buffer.from(rowMajorBytes(tensor, 'test'));
  return Array.from({ length: rows }, (_, row) =>
    bytes
      .subarray(row * width, (row + 1) * width)
      .toString('hex')
      .toUpperCase(),
  );
}

function goldElement({ type }: GoldField, value: number | string | boolean): unknown {
  if (type.name === 'bool') return value === true || value === 1;
  if (type.name === 'floatingpoint')
    return (type as { precision?: string }).precision === 'SINGLE' ? Math.fround(Number(value)) : value;
  if (type.name === 'utf8' || type.name === 'fixedsizebinary') return value;
  const isWide =
    type.bitWidth === 64 || type.name === 'timestamp' || (type.name === 'date' && type.unit === 'MILLISECOND');
  return isWide ? BigInt(value) : value;
}

function checkArrow(folder: string): void {
  const names = filesBelow(folder, /\.(stream|arrow_file)$/);
  expect(names.length).toBe(16);
  let elements = 0;
  for (const name of names) {
    const gold = JSON.parse(
      gunzipSync(readFileSync(`${folder}/${name.replace(/\..*/, '')}.json.gz`)).toString('utf8'),
    ) as Gold;
    const { schema, batches } = readArrowTable(bytesOf(`${folder}/${name}`));
    expect(schema.fields.map((field) => field.name)).toEqual(gold.schema.fields.map((field) => field.name));
    expect(batches.map((batch) => batch.rowCount)).toEqual(gold.batches.map((batch) => batch.count));
    batches.forEach((batch, index) => {
      batch.columns.forEach((column, place) => {
        const field = gold.schema.fields[place]!;
        elements += checkColumn(
          column,
          field,
          gold.batches[index]!.columns[place]!,
          `${name} batch ${index} ${field.name}`,
        );
      });
    });
  }
  // In a stream and a file each: 28 columns of 37 rows, 15 of 17, 17 lists of 4, 2 columns of 10 rows, 3 of 1.
  expect(elements).toBe(2 * (28 * 37 + 15 * 17 + 17 * 4 + 2 * 10 + 3));
}

describe('files of other projects, copied', () => {
  it('ONNX: 148 model tests read as the onnx library reads them', () => checkOnnx(`${dataFolder}onnx`, 148));
  it('Arrow: the gold files read as their JSON says', () => checkArrow(`${dataFolder}arrow`));
});

const title = isSharedMissing ? ' (skipped: there is no ../shared/data/tensor-wire beside the project)' : '';

describe.skipIf(isSharedMissing)(`files of other projects, all that are shared${title}`, () => {
  it('ONNX', () => checkOnnx(`${sharedFolder}onnx`, 154));
  it('Arrow', () => checkArrow(`${sharedFolder}arrow`));

  it('.npy: arrays are read and written again, pickled objects are refused', () => {
    const names = filesBelow(`${sharedFolder}npy`, /\.np[yz]$/);
    expect(names.length).toBeGreaterThanOrEqual(9);
    for (const name of names) {
      const bytes = bytesOf(`${sharedFolder}npy/${name}`);
      if (!name.includes('objarr')) {
        const tensor = readNpy(bytes);
        expect(tensor.elementCount * 8).toBeLessThanOrEqual(bytes.length);
        // Old headers are padded to 16 bytes; the payload is the same.
        const payload = Buffer.from(rowMajorBytes(tensor, 'test'));
        expect(payload.equals(bytes.subarray(bytes.length - payload.length)), name).toBe(true);
        expect(Buffer.from(writeNpy(tensor)).subarray(-payload.length).equals(payload), name).toBe(true);
      } else
        expect(() => readNpy(bytes), name).toThrow(name.endsWith('.npy') ? 'hold pickles' : 'the magic is missing');
    }
  });
});
