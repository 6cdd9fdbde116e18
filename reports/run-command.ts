// `sira run`: the main job. Simulates a scenario under its policies, prints who wins, and leaves a report.

import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { SiraError } from '../core/base/errors.ts';
import type { Command, CommandCall, CommandContext } from '../core/ports/command.ts';
import { buildResults } from '../sim/experiment/build-results.ts';
import { guardWrites } from '../sim/experiment/guard-writes.ts';
import { loadScenario } from '../sim/experiment/load-scenario.ts';
import { runExperiment } from '../sim/experiment/run-experiment.ts';
import type { Scenario } from '../sim/experiment/scenario.ts';
import { verifyDeterminism } from '../sim/experiment/verify.ts';
import { ProgressBar } from './progress-bar.ts';
import { buildReport } from './report/build-report.ts';
import { RunTelemetry } from './run-telemetry.ts';
import { formatResults } from './terminal-table.ts';

export const runCommand: Command = {
  name: 'run',
  summary: 'simulate a scenario under its policies and report who wins',
  description:
    'Runs every policy of the scenario on every seed, prints a table of means with 95% intervals, and writes results.json, the tasks and decisions of each run as Parquet, and report.html to a new folder under reports/runs.',
  arguments: [{ name: 'scenario', description: 'scenario file, YAML', required: true, many: false }],
  options: [
    { flags: '-o, --output <folder>', description: 'folder for the results (default: reports/runs/NAME-TIME)' },
    { flags: '--policies <name...>', description: 'only these policies of the scenario' },
    { flags: '--seeds <number...>', description: 'these seeds instead of the scenario’s' },
    { flags: '--workers <count>', description: 'worker threads (default: one a core; 0: none)' },
    { flags: '--json', description: 'print the result document and nothing else on standard output' },
    {
      flags: '--telemetry <store>',
      description: 'keep telemetry in a DuckDB file, or in QuestDB at http://HOST:PORT, and say where the time went',
    },
    { flags: '--no-files', description: 'write no tasks and decisions' },
    {
      flags: '--verify',
      description: 'run every seed twice in two processes and once more restored from a snapshot, and compare',
    },
  ],
  examples: [
    { line: 'sira run scenarios/gpu-cluster.yaml', meaning: 'the whole study' },
    {
      line: 'sira run scenarios/gpu-cluster.yaml --policies fgd best-fit --seeds 1 2 3',
      meaning: 'two policies, three seeds',
    },
    { line: 'sira run scenarios/gpu-cluster.yaml --json > results.json', meaning: 'for programs' },
    {
      line: 'sira run scenarios/gpu-cluster.yaml --telemetry runs.duckdb',
      meaning: 'with every decision and task in tables, and where the time went',
    },
    { line: 'sira run scenarios/gpu-cluster.yaml --verify', meaning: 'is it deterministic?' },
  ],
  async run(call, context) {
    const started = performance.now();
    const file = call.arguments[0] as string;
    const scenario = narrow(loadScenario(file), call, file);
    const workers = wholeNumber(call.options.workers, '--workers');
    const bar = new ProgressBar(
      context.terminal,
      `${scenario.name}: ${scenario.policies.length} policies × ${scenario.seeds.length} seeds`,
    );
    if (call.options.verify === true) {
      try {
        return await verifyDeterminism(scenario, file, context, (share) => bar.update(share));
      } finally {
        bar.stop();
      }
    }
    const json = call.options.json === true;
    const folder = json && call.options.output === undefined ? undefined : outputFolder(call, context, scenario);
    const telemetry =
      typeof call.options.telemetry === 'string'
        ? await RunTelemetry.open(call.options.telemetry, scenario)
        : undefined;
    try {
      const records = await runExperiment(scenario, {
        workers,
        ...(telemetry === undefined ? {} : { rows: (batch) => telemetry.take(batch) }),
        folder: call.options.files === false ? undefined : folder,
        progress: (share, ended) => bar.update(share, ended),
      });
      bar.stop();
      const document = buildResults(scenario, records, {
        file,
        command: `npx ${context.line}`,
        version: context.version,
        createdAt: new Date().toISOString(),
        wallSeconds: (performance.now() - started) / 1000,
      });
      if (folder !== undefined) {
        guardWrites(folder, () => {
          writeFileSync(join(folder, 'results.json'), `${JSON.stringify(document)}\n`);
          writeFileSync(join(folder, 'report.html'), buildReport(document, telemetry?.bottlenecks()));
        });
      }
      if (json) {
        context.terminal.write(`${JSON.stringify(document, undefined, 2)}\n`);
        return 0;
      }
      const { colour, columns } = context.terminal;
      context.terminal.write(formatResults(document, { color: colour, width: columns }));
      if (folder !== undefined) {
        const shown = relative(process.cwd(), folder) || '.';
        context.terminal.write(`\nReport   ${join(shown, 'report.html')}\nResults  ${join(shown, 'results.json')}\n`);
      }
      return 0;
    } finally {
      bar.stop();
      await telemetry?.close();
    }
  },
};

/** The scenario with the policies and seeds of the command line. */
function narrow(scenario: Scenario, call: CommandCall, file: string): Scenario {
  const names = call.options.policies as readonly string[] | undefined;
  const seeds = (call.options.seeds as readonly string[] | undefined)?.map(
    (text) => wholeNumber(text, '--seeds') as number,
  );
  const twice = seeds?.find((seed, index) => seeds.indexOf(seed) !== index);
  if (twice !== undefined)
    throw new SiraError(
      'SIRA_USAGE',
      `--seeds names ${twice} twice`,
      { field: '--seeds' },
      'Name each seed once: the same run twice is no evidence.',
    );
  if (names === undefined && seeds === undefined) return scenario;
  const known = scenario.policies.map((policy) => policy.name);
  for (const name of names ?? []) {
    if (known.includes(name)) continue;
    throw new SiraError(
      'SIRA_POLICY_UNKNOWN',
      `the scenario has no policy ${name}`,
      { file, field: '--policies' },
      `Use some of ${known.join(', ')}.`,
    );
  }
  const policies =
    names === undefined ? scenario.policies : scenario.policies.filter((policy) => names.includes(policy.name));
  const baseline = policies.some((policy) => policy.name === scenario.baseline)
    ? scenario.baseline
    : (policies[0]?.name as string);
  return { ...scenario, policies, baseline, seeds: seeds ?? scenario.seeds };
}

function outputFolder(call: CommandCall, context: CommandContext, scenario: Scenario): string {
  const given = call.options.output as string | undefined;
  const stamp = new Date().toISOString().slice(0, 19).replaceAll(':', '').replace('T', '-');
  const base =
    given === undefined ? join(context.projectRoot, 'reports', 'runs', `${scenario.name}-${stamp}`) : resolve(given);
  let folder = base;
  // Two runs within a second do not share a folder.
  for (let number = 2; given === undefined && existsSync(folder); number++) folder = `${base}-${number}`;
  guardWrites(folder, () => mkdirSync(folder, { recursive: true }));
  return folder;
}

function wholeNumber(value: unknown, flag: string): number | undefined {
  if (value === undefined) return undefined;
  const number = Number(value);
  if (typeof value !== 'string' || !Number.isSafeInteger(number) || number < 0 || value.trim() === '') {
    throw new SiraError('SIRA_USAGE', `${flag} takes whole numbers, not ${JSON.stringify(value)}`, { field: flag });
  }
  return number;
}
