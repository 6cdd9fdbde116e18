// The .proto files, what is generated from them, and what is in use belong together.

import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, sep } from 'node:path';
import { expect, test } from 'vitest';

const proto = import.meta.dirname;
const programs = join(proto, '..', '..', 'node_modules', '.bin');

function buf(folder: string, ...words: string[]) {
  const { status, stdout, stderr } = spawnSync(join(programs, 'buf'), words, { cwd: folder, encoding: 'utf8' });
  return { status, output: `${stdout}${stderr}` };
}

/** A copy of the folder to change, with the plug-in found from there. */
function copied(act: (folder: string) => void): void {
  const folder = mkdtempSync(join(tmpdir(), 'sira-proto-'));
  try {
    cpSync(proto, folder, { recursive: true, filter: (path) => !path.includes(`${sep}examples`) });
    const template = readFileSync(join(folder, 'buf.gen.yaml'), 'utf8');
    writeFileSync(join(folder, 'buf.gen.yaml'), template.replace(/\S*node_modules\/\.bin/, programs));
    act(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function filesOf(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .toSorted((left, right) => (left < right ? -1 : 1));
}

test('the files keep the rules, and break nothing that is in use', () => {
  expect(buf(proto, 'lint')).toEqual({ status: 0, output: '' });
  expect(buf(proto, 'breaking', '--against', 'baseline.binpb')).toEqual({ status: 0, output: '' });
});

test('the generated code is what they generate', () => {
  copied((folder) => {
    rmSync(join(folder, 'generated'), { recursive: true });
    expect(buf(folder, 'generate')).toEqual({ status: 0, output: '' });
    const names = filesOf(join(proto, 'generated'));
    expect(filesOf(join(folder, 'generated'))).toEqual(names);
    expect(names.length).toBeGreaterThan(4);
    for (const name of names)
      expect(readFileSync(join(folder, 'generated', name), 'utf8'), name).toBe(
        readFileSync(join(proto, 'generated', name), 'utf8'),
      );
  });
});

test('a field that changes its number is found out', () => {
  copied((folder) => {
    const file = join(folder, 'sira', 'v1', 'work.proto');
    writeFileSync(file, readFileSync(file, 'utf8').replace('string function = 1;', 'string function = 9;'));
    const { status, output } = buf(folder, 'breaking', '--against', 'baseline.binpb');
    expect(status).not.toBe(0);
    expect(output).toContain('"1" with name "function" on message "Work" was deleted');
  });
});
