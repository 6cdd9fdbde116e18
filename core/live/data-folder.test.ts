import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { DataFolder } from './data-folder.ts';

let folder = '';
let lock = '';
beforeEach(() => {
  folder = join(mkdtempSync(join(tmpdir(), 'sira-folder-')), 'data');
  lock = join(folder, 'lock.json');
});
afterEach(() => rmSync(join(folder, '..'), { recursive: true, force: true }));

describe('the lock of a data folder', () => {
  test('keeps a second one off until it is released', () => {
    const first = DataFolder.open(folder);
    expect(() => DataFolder.open(folder)).toThrow(
      expect.objectContaining({ code: 'SIRA_DATA_LOCKED', message: expect.stringContaining(`process ${process.pid}`) }),
    );
    first.release();
    expect(existsSync(lock)).toBe(false);
    const second = DataFolder.open(folder);
    // Whose lock it is no more leaves it alone.
    first.release();
    expect(existsSync(lock)).toBe(true);
    second.release();
  });

  test('of a process that was killed is taken over', async () => {
    const child = spawn('sleep', ['60']);
    await new Promise((resolve) => child.once('spawn', resolve));
    DataFolder.open(folder).release();
    writeFileSync(lock, JSON.stringify({ pid: child.pid, started: '', since: '' }));
    expect(() => DataFolder.open(folder)).toThrow(`process ${child.pid}`);
    child.kill('SIGKILL');
    await new Promise((resolve) => child.once('exit', resolve));
    const taken = DataFolder.open(folder);
    expect(JSON.parse(readFileSync(lock, 'utf8'))).toMatchObject({ pid: process.pid });
    taken.release();
  });

  test('of another process with the same number, or without sense, is taken over', () => {
    DataFolder.open(folder).release();
    for (const content of [JSON.stringify({ pid: process.pid, started: 'another boot 17', since: '' }), 'x', '']) {
      writeFileSync(lock, content);
      DataFolder.open(folder).release();
    }
  });

  test('a folder that cannot be made is a coded error', () => {
    DataFolder.open(folder).release();
    writeFileSync(lock, '');
    expect(() => DataFolder.open(join(lock, 'data'))).toThrow(expect.objectContaining({ code: 'SIRA_DISK_FAILED' }));
  });
});
