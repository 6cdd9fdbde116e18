// The forest plot: each policy's paired difference from the baseline with its 95% interval, one metric at a time.

import type { Comparison, MetricSpec, ResultDocument } from '../../sim/experiment/results.ts';
import { formatNumber, formatPValue, halfInterval } from '../format.ts';
import { differenceScale } from '../headline.ts';
import type { Ranking } from '../ranking.ts';
import { base, call, type Figure, ink, inkSoft, type Json, type Option, tooltip, xAxis, yAxis } from './chart.ts';
import { policyLooks } from './theme.ts';

/** Undefined where there is nothing to compare. The objective comes first among the metrics. */
export function differenceFigure(document: ResultDocument, ranking: Ranking): Figure | undefined {
  const metrics = [ranking.metric, ...document.metrics.filter((metric) => metric !== ranking.metric)];
  const variants = metrics.flatMap((metric) => {
    const comparisons = ranking.policies.flatMap(({ policy }) =>
      document.comparisons.filter(
        (entry) => entry.metric === metric.name && entry.policy === policy.name && entry.difference.mean !== null,
      ),
    );
    return comparisons.length === 0 ? [] : [{ label: metric.title, option: option(document, metric, comparisons) }];
  });
  if (variants.length === 0) return undefined;
  return {
    id: 'differences',
    title: `Difference from ${document.baseline}, paired by seed`,
    caption:
      document.seeds.length > 1
        ? 'Mean and 95% interval. Filled points are shown to differ after Holm’s correction over the policies; hollow ones could be chance.'
        : 'One seed: differences without an interval.',
    label: `Forest plot of the paired differences of every policy from ${document.baseline}, with 95% intervals. The results table has the same numbers.`,
    heightPixels: 92 + 34 * Math.max(2, document.policies.length - 1),
    renderer: 'svg',
    variants,
    chooses: 'metric',
  };
}

function option(document: ResultDocument, metric: MetricSpec, comparisons: readonly Comparison[]): Option {
  const looks = policyLooks(document);
  const scale = differenceScale(
    metric,
    comparisons.map(({ difference }) => difference),
  );
  const shown = (value: number) => Number((value * scale.factor).toPrecision(6));
  const data = comparisons.map((comparison, row): Json => {
    const { mean, low, high } = comparison.difference;
    const half = halfInterval(comparison.difference);
    const text = `${formatNumber(mean, scale, true)}${half === null ? '' : ` ± ${formatNumber(half, scale)}`}`;
    return {
      name: comparison.policy,
      value: [
        shown(mean!),
        row,
        shown(low ?? mean!),
        shown(high ?? mean!),
        comparison.verdict === 'cannot tell' ? 0 : 1,
      ],
      itemStyle: { color: looks.get(comparison.policy)!.color },
      // Read by the page's script.
      text,
      detail: [
        `${text}${scale.unit === '1' ? '' : ` ${scale.unit}`}`,
        ...(comparison.pHolm === null ? [] : [`${formatPValue(comparison.pHolm)} after correction`]),
        comparison.verdict,
      ],
    };
  });
  const arrow = { higher: ' · better →', lower: '← better · ', neither: '' }[metric.better];
  const unit = scale.unit === '1' ? 'difference' : `difference, ${scale.unit}`;
  const grid = {
    left: call(
      'labelSpace',
      comparisons.map(({ policy }) => policy),
      13,
    ),
    right: 132,
    top: 8,
    bottom: 46,
  };
  return {
    baseOption: {
      ...base,
      grid,
      tooltip: tooltip({ trigger: 'item', formatter: call('forestTooltip') }),
      xAxis: xAxis(metric.better === 'lower' ? arrow + unit : unit + arrow, {
        scale: false,
        splitNumber: 6,
        splitLine: { show: true, lineStyle: { color: 'var(--grid)' } },
        axisLabel: { formatter: call('signed', scale.decimals) },
      }),
      yAxis: yAxis({
        type: 'category',
        inverse: true,
        data: comparisons.map(({ policy }) => policy),
        splitLine: { show: false },
        axisLabel: { color: ink, fontSize: 13 },
      }),
      series: [
        {
          type: 'custom',
          renderItem: call('forestMark', data.map((entry) => (entry as Option).text) as Json),
          encode: { x: [0, 2, 3], y: 1 },
          data,
          clip: false,
          markLine: {
            silent: true,
            symbol: 'none',
            animation: false,
            label: { show: false },
            lineStyle: { color: inkSoft, width: 1, type: 'solid' },
            data: [{ xAxis: 0 }],
          },
        },
      ],
    },
    media: [{ query: { maxWidth: 520 }, option: { grid: { ...grid, right: 20 } } }, { option: { grid } }],
  };
}
