// Lines, one a policy: direct labels at their ends where there is room, no legend of their own (the page has one for all
// charts), a tooltip with every policy's value at the pointer.

import type { ResultDocument } from '../../sim/experiment/results.ts';
import { base, call, inkSoft, type Json, type Option, tooltip, xAxis, yAxis } from './chart.ts';
import { policyLooks } from './theme.ts';

export interface Line {
  readonly policy: string;
  readonly points: readonly (readonly [number, number])[];
  /** `end` makes steps, as an empirical distribution has them. */
  readonly step?: 'end';
}

export interface LineAxes {
  readonly x: Option;
  readonly y: Option;
  /** Calls that format the tooltip's heading (from x) and its values (from y). */
  readonly formatX: Json;
  readonly formatY: Json;
  /** Whether larger values come first in the tooltip. */
  readonly descending: boolean;
  /** Whether each line is named at its end; not where all lines end in one place. */
  readonly named: boolean;
  /** A part of the horizontal axis set off from the rest, such as the warm-up. */
  readonly shaded?: { readonly from: number; readonly to: number; readonly label: string };
}

const labelWidth = 118;
const narrow = 620;

export function lineOption(document: ResultDocument, lines: readonly Line[], axes: LineAxes): Option {
  const looks = policyLooks(document);
  const series = lines.map((line, index): Option => {
    const look = looks.get(line.policy)!;
    const label: Option = {
      show: axes.named,
      formatter: call('endLabel', line.policy),
      color: inkSoft,
      fontSize: 12,
      distance: 10,
      // The line height is given, because it is otherwise guessed from a glyph that a font may lack.
      lineHeight: 15,
      rich: {
        dot: { color: look.color, fontSize: 12, lineHeight: 15, fontWeight: 'bold' },
        name: { color: inkSoft, fontSize: 12, lineHeight: 15 },
      },
    };
    return {
      type: 'line',
      name: line.policy,
      data: line.points as Json,
      showSymbol: false,
      ...(line.step ? { step: line.step } : {}),
      lineStyle: { width: 1.75, color: look.color, type: look.dash },
      itemStyle: { color: look.color },
      endLabel: label,
      labelLayout: { moveOverlap: 'shiftY' },
      emphasis: { focus: 'series', lineStyle: { width: 2.5 } },
      blur: { lineStyle: { opacity: 0.18 } },
      ...(axes.shaded && index === 0 ? { markArea: shade(axes.shaded) } : {}),
      z: line.policy === document.baseline ? 2 : 3,
    };
  });
  const grid = { left: 8, right: axes.named ? labelWidth : 20, top: 12, bottom: 46, containLabel: true };
  return {
    baseOption: {
      ...base,
      grid,
      legend: { show: false, data: lines.map(({ policy }) => policy) },
      tooltip: tooltip({
        trigger: 'axis',
        axisPointer: { type: 'line', lineStyle: { color: 'var(--ink-faint)', width: 1, type: 'solid' } },
        formatter: call('lineTooltip', axes.formatX, axes.formatY, axes.descending),
      }),
      xAxis: xAxis(String(axes.x.name), axes.x),
      yAxis: yAxis(axes.y),
      series,
    },
    media: [
      {
        query: { maxWidth: narrow },
        option: { grid: { ...grid, right: 16 }, series: series.map(() => ({ endLabel: { show: false } })) },
      },
      { option: { grid, series: series.map(() => ({ endLabel: { show: axes.named } })) } },
    ],
  };
}

function shade({ from, to, label }: NonNullable<LineAxes['shaded']>): Option {
  return {
    silent: true,
    itemStyle: { color: 'var(--shade)' },
    label: { position: 'insideTopLeft', color: inkSoft, fontSize: 12 },
    data: [[{ xAxis: from, name: label }, { xAxis: to }]],
  };
}
