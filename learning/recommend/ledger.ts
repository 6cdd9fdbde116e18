// How good past advice was: where realized effects lay in the intervals that had been predicted, and how far off predictions were.
// What was promised is that 95 of 100 lie within; kinds of advice that keep it less get wider intervals from then on.

import { ascending, mean, quantile } from '../../sim/experiment/statistics.ts';
import { type Ledger, type LedgerEntry, type LedgerSummary, recommendationKinds } from './recommendation.ts';

/** Fewer pieces of advice teach nothing; of more, the latest count. */
const entriesMin = 5;
const entriesMax = 50;
const wideningMax = 5;
const promised = 0.95;

export function ledgerOf(entries: readonly LedgerEntry[]): Ledger {
  const kinds = recommendationKinds.filter((kind) => entries.some((entry) => entry.kind === kind));
  const summaries = [
    ...(entries.length === 0 ? [] : [summaryOf('all', entries)]),
    ...kinds.map((kind) =>
      summaryOf(
        kind,
        entries.filter((entry) => entry.kind === kind),
      ),
    ),
  ];
  return { entries: [...entries].reverse(), summaries };
}

/** By which new intervals of the kind are widened: so that what is promised would have held of the latest pieces of advice; from 1 to 5. */
export function wideningOf(entries: readonly LedgerEntry[]): number {
  const latest = entries.slice(-entriesMax);
  if (latest.length < entriesMin) return 1;
  // In half-widths of the interval, on the side on which it fell.
  const misses = latest.map(({ expected, realized }) => {
    const half = realized > expected.mean ? expected.high - expected.mean : expected.mean - expected.low;
    return Math.abs(realized - expected.mean) / Math.max(half, 1e-9);
  });
  return Math.min(wideningMax, Math.max(1, quantile(ascending(misses), promised) as number));
}

function summaryOf(kind: string, entries: readonly LedgerEntry[]): LedgerSummary {
  const errors = entries.map(({ expected, realized }) => realized - expected.mean);
  return {
    ...{ kind, count: entries.length },
    coverage: entries.filter(({ covered }) => covered).length / entries.length,
    meanError: mean(errors) as number,
    meanAbsoluteError: mean(errors.map(Math.abs)) as number,
    widening: wideningOf(entries),
  };
}
