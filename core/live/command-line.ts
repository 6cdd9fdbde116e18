// The command line over the commands that it is given: parsing, help, and mistakes answered with the nearest name. It runs
// nothing itself but the command chosen; which commands there are is sira.ts's to say.

import { CommanderError, Option, Command as Parser } from 'commander';
import { createColors } from 'picocolors';
import { assert } from '../base/assert.ts';
import { SiraError } from '../base/errors.ts';
import { nearestName } from '../base/nearest-name.ts';
import type { Command, CommandCall, CommandResult, Terminal } from '../ports/command.ts';

export interface CommandLine {
  readonly commands: readonly Command[];
  readonly version: string;
  /** What Sira is, one line. */
  readonly summary: string;
  readonly terminal: Terminal;
  /** Called with the command chosen and what was typed. */
  run(command: Command, call: CommandCall): CommandResult | PromiseLike<CommandResult>;
}

/** Parses `words` (what follows `sira`) and runs the command chosen; gives its exit code. Help and the version are printed
 *  and give 0. Throws SIRA_USAGE, and whatever the command throws. */
export async function runCommandLine(line: CommandLine, words: readonly string[]): Promise<number> {
  const [first, second] = words;
  if (first === 'help' && second !== undefined && !line.commands.some((command) => command.name === second)) {
    const near = nearestName(
      second,
      line.commands.map((command) => command.name),
    );
    throw new SiraError(
      'SIRA_USAGE',
      `unknown command '${second}'`,
      {},
      `${near === undefined ? '' : `Did you mean ${near}? `}Run \`sira --help\`.`,
    );
  }
  if (words.length === 0) {
    line.terminal.write(overview(line));
    return 0;
  }
  let result: CommandResult;
  const parser = buildParser(line, async (command, call) => {
    result = await line.run(command, call);
  });
  try {
    await parser.parseAsync([...words], { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (
      error.code === 'commander.helpDisplayed' ||
      error.code === 'commander.version' ||
      error.code === 'commander.help'
    )
      return 0;
    throw usageError(error, line.commands, words);
  }
  return result ?? 0;
}

/** What `sira` alone prints: the commands and how to begin. */
export function overview(line: CommandLine): string {
  const colours = createColors(line.terminal.colour);
  const width = Math.max(...line.commands.map((command) => command.name.length));
  return [
    `${colours.bold(`sira ${line.version}`)}  ${line.summary}\n`,
    `\n${colours.bold('Commands')}\n`,
    ...line.commands.map((command) => `  ${colours.cyan(command.name.padEnd(width))}  ${command.summary}\n`),
    examplesOf(line),
  ].join('');
}

/** The first example of each command. */
function examplesOf(line: CommandLine): string {
  const colours = createColors(line.terminal.colour);
  const examples = line.commands.flatMap((command) => command.examples.slice(0, 1));
  const width = Math.max(...examples.map((example) => example.line.length));
  return [
    `\n${colours.bold('Examples')}\n`,
    ...examples.map((example) => `  ${example.line.padEnd(width)}  ${colours.dim(example.meaning)}\n`),
    '\n`sira COMMAND --help` tells more about a command.\n',
  ].join('');
}

function buildParser(line: CommandLine, chosen: (command: Command, call: CommandCall) => Promise<void>): Parser {
  const parser = new Parser('sira')
    .description(line.summary)
    .version(line.version, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .helpCommand('help [command]', 'print the help of a command')
    .addHelpText('after', () => examplesOf(line));
  quiet(parser, line.terminal);
  for (const command of line.commands) {
    const sub = parser
      .command(command.name)
      .summary(command.summary)
      .description(command.description ?? command.summary);
    quiet(sub, line.terminal);
    for (const argument of command.arguments) {
      const name = `${argument.name}${argument.many ? '...' : ''}`;
      sub.argument(argument.required ? `<${name}>` : `[${name}]`, argument.description);
    }
    for (const option of command.options) {
      const added = new Option(option.flags, option.description);
      if (option.defaultValue !== undefined) added.default(option.defaultValue);
      if (option.choices !== undefined) added.choices(option.choices);
      sub.addOption(added);
    }
    assert(command.examples.length > 0, 'every command shows an example');
    sub.addHelpText(
      'after',
      `\nExamples:\n${command.examples.map((example) => `  # ${example.meaning}\n  ${example.line}\n`).join('')}`,
    );
    sub.action(async () => {
      await chosen(command, { arguments: sub.args, options: sub.opts() });
    });
  }
  return parser;
}

function quiet(parser: Parser, terminal: Terminal): void {
  parser.exitOverride();
  parser.configureOutput({
    writeOut: (text) => terminal.write(text),
    writeErr: () => {},
    outputError: () => {},
    getOutHelpWidth: () => terminal.columns,
    getOutHasColors: () => terminal.colour,
  });
}

function usageError(error: CommanderError, commands: readonly Command[], words: readonly string[]): SiraError {
  const [first = '', ...rest] = error.message.replace(/^error: /, '').split('\n');
  const suggestion = rest.join(' ').replace(/^\(|\)$/g, '');
  const command = commands.find((candidate) => words.includes(candidate.name));
  const help =
    command === undefined || error.code === 'commander.unknownCommand'
      ? 'Run `sira --help`.'
      : `Run \`sira ${command.name} --help\`.`;
  return new SiraError('SIRA_USAGE', first, {}, suggestion === '' ? help : `${suggestion} ${help}`);
}
