import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { AssertionError } from '../base/assert.ts';
import { SiraError } from '../base/errors.ts';
import type { Command, CommandCall, Terminal } from '../ports/command.ts';
import { overview, runCommandLine } from './command-line.ts';
import { formatPlace, printError } from './print-error.ts';
import { coloured } from './terminal.ts';

interface RecordedTerminal extends Terminal {
  readonly output: string[];
  readonly errors: string[];
}

function recordedTerminal(colour = false): RecordedTerminal {
  const output: string[] = [];
  const errors: string[] = [];
  return {
    output,
    errors,
    write: (text) => void output.push(text),
    writeError: (text) => void errors.push(text),
    colour,
    colourError: colour,
    interactive: false,
    columns: 80,
  };
}

const run: Command = {
  name: 'run',
  summary: 'run a scenario',
  arguments: [{ name: 'scenario', description: 'a file', required: true, many: false }],
  options: [
    { flags: '--json', description: 'print JSON' },
    { flags: '-o, --output-folder <folder>', description: 'where to', defaultValue: 'runs' },
    { flags: '--seed <seed...>', description: 'seeds' },
    { flags: '--format <format>', description: 'format', choices: ['csv', 'parquet'] },
  ],
  examples: [{ line: 'sira run a.yaml', meaning: 'the usual' }],
  run: () => 0,
};
const check: Command = { ...run, name: 'check', arguments: [{ ...run.arguments[0]!, many: true }], options: [] };

async function type(
  words: string,
  result = 0,
): Promise<{ code: number; calls: [string, CommandCall][]; terminal: RecordedTerminal }> {
  const calls: [string, CommandCall][] = [];
  const terminal = recordedTerminal();
  const code = await runCommandLine(
    {
      commands: [run, check],
      version: '1.2.3',
      summary: 'what it is',
      terminal,
      run: async (command, call) => {
        calls.push([command.name, call]);
        return result;
      },
    },
    words.split(' ').filter((word) => word !== ''),
  );
  return { code, calls, terminal };
}

/** The message and remedy of the usage error. */
async function mistake(words: string): Promise<string> {
  const error = await type(words).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(SiraError);
  expect((error as SiraError).code).toBe('SIRA_USAGE');
  expect((error as SiraError).exitCode).toBe(2);
  return `${(error as SiraError).message} | ${(error as SiraError).remedy}`;
}

describe('parsing', () => {
  test('arguments and options reach the command chosen', async () => {
    const { calls, code } = await type('run a.yaml --json --seed 1 2 --format csv');
    expect(code).toBe(0);
    expect(calls).toEqual([
      [
        'run',
        { arguments: ['a.yaml'], options: { json: true, outputFolder: 'runs', seed: ['1', '2'], format: 'csv' } },
      ],
    ]);
    expect((await type('check a b c')).calls).toEqual([['check', { arguments: ['a', 'b', 'c'], options: {} }]]);
  });

  test('the exit code is the command’s', async () => {
    expect((await type('run a', 2)).code).toBe(2);
  });

  test('mistakes name the nearest and the help', async () => {
    expect(await mistake('rnu a')).toBe("unknown command 'rnu' | Did you mean run? Run `sira --help`.");
    expect(await mistake('help chekc')).toBe("unknown command 'chekc' | Did you mean check? Run `sira --help`.");
    expect(await mistake('run a --jsno')).toBe("unknown option '--jsno' | Did you mean --json? Run `sira run --help`.");
    expect(await mistake('run')).toBe("missing required argument 'scenario' | Run `sira run --help`.");
    expect(await mistake('run a b')).toContain('Expected 1 argument but got 2');
    expect(await mistake('run a --format xml')).toContain('Allowed choices are csv, parquet');
    expect(await mistake('run a --output-folder')).toContain('argument missing');
    expect(await mistake('--nothing')).toContain("unknown option '--nothing'");
  });
});

describe('help', () => {
  test('alone it shows the commands and how to begin', async () => {
    const { terminal, code } = await type('');
    expect(code).toBe(0);
    expect(terminal.output.join('')).toBe(
      'sira 1.2.3  what it is\n\nCommands\n  run    run a scenario\n  check  run a scenario\n\nExamples\n' +
        '  sira run a.yaml  the usual\n  sira run a.yaml  the usual\n\n`sira COMMAND --help` tells more about a command.\n',
    );
  });

  test.each(['--help', '-h', 'help', 'run --help', 'help run', 'run a --help'])(
    '%s shows an example and ends well',
    async (words) => {
      const { terminal, code, calls } = await type(words);
      expect(code).toBe(0);
      expect(calls).toEqual([]);
      expect(terminal.output.join('')).toContain('sira run a.yaml');
      expect(terminal.errors).toEqual([]);
    },
  );

  test('--version', async () => {
    const { terminal, code } = await type('--version');
    expect([code, terminal.output.join('')]).toEqual([0, '1.2.3\n']);
  });

  test('colours only where they are wanted', () => {
    const line = { commands: [run], version: '1', summary: 's', run: () => 0 };
    expect(overview({ ...line, terminal: recordedTerminal(true) })).toContain('\u001b[');
    expect(overview({ ...line, terminal: recordedTerminal(false) })).not.toContain('\u001b[');
    expect(coloured(true, {})).toBe(true);
    expect(coloured(undefined, {})).toBe(false);
    expect(coloured(true, { NO_COLOR: '1' })).toBe(false);
    expect(coloured(true, { TERM: 'dumb' })).toBe(false);
    expect(coloured(undefined, { FORCE_COLOR: '1' })).toBe(true);
    expect(coloured(true, { NO_COLOR: '1', FORCE_COLOR: '1' })).toBe(false);
  });
});

describe('errors', () => {
  const report = { version: '1.2.3', line: 'sira run a.yaml', debug: false };

  test('say what, where and what to do', () => {
    const terminal = recordedTerminal();
    const place = { file: 'a.yaml', line: 3, column: 7, field: 'policies.0' };
    expect(
      printError(new SiraError('SIRA_POLICY_UNKNOWN', 'no such policy', place, 'Use fgd.'), terminal, report),
    ).toBe(2);
    expect(terminal.errors.join('')).toBe(
      'error[SIRA_POLICY_UNKNOWN] no such policy\n  at a.yaml:3:7 policies.0\n  do: Use fgd.\n',
    );
    expect(printError(new SiraError('SIRA_ORACLE_VIOLATED', 'x'), recordedTerminal(), report)).toBe(1);
  });

  test('places are as precise as known', () => {
    expect(formatPlace({})).toBe('');
    expect(formatPlace({ file: 'a' })).toBe('a');
    expect(formatPlace({ file: 'a', column: 3 })).toBe('a');
    expect(formatPlace({ file: 'a', line: 2, field: 'gpu' })).toBe('a:2 gpu');
    expect(formatPlace({ field: 'gpu' })).toBe('gpu');
  });

  test('a defect is one line and a file with the details, never a stack trace', () => {
    for (const error of [new AssertionError('two owners'), new TypeError('two owners'), 'two owners']) {
      const terminal = recordedTerminal();
      expect(printError(error, terminal, report)).toBe(1);
      const text = terminal.errors.join('');
      expect(text).toContain('internal error two owners\n');
      expect(text).not.toMatch(/^ +at /m);
      const file = /with this file: (\S+)/.exec(text)?.[1];
      const details = readFileSync(file!, 'utf8');
      expect(details).toContain('sira 1.2.3');
      expect(details).toContain('sira run a.yaml');
      if (error instanceof Error) expect(details).toContain('command-line.test.ts');
    }
  });

  test('whoever debugs sees the stack', () => {
    const terminal = recordedTerminal();
    printError(new SiraError('SIRA_USAGE', 'x'), terminal, { ...report, debug: true });
    expect(terminal.errors.join('')).toContain('command-line.test.ts');
  });
});
