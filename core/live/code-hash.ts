// The hash of the deterministic code that runs: what a journal names as its writer, because only the same code replays it to
// the same decisions. It covers the files themselves, as they lie on the disk.

import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const folders = ['base', 'config', 'ports', 'tensor', 'log', 'bus', 'registry', 'policy', 'scheduler', 'kernel'];

/** 32 hex digits. */
export function codeHash(core = join(dirname(fileURLToPath(import.meta.url)), '..')): string {
  const hash = createHash('sha256');
  for (const folder of folders) {
    for (const file of sourceFiles(join(core, folder))) {
      hash.update(`${folder}/${file}\n`);
      hash.update(readFileSync(join(core, folder, file)));
    }
  }
  return hash.digest('hex').slice(0, 32);
}

function sourceFiles(folder: string): string[] {
  let names: string[];
  try {
    names = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  } catch {
    return [];
  }
  return names
    .map((name) => name.replaceAll('\\', '/'))
    .filter((name) => /\.(js|ts)$/.test(name) && !/\.(d|test|contract|bench)\.(js|ts)$/.test(name))
    .sort((left, right) => (left < right ? -1 : 1));
}
