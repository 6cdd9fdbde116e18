// The page's own script, which runs in the browser: resolves colours and calls in the options, draws the charts, and redraws
// them when the colour scheme, the size or a choice changes. Plain text here, because the report is one file and has no build
// step; it is as small as it can be, and everything that can be computed beforehand is.
//
// The functions that an option may `call(…)`:
//   duration() number(decimals, unit) signed(decimals) powerDuration() powerNumber() powerPercent()
//   lookup(positions, names) labelSpace(names, size) rowLabel(texts) endLabel(name)
//   lineTooltip(formatX, formatY, descending) forestTooltip() partsTooltip() ganttTooltip(machines)
//   forestMark(texts) ganttBand() ganttBar()

export const clientScript = String.raw`
(() => {
'use strict';
const figures = JSON.parse(document.getElementById('figures').textContent);
const escape = (text) => String(text).replace(/[&<>"']/g, (c) => '&#' + c.charCodeAt(0) + ';');
const minus = (text) => text.replace(/^-/, '\u2212');
const plain = (value, decimals) => minus(value.toLocaleString('en-US', decimals === 'auto'
  ? { maximumSignificantDigits: 4 } : { minimumFractionDigits: decimals, maximumFractionDigits: decimals }));

const duration = (seconds) => {
  if (seconds < 0) return '\u2212' + duration(-seconds);
  if (seconds === 0) return '0';
  const short = (value) => String(Number(value.toPrecision(3)));
  if (seconds < 9.995e-4) return short(seconds * 1e6) + ' µs';
  if (seconds < 0.9995) return short(seconds * 1000) + ' ms';
  if (seconds < 59.95) return short(seconds) + ' s';
  const units = [[86400, 'd'], [3600, 'h'], [60, 'min'], [1, 's']];
  const first = units.findIndex(([size]) => seconds >= size * 0.99999);
  const [size, unit] = units[first];
  const [part, partUnit] = units[first + 1];
  const total = Math.round(seconds / part);
  const whole = Math.floor(total / (size / part));
  const rest = total - whole * (size / part);
  return rest === 0 ? whole + ' ' + unit : whole + ' ' + unit + ' ' + rest + ' ' + partUnit;
};

const row = (color, name, value) =>
  '<div style="display:flex;gap:8px;align-items:baseline;line-height:1.5">' +
  (color ? '<span style="flex:none;width:9px;height:9px;border-radius:2px;background:' + escape(color) + '"></span>' : '') +
  '<span style="flex:1">' + escape(name) + '</span>' +
  (value === undefined ? '' : '<b style="font-weight:600;font-variant-numeric:tabular-nums;padding-left:12px">' + escape(value) + '</b>') + '</div>';
const head = (text) => '<div style="font-weight:600;margin-bottom:4px">' + escape(text) + '</div>';

const functions = {
  duration: () => duration,
  number: (decimals, unit) => (value) => plain(value, decimals) + unit,
  signed: (decimals) => (value) => {
    const text = value.toLocaleString('en-US', { maximumFractionDigits: Math.max(decimals, 1) });
    return value > 0 ? '+' + text : minus(text);
  },
  powerDuration: () => (exponent) => duration(10 ** exponent),
  powerNumber: () => (exponent) => plain(Number((10 ** exponent).toPrecision(3)), 'auto'),
  powerPercent: () => (exponent) => plain(Number((100 * 10 ** exponent).toPrecision(2)), 'auto') + '%',
  lookup: (positions, names) => (value) => {
    const index = positions.findIndex((position) => Math.abs(position - value) < 1e-6);
    return index < 0 ? '' : names[index];
  },
  // Room for the names beside an axis, measured in the reader's own font.
  labelSpace: (names, size) => {
    const context = document.createElement('canvas').getContext('2d');
    context.font = size + 'px ' + getComputedStyle(document.body).fontFamily;
    return Math.min(190, Math.ceil(Math.max(...names.map((name) => context.measureText(name).width))) + 14);
  },
  rowLabel: (texts) => ({ dataIndex }) => texts[dataIndex],
  endLabel: (name) => () => '{dot|\u25CF} {name|' + (name.length > 15 ? name.slice(0, 14) + '\u2026' : name).replace(/[{}|]/g, ' ') + '}',

  lineTooltip: (formatX, formatY, descending) => (lines) => {
    const sorted = [...lines].sort((a, b) => (descending ? b.value[1] - a.value[1] : a.value[1] - b.value[1]));
    return head(formatX(lines[0].value[0])) + sorted.map((line) => row(line.color, line.seriesName, formatY(line.value[1]))).join('');
  },
  forestTooltip: () => ({ data, color }) =>
    data && data.detail ? row(color, data.name) + data.detail.map((line) => '<div>' + escape(line) + '</div>').join('') : '',
  partsTooltip: () => (parts) =>
    head(parts[0].name) + parts.map((part) => row(part.color, part.seriesName, part.value.toFixed(1) + '%')).join(''),
  ganttTooltip: (machines) => ({ data }) => {
    if (!data || !data.name) return '';
    const [start, end, , milli, machine] = data.value;
    const gpus = milli === 0 ? '' : milli < 1000 ? milli / 10 + '% of a GPU' : milli / 1000 + (milli === 1000 ? ' GPU' : ' GPUs');
    return head(data.name) + row('', 'machine', machines[machine]) + (gpus ? row('', 'holds', gpus) : '') +
      row('', 'from', duration(start)) + row('', 'to', duration(end)) + row('', 'for', duration(end - start));
  },

  forestMark: (texts) => (params, api) => {
    const [x, y] = api.coord([api.value(0), api.value(1)]);
    const [low] = api.coord([api.value(2), api.value(1)]);
    const [high] = api.coord([api.value(3), api.value(1)]);
    const color = api.visual('color');
    const line = { stroke: color, lineWidth: 2 };
    const area = params.coordSys;
    const children = [
      { type: 'rect', shape: { x: area.x, y: y - 14, width: area.width, height: 28 }, style: { fill: 'rgba(0,0,0,0)' } },
      { type: 'line', shape: { x1: low, y1: y, x2: high, y2: y }, style: line },
      { type: 'line', shape: { x1: low, y1: y - 5, x2: low, y2: y + 5 }, style: line },
      { type: 'line', shape: { x1: high, y1: y - 5, x2: high, y2: y + 5 }, style: line },
      { type: 'circle', shape: { cx: x, cy: y, r: 5 }, style: { fill: api.value(4) ? color : css('--page'), stroke: color, lineWidth: 2 } },
    ];
    if (api.getWidth() > 520) children.push({
      type: 'text', style: { x: area.x + area.width + 14, y, text: texts[params.dataIndex], fill: css('--ink'), font: '13px ' + getComputedStyle(document.body).fontFamily, textVerticalAlign: 'middle' },
    });
    return { type: 'group', children };
  },
  ganttBand: () => (params, api) => {
    const area = params.coordSys;
    const top = api.coord([0, api.value(1)])[1];
    const bottom = api.coord([0, api.value(2)])[1];
    return { type: 'rect', silent: true, shape: { x: area.x, y: top, width: area.width, height: bottom - top }, style: { fill: api.value(3) ? 'rgba(0,0,0,0)' : css('--raised') } };
  },
  ganttBar: () => (params, api) => {
    const [x, y] = api.coord([api.value(0), api.value(2)]);
    const [end, below] = api.coord([api.value(1), api.value(2) + 1]);
    const gap = below - y > 3 ? 0.8 : 0.2;
    const area = params.coordSys;
    const left = Math.max(x, area.x);
    const right = Math.min(Math.max(end, x + 0.6), area.x + area.width);
    if (right <= left) return null;
    return { type: 'rect', shape: { x: left, y: y + gap / 2, width: Math.max(0.4, right - left - 0.4), height: Math.max(0.5, below - y - gap) }, style: { fill: css('--level-' + api.value(5)) } };
  },
};

let styles = getComputedStyle(document.documentElement);
const css = (name) => styles.getPropertyValue(name).trim();

const resolve = (value) => {
  if (typeof value === 'string') return value.startsWith('var(--') ? css(value.slice(4, -1)) : value;
  if (Array.isArray(value)) return value.map(resolve);
  if (value === null || typeof value !== 'object') return value;
  if (value.$call) return functions[value.$call](...value.args.map(resolve));
  return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, resolve(entry)]));
};

const hidden = new Set();
const charts = figures.map((figure) => {
  const element = document.getElementById(figure.id + '-chart');
  const select = document.getElementById(figure.id + '-choice');
  const chart = echarts.init(element, null, { renderer: figure.renderer });
  const draw = () => {
    const option = resolve(figure.options[select ? select.selectedIndex : 0]);
    const target = option.baseOption || option;
    if (target.legend) target.legend.selected = Object.fromEntries([...hidden].map((name) => [name, false]));
    chart.setOption(option, { notMerge: true });
  };
  if (figure.zoom) chart.on('datazoom', () => {
    const { start, end } = chart.getOption().dataZoom[0];
    const span = ((end - start) / 100) * (figure.zoom.to - figure.zoom.from);
    chart.setOption({ xAxis: { interval: figure.zoom.steps.find((step) => span / step <= 8) } });
  });
  if (select) select.addEventListener('change', draw);
  const resize = () => chart.resize();
  new ResizeObserver(resize).observe(element);
  draw();
  return { draw, resize };
});

const redraw = () => {
  styles = getComputedStyle(document.documentElement);
  for (const { draw } of charts) draw();
};
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', redraw);
const printing = (on) => {
  document.documentElement.classList.toggle('printing', on);
  for (const { resize } of charts) resize();
  redraw();
};
addEventListener('beforeprint', () => printing(true));
addEventListener('afterprint', () => printing(false));

for (const button of document.querySelectorAll('button[data-policy]')) {
  button.addEventListener('click', () => {
    const name = button.dataset.policy;
    if (!hidden.delete(name)) hidden.add(name);
    for (const same of document.querySelectorAll('button[data-policy]')) {
      same.setAttribute('aria-pressed', String(!hidden.has(same.dataset.policy)));
    }
    redraw();
  });
}
for (const button of document.querySelectorAll('button[data-copy]')) {
  button.addEventListener('click', async () => {
    try {
      await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).textContent);
      button.textContent = 'Copied';
    } catch {
      getSelection().selectAllChildren(document.getElementById(button.dataset.copy));
    }
  });
}
document.documentElement.dataset.charts = String(charts.length);
})();
`;
