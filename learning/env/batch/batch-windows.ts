// Where the windows of episodes come from: ranges of a trace that training may see, either as they are, or as endless variations of
// them. A variation strings together blocks of consecutive jobs, with their gaps, and stretches run times a little, so that a
// policy cannot learn the few thousand jobs of a trace by heart.

import { RandomStream } from '../../../core/base/random.ts';
import { type BatchJobs, sliceJobs } from './batch-jobs.ts';

/** Jobs `first` to `first + count − 1`, counted from 0. */
export interface JobRange {
  readonly first: number;
  readonly count: number;
}

export interface BatchWindows {
  /** The window of that seed. */
  draw(seed: number): BatchJobs;
}

/** Windows of `size` consecutive jobs, each within one of the ranges; a range that is shorter is one window. */
export function traceWindows(jobs: BatchJobs, ranges: readonly JobRange[], size: number): BatchWindows {
  const places = ranges.map(({ count }) => Math.max(1, count - size + 1));
  const total = places.reduce((sum, count) => sum + count, 0);
  return {
    draw(seed) {
      let place = new RandomStream(seed, 'batch window').nextBelow(total);
      let range = 0;
      while (place >= places[range]!) place -= places[range++]!;
      const { first, count } = ranges[range]!;
      return sliceJobs(jobs, first + place, Math.min(size, count));
    },
  };
}

export interface VariationOptions {
  /** Jobs of a window, at least and at most: windows of different length are out of step with each other. */
  readonly sizeMin: number;
  readonly sizeMax: number;
  /** Jobs of a block, at least and at most; blocks never cross a range's end. */
  readonly blockMin: number;
  readonly blockMax: number;
  /** Run times and estimates are multiplied by e^(σ·z), z of mean 0 and deviation 1, to whole seconds. */
  readonly runSigma: number;
}

export function variedWindows(jobs: BatchJobs, ranges: readonly JobRange[], options: VariationOptions): BatchWindows {
  const { sizeMin, sizeMax, blockMin, blockMax, runSigma } = options;
  const total = ranges.reduce((sum, { count }) => sum + count, 0);
  return {
    draw(seed) {
      const random = new RandomStream(seed, 'batch variation');
      const size = sizeMin + random.nextBelow(sizeMax - sizeMin + 1);
      const window = {
        count: size,
        submitSeconds: new Float64Array(size),
        runSeconds: new Float64Array(size),
        estimateSeconds: new Float64Array(size),
        processors: new Int32Array(size),
      };
      let clock = -1;
      for (let filled = 0; filled < size; ) {
        let place = random.nextBelow(total);
        let index = 0;
        while (place >= ranges[index]!.count) place -= ranges[index++]!.count;
        const range = ranges[index]!;
        const length = Math.min(
          blockMin + random.nextBelow(blockMax - blockMin + 1),
          size - filled,
          range.count - place,
        );
        for (let step = 0; step < length; step++, filled++) {
          const job = range.first + place + step;
          if (clock < 0) clock = jobs.submitSeconds[job]!;
          // The first job of a range follows nobody.
          else if (job > range.first) clock += jobs.submitSeconds[job]! - jobs.submitSeconds[job - 1]!;
          const stretch = runSigma === 0 ? 1 : Math.exp(runSigma * roughNormal(random));
          window.submitSeconds[filled] = clock;
          window.runSeconds[filled] = Math.max(1, Math.round(jobs.runSeconds[job]! * stretch));
          window.estimateSeconds[filled] = Math.max(1, Math.round(jobs.estimateSeconds[job]! * stretch));
          window.processors[filled] = jobs.processors[job]!;
        }
      }
      return window;
    },
  };
}

/** Sum of four uniform numbers, of mean 0 and deviation 1. */
function roughNormal(random: RandomStream): number {
  let sum = -2;
  for (let draw = 0; draw < 4; draw++) sum += random.nextFloat();
  return sum * Math.sqrt(3);
}
