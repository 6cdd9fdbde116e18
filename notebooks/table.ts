// A data frame as a table for people: HTML, numbers to the right.

import { html } from '../reports/report/html.ts';

/** What a danfojs frame shows of itself. */
export interface Tabular {
  readonly columns: string[];
  readonly values: unknown;
  readonly shape: number[];
}

/** The first rows; numbers with three significant digits, or as whole ones. */
export function table(frame: Tabular, rowsMax = 12): string {
  const rows = (frame.values as unknown[][]).slice(0, rowsMax);
  const [count = 0] = frame.shape;
  const head = frame.columns.map((name) => html`<th>${name}</th>`);
  const body = rows.map((row) => html`<tr>${row.map(cell)}</tr>`);
  const rest = count > rowsMax ? html`<p>${rowsMax} of ${wholeText(count)} rows</p>` : null;
  return html`<table><thead><tr>${head}</tr></thead><tbody>${body}</tbody></table>${rest}`.text;
}

function cell(value: unknown) {
  return typeof value === 'number'
    ? html`<td style="text-align:right">${numberText(value)}</td>`
    : html`<td style="text-align:left">${String(value ?? '')}</td>`;
}

function numberText(value: number): string {
  if (!Number.isFinite(value)) return '–';
  const size = Math.abs(value);
  const sign = value < 0 ? '−' : '';
  if (Number.isInteger(value)) return `${sign}${wholeText(size)}`;
  const decimals = size === 0 ? 0 : Math.min(6, Math.max(0, 2 - Math.floor(Math.log10(size))));
  const [whole = '', part] = size.toFixed(decimals).split('.');
  return `${sign}${wholeText(Number(whole))}${part === undefined ? '' : `.${part}`}`;
}

function wholeText(value: number): string {
  return String(value).replace(/\B(?=(\d{3})+$)/g, ',');
}
