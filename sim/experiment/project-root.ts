// Where this project lies on the disk, so that the published schemas and scenarios are found from the sources and from the
// build alike. Outside the deterministic folders: it looks at the disk.

import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { assert } from '../../core/base/assert.ts';

/** Absolute path of the folder that holds package.json and scenarios/. */
export function projectRoot(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, 'package.json'))) {
    const parent = dirname(folder);
    assert(parent !== folder, 'the project has a package.json above its sources');
    folder = parent;
  }
  return folder;
}

/** The version that package.json states. */
export function projectVersion(): string {
  return (JSON.parse(readFileSync(join(projectRoot(), 'package.json'), 'utf8')) as { version: string }).version;
}
