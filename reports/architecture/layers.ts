// The layout of the project in one table: which folders there are, which may import which, and how strictly each keeps
// determinism. A new folder is one line here.

/**
 * - `kernel`: replayed bit by bit. No clock, randomness, promises, process, `node:` modules, packages or mutable module state.
 * - `workload`: the same bits for the same seed, but reads files: `node:` modules and packages are allowed.
 * - `runner`: runs and measures experiments; only outside randomness and locales are banned.
 * - `outside`: the real world.
 */
export type Strictness = 'kernel' | 'workload' | 'runner' | 'outside';

export interface Layer {
  /** Folder from the top of the project, or a file. */
  readonly path: string;
  /** A layer imports from lower ranks and from itself; two layers of one rank do not know each other. */
  readonly rank: number;
  readonly strictness: Strictness;
}

/** Imports run from a higher rank to a lower one. The longest path that fits a file is its layer. */
export const layers: readonly Layer[] = [
  { path: 'core/base', rank: 0, strictness: 'kernel' },
  { path: 'core/config', rank: 1, strictness: 'kernel' },
  { path: 'core/ports', rank: 2, strictness: 'kernel' },
  { path: 'core/tensor', rank: 3, strictness: 'kernel' },
  { path: 'core/log', rank: 4, strictness: 'kernel' },
  { path: 'core/bus', rank: 5, strictness: 'kernel' },
  { path: 'core/registry', rank: 5, strictness: 'kernel' },
  { path: 'core/policy', rank: 5, strictness: 'kernel' },
  { path: 'core/scheduler', rank: 6, strictness: 'kernel' },
  { path: 'core/sessions', rank: 7, strictness: 'kernel' },
  { path: 'core/recovery', rank: 7, strictness: 'kernel' },
  { path: 'core/kernel', rank: 8, strictness: 'kernel' },
  { path: 'core/client', rank: 9, strictness: 'kernel' },
  { path: 'core/telemetry', rank: 9, strictness: 'kernel' },
  { path: 'core/proto', rank: 10, strictness: 'outside' },
  { path: 'core/documents', rank: 10, strictness: 'runner' },
  { path: 'core/stores', rank: 10, strictness: 'outside' },
  { path: 'core/live', rank: 11, strictness: 'outside' },
  { path: 'core/deploy', rank: 11, strictness: 'outside' },
  { path: 'sim', rank: 11, strictness: 'runner' },
  { path: 'sim/engine', rank: 11, strictness: 'kernel' },
  { path: 'sim/world', rank: 11, strictness: 'kernel' },
  { path: 'sim/fault', rank: 11, strictness: 'kernel' },
  { path: 'sim/rollout', rank: 11, strictness: 'kernel' },
  { path: 'sim/fault/runner', rank: 11, strictness: 'runner' },
  { path: 'sim/fault/mutants', rank: 11, strictness: 'runner' },
  { path: 'sim/oracle', rank: 11, strictness: 'kernel' },
  { path: 'sim/workload', rank: 11, strictness: 'workload' },
  { path: 'sim/experiment', rank: 11, strictness: 'runner' },
  { path: 'sim/replay', rank: 11, strictness: 'runner' },
  { path: 'reports', rank: 12, strictness: 'outside' },
  { path: 'learning', rank: 13, strictness: 'outside' },
  { path: 'notebooks', rank: 14, strictness: 'outside' },
  { path: 'sira.ts', rank: 14, strictness: 'outside' },
  { path: 'reports/architecture', rank: 15, strictness: 'outside' },
  { path: 'vitest.config.ts', rank: 15, strictness: 'outside' },
];

/** What may stand at the top of the project, besides what git ignores. */
export const topEntries: readonly string[] = [
  ...['core', 'sim', 'learning', 'scenarios', 'notebooks', 'reports'],
  'sira.ts',
  ...['README.md', 'CONTRIBUTING.md', 'LICENSE'],
  ...['package.json', 'package-lock.json', 'tsconfig.json', 'biome.json', 'vitest.config.ts'],
  ...['.ci', '.git', '.gitignore', '.gitattributes', '.npmrc', '.nvmrc'],
];

/** Never read: built, installed, generated or written by runs. */
export const ignoredFolders: readonly string[] = [
  'node_modules',
  'dist',
  'coverage',
  '.git',
  '.vitest',
  '.tensorflow',
  '.services',
  'reports/runs',
  'core/proto/generated',
];

/** The layer of a file, by its path from the top of the project with forward slashes; `undefined` if it has none. */
export function layerOf(path: string): Layer | undefined {
  let best: Layer | undefined;
  for (const layer of layers) {
    const fits = path === layer.path || path.startsWith(`${layer.path}/`);
    if (fits && layer.path.length > (best?.path.length ?? 0)) best = layer;
  }
  return best;
}

/** Whether code in `from` may import from `to`. All of sim/ is one layer here. */
export function mayImport(from: Layer, to: Layer): boolean {
  return from.path === to.path || to.rank < from.rank || (folder(from) === 'sim' && folder(to) === 'sim');
}

function folder(layer: Layer): string {
  return layer.path.split('/')[0]!;
}
