// The body of a hunt, run in a process of its own inside a tree in which a bug is planted: seed after seed until something finds
// fault. Prints one line of JSON, a `Catch` or `null`. Each swarm has a small main file that calls this with its own check.
// Arguments: the first seed, how many, and `shrink` to make the case small.

import type { Catch } from './hunt.ts';

/** What a swarm finds with one seed; undefined if every promise is kept. */
export type SeedCheck = (seed: number) => Pick<Catch, 'oracle' | 'what'> | undefined;

export interface SeedHunt {
  readonly check: SeedCheck;
  /** The smallest case that fails as the seed's does; without it, nothing is made small. */
  readonly shrink?: ((seed: number) => Catch['shrunk']) | undefined;
}

/** @param words the arguments of the process. */
export function huntSeeds({ check, shrink }: SeedHunt, words: readonly string[]): void {
  const [from = '1', count = '200', wanted] = words;
  const first = Number(from);
  const small = wanted === 'shrink' ? shrink : undefined;
  for (let seed = first; seed < first + Number(count); seed++) {
    const finding = check(seed);
    if (finding === undefined) continue;
    const { oracle, what } = finding;
    const found = { seed, seeds: seed - first + 1, oracle, what: what.split('\n')[0] as string, shrunk: small?.(seed) };
    console.log(JSON.stringify(found, endless));
    return;
  }
  console.log('null');
}

/** JSON has no infinity. */
function endless(_: string, value: unknown): unknown {
  return value === Number.POSITIVE_INFINITY ? 'Infinity' : value;
}
