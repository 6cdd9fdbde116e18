// The matching experiment on one seed, shortened: it learns, through the kernel's own path, and the committed page is what the
// committed figures say.

import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { matchingFigure } from './matching-figure.ts';
import { matchingChecks, matchingPage } from './matching-page.ts';
import { runMatching } from './matching-run.ts';
import { firstSeed, type MatchingDocument, variants } from './matching-variants.ts';

const text = (name: string): string => readFileSync(new URL(`./${name}`, import.meta.url), 'utf8');
const document = JSON.parse(text('matching.json')) as MatchingDocument;
const checkpoints = [0, 250, 500, 1000, 2000, 4000];

describe('matching', () => {
  it('finds the fastest in 95% of the requests after 4,000 outcomes, in far fewer before; a restart changes nothing', () => {
    const options = { ...(variants[0]?.options as (typeof variants)[number]['options']), checkpoints, seed: firstSeed };
    const { points } = runMatching({ ...options, restarts: true });
    expect(points.at(-1)?.right).toBeGreaterThanOrEqual(0.95);
    expect(points[0]?.right).toBeLessThan(0.5);
    expect(points.at(-1)?.excess).toBeLessThan(0.01);
    // The published run was not restarted.
    expect(points).toEqual(document.variants[0]?.runs[0]?.points.slice(0, checkpoints.length));
  });

  it('is published as it was measured, and holds what it promises', () => {
    expect(matchingPage(document)).toBe(text('matching.md'));
    expect(matchingFigure(document)).toBe(text('matching.svg'));
    expect(matchingChecks(document).filter(({ holds }) => !holds)).toEqual([]);
    expect(document.variants.map(({ name, runs }) => [name, runs.length])).toEqual(
      variants.map(({ name, seeds }) => [name, seeds]),
    );
  });

  it('does not hold when the agent found is as wrong after learning as before', () => {
    const spoilt: MatchingDocument = {
      ...document,
      variants: document.variants.map((variant) => ({
        ...variant,
        runs: variant.runs.map((run) => ({
          ...run,
          points: run.points.map((point) => ({ ...point, right: 0.9, nearlyRight: 0.9 })),
        })),
      })),
    };
    expect(matchingChecks(spoilt).map(({ holds }) => holds)).toEqual([false, false, false]);
  });
});
