// Durable topics over real sockets and files, their kernel killed by its own shell: what was published is delivered, in the order
// promised, and comes again until it is acknowledged.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, onTestFailed, test } from 'vitest';
import { type ReceivedMessage, Topics } from './client.ts';
import { killed, LiveProcesses } from './live-processes.contract.ts';
import { silentLogger } from './logger.ts';
import { type RunningKernel, runKernel } from './run-kernel.ts';
import { startSettings } from './start-settings.ts';

let folder = '';
let running: RunningKernel;
let ends: (() => unknown)[] = [];
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sira-topics-'));
  ends = [];
  const fields = {
    data: folder,
    grpc: { address: '127.0.0.1:0' },
    http: { address: '127.0.0.1:0' },
    durability: 'processCrash',
  } as const;
  running = await runKernel(startSettings(fields), '1', silentLogger);
});
afterEach(async () => {
  for (const end of ends) await end();
  await running.stop();
  rmSync(folder, { recursive: true, force: true });
});

async function client(name: string, address = running.grpc.address): Promise<Topics> {
  const topics = await Topics.connect({ address, name });
  ends.push(() => topics.close());
  return topics;
}

async function until(condition: () => boolean, millis = 60_000): Promise<void> {
  const end = performance.now() + millis;
  while (!condition()) {
    if (performance.now() > end) throw new Error('waited in vain');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

const text = (value: string) => new TextEncoder().encode(value);
const read = ({ payload }: ReceivedMessage) => new TextDecoder().decode(payload);

test('what is published goes to every group, in order, and to a group that comes later', async () => {
  const producer = await client('producer');
  await producer.create('news');
  const offsets = await Promise.all(
    Array.from({ length: 100 }, (_, index) => producer.publish('news', text(`${index}`))),
  );
  expect(offsets).toEqual(Array.from({ length: 100 }, (_, index) => index));
  const consumer = await client('consumer');
  const seen: Record<string, string[]> = { a: [], b: [] };
  for (const group of ['a', 'b'])
    consumer.subscribe({
      topic: 'news',
      group,
      mode: 'exclusive',
      handle: (message) => void seen[group]!.push(read(message)),
    });
  await until(() => seen.a!.length === 100 && seen.b!.length === 100);
  expect(seen.a).toEqual(Array.from({ length: 100 }, (_, index) => `${index}`));
  expect(seen.b).toEqual(seen.a);
});

test('a message whose handler throws comes again, and then is a dead letter', async () => {
  const topics = await client('one');
  await topics.create('dead');
  await topics.create('work', { attemptsMax: 2, deadLetterTopic: 'dead' });
  const attempts: number[] = [];
  topics.subscribe({
    topic: 'work',
    group: 'g',
    mode: 'shared',
    handle: ({ attempt }) => {
      attempts.push(attempt);
      throw new Error('no');
    },
  });
  const dead: string[] = [];
  topics.subscribe({
    topic: 'dead',
    group: 'd',
    mode: 'exclusive',
    handle: (message) => void dead.push(read(message)),
  });
  await topics.publish('work', text('x'));
  await until(() => dead.length === 1);
  expect(dead).toEqual(['x']);
  expect(attempts).toEqual([1, 2]);
});

test('what the broker does not want is refused with the reason', async () => {
  const topics = await client('one');
  await expect(topics.publish('nowhere', text('x'))).rejects.toThrow('nowhere');
  await expect(topics.create('')).rejects.toThrow();
  await expect(Topics.connect({ address: running.grpc.address, name: '~x' })).rejects.toThrow('does not begin with ~');
});

test('a kernel that is killed loses nothing that was published, and delivers each message', async () => {
  const processes = new LiveProcesses();
  onTestFailed(() => void process.stderr.write(processes.errors.join('')));
  ends.unshift(() => processes.end());
  const options = ['--durability', 'processCrash'];
  let kernel = await processes.startKernel(...options);
  const producer = await client('producer', processes.address);
  const consumer = await client('consumer', processes.address);
  await producer.create('stream');
  const seen = new Map<number, string>();
  consumer.subscribe({
    topic: 'stream',
    group: 'all',
    mode: 'keyOrdered',
    handle: async (message) => {
      await new Promise((resolve) => setTimeout(resolve, 1));
      seen.set(message.offset, read(message));
    },
  });
  const published: Promise<number>[] = [];
  for (let index = 0; index < 300; index++) {
    published.push(producer.publish('stream', text(`${index}`), { key: `${index % 7}` }));
    if (index % 10 === 0) await new Promise((resolve) => setTimeout(resolve, 2));
    if (index === 150) {
      await killed(kernel, 'SIGKILL');
      kernel = await processes.startKernel(...options);
    }
  }
  const offsets = await Promise.all(published);
  await until(() => seen.size === 300);
  // Stored once each, and acknowledged to whom it was stored.
  expect([...seen.values()].map(Number).toSorted((left, right) => left - right)).toEqual(
    Array.from({ length: 300 }, (_, index) => index),
  );
  offsets.forEach((offset, index) => {
    if (offset >= 0) expect(seen.get(offset)).toBe(`${index}`);
  });
  expect(await killed(kernel, 'SIGTERM')).toBe(0);
});
