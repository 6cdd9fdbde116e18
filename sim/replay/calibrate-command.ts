// `sira calibrate`: what a live kernel's record says of the time that its agents, messages and work take.

import { writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { SiraError } from '../../core/base/errors.ts';
import { formatDuration } from '../../core/base/time.ts';
import type { Command, CommandCall, CommandContext } from '../../core/ports/command.ts';
import { atShare } from '../world/calibration.ts';
import type { Fit } from './fit-calibration.ts';

/** `codeHash`: of the deterministic code that runs; the live shell knows it. */
export function calibrateCommand(codeHash: () => string): Command {
  return {
    name: 'calibrate',
    summary: 'measure from the journal of a live kernel what the simulator should take for its agents',
    description:
      'Fits from the journal of a live kernel how long dispatches and results take beyond the work, how work is slowed by other work on its host (agents that share one say so by the label "host"), and how long work takes for what was estimated, by class. Written as YAML, which `sira replay --calibration` and the field `calibration` of a scenario take. Nothing in the folder is changed.',
    arguments: [{ name: 'journal', description: "the kernel's data folder", required: true, many: false }],
    options: [
      { flags: '-o, --output <file>', description: 'where to write the calibration; otherwise it is printed' },
      { flags: '--any-code', description: 'take a journal that other code wrote' },
    ],
    examples: [
      { line: 'sira calibrate sira-data', meaning: 'print what the journal in sira-data says' },
      { line: 'sira calibrate sira-data --output measured.yaml', meaning: 'keep it for scenarios and replays' },
    ],
    run: (call, context) => calibrate(call, context, codeHash),
  };
}

async function calibrate(call: CommandCall, { terminal }: CommandContext, codeHash: () => string): Promise<number> {
  const { readJournal, snapshotSequences } = await import('./read-journal.ts');
  const { RecordedWorld } = await import('./recorded-world.ts');
  const { fitCalibration } = await import('./fit-calibration.ts');
  const { calibrationText } = await import('./calibration-file.ts');
  const folder = resolve(call.arguments[0] as string);
  const source = { folder, codeHash: call.options.anyCode === true ? undefined : codeHash() };
  const recorded = new RecordedWorld();
  readJournal(source, snapshotSequences(source)[0] as number, recorded);
  const fit = fitCalibration(recorded);
  if (fit.count === 0)
    throw new SiraError('SIRA_FILE_MISSING', 'no task completed at its first attempt: there is nothing to measure', {
      file: folder,
    });
  const from = `${fit.count} tasks in ${formatDuration(recorded.lengthMicros)}`;
  const text = calibrationText(fit.calibration, from);
  const { output } = call.options;
  if (typeof output !== 'string') {
    terminal.write(text);
    return 0;
  }
  writeFileSync(output, text);
  terminal.write(describe(fit, output));
  return 0;
}

function describe({ calibration, count }: Fit, file: string): string {
  const { lanes, trips, contention, service } = calibration;
  const lines = [`${count.toLocaleString('en')} tasks measured; written to ${file}`];
  lines.push(lanes === 0 ? 'agents do all that they have at once' : `agents do ${lanes} piece of work at once`);
  for (const { held, count: tasks, totalMicros } of trips)
    lines.push(
      `beyond the work, an agent with ${held} tasks: p50 ${formatDuration(atShare(totalMicros, 0.5))}, p95 ${formatDuration(atShare(totalMicros, 0.95))} (${tasks} tasks)`,
    );
  lines.push(`with 0, 1, 2 … others on the host work takes ${contention.join(', ')} times as long`);
  for (const [name, { ratio, count: tasks }] of Object.entries(service))
    lines.push(
      `${name === '' ? 'tasks without a class' : name}: takes ${atShare(ratio, 0.5)} of the estimate (p5 ${atShare(ratio, 0.05)}, p95 ${atShare(ratio, 0.95)}; ${tasks} tasks)`,
    );
  return `${lines.join('\n')}\n`;
}
