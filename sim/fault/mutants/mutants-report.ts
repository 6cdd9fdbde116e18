// The published table of planted bugs: which oracle caught each, at which seed, after how many cases.

import type { Catch } from './hunt.ts';
import type { Mutant, SwarmName } from './mutant.ts';

export interface HuntedMutant extends Pick<Mutant, 'name' | 'bug' | 'file'> {
  readonly swarm: SwarmName;
  /** Undefined if it survived. */
  readonly caught: Catch | undefined;
}

export interface HuntPlan {
  readonly from: number;
  readonly seedsMax: number;
}

/** What the page says made it. */
const command = 'npm run mutants';

export function mutantsMarkdown(hunted: readonly HuntedMutant[], { from, seedsMax }: HuntPlan): string {
  const survivors = hunted.filter(({ caught }) => caught === undefined);
  const seeds = hunted.flatMap(({ caught }) => (caught === undefined ? [] : [caught.seeds])).sort((a, b) => a - b);
  const oracles = new Map<string, number>();
  for (const { caught } of hunted)
    if (caught !== undefined) oracles.set(caught.oracle, (oracles.get(caught.oracle) ?? 0) + 1);
  const byOracle = [...oracles].sort(([one, left], [other, right]) => right - left || (one < other ? -1 : 1));
  return [
    '# Planted bugs',
    '',
    `Made by \`${command}\`. Each row is the kernel with one bug planted in it, given the cases of the swarm from seed ${from} on,`,
    `at most ${seedsMax}, until something finds fault with it. Without a bug the same ${seedsMax} cases keep every promise.`,
    '',
    `**${hunted.length - survivors.length} of ${hunted.length} are caught**, half of them within ${seeds[Math.floor(seeds.length / 2)] ?? 0} cases, the last within ${seeds.at(-1) ?? 0}.`,
    '',
    survivors.length === 0
      ? 'None survives.'
      : `Survivors: ${survivors.map(({ name, bug }) => `\`${name}\` (${bug})`).join('; ')}.`,
    '',
    '| oracle | bugs caught |',
    '|---|---:|',
    ...byOracle.map(([oracle, count]) => `| ${oracle} | ${count} |`),
    '',
    '| bug | file | caught by | seed | cases |',
    '|---|---|---|---:|---:|',
    ...hunted.map(({ bug, file, caught }) =>
      caught === undefined
        ? `| ${bug} | ${file} | **survives** | | ${seedsMax} |`
        : `| ${bug} | ${file} | ${caught.oracle} | ${caught.seed} | ${caught.seeds} |`,
    ),
    '',
  ].join('\n');
}

export function mutantsDocument(hunted: readonly HuntedMutant[], { from, seedsMax }: HuntPlan): object {
  return {
    madeBy: command,
    from,
    seedsMax,
    caught: hunted.filter(({ caught }) => caught !== undefined).length,
    mutants: hunted.map(({ name, bug, file, caught }) => ({ name, bug, file, caught: caught ?? null })),
  };
}
