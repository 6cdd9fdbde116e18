// Generates tasks: an arrival pattern, a distribution of run times, and a weighted mix of requests. Nothing is kept but the
// mix, so an endless stream or a million tasks cost the memory of one. Gaps, run times and the mix have streams of their own:
// changing one leaves the others as they were.

import { fixedExp, fixedSin } from '../../core/base/fixed-math.ts';
import { RandomStream } from '../../core/base/random.ts';
import { microsPerDay } from '../../core/base/time.ts';
import type { ResourceRequest } from '../../core/scheduler/request.ts';
import { sampleExponential, sampleLognormal } from '../engine/distributions.ts';
import type { WorkloadSource } from './spec.ts';
import type { TraceTask } from './trace.ts';

export type SyntheticSource = WorkloadSource & { readonly format: 'synthetic' };

/** `bursty`: mean length of the on-state and of the silence after it, in gaps. The gaps' coefficient of variation is 10.7; in
 *  the Azure code trace it is 13. */
const burstGaps = 100;
const silenceGaps = 300;

/** `diurnal`: the rate swings by this share around its mean. */
const diurnalSwing = 0.8;

/** The requests of the mix with their weights. */
export function syntheticMix(
  source: SyntheticSource,
): readonly { readonly request: ResourceRequest; readonly weight: number }[] {
  return source.mix.map(({ weight, ...request }) => ({
    weight,
    request: {
      ...request,
      gpuMilli: request.gpuCount === 0 ? 0 : request.gpuCount > 1 ? 1000 : request.gpuMilli,
      gpuModels: request.gpuCount === 0 ? [] : request.gpuModels,
    },
  }));
}

/** The mix as a list of ten thousand requests, each as often as its weight says, to the nearest. */
export function* syntheticSample(source: SyntheticSource): Generator<ResourceRequest> {
  const mix = syntheticMix(source);
  const total = mix.reduce((sum, { weight }) => sum + weight, 0);
  for (const { request, weight } of mix) {
    for (let copies = Math.round((10_000 * weight) / total); copies > 0; copies--) yield request;
  }
}

/** Mean time between arrivals in the long run, microseconds. */
export function meanGapMicros(source: SyntheticSource): number {
  return source.pattern === 'bursty' ? (source.gapMicros * (burstGaps + silenceGaps)) / burstGaps : source.gapMicros;
}

/** The source's tasks in order of arrival, `count` of them or without end. Arrivals are whole microseconds and never fall. */
export function* syntheticTasks(source: SyntheticSource, seed: number): Generator<TraceTask, void, undefined> {
  const mix = syntheticMix(source);
  const draws = new RandomStream(seed, 'workload.mix');
  const nextGap = gapDraw(source, new RandomStream(seed, 'workload.gaps'));
  const nextService = serviceDraw(source, new RandomStream(seed, 'workload.service'));
  let totalWeight = 0;
  for (const { weight } of mix) totalWeight += weight;
  let time = 0;
  for (let number = 1; source.count === 0 || number <= source.count; number++) {
    time += nextGap(time);
    yield {
      name: `task-${number}`,
      arrivalMicros: Math.floor(time),
      request: pick(mix, draws.nextFloat() * totalWeight),
      durationMicros: Math.max(1, Math.round(nextService())),
      estimateMicros: undefined,
      priority: 0,
      tenant: 'default',
    };
  }
}

function pick(
  mix: readonly { readonly request: ResourceRequest; readonly weight: number }[],
  at: number,
): ResourceRequest {
  let passed = 0;
  for (const { request, weight } of mix) {
    passed += weight;
    if (at < passed) return request;
  }
  return (mix.at(-1) as { request: ResourceRequest }).request;
}

/** The next gap, microseconds, given the time of the last arrival. */
function gapDraw(source: SyntheticSource, random: RandomStream): (timeMicros: number) => number {
  const mean = source.gapMicros;
  switch (source.pattern) {
    case 'constant':
      return () => mean;
    case 'poisson':
      return () => sampleExponential(random, mean);
    case 'bursty':
      return burstyGap(mean, random);
    case 'diurnal':
      return (time) => diurnalGap(time, mean, random);
  }
}

/** Interrupted Poisson process: exponential on-states with Poisson arrivals, exponential silences (Kuczura, BSTJ 52(3), 1973). */
function burstyGap(mean: number, random: RandomStream): () => number {
  let onLeft = sampleExponential(random, burstGaps * mean);
  return () => {
    let silence = 0;
    let gap = sampleExponential(random, mean);
    while (gap > onLeft) {
      // The process forgets: what is left of the gap when the on-state ends goes on when the next begins.
      gap -= onLeft;
      silence += onLeft + sampleExponential(random, silenceGaps * mean);
      onLeft = sampleExponential(random, burstGaps * mean);
    }
    onLeft -= gap;
    return silence + gap;
  };
}

/** Poisson arrivals whose rate swings once a day, by thinning (Lewis and Shedler, 1979). */
function diurnalGap(time: number, mean: number, random: RandomStream): number {
  let now = time;
  for (;;) {
    now += sampleExponential(random, mean / (1 + diurnalSwing));
    const phase = (now % microsPerDay) / microsPerDay;
    const rate = 1 + diurnalSwing * fixedSin(2 * Math.PI * phase);
    if (random.nextFloat() * (1 + diurnalSwing) < rate) return now - time;
  }
}

/** The next run time, microseconds; the mean is `meanMicros` for every distribution. */
function serviceDraw(source: SyntheticSource, random: RandomStream): () => number {
  const { distribution, meanMicros: mean, shape } = source.service;
  switch (distribution) {
    case 'constant':
      return () => mean;
    case 'exponential':
      return () => sampleExponential(random, mean);
    case 'lognormal':
      return () => mean * sampleLognormal(random, -(shape * shape) / 2, shape);
    case 'pareto': {
      const least = (mean * (shape - 1)) / shape;
      return () => least * fixedExp(sampleExponential(random, 1) / shape);
    }
  }
}
