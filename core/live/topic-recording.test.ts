// What reached the durable topics of a real kernel, killed on the way, is played again in a process of its own, and comes to the same;
// what was put into a recording afterwards is found at its call.

import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { deserialize, serialize } from 'node:v8';
import { afterEach, beforeEach, expect, onTestFailed, test } from 'vitest';
import type { RecordedFrame } from '../bus/topics/recorded-call.ts';
import { Topics } from './client.ts';
import { built, killed, LiveProcesses } from './live-processes.contract.ts';

let processes: LiveProcesses;
beforeEach(() => {
  processes = new LiveProcesses();
  onTestFailed(() => void process.stderr.write(processes.errors.join('')));
});
afterEach(() => processes.end());

function replay() {
  const words = [join(built, 'sira.js'), 'replay', processes.data, '--broker', '--json'];
  const { status, stdout, stderr } = spawnSync(process.execPath, words, { encoding: 'utf8' });
  return { status, verdicts: stdout === '' ? [] : JSON.parse(stdout), stderr };
}

function frames(file: string): unknown[] {
  const bytes = readFileSync(file);
  const found: unknown[] = [];
  for (let at = 0; at + 4 <= bytes.length; ) {
    const length = bytes.readUInt32LE(at);
    if (at + 4 + length > bytes.length) break;
    found.push(deserialize(bytes.subarray(at + 4, at + 4 + length)));
    at += 4 + length;
  }
  return found;
}

function write(file: string, all: readonly unknown[]): void {
  const parts = all.flatMap((frame) => {
    const body = serialize(frame);
    const length = Buffer.alloc(4);
    length.writeUInt32LE(body.length);
    return [length, body];
  });
  writeFileSync(file, Buffer.concat(parts));
}

test('a recorded broker, killed once, does the same again; a planted difference is found', {
  timeout: 240_000,
}, async () => {
  const kernel = await processes.startKernel('--record-topics', '--durability', 'processCrash');
  const topics = await Topics.connect({ address: processes.address, name: 'reader' });
  await topics.create('news');
  let seen = 0;
  topics.subscribe({
    topic: 'news',
    group: 'readers',
    mode: 'exclusive',
    handle: async () => {
      seen++;
    },
  });
  for (let count = 0; count < 60; count++) await topics.publish('news', Uint8Array.of(count, 1, 2));
  await killed(kernel, 'SIGKILL');
  const again = await processes.startKernel('--record-topics', '--durability', 'processCrash');
  for (let count = 0; count < 60; count++) await topics.publish('news', Uint8Array.of(count, 3, 4));
  const end = performance.now() + 60_000;
  while (seen < 120 && performance.now() < end) await new Promise((resolve) => setTimeout(resolve, 20));
  expect(seen).toBeGreaterThanOrEqual(120);
  await topics.close();
  await killed(again, 'SIGTERM');

  const { status, verdicts, stderr } = replay();
  expect(stderr).toBe('');
  expect(verdicts).toMatchObject([{ verdict: 'equal' }, { verdict: 'equal' }]);
  expect(status).toBe(0);
  for (const { inputs, effects, recordedDigest, replayedDigest } of verdicts) {
    expect(inputs).toBeGreaterThan(60);
    expect(effects).toBeGreaterThan(100);
    expect(replayedDigest).toBe(recordedDigest);
  }

  const folder = join(processes.data, 'topics', 'recordings');
  const [, last] = readdirSync(folder).sort();
  const file = join(folder, last as string);
  const recorded = frames(file);
  const at = recorded.findIndex((frame, index) => {
    const { call } = frame as RecordedFrame;
    return index > 100 && call?.call === 'handle' && call.input.kind === 'publish';
  });
  const frame = recorded[at] as RecordedFrame;
  if (frame.call.call !== 'handle') throw new Error('it is a publication');
  const planted = { ...frame, call: { ...frame.call, input: { ...frame.call.input, payload: Uint8Array.of(9) } } };
  write(file, [...recorded.slice(0, at), planted, ...recorded.slice(at + 1)]);
  const found = replay();
  expect(found.status).toBe(1);
  expect(found.verdicts[1]).toMatchObject({ verdict: 'different' });
  expect(found.verdicts[1].calls).toBeGreaterThanOrEqual(at);
  expect(found.verdicts[1].told.join('\n')).toContain('digest');
});

test('without a recording it says how to make one', async () => {
  const { status, stderr } = replay();
  expect(status).not.toBe(0);
  expect(stderr).toContain('--record-topics');
});
