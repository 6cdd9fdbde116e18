// From played windows to the figures of the availability page: shares, recovery times, causes, years, and whether the goals are
// met. Everything here is arithmetic on tallies; the page only writes it down.

import { microsPerSecond } from '../../core/base/time.ts';
import { faultClasses } from '../../sim/experiment/availability/fault-model.ts';
import { type PlannedLife, planLife, yearMicros } from '../../sim/experiment/availability/life.ts';
import type { LifeJobResult } from '../../sim/experiment/availability/life-job.ts';
import { nobody, type Recovery } from '../../sim/experiment/availability/request-ledger.ts';
import {
  addTally,
  emptyTally,
  notServedCount,
  requestsOf,
  type Stretch,
  sumOf,
  type Tally,
  tallyOf,
  yearsOf,
} from '../../sim/experiment/availability/tally.ts';
import { ascending, estimate, quantile } from '../../sim/experiment/statistics.ts';
import type { Check } from '../tables/table.ts';
import type { Variant } from './study-plan.ts';

export interface Times {
  readonly count: number;
  readonly medianSeconds: number | null;
  readonly p99Seconds: number | null;
  readonly worstSeconds: number | null;
}

/** Of a life, a year of it, or all lives. */
export interface Figures {
  readonly name: string;
  readonly years: number;
  readonly requests: number;
  readonly playedRequests: number;
  readonly notServed: number;
  readonly lost: number;
  readonly servedShare: number;
  readonly recovery: Times;
  readonly kernelOutage: Times;
  readonly gatewayOutage: Times;
}

export interface CauseFigures {
  readonly cause: string;
  /** A decade of one fleet. */
  readonly faults: number;
  readonly lastedHours: number;
  readonly notServed: number;
  /** How long nothing at all would have to be served to miss as many, seconds a year. */
  readonly equivalentSecondsPerYear: number;
  readonly recovery: Times;
}

export interface StudyFigures {
  readonly all: Figures;
  readonly lives: readonly Figures[];
  /** The years of each life. */
  readonly years: readonly (readonly Figures[])[];
  /** Mean over the lives of the share served, with its 95% interval (Student t); no interval for one life. */
  readonly servedShare: { readonly mean: number; readonly low: number | null; readonly high: number | null };
  readonly causes: readonly CauseFigures[];
  readonly responses: readonly { readonly withinSeconds: number; readonly share: number }[];
  readonly controls: Figures & { readonly longestSeconds: number };
  readonly variants: readonly Figures[];
  readonly checks: readonly Check[];
  /** Recovery times in ascending order, seconds: of machines, and of kernel and gateway. */
  readonly recoveries: readonly { readonly name: string; readonly seconds: readonly number[] }[];
}

export const goals = { servedShare: 0.999_99, worstRecoverySeconds: 30 } as const;
const responseBounds = [16, 20, 30, 45, 60, 120];

interface PlayedLife {
  readonly life: PlannedLife;
  readonly years: readonly Stretch[];
  readonly controls: Tally;
}

export function studyFigures(
  lives: readonly Variant[],
  variants: readonly Variant[],
  results: readonly LifeJobResult[],
): StudyFigures {
  let at = 0;
  const played = [...lives, ...variants].map(({ plan, jobs }): PlayedLife => {
    const windows = results.slice(at, at + jobs.length).flatMap((result) => result.windows);
    at += jobs.length;
    const life = planLife(plan);
    const controls = emptyTally();
    for (const window of windows) if (window.isControl) addTally(controls, tallyOf(window));
    return {
      life,
      years: yearsOf(
        life,
        windows.filter((window) => !window.isControl),
      ),
      controls,
    };
  });
  const own = played.slice(0, lives.length);
  const sums = own.map(({ years }) => sumOf(years));
  const all = sumOf(sums);
  const controls = emptyTally();
  for (const { controls: more } of own) addTally(controls, more);
  const lifeFigures = sums.map((sum, index) => figuresOf((lives[index] as Variant).name, sum));
  const shares = estimate(lifeFigures.map(({ servedShare }) => servedShare));
  const figures = figuresOf('all', all);
  const causes = causesOf(own, all);
  return {
    all: figures,
    lives: lifeFigures,
    years: own.map(({ years }) => years.map((year, index) => figuresOf(`${index + 1}`, year))),
    servedShare: { mean: shares.mean as number, low: shares.low, high: shares.high },
    causes,
    responses: responseBounds.map((withinSeconds) => ({ withinSeconds, share: shareWithin(all, withinSeconds) })),
    controls: {
      ...figuresOf('controls', { micros: controls.playedMicros, played: controls, calmRequests: 0 }),
      longestSeconds: controls.longestMicros / microsPerSecond,
    },
    variants: variantFigures(own[0] as PlayedLife, played.slice(lives.length), variants),
    checks: checksOf(figures, shares, controls, all.played),
    recoveries: [
      { name: 'after faults of machines, racks, feeds', seconds: secondsOf(all.played.recoveries, false) },
      { name: 'after faults of kernel, disk, gateway', seconds: secondsOf(all.played.recoveries, true) },
    ],
  };
}

/** Beside what the first life showed in the same years. */
function variantFigures(base: PlayedLife, played: readonly PlayedLife[], variants: readonly Variant[]): Figures[] {
  if (played.length === 0) return [];
  const sameYears = base.years.slice(0, (played[0] as PlayedLife).years.length);
  return [
    figuresOf('as studied', sumOf(sameYears)),
    ...played.map(({ years }, index) => figuresOf((variants[index] as Variant).name, sumOf(years))),
  ];
}

function figuresOf(name: string, stretch: Stretch): Figures {
  const { played, micros } = stretch;
  const requests = requestsOf(stretch);
  const notServed = notServedCount(played);
  return {
    name,
    years: micros / yearMicros,
    requests,
    playedRequests: played.requests,
    notServed,
    lost: played.lost,
    servedShare: 1 - notServed / requests,
    recovery: timesOf(played.recoveries.map((recovery) => recovery.micros)),
    kernelOutage: timesOf(played.kernelOutages),
    gatewayOutage: timesOf(played.gatewayOutages),
  };
}

function timesOf(micros: readonly number[]): Times {
  const sorted = ascending(micros.map((value) => value / microsPerSecond));
  return {
    count: sorted.length,
    medianSeconds: quantile(sorted, 0.5),
    p99Seconds: quantile(sorted, 0.99),
    worstSeconds: sorted.at(-1) ?? null,
  };
}

function causesOf(lives: readonly PlayedLife[], all: Stretch): CauseFigures[] {
  const decades = all.micros / (10 * yearMicros);
  const names = [...faultClasses.map(({ name }) => name), nobody];
  return names.flatMap((cause) => {
    const faults = lives.flatMap(({ life }) => life.faults.filter((fault) => fault.cause === cause));
    const recoveries = all.played.recoveries.filter((recovery) => recovery.cause === cause);
    const notServed = all.played.notServed[cause] ?? 0;
    if (faults.length === 0 && notServed === 0 && recoveries.length === 0) return [];
    const rate = (lives[0] as PlayedLife).life.study.requests.ratePerSecond;
    const lastedMicros = faults.reduce((sum, { forMicros }) => sum + forMicros, 0);
    return [
      {
        cause,
        faults: faults.length / decades,
        lastedHours: lastedMicros / (3600 * microsPerSecond) / decades,
        notServed: notServed / decades,
        equivalentSecondsPerYear: notServed / rate / decades / 10,
        recovery: timesOf(recoveries.map(({ micros }) => micros)),
      },
    ];
  });
}

/** Calm requests last no longer than the longest service. */
function shareWithin(all: Stretch, seconds: number): number {
  const longer = all.played.responseSeconds.reduce((sum, count, second) => (second >= seconds ? sum + count : sum), 0);
  const unanswered = all.played.failed + all.played.refused + all.played.lost;
  return 1 - (longer + unanswered) / requestsOf(all);
}

function secondsOf(recoveries: readonly Recovery[], ofFleet: boolean): number[] {
  const fleet = new Set(
    faultClasses.filter(({ unit }) => unit === 'kernel' || unit === 'gateway').map(({ name }) => name),
  );
  const micros = recoveries.filter(({ cause }) => fleet.has(cause) === ofFleet).map((recovery) => recovery.micros);
  return [...ascending(micros.map((value) => value / microsPerSecond))];
}

function checksOf(
  all: Figures,
  shares: { readonly mean: number | null; readonly low: number | null },
  controls: Tally,
  played: Tally,
): Check[] {
  const percent = (share: number): string => `${(100 * share).toFixed(5)}%`;
  const worst = all.recovery.worstSeconds ?? 0;
  const late = notServedCount(controls);
  const least = shares.low ?? (shares.mean as number);
  const unknown = (played.notServed[nobody] ?? 0) + played.recoveries.filter(({ cause }) => cause === nobody).length;
  return [
    {
      requirement: `at least ${percent(goals.servedShare)} of the requests are served, the interval's low end included`,
      found: `${percent(shares.mean as number)}, low end ${percent(least)}`,
      holds: least >= goals.servedShare,
    },
    { requirement: 'no acknowledged request is lost', found: `${all.lost} lost`, holds: all.lost === 0 },
    {
      requirement: `every recovery, from the fault to running elsewhere, in under ${goals.worstRecoverySeconds} s`,
      found: `worst ${worst.toFixed(1)} s of ${all.recovery.count}`,
      holds: worst < goals.worstRecoverySeconds,
    },
    {
      requirement: 'in the calm that was played as a control, nothing is late',
      found: `${late} of ${controls.requests} requests, the longest took ${(controls.longestMicros / microsPerSecond).toFixed(1)} s`,
      holds: late === 0,
    },
    {
      requirement: 'each miss and each recovery has a fault for its cause',
      found: `${unknown} without`,
      holds: unknown === 0,
    },
  ];
}
