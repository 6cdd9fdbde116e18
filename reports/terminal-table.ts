// What a terminal shows after `sira run`: the answer in a sentence, the policies ranked by the objective with means and
// half intervals, what was broken, what cannot be told. Fits the width by leaving columns out and saying so. Returns text;
// the caller prints it, and the path of the report after it.

import { stripVTControlCharacters } from 'node:util';
import Table from 'cli-table3';
import picocolors from 'picocolors';
import type { MetricSpec, PolicyResult, ResultDocument } from '../sim/experiment/results.ts';
import { formatDuration, formatEstimate, formatNumber, joinWords, plural, scaleOf } from './format.ts';
import { guardSentence } from './guards.ts';
import { differenceScale, headlineOf } from './headline.ts';
import { mainMetrics } from './main-metrics.ts';
import { type Ranking, rankLabel, rankPolicies } from './ranking.ts';

export interface TerminalOptions {
  /** Whether to write ANSI colours. */
  readonly color: boolean;
  /** Columns of the terminal; below 60 is taken as 60. */
  readonly width: number;
}

const widthMin = 60;
const columnGap = 2;

interface Column {
  /** Lines of the heading. */
  readonly head: readonly string[];
  readonly cells: readonly string[];
  readonly align: 'left' | 'right';
  /** Formats a cell after its width is known: colours have no width. */
  readonly paint?: (cell: string, row: number) => string;
}

/** The document as text of at most `width` columns, ending in a line break. */
export function formatResults(document: ResultDocument, options: TerminalOptions): string {
  const width = Math.max(widthMin, options.width);
  const colors = picocolors.createColors(options.color);
  const ranking = rankPolicies(document);
  const headline = headlineOf(document, ranking);
  const lines: string[] = [
    '',
    colors.bold(clip(document.scenario.name, width)),
    ...wrap(setting(document), width).map((line) => colors.dim(line)),
    '',
  ];

  const { columns, omitted } = chooseColumns(document, ranking, width, colors);
  lines.push(renderTable(columns, colors), '');

  const paint =
    headline.kind === 'winner' ? colors.green : headline.kind === 'cannot tell' ? colors.yellow : colors.bold;
  lines.push(...wrap(headline.title, width).map((line) => paint(colors.bold(line))));
  for (const detail of headline.details) lines.push(...wrap(detail, width));

  const remarks = remarksOf(document, ranking, omitted);
  if (remarks.length > 0) lines.push('');
  for (const { mark, text, alarming } of remarks) {
    const wrapped = wrap(text, width - 2);
    lines.push(
      ...wrapped.map(
        (line, index) =>
          `${index === 0 ? (alarming ? colors.red(mark) : colors.dim(mark)) : ' '} ${alarming ? line : colors.dim(line)}`,
      ),
    );
  }
  return `${lines.join('\n')}\n`;
}

function setting(document: ResultDocument): string {
  const { cluster } = document;
  return [
    cluster.gpus > 0
      ? `${plural(cluster.machines, 'machine')}, ${plural(cluster.gpus, 'GPU')}`
      : plural(cluster.machines, 'machine'),
    document.seeds.length === 1 ? `seed ${document.seeds[0]}` : plural(document.seeds.length, 'seed'),
    document.warmUpSeconds > 0
      ? `${formatDuration(document.measuredSeconds)} measured after ${formatDuration(document.warmUpSeconds)} of warm-up`
      : `${formatDuration(document.measuredSeconds)} measured`,
  ].join(' · ');
}

type Colors = ReturnType<typeof picocolors.createColors>;

/** Rank, policy and objective always; then the difference from the baseline and the other metrics, as long as they fit. */
function chooseColumns(
  document: ResultDocument,
  ranking: Ranking,
  width: number,
  colors: Colors,
): { columns: Column[]; omitted: readonly MetricSpec[] } {
  const policies = ranking.policies.map(({ policy }) => policy);
  const winner = ranking.decided ? policies[0].name : undefined;
  const isWinner = (row: number) => policies[row].name === winner;
  const broken = new Set(document.guards.flatMap(({ violations }) => violations.map(({ policy }) => policy)));
  const columns: Column[] = [
    {
      head: ['', ''],
      cells: ranking.policies.map((entry) => rankLabel(entry, ranking)),
      align: 'right',
      paint: (cell) => colors.dim(cell),
    },
    {
      head: ['', 'policy'],
      cells: policies.map(
        (policy) =>
          `${clip(policy.name, width - 48)}${policy.name === winner ? ' ★' : ''}${broken.has(policy.name) ? ' !' : ''}${policy.stationary ? '' : ' †'}`,
      ),
      align: 'left',
      paint: (cell, row) => (isWinner(row) ? colors.green(colors.bold(cell)) : colors.bold(cell)),
    },
    { ...metricColumn(ranking.metric, policies), paint: (cell, row) => (isWinner(row) ? colors.green(cell) : cell) },
  ];
  const omitted: MetricSpec[] = [];
  const candidates: { column: Column; metric?: MetricSpec }[] = [];
  const difference = differenceColumn(document, ranking, policies, colors);
  if (difference) candidates.push({ column: difference });
  for (const metric of mainMetrics(document)) candidates.push({ column: metricColumn(metric, policies), metric });
  for (const { column, metric } of candidates) {
    if (tableWidth([...columns, column]) <= width) columns.push(column);
    else if (metric) omitted.push(metric);
  }
  return { columns, omitted };
}

function metricColumn(metric: MetricSpec, policies: readonly PolicyResult[]): Column {
  const estimates = policies.flatMap((policy) => policy.metrics[metric.name] ?? []);
  const scale = scaleOf(metric, estimates);
  return {
    head: heading(metric.title, scale.unit),
    cells: policies.map((policy) => formatEstimate(policy.metrics[metric.name], scale)),
    align: 'right',
  };
}

function differenceColumn(
  document: ResultDocument,
  ranking: Ranking,
  policies: readonly PolicyResult[],
  colors: Colors,
): Column | undefined {
  const comparisons = document.comparisons.filter(({ metric }) => metric === ranking.metric.name);
  if (comparisons.length === 0) return undefined;
  const scale = differenceScale(
    ranking.metric,
    comparisons.map(({ difference }) => difference),
  );
  const found = policies.map((policy) => comparisons.find((comparison) => comparison.policy === policy.name));
  return {
    head: ['against', `${clip(document.baseline, 20)} [${scale.unit}]`],
    cells: policies.map((policy, row) => {
      if (policy.name === document.baseline) return 'baseline';
      const difference = found[row]?.difference;
      if (!difference || difference.mean === null) return '–';
      const tilde = found[row]?.verdict === 'cannot tell' && found[row]?.pHolm !== null ? '≈ ' : '';
      const half =
        difference.low === null || difference.high === null
          ? ''
          : ` ± ${formatNumber((difference.high - difference.low) / 2, scale)}`;
      return `${tilde}${formatNumber(difference.mean, scale, true)}${half}`;
    }),
    align: 'right',
    paint: (cell, row) => {
      if (found[row]?.verdict === 'better') return colors.green(cell);
      return found[row]?.verdict === 'worse' ? colors.red(cell) : colors.dim(cell);
    },
  };
}

/** A title of at most two lines, the unit on the last. */
function heading(title: string, unit: string): string[] {
  const words = title.split(' ');
  const suffix = unit === '1' || unit === '' ? '' : ` [${unit}]`;
  if (words.length === 1) return suffix === '' ? ['', title] : [title, suffix.trim()];
  let best: string[] = [];
  for (let split = 1; split < words.length; split++) {
    const candidate = [words.slice(0, split).join(' '), words.slice(split).join(' ') + suffix];
    if (best.length === 0 || widest(candidate) < widest(best)) best = candidate;
  }
  return best;
}

const widest = (lines: readonly string[]) => Math.max(0, ...lines.map((line) => line.length));
const columnWidth = (column: Column) => widest([...column.head, ...column.cells]);
const tableWidth = (columns: readonly Column[]) =>
  columns.reduce((sum, column) => sum + columnWidth(column) + columnGap, -columnGap);

function renderTable(columns: readonly Column[], colors: Colors): string {
  const rule = (left: string) => ({ left, mid: '', 'mid-mid': '', right: '' });
  const table = new Table({
    chars: {
      top: '',
      'top-mid': '',
      'top-left': '',
      'top-right': '',
      bottom: '',
      'bottom-mid': '',
      'bottom-left': '',
      'bottom-right': '',
      ...rule(''),
      'left-mid': '',
      'right-mid': '',
      middle: ' '.repeat(columnGap),
    },
    style: { 'padding-left': 0, 'padding-right': 0, head: [], border: [], compact: true },
    colAligns: columns.map(({ align }) => align),
  });
  const lineCount = Math.max(...columns.map(({ head }) => head.length));
  for (let line = 0; line < lineCount; line++) table.push(columns.map(({ head }) => colors.dim(head[line] ?? '')));
  table.push(columns.map((column) => colors.dim('─'.repeat(columnWidth(column)))));
  const rows = columns[0].cells.length;
  for (let row = 0; row < rows; row++) {
    table.push(columns.map((column) => (column.paint ? column.paint(column.cells[row], row) : column.cells[row])));
  }
  return table
    .toString()
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n');
}

interface Remark {
  readonly mark: string;
  readonly text: string;
  readonly alarming: boolean;
}

function remarksOf(document: ResultDocument, ranking: Ranking, omitted: readonly MetricSpec[]): Remark[] {
  const remarks: Remark[] = [];
  for (const guard of document.guards) {
    if (guard.violations.length > 0) remarks.push({ mark: '!', text: guardSentence(document, guard), alarming: true });
  }
  const growing = ranking.policies.filter(({ policy }) => !policy.stationary).map(({ policy }) => policy.name);
  if (growing.length > 0) {
    remarks.push({
      mark: '†',
      text: `The queue of ${joinWords(growing)} still grew while it was measured: waits there depend on how long one measures.`,
      alarming: true,
    });
  }
  if (document.seeds.length > 1 && document.policies.length > 1) {
    remarks.push({
      mark: '±',
      text: 'half of the 95% interval over seeds; a rank is 1 + the policies shown to be better. ≈: could be chance.',
      alarming: false,
    });
  }
  for (const note of document.notes) remarks.push({ mark: '·', text: note, alarming: false });
  if (omitted.length > 0) {
    remarks.push({
      mark: '·',
      text: `In the report and in --json: ${omitted.map(({ title }) => title).join(', ')}.`,
      alarming: false,
    });
  }
  return remarks;
}

/** Without control characters, and cut where it is too long. */
function clip(text: string, width: number): string {
  const plain = stripVTControlCharacters(text).replace(/\p{Cc}/gu, ' ');
  return plain.length > width ? `${plain.slice(0, width - 1)}…` : plain;
}

function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of stripVTControlCharacters(text)
    .replace(/\p{Cc}/gu, ' ')
    .split(/\s+/)) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else {
      line = line === '' ? word : `${line} ${word}`;
    }
  }
  lines.push(line);
  return lines;
}
