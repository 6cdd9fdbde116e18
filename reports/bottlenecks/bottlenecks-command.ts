// `sira bottlenecks`: where the time of tasks went, which resource limits, and when: from a store of telemetry, whoever wrote it.

import { existsSync, writeFileSync } from 'node:fs';
import { SiraError } from '../../core/base/errors.ts';
import { parseDurationMicros } from '../../core/base/time.ts';
import type { Command, CommandCall } from '../../core/ports/command.ts';
import { telemetryStoreAt } from '../../core/stores/telemetry-address.ts';
import { BottleneckAnalysis } from '../../core/telemetry/bottlenecks.ts';
import { textsOf } from '../../core/telemetry/rows.ts';
import type { TelemetryStore } from '../../core/telemetry/telemetry-store.ts';
import { guardWrites } from '../../sim/experiment/guard-writes.ts';
import { bottleneckSection, type NamedBottlenecks } from '../report/bottleneck-section.ts';
import { html, trusted } from '../report/html.ts';
import { style } from '../report/style.ts';
import { themeStyle } from '../report/theme.ts';
import { bottlenecksText } from './bottlenecks-text.ts';

export const bottlenecksCommand: Command = {
  name: 'bottlenecks',
  summary: 'say where the time of tasks went, and which resource limits',
  description:
    'Reads the telemetry that `sira start --telemetry` or `sira run --telemetry` kept: how long tasks waited, for want of what, how long placing, moving data and the work itself took, and how that changed over time.',
  arguments: [
    { name: 'store', description: 'a DuckDB file, or http://HOST:PORT of QuestDB', required: true, many: false },
  ],
  options: [
    { flags: '--run <name...>', description: 'only these runs (column `run`; default: all)' },
    { flags: '--last <duration>', description: 'only tasks that ended so long before the last one, such as 1h' },
    { flags: '-o, --output <file>', description: 'write a page, HTML' },
    { flags: '--json', description: 'print JSON' },
  ],
  examples: [
    { line: 'sira bottlenecks telemetry.duckdb', meaning: 'every run in the file' },
    { line: 'sira bottlenecks http://127.0.0.1:9000 --run live --last 1h', meaning: 'the last hour of a live kernel' },
    { line: 'sira bottlenecks telemetry.duckdb --output page.html', meaning: 'as a page' },
  ],
  async run(call, context) {
    const address = call.arguments[0] as string;
    if (!/^https?:/.test(address) && !existsSync(address))
      throw new SiraError('SIRA_FILE_MISSING', `there is no file ${address}`, { file: address });
    const store = await telemetryStoreAt(address, { isReadOnly: true });
    const found = await analyse(store, call);
    if (call.options.json === true)
      context.terminal.write(
        `${JSON.stringify(Object.fromEntries(found.map((one) => [one.name, one.found])), undefined, 2)}\n`,
      );
    else
      context.terminal.write(
        found.map((one) => bottlenecksText(one.name, one.found, context.terminal.colour)).join('\n'),
      );
    const { output } = call.options;
    if (typeof output === 'string') guardWrites(output, () => writeFileSync(output, page(found)));
    return 0;
  },
};

async function analyse(store: TelemetryStore, call: CommandCall): Promise<NamedBottlenecks[]> {
  const last = call.options.last as string | undefined;
  const lastMicros = last === undefined ? undefined : parseDurationMicros(last);
  if (last !== undefined && lastMicros === undefined)
    throw new SiraError('SIRA_USAGE', `--last is a duration such as 1h, not "${last}"`, { field: '--last' });
  try {
    await store.open();
    const latest = await latestOfRuns(store);
    const wanted = (call.options.run as readonly string[] | undefined) ?? [...latest.keys()];
    const found: NamedBottlenecks[] = [];
    for (const run of wanted) {
      const end = latest.get(run);
      if (end === undefined)
        throw new SiraError(
          'SIRA_RUN_NOT_FOUND',
          `no task of a run ${run} has ended`,
          { field: '--run' },
          `Runs there: ${[...latest.keys()].slice(0, 10).join(', ') || 'none'}.`,
        );
      const fromMicros = lastMicros === undefined ? undefined : end - lastMicros;
      const analysis = new BottleneckAnalysis();
      for (const table of ['tasks', 'agent_load'] as const)
        for await (const batch of store.read({ table, run, ...(fromMicros === undefined ? {} : { fromMicros }) }))
          analysis.add(batch);
      const result = analysis.result();
      if (result !== undefined) found.push({ name: run, found: result });
    }
    if (found.length === 0)
      throw new SiraError('SIRA_RUN_NOT_FOUND', 'no task has ended', {}, 'Let some run first, with telemetry kept.');
    return found;
  } finally {
    await store.close();
  }
}

/** When the last task of each run ended. */
async function latestOfRuns(store: TelemetryStore): Promise<Map<string, number>> {
  const latest = new Map<string, number>();
  for await (const batch of store.read({ table: 'tasks' })) {
    const times = batch.columns[0] as Float64Array;
    textsOf(batch, 'run').forEach((run, row) => {
      latest.set(run, Math.max(latest.get(run) ?? Number.NEGATIVE_INFINITY, times[row] as number));
    });
  }
  return latest;
}

function page(found: readonly NamedBottlenecks[]): string {
  return html`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:">
<title>Bottlenecks · Sira</title><link rel="icon" href="data:,">
<style>${trusted(themeStyle())}${trusted(style)}</style></head>
<body><div class="page"><main>${bottleneckSection(found)}</main></div></body></html>
`.text;
}
