import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { LiveClock } from './live-clock.ts';
import { PayloadStore } from './payload-store.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sira-payloads-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function open(changes: { readonly cacheBytesMax?: number; readonly payloadBytesMax?: number } = {}) {
  return PayloadStore.open({
    folder,
    clock: new LiveClock(),
    syncs: false,
    payloadBytesMax: 1024 ** 2,
    cacheBytesMax: 1024 ** 2,
    failed: (fault) => {
      throw new Error(fault.reason);
    },
    ...changes,
  });
}

const key = (submission: number, attempt = 0) => ({ submitter: 2 ** 51 + 1, submission, attempt });
const bytes = (length: number, value: number) => new Uint8Array(length).fill(value);

async function put(store: PayloadStore, ...[of, value]: Parameters<PayloadStore['put']>): Promise<void> {
  const given = store.put(of, value);
  if (!given.ok) throw new Error(given.reason);
  await given.value;
}

describe('the store of payloads', () => {
  test('what was put is there after a restart, what was removed is not', async () => {
    const store = await open();
    await Promise.all([1, 2, 3].map((submission) => put(store, key(submission), bytes(100, submission))));
    await put(store, key(2, 7), bytes(50, 70));
    await put(store, key(3), bytes(10, 33));
    store.remove(key(1).submitter, 1);
    expect(await store.get(key(1))).toBeUndefined();
    await store.close();

    const again = await open();
    expect([...again.submissions()].map(({ submission }) => submission)).toEqual([2, 3]);
    expect(await again.get(key(1))).toBeUndefined();
    expect(await again.get(key(2))).toEqual(bytes(100, 2));
    expect(await again.get(key(2, 7))).toEqual(bytes(50, 70));
    expect(await again.get(key(3))).toEqual(bytes(10, 33));
    expect([again.count, again.sizeBytes]).toEqual([3, 160]);
    again.remove(key(2).submitter, 2, 7);
    expect(again.has(key(2, 7))).toBe(false);
    expect(again.has(key(2))).toBe(true);
    await again.close();
  });

  test('memory keeps the latest, the disk the others', async () => {
    const store = await open({ cacheBytesMax: 2500 });
    for (let submission = 1; submission <= 10; submission++) await put(store, key(submission), bytes(1000, submission));
    expect(store.getNow(key(1))).toBeUndefined();
    expect(store.getNow(key(10))).toBeDefined();
    const read = await Promise.all(Array.from({ length: 200 }, (_, index) => store.get(key(1 + (index % 10)))));
    read.forEach((found, index) => {
      expect(found).toEqual(bytes(1000, 1 + (index % 10)));
    });
    await store.close();
  });

  test('what is too large is refused, and so is everything after the end', async () => {
    const store = await open({ payloadBytesMax: 1000 });
    expect(store.put(key(1), bytes(1001, 0))).toMatchObject({ ok: false, code: 'SIRA_MESSAGE_REFUSED' });
    await put(store, key(1), bytes(1000, 1));
    await store.close();
    expect(store.put(key(2), bytes(1, 0))).toMatchObject({ ok: false, code: 'SIRA_LOG_CLOSED' });
  });

  test('a disk that holds mostly what was removed is compacted, and nothing else is lost', async () => {
    const store = await open({ cacheBytesMax: 0 });
    await put(store, key(1), bytes(1000, 1));
    const size = () => readdirSync(folder).reduce((sum, name) => sum + statSync(join(folder, name)).size, 0);
    for (let round = 0; round < 60; round++) {
      await put(store, key(2), bytes(1024 ** 2, round));
      store.remove(key(2).submitter, 2);
    }
    await put(store, key(3), bytes(1000, 3));
    const end = performance.now() + 8000;
    while (size() > 40 * 1024 ** 2 && performance.now() < end) await new Promise((resolve) => setTimeout(resolve, 50));
    expect(size()).toBeLessThan(40 * 1024 ** 2);
    expect(await store.get(key(1))).toEqual(bytes(1000, 1));
    expect(await store.get(key(3))).toEqual(bytes(1000, 3));
    await store.close();
    const again = await open();
    expect(again.count).toBe(2);
    expect(await again.get(key(1))).toEqual(bytes(1000, 1));
    await again.close();
  });
});
