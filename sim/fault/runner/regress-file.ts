// Cases that showed a bug, as files: one a bug, made small, with a word on what it was. They are replayed by the tests, and must
// pass ever after. A file says the whole case, so that it outlives every change of how cases are drawn.

import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse, stringify } from 'yaml';
import { projectRoot } from '../../experiment/project-root.ts';
import type { SwarmCase } from '../swarm.ts';

export interface RegressCase {
  /** Of the file, without its ending. */
  readonly name: string;
  /** What the bug was. */
  readonly description: string;
  /** Which oracle found it. */
  readonly oracle: string;
  /** When the kernel is replaced by one restored from its snapshot, if that is what failed. */
  readonly restartsMicros: readonly number[];
  readonly case: SwarmCase;
}

export function regressFolder(): string {
  return join(projectRoot(), 'scenarios', 'regress');
}

/** The path written. */
export function writeRegressFile({ name, ...content }: RegressCase, folder = regressFolder()): string {
  mkdirSync(folder, { recursive: true });
  const file = join(folder, `${name}.yaml`);
  const head =
    '# A case of the swarm that once broke a promise, made as small as it goes. Replayed by sim/fault/runner/regress.test.ts.\n';
  writeFileSync(
    file,
    head + stringify(content, { lineWidth: 120, collectionStyle: 'any', aliasDuplicateObjects: false }),
  );
  return file;
}

/** All saved cases, by name. */
export function readRegressFiles(folder = regressFolder()): RegressCase[] {
  const names = readdirSync(folder)
    .filter((name) => name.endsWith('.yaml'))
    .sort((left, right) => (left < right ? -1 : 1));
  return names.map((name) => ({
    name: name.replace(/\.yaml$/, ''),
    ...(parse(readFileSync(join(folder, name), 'utf8')) as Omit<RegressCase, 'name'>),
  }));
}
