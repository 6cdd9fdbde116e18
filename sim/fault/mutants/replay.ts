// A bug, planted in a tree of its own, against the case that once was found to show it: seconds for what a hunt takes minutes for.

import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { projectRoot } from '../../experiment/project-root.ts';
import type { Finding } from '../check-case.ts';
import { regressFolder } from '../runner/regress-file.ts';
import type { Mutant } from './mutant.ts';
import { MutantTree } from './mutant-tree.ts';

export interface Replay {
  /** `undefined` plants none. */
  readonly mutant: Mutant | undefined;
  /** Of a file in scenarios/regress/, without its ending. */
  readonly saved: string;
}

/** What is found in each, `null` where every promise is kept. Rejects if a mutant does not fit, or a case cannot be read. */
export async function replay(replays: readonly Replay[]): Promise<(Pick<Finding, 'oracle' | 'what'> | null)[]> {
  const trees: MutantTree[] = [];
  try {
    const words = replays.flatMap(({ mutant, saved }) => {
      const tree = new MutantTree();
      trees.push(tree);
      tree.plant(mutant);
      return [tree.folder, join(regressFolder(), `${saved}.yaml`)];
    });
    const tsx = pathToFileURL(join(projectRoot(), 'node_modules', 'tsx', 'dist', 'loader.mjs')).href;
    const main = join(projectRoot(), 'sim', 'fault', 'mutants', 'replay-main.ts');
    const { stdout } = await promisify(execFile)(process.execPath, ['--import', tsx, main, ...words]);
    return JSON.parse(stdout);
  } finally {
    for (const tree of trees) tree.remove();
  }
}
