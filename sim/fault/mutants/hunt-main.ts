// The body of a hunt, run inside a tree in which a bug is planted: seed after seed until something finds fault with the kernel.
// Prints one line of JSON, a {@link Catch} or `null`. Arguments: the first seed, how many, and `shrink` to make the case small.

import { checkCase, drawCase } from '../check-case.ts';
import { shrinkCase } from '../shrink.ts';
import type { Catch } from './hunt.ts';

const [from = '1', count = '200', shrink] = process.argv.slice(2);
console.log(JSON.stringify(hunt(Number(from), Number(count), shrink === 'shrink') ?? null, endless));

function hunt(first: number, seeds: number, small: boolean): Catch | undefined {
  for (let seed = first; seed < first + seeds; seed++) {
    const drawn = drawCase(seed);
    const { finding } = checkCase(drawn);
    if (finding === undefined) continue;
    const { oracle, what } = finding;
    const found = { seed, seeds: seed - first + 1, oracle, what: what.split('\n')[0] as string };
    if (!small) return found;
    const shrunk = shrinkCase(drawn, { runsMax: 1500 });
    if (shrunk === undefined) return found;
    return {
      ...found,
      shrunk: { case: shrunk.case, restartsMicros: shrunk.restartsMicros, what: shrunk.finding.what },
    };
  }
  return undefined;
}

/** JSON has no infinity. */
function endless(_: string, value: unknown): unknown {
  return value === Number.POSITIVE_INFINITY ? 'Infinity' : value;
}
