// What heuristics come to on the test episodes of a training: beside these a trained policy has to stand.

import { openEnvironment } from '../env/catalogue.ts';
import { meanOfFirst, playEpisodes } from '../rl/play-policy.ts';
import { readTraining } from '../rl/training-spec.ts';

const orders = ['fcfs', 'sjf'] as const;

/** Mean of the training's metric by queue order; of a training in a fitted world. */
export function judgeHeuristics(training: string): Record<(typeof orders)[number], number> {
  const { environment, folder } = readTraining(training);
  const judge = (fallback: string): number => {
    if (environment.kind !== 'fitted') throw new TypeError('only a fitted world has heuristics here');
    const opened = openEnvironment({ ...environment, fallback }, folder);
    // Candidates stand in the fallback's order.
    return meanOfFirst(playEpisodes(opened.create(), () => 0, opened.tests));
  };
  return { fcfs: judge('fcfs'), sjf: judge('sjf') };
}
