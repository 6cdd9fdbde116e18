// Work as a model: when tasks come, and how long those of each class take. The same model is planted in the live load, fitted from
// telemetry, and drawn from by the simulator, so that what was fitted can be held against what was planted. Arrivals are a Poisson
// process whose rate changes between a calm and a rush, each of exponential length (a Markov-modulated Poisson process; Fischer and
// Meier-Hellstern, "The Markov-modulated Poisson process (MMPP) cookbook", Performance Evaluation 18, 1993); service times and the
// submitters' errors about them are lognormal by class.

import { fixedExp, fixedLog } from '../../core/base/fixed-math.ts';
import { RandomStream } from '../../core/base/random.ts';
import { sampleExponential, sampleLognormal } from '../../sim/engine/distributions.ts';

export interface ArrivalPhases {
  /** Tasks a second in either phase. */
  readonly calmPerSecond: number;
  readonly rushPerSecond: number;
  /** Mean lengths of the phases. */
  readonly calmSeconds: number;
  readonly rushSeconds: number;
}

export interface WorkClass {
  readonly name: string;
  /** Of all tasks; the shares of a model add up to 1. */
  readonly share: number;
  /** Service: e^(ln median + σ·z), z standard normal. */
  readonly medianSeconds: number;
  readonly sigma: number;
  /** The submitter's estimate over the service: median, and σ of the logarithm. */
  readonly estimateRatio: number;
  readonly estimateSigma: number;
}

export interface WorkModel {
  readonly arrivals: ArrivalPhases;
  readonly classes: readonly WorkClass[];
}

export interface WorkTask {
  readonly taskClass: string;
  /** Since the first phase began. */
  readonly arrivalSeconds: number;
  readonly serviceSeconds: number;
  readonly estimateSeconds: number;
}

export interface DrawOptions {
  readonly seed: number;
  /** `steady`: the mean rate all the time; `swing`: it rises and falls by 60% over 40 mean cycles; `phases`, if left out. */
  readonly pattern?: 'phases' | 'steady' | 'swing' | undefined;
  /** All rates are multiplied by this; 1 if left out. */
  readonly rateFactor?: number | undefined;
  /** σ of every service is multiplied by this, and means are kept; 1 if left out. */
  readonly sigmaFactor?: number | undefined;
}

const leastSeconds = 0.001;
const swingShare = 0.6;
const swingCycles = 40;

/** Tasks a second, in the long run. */
export function meanRate({ calmPerSecond, rushPerSecond, calmSeconds, rushSeconds }: ArrivalPhases): number {
  return (calmPerSecond * calmSeconds + rushPerSecond * rushSeconds) / (calmSeconds + rushSeconds);
}

/** Mean service over all classes. */
export function meanServiceSeconds({ classes }: WorkModel): number {
  return classes.reduce(
    (sum, { share, medianSeconds, sigma }) => sum + share * medianSeconds * fixedExp((sigma * sigma) / 2),
    0,
  );
}

/** Tasks without end, in order of arrival; times are whole microseconds. The same model, options and seed draw the same. */
export function* drawWork(model: WorkModel, options: DrawOptions): Generator<WorkTask, never, undefined> {
  const { seed, sigmaFactor = 1 } = options;
  const next = arrivalDraw(model.arrivals, options);
  const kinds = new RandomStream(seed, 'work classes');
  const services = new RandomStream(seed, 'work services');
  const estimates = new RandomStream(seed, 'work estimates');
  for (;;) {
    const arrivalSeconds = next();
    const { name, medianSeconds, sigma, estimateRatio, estimateSigma } = pick(model.classes, kinds.nextFloat());
    const spread = sigma * sigmaFactor;
    // With a wider spread the median falls, so that the mean stays.
    const mu = fixedLog(medianSeconds) + (sigma * sigma - spread * spread) / 2;
    const serviceSeconds = whole(sampleLognormal(services, mu, spread));
    const estimateSeconds = whole(serviceSeconds * sampleLognormal(estimates, fixedLog(estimateRatio), estimateSigma));
    yield { taskClass: name, arrivalSeconds, serviceSeconds, estimateSeconds };
  }
}

/** The first tasks that are drawn: so many, or those that come in so many seconds. */
export function takeWork(
  model: WorkModel,
  options: DrawOptions,
  length: { readonly count: number } | { readonly seconds: number },
): WorkTask[] {
  const taken: WorkTask[] = [];
  for (const task of drawWork(model, options)) {
    if ('count' in length ? taken.length >= length.count : task.arrivalSeconds >= length.seconds) break;
    taken.push(task);
  }
  return taken;
}

/** Time of the next arrival, seconds, rising. */
function arrivalDraw(arrivals: ArrivalPhases, { seed, pattern = 'phases', rateFactor = 1 }: DrawOptions): () => number {
  const random = new RandomStream(seed, 'work arrivals');
  const { calmPerSecond, rushPerSecond, calmSeconds, rushSeconds } = arrivals;
  const mean = meanRate(arrivals) * rateFactor;
  let now = 0;
  if (pattern === 'steady')
    return () => {
      now += sampleExponential(random, 1 / mean);
      return micros(now);
    };
  if (pattern === 'swing') {
    const period = swingCycles * (calmSeconds + rushSeconds);
    // By thinning (Lewis and Shedler, 1979): half a period at a time, above and below the mean.
    return () => {
      for (;;) {
        now += sampleExponential(random, 1 / (mean * (1 + swingShare)));
        const share = 1 + swingShare * triangle(now / period);
        if (random.nextFloat() * (1 + swingShare) < share) return micros(now);
      }
    };
  }
  let isRush = false;
  let left = sampleExponential(random, calmSeconds);
  return () => {
    for (;;) {
      const gap = sampleExponential(random, 1 / ((isRush ? rushPerSecond : calmPerSecond) * rateFactor));
      if (gap <= left) {
        left -= gap;
        now += gap;
        return micros(now);
      }
      // The process forgets: the phase that follows begins with a gap of its own.
      now += left;
      isRush = !isRush;
      left = sampleExponential(random, isRush ? rushSeconds : calmSeconds);
    }
  };
}

/** From 0 up to 1, down to −1 and back, once a period. */
function triangle(phase: number): number {
  const at = phase - Math.floor(phase);
  return at < 0.25 ? 4 * at : at < 0.75 ? 2 - 4 * at : 4 * at - 4;
}

function pick(classes: readonly WorkClass[], at: number): WorkClass {
  let passed = 0;
  for (const each of classes) {
    passed += each.share;
    if (at < passed) return each;
  }
  return classes.at(-1) as WorkClass;
}

function whole(seconds: number): number {
  return Math.max(leastSeconds, micros(seconds));
}

function micros(seconds: number): number {
  return Math.round(seconds * 1e6) / 1e6;
}
