// `sira replay`: is what a live kernel did what its code does? In a process of its own, from files alone.

import { resolve } from 'node:path';
import { createColors } from 'picocolors';
import { formatDuration } from '../../core/base/time.ts';
import type { Command, CommandCall, CommandContext } from '../../core/ports/command.ts';
import type { JournalSource } from './read-journal.ts';
import type { JournalVerdict } from './verify-journal.ts';
import type { TopicsVerdict } from './verify-topics.ts';

/** `codeHash`: of the deterministic code that runs; the live shell knows it. */
export function replayCommand(codeHash: () => string): Command {
  return {
    name: 'replay',
    summary: 'replay the journal of a live kernel and prove that it decided the same',
    description:
      'With --policy or --set: what if; prints what waiting, completion and utilization would have been, with the assumptions. Otherwise: reads the journal in the data folder of a live kernel, replays all its inputs from the oldest snapshot kept, and compares every effect with the marks that the live kernel left. Nothing in the folder is changed, and the kernel may run. Exit code 0: equal. 1: different, with the first effect and decision that differ, or nothing recorded to compare with.',
    arguments: [{ name: 'journal', description: "the kernel's data folder", required: true, many: false }],
    options: [
      { flags: '--json', description: 'print JSON' },
      {
        flags: '--broker',
        description: 'the durable topics instead: what a kernel recorded that was started with --record-topics',
      },
      {
        flags: '--any-code',
        description: 'replay although other code wrote it: whether this version decides as that one did',
      },
      {
        flags: '--policy <policy>',
        description: 'what if: play the recorded world to another policy, such as sjf, or order=sjf,place=worst-fit',
      },
      {
        flags: '--calibration <file>',
        description: 'what if: with the times that `sira calibrate` measured, where kernel and agents were not idle',
      },
      { flags: '--set <setting...>', description: 'what if: with another setting, name=value' },
    ],
    examples: [
      { line: 'sira replay sira-data', meaning: 'prove that the kernel in sira-data did what its code does' },
      { line: 'sira replay sira-data --policy sjf', meaning: 'the same arrivals and durations under another policy' },
      { line: 'sira replay sira-data --broker', meaning: 'prove the same of the durable topics' },
      { line: 'sira replay sira-data --any-code', meaning: 'see where this version would have decided otherwise' },
    ],
    run: (call, context) => replay(call, context, codeHash),
  };
}

async function replay(call: CommandCall, context: CommandContext, codeHash: () => string): Promise<number> {
  const { verifyJournal } = await import('./verify-journal.ts');
  const { terminal } = context;
  const begin = performance.now();
  const tell = (inputs: number): void => {
    if (terminal.interactive) terminal.writeError(`\r${inputs.toLocaleString('en')} inputs replayed`);
  };
  const source = {
    folder: resolve(call.arguments[0] as string),
    codeHash: call.options.anyCode === true ? undefined : codeHash(),
  };
  const { policy, set, calibration } = call.options;
  if (call.options.broker === true) return tellTopics(call, context, source);
  if (policy !== undefined || set !== undefined || calibration !== undefined) return tellWhatIf(call, context, source);
  const verdict = verifyJournal(source, tell);
  if (terminal.interactive) terminal.writeError('\r\u001b[K');
  const seconds = (performance.now() - begin) / 1000;
  if (call.options.json === true) terminal.write(`${JSON.stringify({ ...verdict, seconds }, null, 2)}\n`);
  else terminal.write(describe(verdict, seconds, terminal.colour));
  return verdict.verdict === 'equal' ? 0 : 1;
}

async function tellWhatIf(call: CommandCall, { terminal }: CommandContext, source: JournalSource): Promise<number> {
  const { whatIf } = await import('./what-if.ts');
  const { readChange, describeWhatIf } = await import('./tell-what-if.ts');
  const { readCalibration } = await import('./calibration-file.ts');
  const { policy, set, calibration } = call.options;
  const measured = typeof calibration === 'string' ? readCalibration(calibration) : undefined;
  const result = whatIf(source, readChange(policy, set), measured);
  if (call.options.json === true) terminal.write(`${JSON.stringify(result, null, 2)}\n`);
  else terminal.write(describeWhatIf(result, terminal.colour));
  return 0;
}

async function tellTopics(call: CommandCall, { terminal }: CommandContext, source: JournalSource): Promise<number> {
  const { verifyTopics } = await import('./verify-topics.ts');
  const verdicts = verifyTopics(source.folder, source.codeHash);
  if (call.options.json === true) terminal.write(`${JSON.stringify(verdicts, null, 2)}\n`);
  else for (const verdict of verdicts) terminal.write(describeTopics(verdict, terminal.colour));
  return verdicts.every(({ verdict }) => verdict === 'equal') ? 0 : 1;
}

function describeTopics(verdict: TopicsVerdict, colour: boolean): string {
  const colours = createColors(colour);
  const { file, calls, inputs, effects, recordedDigest, replayedDigest, tornBytes, told } = verdict;
  const isEqual = verdict.verdict === 'equal';
  const head = isEqual
    ? colours.green('equal: the replay did what the durable topics did')
    : colours.red('different: the replay did not do what the durable topics did');
  const line = (what: string, value: string): string => `  ${colours.dim(what.padEnd(10))} ${value}\n`;
  const many = (count: number, what: string): string => `${count.toLocaleString('en')} ${what}`;
  let text = `${colours.bold(head)}\n${line('recording', file)}`;
  text += line('compared', `${many(calls, 'calls')}, ${many(inputs, 'inputs')}, ${many(effects, 'effects')}`);
  text += line('recorded', recordedDigest) + line('replayed', replayedDigest);
  if (tornBytes > 0) text += line('torn end', `${many(tornBytes, 'bytes')} that a crash had left`);
  for (const each of told) text += `  ${each}\n`;
  return text;
}

function describe(verdict: JournalVerdict, seconds: number, colour: boolean): string {
  const colours = createColors(colour);
  const { counts, firstSequence, lastSequence, recordedDigest, replayedDigest, told, repeats } = verdict;
  const heads: Readonly<Record<JournalVerdict['verdict'], string>> = {
    equal: colours.green('equal: the replay did what the live kernel did'),
    different: colours.red('different: the replay did not do what the live kernel did'),
    unknown: colours.yellow('unknown: the live kernel recorded nothing to compare with'),
  };
  const line = (what: string, value: string): string => `  ${colours.dim(what.padEnd(10))} ${value}\n`;
  const many = (count: number, what: string): string => `${count.toLocaleString('en')} ${what}`;
  const range =
    counts.inputs === 0 ? 'none' : `${many(counts.inputs, 'replayed')}, ${firstSequence} to ${lastSequence}`;
  let text = `${colours.bold(heads[verdict.verdict])}\n`;
  text += line('journal', verdict.folder);
  text += line(
    'inputs',
    `${range}, ${formatDuration(verdict.lengthMicros)} of live time, ${counts.resumptions} restarts or pauses`,
  );
  text += line('effects', `${many(counts.effects, 'effects')}, ${many(counts.decisions, 'decisions')}`);
  text += line('compared', `${many(counts.marked, 'inputs')}, ${many(verdict.snapshotsCompared, 'snapshots')}`);
  text += line('recorded', recordedDigest ?? 'nothing');
  text += line('replayed', replayedDigest);
  if (verdict.tornBytes > 0) text += line('torn end', `${many(verdict.tornBytes, 'bytes')} that a crash had left`);
  text += line('took', `${seconds.toFixed(2)} s`);
  if (told.length > 0) {
    text += `\n${colours.bold('The first difference')}\n`;
    for (const each of told) text += `  ${each}\n`;
    const again =
      repeats === true
        ? 'a second replay does the same again: the live run had other code, or something reached it that is not in the record'
        : 'a second replay differs from the first: the code reads something besides its inputs, such as a clock';
    text += `  ${again}\n`;
  }
  return text;
}
