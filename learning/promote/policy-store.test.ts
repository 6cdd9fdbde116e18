import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createSigningKeys, type PolicyDocument, PolicyStore } from './policy-store.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sira-policies-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const document = (changes: Partial<PolicyDocument> = {}): PolicyDocument => ({
  ...{ format: 'sira-policy', formatVersion: 1, name: 'short first', policy: { order: 'sjf', place: 'best-fit' } },
  ...{ weightsSha256: null, parents: [], lineage: { command: 'by hand' }, createdAt: '2026-01-01', createdBy: 'ann' },
  ...changes,
});

test('a policy comes back as it was signed, by the beginning of its name', () => {
  const store = new PolicyStore(folder);
  const { privateKey, publicKey } = createSigningKeys();
  const hash = store.put(document(), privateKey);
  expect(store.put(document(), privateKey)).toBe(hash);
  expect(store.get(hash.slice(0, 8), [publicKey])).toMatchObject({ hash, document: document() });
  const child = store.put(document({ name: 'child', parents: [hash] }), privateKey);
  expect(store.lineage(child).map((policy) => policy.document.name)).toEqual(['child', 'short first']);
  expect(() => store.put(document({ parents: ['f'.repeat(64)] }), privateKey)).toThrow(/no policy/);
});

test('what was changed, or signed by somebody else, is not trusted', () => {
  const store = new PolicyStore(folder);
  const { privateKey } = createSigningKeys();
  const hash = store.put(document(), privateKey);
  expect(() => store.get(hash, [createSigningKeys().publicKey])).toThrow(/not trusted/);
  const file = join(folder, hash, 'policy.json');
  chmodSync(file, 0o644);
  writeFileSync(file, JSON.stringify(document({ name: 'longest first' })));
  expect(() => store.get(hash)).toThrow(/not the one/);
  const weights = new Uint8Array([1, 2, 3]);
  expect(() => store.put(document(), privateKey, weights)).toThrow(/weights/);
});
