// The runs of the matching report: the population and the policy that are judged, and what each is compared with.

import { microsPerDay, microsPerMinute } from '../../core/base/time.ts';
import type { MatchingOptions, MatchingResult } from './matching-run.ts';

/** Seeds 1 to 3 served to choose the defaults of the kernel (how much is tried, how cautious discovery is): they are not judged. */
export const firstSeed = 11;

export interface MatchingVariant {
  readonly name: string;
  readonly description: string;
  readonly seeds: number;
  readonly options: Omit<MatchingOptions, 'seed' | 'progress'>;
}

export const mainVariant = 'shared';
export const hardVariant = 'all shared';

const checkpoints = [0, 250, 500, 1000, 2000, 4000, 8000, 16_000];
const usual = { checkpoints, heldOutCount: 1000, aloneShare: 0.1, optimism: 1, place: 'fastest' } as const;
/** What befalls the agents of the last two. */
const change = { outcomes: 8000, share: 0.3 };
const changing = [0, 1000, 2000, 4000, 7999, 8001, 9000, 10_000, 12_000, 16_000, 24_000];

export const variants: readonly MatchingVariant[] = [
  {
    name: mainVariant,
    description: 'nine agents in ten share their accelerators with a job that nobody knows of; placement `fastest`',
    seeds: 10,
    options: usual,
  },
  {
    name: hardVariant,
    description: 'every agent does: the fastest is one of many nearly as fast',
    seeds: 5,
    options: { ...usual, aloneShare: 0, checkpoints: [...checkpoints, 32_000] },
  },
  {
    name: 'no exploration',
    description: 'as the first, but nothing is tried for the sake of knowing it (`skills.optimism` 0)',
    seeds: 5,
    options: { ...usual, optimism: 0 },
  },
  {
    name: 'random placement',
    description: 'as the first, but tasks go to any agent that is free',
    seeds: 5,
    options: { ...usual, place: 'random' },
  },
  {
    name: 'changed, 7 days',
    description:
      'as the first, but after 8,000 outcomes other jobs share three agents in ten; half-life 7 days, the default',
    seeds: 3,
    options: { ...usual, checkpoints: changing, change, halfLifeMicros: 7 * microsPerDay },
  },
  {
    name: 'changed, 10 minutes',
    description: 'the same with a half-life of 10 minutes',
    seeds: 3,
    options: { ...usual, checkpoints: changing, change, halfLifeMicros: 10 * microsPerMinute },
  },
];

/** All that the page is made of. */
export interface MatchingDocument {
  readonly command: string;
  readonly variants: readonly {
    readonly name: string;
    readonly description: string;
    readonly runs: readonly MatchingResult[];
  }[];
}
