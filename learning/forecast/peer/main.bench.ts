// `npm run bench:forecast`: how long each forecaster takes on M4 Hourly beside statsforecast on the same series in the same run, both
// on one thread and in processor seconds, so that other work on the machine does not count. Needs Python with statsforecast;
// SIRA_PYTHON names another interpreter than python3.

import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import { markdownTable } from '../../../reports/tables/markdown.ts';
import { projectRoot } from '../../../sim/experiment/project-root.ts';
import type { Forecaster, SeriesShape } from '../forecaster.ts';
import { holtWinters } from '../holt-winters.ts';
import { m4File, readM4 } from '../tables/m4.ts';
import { m4Forecasters, m4Horizon, m4Shape } from '../tables/m4-table.ts';
import { theta } from '../theta.ts';

const program = new Command('bench:forecast')
  .description('Times the forecasters beside statsforecast on M4 Hourly.')
  .option('--every <count>', 'take every so many series', '1')
  .option('-o, --output <folder>', 'where to write', join(projectRoot(), 'reports', 'forecast'))
  .parse();
const options = program.opts<{ every: string; output: string }>();

const file = m4File(projectRoot());
if (file === undefined) {
  console.error('M4 Hourly is not in ../shared/data/m4; nothing to time.');
  process.exit(1);
}
const every = Number(options.every);
const series = readM4(file)
  .filter((_, index) => index % every === 0)
  .map(({ values }) => values.slice(0, values.length - m4Horizon));

const daily: SeriesShape = { periods: [24], lowerBound: 0 };
const linear = m4Forecasters().find(({ name }) => name === 'lag-linear')!;
const pairs: readonly { ours: string; forecaster: Forecaster; shape: SeriesShape; peer: string; goal: boolean }[] = [
  { ours: 'holt-winters (24)', forecaster: holtWinters, shape: daily, peer: 'HoltWinters (24)', goal: true },
  { ours: 'theta (24)', forecaster: theta, shape: daily, peer: 'AutoTheta (24)', goal: true },
  { ours: 'holt-winters (24, 168)', forecaster: holtWinters, shape: m4Shape, peer: 'MSTL (24, 168)', goal: true },
  { ours: 'theta (24, 168)', forecaster: theta, shape: m4Shape, peer: 'MSTL (24, 168)', goal: true },
  { ours: 'lag-linear (24, 168)', forecaster: linear, shape: m4Shape, peer: 'MSTL (24, 168)', goal: true },
];

const peer = runPeer();
const rows = pairs.map(({ ours, forecaster, shape, peer: name }) => {
  forecaster.fit(series[0]!, shape).forecast(m4Horizon);
  const before = process.cpuUsage();
  for (const values of series) forecaster.fit(values, shape).forecast(m4Horizon);
  const used = process.cpuUsage(before);
  const seconds = (used.user + used.system) / 1e6;
  return { ours, seconds, peer: name, peerSeconds: peer.seconds[name]!, times: peer.seconds[name]! / seconds };
});
const machine = `${cpus()[0]?.model.trim() ?? 'unknown'}, ${availableParallelism()} cores, Node ${process.versions.node}`;
const page = [
  '# Speed of the forecasters beside statsforecast',
  `Made by \`npm run bench:forecast${every === 1 ? '' : ` -- --every ${every}`}\` on ${series.length} series of M4 Hourly, each fitted and ` +
    `forecast ${m4Horizon} hours ahead; one thread each, processor seconds, in one run. statsforecast ${peer.version} is compiled and warm. ` +
    `${machine}. The goal is 10 times.`,
  markdownTable(
    ['here', 'seconds', 'statsforecast', 'seconds', 'times as fast'],
    rows.map((row) => [row.ours, row.seconds.toFixed(3), row.peer, row.peerSeconds.toFixed(3), row.times.toFixed(1)]),
  ),
  'The linear model has no like there; it stands beside the method for the same two seasons.',
].join('\n\n');
writeFileSync(join(options.output, 'speed.md'), `${page}\n`);
writeFileSync(
  join(options.output, 'speed.json'),
  `${JSON.stringify({ machine, seriesCount: series.length, statsforecast: peer.version, rows }, null, 1)}\n`,
);
console.log(page);

function runPeer(): { version: string; seconds: Record<string, number> } {
  const folder = mkdtempSync(join(tmpdir(), 'sira-forecast-'));
  try {
    const input = join(folder, 'series.jsonl');
    writeFileSync(input, series.map((values) => JSON.stringify([...values])).join('\n'));
    const script = join(projectRoot(), 'learning', 'forecast', 'peer', 'statsforecast-peer.py');
    const single = { OMP_NUM_THREADS: '1', OPENBLAS_NUM_THREADS: '1', NUMBA_NUM_THREADS: '1' };
    const answer = spawnSync(process.env.SIRA_PYTHON ?? 'python3', [script, input, String(m4Horizon)], {
      encoding: 'utf8',
      env: { ...process.env, ...single },
    });
    if (answer.status === 0) return JSON.parse(answer.stdout) as { version: string; seconds: Record<string, number> };
    console.error(answer.stderr?.trim().split('\n').at(-1) ?? 'python3 not found');
    console.error('statsforecast did not run. Get it: python3 -m venv VENV && VENV/bin/pip install statsforecast,');
    console.error('then SIRA_PYTHON=VENV/bin/python npm run bench:forecast');
    return process.exit(1);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
