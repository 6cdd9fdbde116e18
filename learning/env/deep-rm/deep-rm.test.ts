import { join } from 'node:path';
import { expect, test } from 'vitest';
import { RandomStream } from '../../../core/base/random.ts';
import { projectRoot } from '../../../sim/experiment/project-root.ts';
import { DeepRm } from './deep-rm.ts';
import { drawSequence, readSequences } from './job-sequences.ts';

const sequences = readSequences(join(projectRoot(), 'scenarios', 'data', 'deeprm', 'jobs_rate0.7_seed42.json.gz'));

/** Mean slowdown over the jobs of all sequences. */
function play(choose: (environment: DeepRm) => number): number {
  const environment = new DeepRm((seed) => sequences[seed]!);
  let sum = 0;
  let jobs = 0;
  for (const [sequence] of sequences.entries()) {
    environment.reset(sequence);
    while (!environment.done) environment.step(choose(environment));
    const { slowdownMean, jobs: count, lost } = environment.metrics();
    expect(lost).toBe(0);
    sum += slowdownMean! * count!;
    jobs += count!;
  }
  return sum / jobs;
}

test('SJF and Packer have the slowdowns that the original environment gives them', () => {
  expect(play((environment) => environment.choiceOf('sjf'))).toBeCloseTo(4.925, 3);
  expect(play((environment) => environment.choiceOf('packer'))).toBeCloseTo(12.424, 3);
});

test('the return is minus the sum of slowdowns, whatever is chosen', () => {
  const environment = new DeepRm((seed) => drawSequence(seed, 0.7));
  const random = new RandomStream(1, 'test');
  for (let seed = 0; seed < 20; seed++) {
    environment.reset(seed);
    let reward = 0;
    while (!environment.done) reward += environment.step(random.nextBelow(environment.candidateCount));
    const { slowdownMean, jobs } = environment.metrics();
    expect(-reward).toBeCloseTo(slowdownMean! * jobs!, 6);
  }
});

test('drawn sequences are those of the distribution', () => {
  let jobs = 0;
  let long = 0;
  for (let seed = 0; seed < 200; seed++) {
    const { lengths, demands } = drawSequence(seed, 0.7);
    for (const [step, length] of lengths.entries()) {
      if (length === 0) continue;
      jobs++;
      if (length > 3) long++;
      expect(Math.max(demands[0][step]!, demands[1][step]!)).toBeGreaterThanOrEqual(5);
      expect(Math.min(demands[0][step]!, demands[1][step]!)).toBeLessThanOrEqual(2);
    }
  }
  expect(jobs / (200 * 50)).toBeCloseTo(0.7, 1);
  expect(long / jobs).toBeCloseTo(0.2, 1);
});
