// Realized against predicted: the objective as it was measured after a change, over what it would have been without, held against
// the interval in which a single window was expected to lie.

import type { Measured } from './advice-job.ts';
import { intervalText, signedPercent } from './judge-change.ts';
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
      ...{
        metric,
        fromMicros,
        untilMicros: fromMicros,
        tasks: 0,
        before,
        after: 0,
        without: 0,
        change: 0,
        low: 0,
        high: 0,
      },
      ...{ verdict: 'cannotTell', reason },
    };
  }
  const { without, after, afterLow, afterHigh, ...window } = measured;
  const over = (value: number): number => (without > 0 ? value / without - 1 : 0);
  const [change, low, high] = [over(after), over(afterLow), over(afterHigh)];
  const { expected } = effect;
  // One bad moment in the window is not yet a bad change.
  const verdict = low > expected.high ? 'worse' : high < expected.low ? 'better' : 'inside';
  const isWithin = change >= expected.low && change <= expected.high;
  const words = { worse: 'worse than', better: 'better than', inside: isWithin ? 'within' : 'not surely outside' }[
    verdict
  ];
  const told = intervalText(expected).replace('95% interval ', '');
  const reason = `${effect.title} changed by ${signedPercent(change)}, ${words} what was expected (${told})`;
  return { metric, before, ...window, after, without, change, low, high, verdict, reason };
}
