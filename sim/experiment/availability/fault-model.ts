// The fault model of the availability study as a table: what fails, how often, for how long, and where the numbers come from.
// They are assumptions, rounded from published studies of other people's fleets; the table is printed on the report's page.

import type { RandomStream } from '../../../core/base/random.ts';
import { microsPerDay, microsPerHour, microsPerMinute, microsPerSecond } from '../../../core/base/time.ts';
import { sampleExponential, sampleLognormal, sampleUniform, sampleWeibull } from '../../engine/distributions.ts';

/** What a fault does to the world while it lasts. `down` and `cut` change nothing between their begin and their end. */
export type FaultEffect = 'down' | 'hang' | 'slow' | 'cut' | 'lossy' | 'kernelDown' | 'diskSlow' | 'gatewayCut';

/** What fails as one. `kernel` and `gateway` are the active ones: their standbys take over. */
export type FaultUnit = 'machine' | 'rack' | 'feed' | 'kernel' | 'gateway';

/** Times between a repair and the next failure. The mean of a Weibull of scale 1 and the given shape is Γ(1 + 1/shape). */
export type Between =
  | { readonly distribution: 'exponential'; readonly meanMicros: number }
  | { readonly distribution: 'weibull'; readonly meanMicros: number; readonly shape: number; readonly gamma: number };

/** One part of a mixture. */
export type Repair =
  | { readonly share: number; readonly uniform: readonly [lowMicros: number, highMicros: number] }
  | {
      readonly share: number;
      readonly lognormal: { readonly medianMicros: number; readonly sigma: number; readonly maxMicros: number };
    };

export interface FaultClass {
  /** For tables, and as the cause of what it does. */
  readonly name: string;
  readonly unit: FaultUnit;
  readonly effect: FaultEffect;
  /** `slow`: service times × factor; `lossy`: probability of loss; `diskSlow`: delays × factor. */
  readonly factor: number;
  readonly between: Between;
  readonly repair: readonly Repair[];
  readonly source: string;
}

const year = 365 * microsPerDay;
const second = microsPerSecond;
const minute = microsPerMinute;
const hour = microsPerHour;

const exponential = (meanMicros: number): Between => ({ distribution: 'exponential', meanMicros });
/** Shape 0.7: a failure makes the next one more likely for a while (Schroeder and Gibson, DSN 2006: 0.7 to 0.8). */
const bursty = (meanMicros: number): Between => ({ distribution: 'weibull', meanMicros, shape: 0.7, gamma: 1.265_82 });
const uniform = (low: number, high: number, share = 1): Repair => ({ share, uniform: [low, high] });
const lognormal = (medianMicros: number, sigma: number, maxMicros: number, share = 1): Repair => ({
  share,
  lognormal: { medianMicros, sigma, maxMicros },
});
/** Detection by silence, fencing, taking over the mirrored disk, begin of the process. */
const takeover: readonly Repair[] = [lognormal(10 * second, 0.3, 60 * second)];

export const faultClasses: readonly FaultClass[] = [
  {
    name: 'machine restarts',
    unit: 'machine',
    effect: 'down',
    factor: 1,
    between: bursty(year / 4.2),
    repair: [
      uniform(minute, 6 * minute, 0.55),
      uniform(6 * minute, 30 * minute, 0.25),
      lognormal(3 * hour, 1, 24 * hour, 0.19),
      uniform(24 * hour, 7 * 24 * hour, 0.01),
    ],
    source:
      'Barroso, Hölzle, Ranganathan, The Datacenter as a Computer (2018), ch. 7: 4.2 restarts a machine-year; 55% below 6 min, 25% up to 30 min, most others within a day',
  },
  {
    name: 'machine hangs',
    unit: 'machine',
    effect: 'hang',
    factor: 1,
    between: exponential(year),
    repair: [lognormal(20 * second, 1, 30 * minute)],
    source: 'assumption: driver resets, paging, long pauses',
  },
  {
    name: 'machine is slow',
    unit: 'machine',
    effect: 'slow',
    factor: 5,
    between: exponential(5 * year),
    repair: [lognormal(hour, 1, 24 * hour)],
    source: 'Gunawi et al., Fail-Slow at Scale (FAST 2018), for what happens; rate and factor are assumptions',
  },
  {
    name: 'machine link cut',
    unit: 'machine',
    effect: 'cut',
    factor: 1,
    between: bursty(5 * year),
    repair: [lognormal(5 * minute, 1.5, 24 * hour)],
    source: 'Gill et al., Understanding Network Failures in Data Centers (SIGCOMM 2011): median repair about 5 min',
  },
  {
    name: 'rack loses power',
    unit: 'rack',
    effect: 'down',
    factor: 1,
    between: bursty(year / 0.22),
    repair: [uniform(hour, 6 * hour)],
    source: 'Dean, LADIS 2009 keynote: about 20 rack failures a year in 45 racks, 1 to 6 h; half of them power',
  },
  {
    name: 'rack switch fails',
    unit: 'rack',
    effect: 'cut',
    factor: 1,
    between: bursty(year / 0.22),
    repair: [uniform(hour, 6 * hour)],
    source: 'Dean 2009, the other half',
  },
  {
    name: 'rack loses packets',
    unit: 'rack',
    effect: 'lossy',
    factor: 0.5,
    between: exponential(year / 0.11),
    repair: [uniform(10 * minute, 60 * minute)],
    source: 'Dean 2009: 5 racks a year go wonky (half of the packets lost); the length is an assumption',
  },
  {
    name: 'power feed fails',
    unit: 'feed',
    effect: 'down',
    factor: 1,
    between: exponential(2 * year),
    repair: [lognormal(2 * hour, 0.7, 12 * hour)],
    source:
      'Dean 2009: one power distribution unit a year, about 6 h; half the fleet, and on the first feed the kernel',
  },
  {
    name: 'kernel process crashes',
    unit: 'kernel',
    effect: 'kernelDown',
    factor: 1,
    between: exponential(30 * microsPerDay),
    repair: [uniform(second, 3 * second)],
    source:
      'assumption: a crash a month, a supervisor that starts it again; recovery from the disk comes on top, simulated',
  },
  {
    name: 'kernel host fails',
    unit: 'kernel',
    effect: 'kernelDown',
    factor: 1,
    between: bursty(year / 4.2),
    repair: takeover,
    source: 'as machine restarts; a standby with a mirrored disk takes over: median 10 s (assumption)',
  },
  {
    name: 'kernel disk stalls',
    unit: 'kernel',
    effect: 'diskSlow',
    factor: 2000,
    between: exponential(year),
    repair: [lognormal(10 * second, 1, 5 * minute)],
    source: 'Gunawi et al. 2018 for what happens (syncs take a second); rate and length are assumptions',
  },
  {
    name: 'gateway process crashes',
    unit: 'gateway',
    effect: 'gatewayCut',
    factor: 1,
    between: exponential(30 * microsPerDay),
    repair: [uniform(second, 3 * second)],
    source: 'assumption, as the kernel’s process',
  },
  {
    name: 'gateway host fails',
    unit: 'gateway',
    effect: 'gatewayCut',
    factor: 1,
    between: bursty(year / 4.2),
    repair: takeover,
    source: 'as the kernel’s host',
  },
];

/** How long a standby of the kernel takes when its feed fails. */
export const takeoverRepair = takeover;

export function sampleBetween(random: RandomStream, between: Between): number {
  const { meanMicros } = between;
  return between.distribution === 'exponential'
    ? sampleExponential(random, meanMicros)
    : sampleWeibull(random, meanMicros / between.gamma, between.shape);
}

/** Shares of the parts add up to 1. */
export function sampleRepair(random: RandomStream, parts: readonly Repair[]): number {
  let left = random.nextFloat();
  const part =
    parts.find(({ share }) => {
      left -= share;
      return left < 0;
    }) ?? (parts.at(-1) as Repair);
  if ('uniform' in part) return sampleUniform(random, part.uniform[0], part.uniform[1]);
  const { medianMicros, sigma, maxMicros } = part.lognormal;
  return Math.min(maxMicros, medianMicros * sampleLognormal(random, 0, sigma));
}
