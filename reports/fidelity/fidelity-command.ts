// `sira fidelity`: the same work live and simulated, and how far the one is from the other.

import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, loadavg, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import Table from 'cli-table3';
import { SiraError } from '../../core/base/errors.ts';
import { formatDuration } from '../../core/base/time.ts';
import type { Command, CommandCall, CommandContext } from '../../core/ports/command.ts';
import { type FidelityCircumstances, fidelityGoal, meetsGoal, percent } from './fidelity-page.ts';
import { type Fidelity, fidelityMeasures, warmUpClass } from './judge-fidelity.ts';

export const fidelityCommand: Command = {
  name: 'fidelity',
  summary: 'run work live and simulated, and tell how far the simulation is off',
  description:
    'Starts a kernel and agents that do real work, twice. The simulator is calibrated on the first run and judged on the second, of which it is told arrivals, requests and estimates alone: errors of waiting, service and completion. Times are those of the kernel: from a task’s submission to its result. It measures, so nothing else should run meanwhile. With two data folders of earlier kernels nothing is run, and those are compared.',
  arguments: [
    {
      name: 'journals',
      description: 'two data folders: to calibrate on, and to judge by',
      required: false,
      many: true,
    },
  ],
  options: [
    { flags: '--tasks <count>', description: 'tasks of a run', defaultValue: '2000' },
    { flags: '--agents <count>', description: 'agents, each with a core', defaultValue: '2' },
    {
      flags: '--load <share>',
      description: 'work offered, of what the agents could do undisturbed',
      defaultValue: '0.8',
    },
    {
      flags: '--share <share>',
      description: 'hold each agent to this share of a processor, as containers are (Linux, root): survives other work',
    },
    { flags: '--together', description: 'both runs at once, so that what else the machine does befalls both' },
    { flags: '-o, --output <folder>', description: 'keep the journals, the figures and the calibration there' },
    { flags: '--json', description: 'print JSON' },
  ],
  examples: [
    { line: 'sira fidelity', meaning: 'measure it here; takes some minutes' },
    { line: 'sira fidelity first-data second-data --json', meaning: 'compare two journals that there are' },
  ],
  run: fidelity,
};

async function fidelity(call: CommandCall, context: CommandContext): Promise<number> {
  const { terminal } = context;
  const { readJournal, snapshotSequences } = await import('../../sim/replay/read-journal.ts');
  const { RecordedWorld } = await import('../../sim/replay/recorded-world.ts');
  const { calibrationText } = await import('../../sim/replay/calibration-file.ts');
  const { judgeFidelity } = await import('./judge-fidelity.ts');
  const { fidelityFigure } = await import('./fidelity-figure.ts');
  const { fidelityPage } = await import('./fidelity-page.ts');
  const { output } = call.options;
  const folder = typeof output === 'string' ? resolve(output) : mkdtempSync(join(tmpdir(), 'sira-fidelity-'));
  mkdirSync(folder, { recursive: true });
  const load1 = loadavg()[0] ?? 0;
  try {
    const journals = call.arguments.length === 0 ? await runTwice(call, context, folder) : call.arguments;
    if (journals.length !== 2) throw new SiraError('SIRA_USAGE', `two journals are compared, not ${journals.length}`);
    const [calibrated, judged] = journals.map((journal) => {
      const recorded = new RecordedWorld();
      const source = { folder: resolve(journal), codeHash: undefined };
      readJournal(source, snapshotSequences(source)[0] as number, recorded);
      recorded.times.leaveOut(warmUpClass);
      return recorded;
    });
    if (calibrated === undefined || judged === undefined) return 1;
    const answer = judgeFidelity(calibrated, judged);
    if (typeof output === 'string') {
      writeFileSync(join(folder, 'fidelity.svg'), fidelityFigure(answer));
      writeFileSync(join(folder, 'calibration.yaml'), calibrationText(answer.calibration, 'the first run'));
      if (call.arguments.length === 0)
        writeFileSync(
          join(folder, 'fidelity.md'),
          fidelityPage(answer, judgeFidelity(judged, calibrated), around(call, load1)),
        );
    }
    const { kinds, ...rest } = answer;
    const figures = kinds.map(({ kind, measures }) => ({ kind, measures }));
    if (call.options.json === true)
      terminal.write(`${JSON.stringify({ ...rest, loadBefore: load1, kinds: figures }, null, 2)}\n`);
    else terminal.write(describeFidelity(answer));
    return 0;
  } finally {
    if (typeof output !== 'string') rmSync(folder, { recursive: true, force: true });
  }
}

function around({ options }: CommandCall, loadBefore: number): FidelityCircumstances {
  const words = ['tasks', 'agents', 'load', 'share'].flatMap((name) =>
    options[name] === undefined ? [] : [`--${name} ${options[name]}`],
  );
  const together = options.together === true;
  return {
    command: ['npx sira fidelity', ...words, ...(together ? ['--together'] : [])].join(' '),
    machine: `${cpus()[0]?.model ?? 'unknown'} × ${cpus().length}, Node ${process.version}`,
    loads: [loadBefore, loadavg()[0] ?? 0],
    share: options.share === undefined ? undefined : Number(options.share),
    together,
  };
}

async function runTwice(
  call: CommandCall,
  { terminal, projectRoot }: CommandContext,
  folder: string,
): Promise<string[]> {
  const { liveRun, measureRound } = await import('./live-run.ts');
  const built = join(projectRoot, 'dist');
  if (!existsSync(join(built, 'sira.js')))
    throw new SiraError('SIRA_FILE_MISSING', 'the project is not compiled', { file: built }, 'Run `npm run build`.');
  const numberOf = (name: string, least: number): number => {
    const value = Number(call.options[name]);
    if (!(value >= least)) throw new SiraError('SIRA_USAGE', `--${name} is a number, ${least} or more`);
    return value;
  };
  const [tasks, agents, load] = [numberOf('tasks', 100), numberOf('agents', 1), numberOf('load', 0.01)];
  const share = call.options.share === undefined ? undefined : numberOf('share', 0.01);
  if (share !== undefined && share > 1) throw new SiraError('SIRA_USAGE', '--share is a number, at most 1');
  const microsPerRound = measureRound();
  const ended = [0, 0];
  const run = (index: number): Promise<string> => {
    const place = join(folder, `run-${index + 1}`);
    mkdirSync(place, { recursive: true });
    const told = (count: number): void => {
      ended[index] = count;
      if (terminal.interactive) terminal.writeError(`\r${ended.join(' and ')} tasks done`);
    };
    return liveRun({ built, folder: place, seed: index + 1, tasks, agents, load, share, microsPerRound, told });
  };
  const journals = call.options.together === true ? await Promise.all([run(0), run(1)]) : [await run(0), await run(1)];
  if (terminal.interactive) terminal.writeError('\r\u001b[K');
  return journals;
}

export function describeFidelity(fidelity: Fidelity): string {
  const { kinds, tasks, offeredLoad } = fidelity;
  const table = new Table({ head: ['', '', 'live', 'simulated', 'error'], style: { head: [], border: [] } });
  for (const { kind, measures } of kinds)
    for (const measure of fidelityMeasures) {
      const { live, simulated, error } = measures[measure];
      table.push([kind, measure, formatDuration(live), formatDuration(simulated), percent(error)]);
    }
  const goal = `p50 and p95 of completion within ${100 * fidelityGoal}% at a load of 0.8 or more`;
  return `${table.toString()}\n${tasks} tasks, offered load ${offeredLoad.toFixed(2)}; ${goal}: ${meetsGoal(fidelity) ? 'met' : 'missed'}\n`;
}
