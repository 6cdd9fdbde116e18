// How fast tensors go onto the wire and come off it, beside a plain copy of the same bytes in the same run: the floor for
// whoever moves them at all. Figures are medians of interleaved repetitions, in GB/s of processor time, because other work on
// the machine stretches the wall clock; the ratio to the copy is what counts.
// Run: npm run bench:tensors [-- --json FILE]

import { writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import Table from 'cli-table3';
import { median } from 'simple-statistics';
import { RandomStream } from '../../base/random.ts';
import { TensorView } from '../tensor-view.ts';
import { readArrowTensor } from './arrow.ts';
import { writeArrowTensor } from './arrow-writer.ts';
import { readNpy, writeNpy } from './npy.ts';
import { readOnnxTensor, writeOnnxTensor } from './onnx-tensor.ts';
import { readSafetensors, writeSafetensors } from './safetensors.ts';
import { decodeTensorMessage, encodeTensorMessage, encodeTensorParts } from './tensor-message.ts';
import { xxHash32 } from './xx-hash.ts';

const repetitions = 7;
const bytesPerRepetition = 64 * 2 ** 20;
const sizes = [4 * 2 ** 10, 64 * 2 ** 10, 2 ** 20, 32 * 2 ** 20];
const label = { topic: 'activations/layer-3', producer: 'agent-7#2', sequence: 41 };

interface Row {
  readonly bytes: number;
  readonly name: string;
  /** Median over the repetitions; processor time of this process. */
  readonly gigabytesPerSecond: number;
  /** Median of the speed over the copy's, measured one right after the other. */
  readonly ratioToCopy: number;
  /** Microseconds for one tensor. */
  readonly microsPerTensor: number;
}

/** Keeps results alive, so that no work is optimized away. */
let sink = 0;

function operations(bytes: number): Record<string, () => void> {
  const random = new RandomStream(bytes, 'bench');
  const data = Uint8Array.from({ length: bytes }, () => random.nextBelow(256));
  const tensor = new TensorView('float32', [bytes / 4], data);
  const target = new Uint8Array(bytes);
  const named = { name: 'x', tensor };
  const file = { tensors: new Map([['x', tensor]]), metadata: new Map() };
  const message = encodeTensorMessage(label, tensor);
  const [npy, onnx, arrow, safetensors] = [
    ...[writeNpy(tensor), writeOnnxTensor(named), writeArrowTensor(tensor), writeSafetensors(file)],
  ] as const;
  const keep = (view: TensorView): void => {
    sink += (view.data as Uint8Array)[0]!;
  };
  return {
    'copy (set)': () => {
      target.set(data);
      sink += target[0]!;
    },
    'copy into new memory': () => {
      sink += data.slice()[0]!;
    },
    'checksum (XXH32)': () => {
      sink += xxHash32(data);
    },
    'encode, header and payload apart': () => {
      sink += encodeTensorParts(label, tensor).payload.length;
    },
    'encode into one piece': () => {
      sink += encodeTensorMessage(label, tensor).length;
    },
    decode: () => keep(decodeTensorMessage(message).tensor),
    'decode, payload trusted': () => keep(decodeTensorMessage(message, { trustPayload: true }).tensor),
    'write safetensors': () => {
      sink += writeSafetensors(file).length;
    },
    'read safetensors': () => keep(readSafetensors(safetensors!).tensors.get('x')!),
    'write .npy': () => {
      sink += writeNpy(tensor).length;
    },
    'read .npy': () => keep(readNpy(npy!)),
    'write ONNX': () => {
      sink += writeOnnxTensor(named).length;
    },
    'read ONNX': () => keep(readOnnxTensor(onnx!).tensor),
    'write Arrow': () => {
      sink += writeArrowTensor(tensor).length;
    },
    'read Arrow': () => keep(readArrowTensor(arrow!).tensor),
  };
}

/** Seconds of processor time for `count` calls. */
function seconds(operation: () => void, count: number): number {
  const start = process.cpuUsage();
  for (let index = 0; index < count; index++) operation();
  const { user, system } = process.cpuUsage(start);
  return Math.max(1, user + system) / 1e6;
}

function measure(bytes: number): Row[] {
  const cases = Object.entries(operations(bytes));
  const count = Math.max(2, Math.min(20_000, Math.round(bytesPerRepetition / bytes)));
  const copy = cases[0]![1];
  for (const [, operation] of cases) seconds(operation, Math.min(count, 2000));
  const speeds = new Map<string, number[]>(cases.map(([name]) => [name, []]));
  const ratios = new Map<string, number[]>(cases.map(([name]) => [name, []]));
  for (let repetition = 0; repetition < repetitions; repetition++) {
    for (const [name, operation] of cases) {
      const floor = seconds(copy, count);
      const own = seconds(operation, count);
      speeds.get(name)!.push((count * bytes) / own / 1e9);
      ratios.get(name)!.push(floor / own);
    }
  }
  return cases.map(([name]) => {
    const gigabytesPerSecond = median(speeds.get(name)!);
    return {
      ...{ bytes, name, gigabytesPerSecond, ratioToCopy: median(ratios.get(name)!) },
      microsPerTensor: bytes / gigabytesPerSecond / 1000,
    };
  });
}

const rows = sizes.flatMap(measure);
const processors = cpus();
const machine = `${processors[0]?.model ?? 'unknown processor'} × ${processors.length}, Node ${process.version}`;
console.log(machine);
for (const bytes of sizes) {
  const table = new Table({
    head: [`tensor of ${bytes / 1024} KiB`, 'GB/s', '× copy', 'µs each'],
    style: { head: [] },
  });
  for (const row of rows.filter((one) => one.bytes === bytes)) {
    // A window costs the same whatever its size: speed in bytes says nothing there.
    const isWindow = row.gigabytesPerSecond > 1000;
    const speed = isWindow ? '–' : row.gigabytesPerSecond.toFixed(2);
    table.push([row.name, speed, isWindow ? '–' : row.ratioToCopy.toFixed(2), row.microsPerTensor.toFixed(2)]);
  }
  console.log(table.toString());
}
const jsonAt = process.argv.indexOf('--json');
if (jsonAt > 0) writeFileSync(process.argv[jsonAt + 1]!, `${JSON.stringify({ machine, rows }, undefined, 2)}\n`);
if (Number.isNaN(sink)) console.log('');
