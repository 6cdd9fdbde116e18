// Adds up what windows of a life showed, by year: the sums of which every figure of the report is made. The calm between windows
// is added as what it is, requests asked at the stated rate and served; the controls say whether that is so.

import { microsPerSecond } from '../../../core/base/time.ts';
import { type PlannedLife, yearMicros } from './life.ts';
import type { PlayedWindow } from './play-window.ts';
import { type LedgerCounts, type Recovery, responseSecondsMax } from './request-ledger.ts';

/** Sums over played windows. */
export interface Tally {
  windows: number;
  playedMicros: number;
  eventCount: number;
  requests: number;
  served: number;
  late: number;
  refused: number;
  failed: number;
  lost: number;
  notServed: Record<string, number>;
  responseSeconds: number[];
  longestMicros: number;
  recoveries: Recovery[];
  rodeOut: number;
  kernelOutages: number[];
  gatewayOutages: number[];
}

export function emptyTally(): Tally {
  return {
    windows: 0,
    playedMicros: 0,
    eventCount: 0,
    requests: 0,
    served: 0,
    late: 0,
    refused: 0,
    failed: 0,
    lost: 0,
    notServed: {},
    responseSeconds: new Array<number>(responseSecondsMax + 1).fill(0),
    longestMicros: 0,
    recoveries: [],
    rodeOut: 0,
    kernelOutages: [],
    gatewayOutages: [],
  };
}

export function tallyOf({ fromMicros, untilMicros, counts, lost, eventCount }: PlayedWindow): Tally {
  return { ...counts, windows: 1, playedMicros: untilMicros - fromMicros, eventCount, lost };
}

export function addTally(sum: Tally, more: Tally): void {
  for (const name of [
    ...(['windows', 'playedMicros', 'eventCount', 'requests', 'served'] as const),
    ...(['late', 'refused', 'failed', 'lost', 'rodeOut'] as const),
  ])
    sum[name] += more[name];
  for (const [cause, count] of Object.entries(more.notServed))
    sum.notServed[cause] = (sum.notServed[cause] ?? 0) + count;
  more.responseSeconds.forEach((count, second) => {
    sum.responseSeconds[second] = (sum.responseSeconds[second] as number) + count;
  });
  sum.longestMicros = Math.max(sum.longestMicros, more.longestMicros);
  sum.recoveries.push(...more.recoveries);
  sum.kernelOutages.push(...more.kernelOutages);
  sum.gatewayOutages.push(...more.gatewayOutages);
}

/** Not answered within the promise, for whatever reason. */
export function notServedCount({ requests, served }: Pick<LedgerCounts, 'requests' | 'served'>): number {
  return requests - served;
}

/** A stretch of a life: what was played of it, and how many requests the rest adds. */
export interface Stretch {
  readonly micros: number;
  readonly played: Tally;
  /** Expected: rate times calm time. */
  readonly calmRequests: number;
}

export function requestsOf({ played, calmRequests }: Stretch): number {
  return played.requests + calmRequests;
}

/** Share of the requests that were served, 0…1. */
export function servedShare(stretch: Stretch): number {
  return 1 - notServedCount(stretch.played) / requestsOf(stretch);
}

/** The years of a life; a window belongs to the year in which it begins. */
export function yearsOf({ plan }: Pick<PlannedLife, 'plan'>, windows: readonly PlayedWindow[]): Stretch[] {
  const { spanMicros, study } = plan;
  const tallies = Array.from({ length: Math.ceil(spanMicros / yearMicros) }, emptyTally);
  for (const window of windows) addTally(tallies[Math.floor(window.fromMicros / yearMicros)] as Tally, tallyOf(window));
  return tallies.map((played, year) => {
    const micros = Math.min(yearMicros, spanMicros - year * yearMicros);
    const calmMicros = Math.max(0, micros - played.playedMicros);
    return { micros, played, calmRequests: (study.requests.ratePerSecond * calmMicros) / microsPerSecond };
  });
}

export function sumOf(stretches: readonly Stretch[]): Stretch {
  const played = emptyTally();
  for (const stretch of stretches) addTally(played, stretch.played);
  return {
    micros: stretches.reduce((sum, { micros }) => sum + micros, 0),
    played,
    calmRequests: stretches.reduce((sum, { calmRequests }) => sum + calmRequests, 0),
  };
}
