import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync, gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { SiraError } from '../../core/base/errors.ts';
import { openMachines } from './open-machines.ts';
import type { ClusterSpec } from './spec.ts';
import type { MachineSpec } from './workload.ts';

const data = (name: string): string =>
  fileURLToPath(new URL(`../../scenarios/data/openb-fgd/${name}`, import.meta.url));
const allNodes = data('openb_node_list_all_node.csv');
const gpuNodes = data('openb_node_list_gpu_node.csv');
const nodeOrder = data('orders/default-{seed}-nodes.txt.gz');
const folder = mkdtempSync(join(tmpdir(), 'sira-machines-'));

const openb = (changes: Partial<ClusterSpec & { format: 'openb' }> = {}): ClusterSpec => ({
  format: 'openb',
  file: gpuNodes,
  gpuOnly: true,
  sample: 1,
  ...changes,
});

function written(name: string, content: string | Buffer): string {
  const file = join(folder, name);
  writeFileSync(file, content);
  return file;
}

function errorOf(call: () => unknown): SiraError {
  try {
    call();
  } catch (error) {
    return error as SiraError;
  }
  throw new Error('nothing was thrown');
}

function mixOf(machines: readonly MachineSpec[]): Record<string, number> {
  const mix: Record<string, number> = {};
  for (const { gpuModel, gpuCount, cpuMilli, memoryMib } of machines) {
    const kind = `${gpuModel} ${gpuCount} ${cpuMilli} ${memoryMib}`;
    mix[kind] = (mix[kind] ?? 0) + 1;
  }
  return mix;
}

describe('openb node lists', () => {
  test('the whole list has 1,523 machines; 1,213 of them have 6,212 GPUs', () => {
    expect(openMachines(openb({ file: allNodes, gpuOnly: false }), 1).machines).toHaveLength(1523);
    const { machines, notes } = openMachines(openb({ file: allNodes }), 1);
    expect(machines).toHaveLength(1213);
    expect(machines.reduce((sum, machine) => sum + machine.gpuCount, 0)).toBe(6212);
    expect(notes).toEqual(['310 machines without a GPU left out.']);
  });

  test('the GPU list is the whole list without CPU machines, under other names', () => {
    const fromAll = openMachines(openb({ file: allNodes }), 1).machines;
    const fromGpu = openMachines(openb(), 1).machines;
    const unnamed = (machine: MachineSpec): object => ({ ...machine, name: '' });
    expect(fromGpu.map(unnamed)).toEqual(fromAll.map(unnamed));
    expect(fromGpu[0]).toEqual({
      name: 'openb-node-0000',
      cpuMilli: 64000,
      memoryMib: 262144,
      gpuCount: 2,
      gpuModel: 'P100',
    });
    expect(fromAll[0]?.name).not.toBe('openb-node-0000');
  });

  test('a tenth has the mix that largest remainder gives, whatever the seed', () => {
    const { machines, notes } = openMachines(openb({ sample: 0.1 }), 42);
    // 1213 · 0.1 → 121 seats; quotas of the kinds: 54.9 38.7 10.7 3.9 2.8 2.2 2.1 1.9 1.7 0.9 0.7 0.3 0.2 0.2 0.1; floors sum
    // to 113, and 8 seats go to 0.9 (4 kinds), 0.8, and to the largest three kinds of 0.7.
    expect(mixOf(machines)).toEqual({
      'G2 8 96000 393216': 55,
      'T4 2 104000 524288': 39,
      'P100 2 16000 122880': 11,
      'G3 8 128000 786432': 4,
      'V100M16 4 32000 131072': 3,
      'P100 2 64000 262144': 2,
      'V100M32 8 96000 786432': 2,
      'V100M16 1 8000 32768': 2,
      'T4 4 96000 393216': 2,
      'V100M32 4 48000 376832': 1,
    });
    expect(notes).toEqual([
      '121 of 1,213 machines were drawn by seed, with the same mix of kinds (largest remainder).',
    ]);
    const other = openMachines(openb({ sample: 0.1 }), 43).machines;
    expect(mixOf(other)).toEqual(mixOf(machines));
    expect(other.map((machine) => machine.name)).not.toEqual(machines.map((machine) => machine.name));
  });

  test('property: a sample is a subset in the list’s order, of the rounded size, the same for the same seed', () => {
    const whole = openMachines(openb({ file: allNodes, gpuOnly: false }), 1).machines.map((machine) => machine.name);
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 2 ** 40 }),
        fc.double({ min: 0.001, max: 0.999, noNaN: true }),
        (seed, sample) => {
          const spec = openb({ file: allNodes, gpuOnly: false, sample });
          const names = openMachines(spec, seed).machines.map((machine) => machine.name);
          expect(names).toHaveLength(Math.round(whole.length * sample));
          const kept = new Set(names);
          expect(names).toEqual(whole.filter((name) => kept.has(name)));
          expect(openMachines(spec, seed).machines.map((machine) => machine.name)).toEqual(names);
        },
      ),
      { numRuns: 10 },
    );
  });

  test('an order file puts the machines in its order, by the seed in its name', () => {
    const { machines } = openMachines(openb({ order: nodeOrder }), 42);
    const numbers = gunzipSync(readFileSync(data('orders/default-42-nodes.txt.gz')))
      .toString()
      .trim()
      .split('\n');
    expect(machines.map((machine) => machine.name)).toEqual(numbers.map((number) => `openb-node-${number}`));
    expect(openMachines(openb({ order: nodeOrder }), 43).machines[0]?.name).toBe('openb-node-0764');
    const sampled = openMachines(openb({ order: nodeOrder, sample: 0.1 }), 42).machines;
    expect(sampled).toHaveLength(121);
  });

  test('shuffled machines are the same machines in an order of the seed', () => {
    const names = (seed: number): string[] =>
      openMachines(openb({ shuffle: true }), seed).machines.map(({ name }) => name);
    const listed = openMachines(openb({}), 1).machines.map(({ name }) => name);
    expect(names(1)).not.toEqual(listed);
    expect(names(1)).not.toEqual(names(2));
    expect(names(1)).toEqual(names(1));
    expect(names(1).toSorted()).toEqual(listed.toSorted());
  });

  test('an order made for another list is refused', () => {
    const error = errorOf(() => openMachines(openb({ file: allNodes, order: nodeOrder }), 42));
    expect(error.code).toBe('SIRA_TRACE_MALFORMED');
    expect(error.place.file).toContain('default-42-nodes');
    expect(error.message).toMatch(/the order names \d+ of 1213 machines; "openb-node-\d{4}" is not among them/);
  });
});

describe('groups', () => {
  test('machines are numbered within their group', () => {
    const { machines } = openMachines(
      {
        format: 'groups',
        groups: [{ name: 'gpu', count: 11, cpuMilli: 1000, memoryMib: 5, gpuCount: 2, gpuModel: 'T4' }],
      },
      1,
    );
    expect(machines).toHaveLength(11);
    expect(machines[10]).toEqual({ name: 'gpu-10', cpuMilli: 1000, memoryMib: 5, gpuCount: 2, gpuModel: 'T4' });
    expect(machines[3]?.name).toBe('gpu-03');
  });

  test('a cluster without machines is refused', () => {
    expect(errorOf(() => openMachines({ format: 'groups', groups: [] }, 1)).code).toBe('SIRA_SCENARIO_INVALID');
    expect(errorOf(() => openMachines(openb({ sample: 1e-6 }), 1)).code).toBe('SIRA_SCENARIO_INVALID');
  });
});

describe('what is wrong is named with file, line and field', () => {
  const header = 'sn,cpu_milli,memory_mib,gpu,model\n';
  const rows: [string, string, number | undefined, string | undefined, RegExp][] = [
    ['a word', `${header}a,1000,1,0,\nb,many,1,0,\n`, 3, 'cpu_milli', /"many" is not a number/],
    ['a negative', `${header}a,1000,-1,0,\n`, 2, 'memory_mib', /-1 is negative/],
    ['a fraction', `${header}a,1000,1,0.5,T4\n`, 2, 'gpu', /0\.5 is not a whole number/],
    ['an empty field', `${header}\na,1000,1,,T4\n`, 3, 'gpu', /is empty/],
    ['too many GPUs', `${header}a,1000,1,17,T4\n`, 2, 'gpu', /at most 16/],
    ['too few fields', `${header}a,1000,1,1,T4\nb,1000\n`, 3, undefined, /2 fields, the header 5/],
    ['a missing column', 'sn,cpu_milli,gpu,model\n', 1, 'memory_mib', /no column "memory_mib"/],
    ['an open quote', `${header}"a,1000,1,1,T4\n`, 2, undefined, /quote/i],
    ['nothing', '', 1, undefined, /empty/],
  ];
  test.each(rows)('%s', (name, content, line, field, message) => {
    const file = written(`${name.replaceAll(' ', '-')}.csv`, content);
    const error = errorOf(() => openMachines(openb({ file }), 1));
    expect(error.code).toBe('SIRA_TRACE_MALFORMED');
    expect(error.place.file).toBe(file);
    expect(error.place.line).toBe(line);
    expect(error.place.field).toBe(field);
    expect(error.message).toMatch(message);
  });

  test('a missing file, and broken gzip', () => {
    const missing = errorOf(() => openMachines(openb({ file: '/nowhere/nodes.csv' }), 1));
    expect(missing.code).toBe('SIRA_FILE_MISSING');
    expect(missing.place.file).toBe('/nowhere/nodes.csv');
    const broken = written('broken.csv.gz', gzipSync(header).subarray(0, 12));
    expect(errorOf(() => openMachines(openb({ file: broken }), 1)).code).toBe('SIRA_TRACE_MALFORMED');
  });

  test('a number that stands twice in an order', () => {
    const file = written('two.csv', `${header}a-1,1000,1,1,T4\na-2,1000,1,1,T4\n`);
    const order = written('two.txt', '1\n1\n2\n');
    const error = errorOf(() => openMachines(openb({ file, order }), 1));
    expect(error.place).toMatchObject({ file: order, line: 2 });
  });

  test('a byte order mark and tabs in a .tsv are understood', () => {
    const file = written('nodes.tsv', `\ufeff${header.replaceAll(',', '\t')}a-1\t1000\t1\t1\tT4\n`);
    expect(openMachines(openb({ file }), 1).machines).toHaveLength(1);
  });
});
