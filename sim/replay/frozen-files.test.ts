import { mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { describeLog } from '../../core/log/log.contract.ts';
import { describeFilePort, type FilePortSubject } from '../../core/ports/file-port.contract.ts';
import type { FileCompletion, FileRequest } from '../../core/ports/file-port.ts';
import { FrozenFiles } from './frozen-files.ts';

/** A folder that stays in memory from one opening to the next. */
const create = async (): Promise<FilePortSubject> => {
  const files = new FrozenFiles('/no/such/folder');
  let told: (completion: FileCompletion) => void = () => {};
  return {
    open: (complete) => {
      told = complete;
      return files;
    },
    runUntil: async (isDone) => {
      while (!isDone()) {
        const completion = files.next();
        if (completion === undefined) throw new Error('nothing is under way');
        told(completion);
      }
    },
    close: async () => {},
    dispose: async () => {},
  };
};

describeFilePort('frozen files', create);
describeLog('frozen files', create);

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sira-frozen-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function perform(files: FrozenFiles, request: FileRequest): FileCompletion {
  files.submit({ id: 1, request });
  return files.next() as FileCompletion;
}

function textOf(files: FrozenFiles, file: string, position = 0, length = 100): string {
  const completion = perform(files, { kind: 'readAt', file, position, length });
  return completion.ok ? new TextDecoder().decode(completion.bytes) : completion.failure;
}

it('reads what was on the disk, with what was changed since over it, and changes nothing there', () => {
  writeFileSync(join(folder, 'a.log'), 'on the disk');
  const files = new FrozenFiles(folder);
  writeFileSync(join(folder, 'later.log'), 'too late');
  writeFileSync(join(folder, 'a.log'), ', and more', { flag: 'a' });
  expect(files.names).toEqual(['a.log']);
  expect(textOf(files, 'a.log')).toBe('on the disk');

  const bytes = new TextEncoder().encode(' and in memory');
  perform(files, { kind: 'append', file: 'a.log', bytes });
  perform(files, { kind: 'append', file: 'a.log', bytes: bytes.subarray(0, 4) });
  bytes.fill(0);
  expect(textOf(files, 'a.log')).toBe('on the disk and in memory and');
  expect(textOf(files, 'a.log', 7, 8)).toBe('disk and');
  expect(textOf(files, 'a.log', 26, 100)).toBe('and');
  perform(files, { kind: 'truncate', file: 'a.log', size: 15 });
  perform(files, { kind: 'rename', file: 'a.log', to: 'b.log' });
  perform(files, { kind: 'create', file: 'c.log' });
  expect(textOf(files, 'b.log')).toBe('on the disk and');
  perform(files, { kind: 'truncate', file: 'b.log', size: 2 });
  expect(textOf(files, 'b.log')).toBe('on');
  expect(files.names).toEqual(['b.log', 'c.log']);
  perform(files, { kind: 'remove', file: 'b.log' });
  expect(textOf(files, 'b.log')).toBe('notFound');

  expect(readdirSync(folder)).toEqual(['a.log', 'later.log']);
  expect(readFileSync(join(folder, 'a.log'), 'utf8')).toBe('on the disk, and more');
});

it('does not pass off a file that was cut or removed meanwhile as what it was', () => {
  writeFileSync(join(folder, 'a.log'), 'on the disk');
  const files = new FrozenFiles(folder);
  truncateSync(join(folder, 'a.log'), 4);
  expect(textOf(files, 'a.log')).toBe('ioError');
  rmSync(join(folder, 'a.log'));
  expect(textOf(files, 'a.log')).toBe('ioError');
});
