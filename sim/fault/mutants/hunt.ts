// Hunts one mutant: plants it in a tree, runs its swarm there in a process of its own, and says which oracle caught it. A process
// that does not come to an end counts as caught by its time limit.

import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { projectRoot } from '../../experiment/project-root.ts';
import type { SwarmCase } from '../swarm.ts';
import type { Mutant, SwarmName } from './mutant.ts';
import type { MutantTree } from './mutant-tree.ts';

export interface Catch {
  readonly seed: number;
  /** Cases run until then, this one included. */
  readonly seeds: number;
  readonly oracle: string;
  readonly what: string;
  readonly shrunk?:
    | { readonly case: SwarmCase; readonly restartsMicros: readonly number[]; readonly what: string }
    | undefined;
}

export interface HuntOptions {
  readonly swarm: SwarmName;
  readonly from: number;
  readonly seedsMax: number;
  readonly secondsMax: number;
  readonly shrink: boolean;
}

/** From sim/fault/mutants/: each hands its own check to `huntSeeds`. */
const mains: Readonly<Record<SwarmName, string>> = {
  kernel: 'hunt-kernel-main.ts',
  topics: 'hunt-topics-main.ts',
};

/** Undefined if every seed keeps every promise: the mutant survives. Rejects if the process cannot run. */
export function hunt(tree: MutantTree, mutant: Mutant | undefined, options: HuntOptions): Promise<Catch | undefined> {
  const { swarm, from, seedsMax, secondsMax, shrink } = options;
  tree.plant(mutant);
  const tsx = pathToFileURL(join(projectRoot(), 'node_modules', 'tsx', 'dist', 'loader.mjs')).href;
  const main = join(tree.folder, 'sim', 'fault', 'mutants', mains[swarm]);
  const words = ['--import', tsx, main, String(from), String(seedsMax), ...(shrink ? ['shrink'] : [])];
  return new Promise((resolve, reject) => {
    execFile(
      process.execPath,
      words,
      { cwd: tree.folder, timeout: secondsMax * 1000, killSignal: 'SIGKILL', maxBuffer: 64 << 20 },
      (error, stdout, stderr) => {
        if (error?.killed === true) {
          const what = `the cases had not ended after ${secondsMax} s`;
          resolve({ seed: from, seeds: seedsMax, oracle: 'time limit', what });
        } else if (error === null) resolve((JSON.parse(stdout, endless) as Catch | null) ?? undefined);
        else reject(new Error(`hunting ${mutant?.name ?? 'no mutant'}: ${error.message}\n${stderr}`));
      },
    );
  });
}

function endless(_: string, value: unknown): unknown {
  return value === 'Infinity' ? Number.POSITIVE_INFINITY : value;
}
