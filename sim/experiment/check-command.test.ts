import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { SiraError } from '../../core/base/errors.ts';
import type { CommandContext } from '../../core/ports/command.ts';
import { checkCommand } from './check-command.ts';
import { policiesCommand } from './policies-command.ts';

let folder = '';

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'sira-check-'));
  const scenario = (trace: string, gpus: number): string =>
    [
      'name: small',
      `cluster: { format: groups, groups: [ { name: node, count: 2, cpuCores: 4, gpuCount: ${gpus}, gpuModel: T4 } ] }`,
      `workload: { format: csv, file: ${trace}, columns: { arrival: at, duration: for, gpuCount: gpus } }`,
      'policies: [best-fit]',
      'seeds: [3]',
    ].join('\n');
  writeFileSync(join(folder, 'good.csv'), 'at,for,gpus\n0,10,1\n5,10,2\n');
  writeFileSync(join(folder, 'bad.csv'), 'at,for,gpus\n0,10,1\n5,soon,2\n');
  writeFileSync(join(folder, 'good.yaml'), scenario('good.csv', 2));
  writeFileSync(join(folder, 'bad-row.yaml'), scenario('bad.csv', 2));
  writeFileSync(join(folder, 'too-small.yaml'), scenario('good.csv', 0).replace(', gpuModel: T4', ''));
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

function context(): CommandContext & { readonly output: string[]; readonly problems: SiraError[] } {
  const output: string[] = [];
  const problems: SiraError[] = [];
  return {
    output,
    problems,
    terminal: {
      write: (text) => void output.push(text),
      writeError: () => {},
      colour: false,
      colourError: false,
      interactive: false,
      columns: 80,
    },
    printError: (error) => void problems.push(error),
    projectRoot: folder,
    version: '0',
    line: '',
  };
}

test('a sound scenario is summed up in a line', () => {
  const seen = context();
  expect(checkCommand.run({ arguments: [join(folder, 'good.yaml')], options: {} }, seen)).toBe(0);
  expect(seen.problems).toEqual([]);
  expect(seen.output.join('')).toBe(
    `${join(folder, 'good.yaml')}: 2 machines with 4 GPUs, 2 tasks in the trace, 1 policy, 1 seed\n`,
  );
});

test('a bad row of the trace is found, by line and field', () => {
  const seen = context();
  expect(checkCommand.run({ arguments: [join(folder, 'bad-row.yaml')], options: {} }, seen)).toBe(2);
  expect(seen.problems).toHaveLength(1);
  expect(seen.problems[0]).toMatchObject({
    code: 'SIRA_TRACE_MALFORMED',
    place: { file: join(folder, 'bad.csv'), line: 3, field: 'for' },
  });
});

test('all files are checked, whatever the first says; a problem without a place gets the scenario’s', () => {
  const seen = context();
  const files = ['none.yaml', 'too-small.yaml', 'good.yaml'].map((name) => join(folder, name));
  expect(checkCommand.run({ arguments: files, options: {} }, seen)).toBe(2);
  expect(seen.problems.map(({ code }) => code)).toEqual(['SIRA_FILE_MISSING', 'SIRA_SCENARIO_INVALID']);
  expect(seen.problems[1]?.place.file).toBe(files[1]);
  expect(seen.output).toHaveLength(1);
});

test('policies are listed for people and for programs', () => {
  const people = context();
  policiesCommand.run({ arguments: [], options: {} }, people);
  expect(people.output.join('')).toMatch(/best-fit {2,}\S/);
  const programs = context();
  policiesCommand.run({ arguments: [], options: { json: true } }, programs);
  const parts = JSON.parse(programs.output.join('')) as Record<string, Record<string, string>>;
  expect(Object.keys(parts)).toEqual(['order', 'place', 'unplaced', 'backfill', 'preempt']);
  expect(parts.place?.['best-fit']).toBeTypeOf('string');
});
