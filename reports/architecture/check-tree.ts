// The architecture check over the whole tree: reads every source file and applies every rule. `npm run architecture` prints
// what it finds, and a test holds the tree to it.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { checkDeterminism } from './determinism-rules.ts';
import { ignoredFolders } from './layers.ts';
import { checkLayout, checkTopEntries } from './layout-rules.ts';
import { type SourceFile, sourceFile, type Violation } from './source-file.ts';

/** Every TypeScript file below `root`, the project's top, in order of path. */
export function readTree(root: string): SourceFile[] {
  return paths(root, '')
    .filter((path) => path.endsWith('.ts') && !path.endsWith('.d.ts'))
    .map((path) => sourceFile(path, readFileSync(join(root, path), 'utf8')));
}

/** What is wrong with the tree below `root`. */
export function checkTree(root: string): { readonly fileCount: number; readonly violations: readonly Violation[] } {
  const files = readTree(root);
  const top = readdirSync(root).filter((name) => !ignoredFolders.includes(name) && !name.endsWith('.log'));
  return { fileCount: files.length, violations: [...checkTopEntries(top), ...files.flatMap(checkFile)] };
}

export function checkFile(file: SourceFile): Violation[] {
  return [...checkLayout(file), ...checkDeterminism(file)];
}

function paths(root: string, folder: string): string[] {
  return readdirSync(join(root, folder), { withFileTypes: true })
    .toSorted((left, right) => (left.name < right.name ? -1 : 1))
    .flatMap((entry) => {
      const path = folder === '' ? entry.name : `${folder}/${entry.name}`;
      if (ignoredFolders.includes(path) || ignoredFolders.includes(entry.name)) return [];
      return entry.isDirectory() ? paths(root, path) : [path];
    });
}
