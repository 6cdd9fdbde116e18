// `sira config`: reads and changes the settings of a kernel that runs, over its HTTP interface. A change says who and why; the
// history is the kernel's.

import { userInfo } from 'node:os';
import { createColors } from 'picocolors';
import { SiraError } from '../base/errors.ts';
import { formatDuration } from '../base/time.ts';
import type { Command, CommandCall, CommandContext } from '../ports/command.ts';
import { askKernel, defaultKernelUrl, kernelUrl } from './ask-kernel.ts';

const actions = ['get', 'set', 'history', 'diff', 'rollback'] as const;
type Action = (typeof actions)[number];

type Value = number | string | boolean;

interface Setting {
  readonly name: string;
  readonly value: Value;
  readonly default: Value;
  readonly unit: string;
  readonly minimum: number | null;
  readonly maximum: number | null;
  readonly description: string;
}

interface Change {
  readonly name: string;
  readonly from: Value;
  readonly to: Value;
}

interface ChangeSet {
  readonly version: number;
  readonly atMicros: number;
  readonly who: string;
  readonly why: string;
  readonly changes: readonly Change[];
}

export const configCommand: Command = {
  name: 'config',
  summary: 'read and change the settings of a running kernel',
  description:
    'get [NAME…] shows settings, set NAME=VALUE… changes them as one version, history shows who changed what and why, diff [FROM [TO]] what differs between versions, rollback VERSION brings back an earlier one. Every change is journaled and outlives restarts.',
  arguments: [
    { name: 'action', description: actions.join(', '), required: true, many: false },
    { name: 'words', description: 'names, NAME=VALUE, or versions', required: false, many: true },
  ],
  options: [
    { flags: '--url <url>', description: `the kernel's HTTP address (default: SIRA_URL or ${defaultKernelUrl})` },
    { flags: '--who <name>', description: 'who makes the change (default: the user logged in)' },
    { flags: '--why <text>', description: 'why' },
    { flags: '--if-version <number>', description: 'refuse the change if the settings are at another version' },
    { flags: '--json', description: 'print what the kernel answers' },
  ],
  examples: [
    { line: 'sira config get scheduler.attemptsMax', meaning: 'one setting, with bounds and what it does' },
    {
      line: 'sira config set scheduler.backoffMaxMicros=30s scheduler.attemptsMax=8 --why "short tasks"',
      meaning: 'two settings at once: both or none',
    },
    { line: 'sira config history', meaning: 'who changed what, when and why' },
    { line: 'sira config diff 1 3', meaning: 'what differs between two versions' },
    { line: 'sira config rollback 1 --why "was better"', meaning: 'the values of version 1 again, as a new version' },
  ],
  run,
};

async function run(call: CommandCall, context: CommandContext): Promise<number> {
  const [action = '', ...words] = call.arguments;
  if (!(actions as readonly string[]).includes(action))
    throw new SiraError('SIRA_USAGE', `sira config ${action}: the actions are ${actions.join(', ')}`);
  const url = kernelUrl(call.options.url);
  const { answer, tell } = await perform(action as Action, words, url, call.options);
  context.terminal.write(
    call.options.json === true ? `${JSON.stringify(answer, undefined, 2)}\n` : tell(context.terminal.colour),
  );
  return 0;
}

interface Performed {
  readonly answer: unknown;
  tell(colour: boolean): string;
}

async function perform(
  action: Action,
  words: readonly string[],
  url: string,
  options: CommandCall['options'],
): Promise<Performed> {
  switch (action) {
    case 'get': {
      const answer = (await askKernel(url, 'GET', '/v1/config')) as { version: number; settings: readonly Setting[] };
      const unknown = words.find((word) => !answer.settings.some(({ name }) => name === word));
      // The kernel knows which name was meant.
      if (unknown !== undefined) await askKernel(url, 'GET', `/v1/config/${encodeURIComponent(unknown)}`);
      const settings = answer.settings.filter(({ name }) => words.length === 0 || words.includes(name));
      return { answer: { ...answer, settings }, tell: (colour) => settingsText(settings, words.length > 0, colour) };
    }
    case 'set': {
      if (words.length === 0) throw new SiraError('SIRA_USAGE', 'sira config set takes NAME=VALUE');
      const values = Object.fromEntries(words.map(assignment));
      const answer = (await askKernel(url, 'PATCH', '/v1/config', { values, ...reasonOf(options) })) as Changed;
      return { answer, tell: (colour) => changedText(answer, colour) };
    }
    case 'history': {
      const answer = (await askKernel(url, 'GET', '/v1/config/history?limit=1000')) as {
        history: readonly ChangeSet[];
      };
      return { answer, tell: (colour) => historyText(answer.history, colour) };
    }
    case 'diff': {
      const [from, to] = words.map((word) => versionOf(word));
      const query = new URLSearchParams();
      if (from !== undefined) query.set('from', String(from));
      if (to !== undefined) query.set('to', String(to));
      const answer = (await askKernel(url, 'GET', `/v1/config/diff?${query}`)) as {
        readonly from: number;
        readonly to: number;
        readonly changes: readonly Change[];
      };
      const head = `version ${answer.from} → ${answer.to}\n`;
      return { answer, tell: (colour) => head + changesText(answer.changes, colour) };
    }
    case 'rollback': {
      if (words.length !== 1) throw new SiraError('SIRA_USAGE', 'sira config rollback takes one version');
      const body = { version: versionOf(words[0] as string), ...reasonOf(options) };
      const answer = (await askKernel(url, 'POST', '/v1/config/rollback', body)) as Changed;
      return { answer, tell: (colour) => changedText(answer, colour) };
    }
  }
}

interface Changed {
  readonly version: number;
  readonly changes: readonly Change[];
}

function assignment(word: string): [string, Value] {
  const at = word.indexOf('=');
  if (at < 1) throw new SiraError('SIRA_USAGE', `"${word}" is not NAME=VALUE`);
  const text = word.slice(at + 1);
  const number = Number(text);
  const isNumber = text.trim() !== '' && Number.isFinite(number);
  return [word.slice(0, at), isNumber ? number : text === 'true' ? true : text === 'false' ? false : text];
}

function versionOf(word: string): number {
  const version = Number(word);
  if (!/^\d+$/.test(word) || !Number.isSafeInteger(version))
    throw new SiraError('SIRA_USAGE', `"${word}" is no version of the settings`);
  return version;
}

function reasonOf(options: CommandCall['options']): { who: string; why: string; expectedVersion?: number } {
  const { who = userInfo().username, why = '', ifVersion } = options;
  const expected = ifVersion === undefined ? {} : { expectedVersion: versionOf(String(ifVersion)) };
  return { who: String(who), why: String(why), ...expected };
}

function settingsText(settings: readonly Setting[], isLong: boolean, colour: boolean): string {
  const colours = createColors(colour);
  const width = Math.max(...settings.map(({ name }) => name.length));
  return settings
    .map((setting) => {
      const { name, value, minimum, maximum, description } = setting;
      const mark = value === setting.default ? '' : colours.dim(`  default ${shown(name, setting.default)}`);
      const line = `${colours.cyan(name.padEnd(width))}  ${shown(name, value)}${mark}\n`;
      if (!isLong) return line;
      const bounds = minimum === null ? '' : `  from ${shown(name, minimum)} to ${shown(name, maximum as number)}\n`;
      return `${line}  ${description}\n${bounds}`;
    })
    .join('');
}

function changedText({ version, changes }: Changed, colour: boolean): string {
  if (changes.length === 0) return `nothing to change; version ${version}\n`;
  return `version ${version}\n${changesText(changes, colour)}`;
}

function changesText(changes: readonly Change[], colour: boolean): string {
  const colours = createColors(colour);
  if (changes.length === 0) return '  no difference\n';
  return changes
    .map(({ name, from, to }) => `  ${colours.cyan(name)}  ${shown(name, from)} → ${colours.bold(shown(name, to))}\n`)
    .join('');
}

function historyText(history: readonly ChangeSet[], colour: boolean): string {
  const colours = createColors(colour);
  if (history.length === 0) return 'nothing was ever changed\n';
  return history
    .map(({ version, atMicros, who, why, changes }) => {
      const when = atMicros === 0 ? '' : ` ${new Date(atMicros / 1000).toISOString()}`;
      const head = `${colours.bold(`version ${version}`)}${when}  ${who}${why === '' ? '' : `: ${why}`}\n`;
      return head + changesText(changes, colour);
    })
    .join('');
}

function shown(name: string, value: Value): string {
  return name.endsWith('Micros') && typeof value === 'number' ? formatDuration(value) : String(value);
}
