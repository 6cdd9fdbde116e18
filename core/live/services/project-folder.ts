// The folder with package.json, from sources and from what is compiled of them alike.

import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** Absolute. */
export function projectFolder(): string {
  for (let folder = import.meta.dirname; ; folder = dirname(folder))
    if (existsSync(join(folder, 'package.json')) || folder === dirname(folder)) return folder;
}
