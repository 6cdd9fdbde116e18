// Realized against predicted: the objective as it was measured after a change, over what it would have been without, held against
// the interval in which a single window was expected to lie.

import type { Measured } from './advice-job.ts';
import { intervalText, percent } from './judge-change.ts';
import type { Realized, Recommendation } from './recommendation.ts';

export function realizedOf(
  { effects, evidence, applied }: Recommendation,
  metric: string,
  measured: Measured | { readonly reason: string },
): Realized {
  const effect = effects.find((one) => one.metric === metric);
  const before = evidence?.measured[metric] ?? 0;
  if ('reason' in measured || effect === undefined) {
    const reason = 'reason' in measured ? measured.reason : `no effect on ${metric} was predicted`;
    const fromMicros = applied?.atMicros ?? 0;
    return {
      ...{ metric, fromMicros, untilMicros: fromMicros, tasks: 0, before, after: 0, without: 0, change: 0 },
      ...{ verdict: 'cannotTell', reason },
    };
  }
  const change = measured.without > 0 ? measured.after / measured.without - 1 : 0;
  const { low, high } = effect.expected;
  const verdict = change > high ? 'worse' : change < low ? 'better' : 'inside';
  const words = { worse: 'worse than', better: 'better than', inside: 'within' }[verdict];
  const expected = intervalText(effect.expected).replace('95% interval ', '');
  const reason = `${effect.title} changed by ${percent(change)}, ${words} what was expected (${expected})`;
  return { metric, before, ...measured, change, verdict, reason };
}
