// `npm run interop:tensors`: writes tensors of every type, of seeded random bits, in every format, and has the reference
// libraries in Python read them back and compare every bit. The other direction, their files read by ours, is part of the tests
// (core/tensor/wire). Needs python3, or SIRA_PYTHON, with the libraries named below; without them it says so and steps aside,
// but not under CI.

import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { RandomStream } from '../../core/base/random.ts';
import { bytesPerElement, type DataType, dataTypes } from '../../core/tensor/data-type.ts';
import { elementCount } from '../../core/tensor/shape.ts';
import { TensorView } from '../../core/tensor/tensor-view.ts';
import { type NamedTensor, writeArrowTable, writeArrowTensor } from '../../core/tensor/wire/arrow-writer.ts';
import { writeNpy } from '../../core/tensor/wire/npy.ts';
import { writeOnnxTensor } from '../../core/tensor/wire/onnx-tensor.ts';
import { rowMajorBytes } from '../../core/tensor/wire/row-major-bytes.ts';
import { writeSafetensors } from '../../core/tensor/wire/safetensors.ts';
import type { TensorLabel } from '../../core/tensor/wire/tensor-header.ts';
import { encodeTensorMessage } from '../../core/tensor/wire/tensor-message.ts';

const libraries = ['numpy', 'ml_dtypes', 'safetensors', 'onnx', 'pyarrow', 'xxhash'];
const shapes = [[], [1], [7], [2, 3], [3, 1, 2], [0], [2, 0, 3], [1, 2, 3, 4, 5]];
const texts = ['', 'a', 'δοκιμή', '𝔘nicode', '\u2028\ufeff', 'quote"d\\', 'z'.repeat(300), 'line\nbreak'];

interface WrittenFile {
  readonly file: string;
  readonly format: string;
  readonly tensors: readonly unknown[];
  readonly metadata?: Readonly<Record<string, string>>;
}

function drawTensor(random: RandomStream, dataType: DataType, shape: readonly number[]): TensorView {
  const count = elementCount(shape);
  if (dataType === 'string')
    return new TensorView(
      dataType,
      shape,
      Array.from({ length: count }, () => texts[random.nextBelow(texts.length)]!),
    );
  const bound = dataType === 'bool' ? 2 : 256;
  const bytes = Uint8Array.from({ length: count * bytesPerElement(dataType) }, () => random.nextBelow(bound));
  if (count === 0) return new TensorView(dataType, shape, bytes);
  const view = new DataView(bytes.buffer);
  // Signalling NaNs with payloads: they lose a bit wherever a number is made of them.
  if (dataType === 'float32' || dataType === 'complex64') view.setUint32(0, 0x7f80beef, true);
  if (dataType === 'float64' || dataType === 'complex128') view.setBigUint64(0, 0xfff00000deadbeefn, true);
  return new TensorView(dataType, shape, bytes);
}

function described({ name, tensor }: NamedTensor): unknown[] {
  const isString = tensor.dataType === 'string';
  const content = isString ? tensor.toElements() : Buffer.from(rowMajorBytes(tensor, name)).toString('hex');
  return [name, tensor.dataType, tensor.shape, content];
}

/** Writes everything into `folder`, with what is in it as manifest.json. */
function writeAll(folder: string, seed: number): void {
  const random = new RandomStream(seed, 'tensor interoperability');
  const files: WrittenFile[] = [];
  const add = (file: string, format: string, bytes: Uint8Array, tensors: readonly NamedTensor[]): void => {
    writeFileSync(join(folder, file), bytes);
    files.push({ file, format, tensors: tensors.map(described) });
  };
  const all: NamedTensor[] = [];
  for (const dataType of Object.keys(dataTypes) as DataType[]) {
    const { kind } = dataTypes[dataType];
    const isSmallFloat = kind === 'float' && !['float16', 'float32', 'float64'].includes(dataType);
    shapes.forEach((shape, index) => {
      const tensor = drawTensor(random, dataType, shape);
      const name = `${dataType}-${index}`;
      // Every other one as a window whose elements do not lie together.
      const one = { name: 'x', tensor: index % 2 === 0 ? tensor : tensor.transpose() };
      all.push({ name, tensor: one.tensor });
      add(`${name}.onnx-tensor`, 'onnx', writeOnnxTensor(one), [one]);
      if (!isSmallFloat) add(`${name}.npy`, 'npy', writeNpy(one.tensor), [one]);
      if (['signed', 'unsigned', 'float'].includes(kind) && !isSmallFloat)
        add(`${name}.arrow-tensor`, 'arrow-tensor', writeArrowTensor(one.tensor), [one]);
      add(`${name}.sira`, 'sira', encodeTensorMessage(label(index), one.tensor), [one]);
    });
    if (kind === 'complex' || isSmallFloat) continue;
    const rows = [[4], [4, 3], [4, 2, 3]].map((shape) => drawTensor(random, dataType, shape));
    const columns = rows.map((tensor) => ({ name: `${tensor.shape}`, tensor }));
    add(`${dataType}.arrow`, 'arrow', writeArrowTable(columns), columns);
  }
  const weights = all.filter(({ tensor }) => tensor.dataType !== 'complex128' && tensor.dataType !== 'string');
  const metadata = new Map(texts.map((text, index) => [`${index}`, text]));
  const safetensors = writeSafetensors({ tensors: new Map(weights.map((one) => [one.name, one.tensor])), metadata });
  add('all.safetensors', 'safetensors', safetensors, weights);
  files.push({ ...files.pop()!, metadata: Object.fromEntries(metadata) });
  writeFileSync(join(folder, 'manifest.json'), JSON.stringify(files));
}

/** The topic repeats the rest of the label, so that the reader can compare. */
function label(index: number): TensorLabel {
  const sequence = 2 ** 40 + index;
  const producer = `agent-δ-${index}`;
  const deadlineMicros = index % 2 === 0 ? 2 ** 52 - index : undefined;
  const causalParent = index % 3 === 0 ? { producer: 'planner', sequence: index } : undefined;
  const parent = causalParent === undefined ? null : [causalParent.producer, causalParent.sequence];
  return {
    ...{ topic: JSON.stringify([sequence, producer, deadlineMicros ?? null, parent]), producer, sequence },
    ...(deadlineMicros === undefined ? {} : { deadlineMicros }),
    ...(causalParent === undefined ? {} : { causalParent }),
  };
}

/** Why `python` cannot read the files, or `undefined`. */
function missing(python: string): string | undefined {
  const probe = spawnSync(python, ['-c', `import ${libraries.join(', ')}`], { encoding: 'utf8' });
  if (probe.error !== undefined) return `${python} is not there`;
  return probe.status === 0 ? undefined : probe.stderr.trim().split('\n').at(-1);
}

const python = process.env.SIRA_PYTHON ?? 'python3';
const reason = missing(python);
if (reason !== undefined) {
  console.log(`skipped: ${reason}. Have them in a folder of their own and name it:`);
  console.log(`  python3 -m venv /tmp/tensors && /tmp/tensors/bin/pip install ${libraries.join(' ')}`);
  console.log('  SIRA_PYTHON=/tmp/tensors/bin/python npm run interop:tensors');
  process.exitCode = (process.env.CI ?? '') === '' ? 0 : 1;
} else {
  const folder = mkdtempSync(join(tmpdir(), 'sira-tensors-'));
  try {
    writeAll(folder, Number(process.argv[2] ?? 1));
    const script = fileURLToPath(new URL('read-tensors.py', import.meta.url));
    execFileSync(python, [script, folder], { stdio: 'inherit' });
  } catch {
    process.exitCode = 1;
  } finally {
    rmSync(folder, { recursive: true });
  }
}
