// The short form of `npm run mutants`: bugs of many kinds, each against the small case that a hunt saved for it. Whoever makes an
// oracle blind learns it here. The kernel without a bug keeps every promise in the same cases: see regress.test.ts.

import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readRegressFile, regressFolder } from '../runner/regress-file.ts';
import { mutants } from './all-mutants.ts';
import { replay } from './replay.ts';

/** Saved by `npm run mutants -- --only NAME --save`, and such that no other timing or other random numbers hide the bug: if one does, it is
 *  to be saved anew. */
const names = [
  'acknowledged-before-sync',
  'submissions-not-deduplicated',
  'lease-renewed-for-too-long',
  'preempted-capacity-leaks',
  'cursor-too-early',
  'effects-before-durable',
  'longest-job-first',
  'dead-agents-tasks-lost',
  'gang-begins-incomplete',
] as const;

describe('a planted bug', () => {
  it('is found in the case that was saved for it, by the same oracle', async () => {
    const chosen = names.map((name) => mutants.find((mutant) => mutant.name === name));
    expect(chosen).not.toContain(undefined);
    const found = await replay(chosen.map((mutant, at) => ({ mutant, saved: names[at] as string })));
    const expected = names.map((name) => readRegressFile(join(regressFolder(), `${name}.yaml`)).oracle);
    expect(found.map((finding, at) => `${names[at]}: ${finding?.oracle}`)).toEqual(
      expected.map((oracle, at) => `${names[at]}: ${oracle}`),
    );
  }, 180_000);
});
