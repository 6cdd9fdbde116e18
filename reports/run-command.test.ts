// The main job as a person meets it: what is printed, what is written, and what every mistake is answered with. In-process
// where the command line allows it; the few processes at the end show what only a process can.

import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runCommandLine } from '../core/live/command-line.ts';
import { printError } from '../core/live/print-error.ts';
import type { Terminal } from '../core/ports/command.ts';
import type { ResultDocument } from '../sim/experiment/results.ts';
import { sampleSynthetic, writeSampleScenario } from '../sim/experiment/sample-scenario.ts';
import { explainCommand } from './explain-command.ts';
import { runCommand } from './run-command.ts';

let folder = '';
/** A finished run of the hand-computed sample. */
let run = '';

interface Answer {
  readonly code: number;
  readonly output: string;
  readonly errors: string;
}

/** Types a command line; mistakes are printed as sira.ts prints them. */
async function type(...words: string[]): Promise<Answer> {
  let output = '';
  let errors = '';
  const terminal: Terminal = {
    write: (text) => {
      output += text;
    },
    writeError: (text) => {
      errors += text;
    },
    colour: false,
    colourError: false,
    interactive: false,
    columns: 100,
  };
  const line = ['sira', ...words].join(' ');
  const fail = (error: unknown): number => printError(error, terminal, { version: '1', line, debug: false });
  let code: number;
  try {
    code = await runCommandLine(
      {
        commands: [runCommand, explainCommand],
        version: '1',
        summary: '',
        terminal,
        run: (command, call) =>
          command.run(call, {
            terminal,
            projectRoot: folder,
            version: '1',
            line,
            printError: (error) => void fail(error),
          }),
      },
      words,
    );
  } catch (error) {
    code = fail(error);
  }
  expect(errors).not.toMatch(/^ {4}at /m);
  expect(errors).not.toContain('internal error');
  return { code, output, errors };
}

/** Runs in this thread: workers need the compiled project. */
async function typeRun(file: string, ...words: string[]): Promise<Answer> {
  return type('run', file, '--workers', '0', ...words);
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sira-run-command-'));
  run = join(folder, 'sample-run');
  await typeRun(writeSampleScenario(folder, { policies: 'policies: [best-fit, spread]' }), '--output', run);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('sira run', () => {
  test('prints who wins and where the report is, and writes what it says', async () => {
    const file = writeSampleScenario(folder, sampleSynthetic, 'many.yaml');
    const to = join(folder, 'many');
    const { code, output, errors } = await typeRun(file, '--output', to);
    expect(code).toBe(0);
    for (const text of ['random', 'best-fit', 'fgd', 'GPU utilization', join('many', 'report.html'), 'results.json'])
      expect(output).toContain(text);
    // Where nobody watches, progress is a line a run.
    expect(errors.trim().split('\n')).toHaveLength(9);
    expect(errors).toContain('100%  fgd on seed 3\n');
    expect(readdirSync(to).toSorted()).toEqual(['decisions', 'report.html', 'results.json', 'tasks']);
    for (const kind of ['tasks', 'decisions']) expect(readdirSync(join(to, kind))).toHaveLength(9);
    const document = JSON.parse(readFileSync(join(to, 'results.json'), 'utf8')) as ResultDocument;
    expect(document.policies.map(({ name }) => name)).toEqual(['random', 'best-fit', 'fgd']);
    expect(document.command).toBe(`npx sira run ${file} --workers 0 --output ${to}`);
    expect(readFileSync(join(to, 'report.html'), 'utf8')).toMatch(/^<!doctype html>/i);
  });

  test('without --output: a new folder under reports/runs each time', async () => {
    const file = writeSampleScenario(folder);
    await typeRun(file, '--no-files');
    await typeRun(file, '--no-files');
    const runs = readdirSync(join(folder, 'reports', 'runs'));
    expect(runs).toHaveLength(2);
    for (const name of runs) {
      expect(name).toMatch(/^tiny-\d{4}-\d\d-\d\d-\d{6}(-2)?$/);
      expect(readdirSync(join(folder, 'reports', 'runs', name)).toSorted()).toEqual(['report.html', 'results.json']);
    }
  });

  test('--json prints one document and nothing else, and writes nothing unless told where', async () => {
    const file = writeSampleScenario(folder);
    const before = readdirSync(folder).length;
    const { code, output } = await typeRun(file, '--json');
    expect(code).toBe(0);
    expect((JSON.parse(output) as ResultDocument).format).toBe('sira-results');
    expect(readdirSync(folder)).toHaveLength(before);
    const to = join(folder, 'json');
    const told = await typeRun(file, '--json', '--output', to);
    const written = JSON.parse(readFileSync(join(to, 'results.json'), 'utf8')) as ResultDocument;
    expect(JSON.parse(told.output)).toEqual(written);
  });

  test('--policies and --seeds narrow the study; the baseline is one that is left', async () => {
    const file = writeSampleScenario(folder, sampleSynthetic, 'many.yaml');
    const { output } = await typeRun(file, '--json', '--policies', 'fgd', 'best-fit', '--seeds', '7', '2');
    const document = JSON.parse(output) as ResultDocument;
    expect(document.policies.map(({ name }) => name)).toEqual(['best-fit', 'fgd']);
    expect(document.seeds).toEqual([7, 2]);
    expect(document.baseline).toBe('best-fit');
    expect(document.policies[1]?.runs.map(({ seed }) => seed)).toEqual([7, 2]);
  });
});

describe('every mistake is answered with what, where and what to do', () => {
  async function mistake(...words: string[]): Promise<string> {
    const { code, output, errors } = await type(...words);
    expect(code).toBe(2);
    expect(output).toBe('');
    expect(errors).toMatch(/^error\[SIRA_[A-Z_]+\] .+\n( {2}at .+\n)? {2}do: .+\n$/);
    return errors;
  }

  test('a wrong flag, a missing argument, a wrong number', async () => {
    const file = writeSampleScenario(folder);
    expect(await mistake('run', file, '--policys', 'x')).toContain('--policies');
    expect(await mistake('run')).toContain("missing required argument 'scenario'");
    expect(await mistake('run', file, '--seeds', 'one')).toContain('--seeds takes whole numbers, not "one"');
    expect(await mistake('run', file, '--seeds', '-1')).toContain('SIRA_USAGE');
    expect(await mistake('run', file, '--seeds', '1', '2', '1')).toContain('--seeds names 1 twice');
    expect(await mistake('run', file, '--workers', '1.5')).toContain('--workers takes whole numbers');
  });

  test('a file that is missing, or a folder', async () => {
    expect(await mistake('run', join(folder, 'none.yaml'))).toContain(`at ${join(folder, 'none.yaml')}`);
    expect(await mistake('run', folder)).toContain('SIRA_FILE_MISSING');
  });

  test('malformed YAML, by line', async () => {
    const file = join(folder, 'malformed.yaml');
    writeFileSync(file, 'name: x\ncluster: { format: groups\npolicies: [a]\n');
    expect(await mistake('run', file)).toMatch(/SIRA_YAML_MALFORMED[\s\S]*malformed\.yaml:\d+:\d+/);
  });

  test('a wrong field, by line, column and field', async () => {
    const file = writeSampleScenario(folder, { policies: 'policies: [best-fti]' }, 'wrong.yaml');
    const answer = await mistake('run', file);
    expect(answer).toContain('SIRA_POLICY_UNKNOWN');
    expect(answer).toContain(`at ${file}:4:12 policies.0`);
    expect(answer).toContain('Did you mean "best-fit"?');
  });

  test('a bad row of the trace, by its own file, line and column', async () => {
    const apart = join(folder, 'bad');
    mkdirSync(apart);
    const file = writeSampleScenario(apart);
    writeFileSync(join(apart, 'trace.csv'), 'name,at,for,cores,gpus\nA,0,10,1,1\nB,zero,10,1,1\n');
    const answer = await mistake('run', file, '--workers', '0', '--output', join(apart, 'out'));
    expect(answer).toContain('SIRA_TRACE_MALFORMED');
    expect(answer).toMatch(/trace\.csv:3(:\d+)? at\n/);
  });

  test('a policy that the scenario does not have', async () => {
    const answer = await mistake('run', writeSampleScenario(folder), '--policies', 'fgd');
    expect(answer).toContain('the scenario has no policy fgd');
    expect(answer).toContain('Use some of best-fit.');
  });

  test('an output folder that cannot be', async () => {
    const file = writeSampleScenario(folder);
    const under = join(folder, 'trace.csv', 'deeper');
    expect(await mistake('run', file, '--workers', '0', '--output', under)).toContain(`at ${under}`);
    const taken = join(folder, 'taken');
    mkdirSync(join(taken, 'results.json'), { recursive: true });
    const { code, errors } = await typeRun(file, '--output', taken);
    expect(code).toBe(2);
    expect(errors).toContain('cannot write');
    expect(errors).toContain('Give a folder that can be written with --output.');
  });
});

describe('sira explain', () => {
  test('tells the life of a task: waiting, why, and where it went', async () => {
    const { code, output } = await type('explain', run, '--task', '4', '--policy', 'best-fit');
    expect(code).toBe(0);
    expect(output.split('\n')).toEqual([
      'best-fit, seed 1: task 4 (D)',
      '  asks for   1 whole GPU, 1 CPU',
      '  runs for   4 s, estimated at 4 s',
      '    0:00:12.000  arrived',
      '    0:00:12.000  waits: 1 of 1 machines ruled out: 1 too few GPUs free (1 in the queue)',
      '    0:00:30.000  placed on node-0 (1 in the queue)',
      '                 all 1 machines fit',
      expect.stringMatching(/^ {17}scores: node-0 [\d.e-]+$/),
      '    0:00:30.000  began on node-0, after waiting 18 s',
      '    0:00:34.000  completed',
      '',
    ]);
  });

  test('by name, under every policy, for programs', async () => {
    const { output } = await type('explain', run, '--task', 'B', '--json');
    const lives = JSON.parse(output) as { policy: string; task: { id: number; wait: number }; decisions: object[] }[];
    expect(lives.map(({ policy, task }) => [policy, task.id])).toEqual([
      ['best-fit', 2],
      ['spread', 2],
    ]);
    expect(lives[0]?.decisions).toMatchObject([{ outcome: 'waits' }, { outcome: 'placed', machines: 'node-0' }]);
  });

  test('what there is not', async () => {
    const missing = async (...words: string[]): Promise<string> => {
      const { code, output, errors } = await type('explain', ...words);
      expect([code, output]).toEqual([2, '']);
      return errors;
    };
    expect(await missing(run, '--task', '99')).toContain('no task 99 in this run');
    expect(await missing(run, '--task', 'Z')).toContain('no task Z in this run');
    expect(await missing(run)).toContain('--task is missing');
    expect(await missing(run, '--task', '1', '--seed', '9')).toContain('Its seeds: 1.');
    expect(await missing(run, '--task', '1', '--policy', 'fgd')).toContain('Its policies: best-fit, spread.');
    const nowhere = await missing(join(folder, 'nowhere'), '--task', '1');
    expect(nowhere).toContain('no folder of a run');
    expect(nowhere).toContain('sample-run');
    const half = join(folder, 'half');
    mkdirSync(half);
    writeFileSync(join(half, 'results.json'), '{ "format": "sira-res');
    expect(await missing(half, '--task', '1')).toContain('only half of one');
    const bare = join(folder, 'bare');
    await typeRun(writeSampleScenario(folder), '--no-files', '--output', bare);
    expect(await missing(bare, '--task', '1')).toContain('Run the scenario without --no-files and --json.');
  });
});

describe('as a process', () => {
  const program = fileURLToPath(new URL('../dist/sira.js', import.meta.url));

  function sira(...words: string[]): Answer {
    const { status, stdout, stderr } = spawnSync(process.execPath, [program, ...words], {
      cwd: folder,
      encoding: 'utf8',
    });
    expect(stderr).not.toMatch(/^ {4}at /m);
    return { code: status ?? -1, output: stdout, errors: stderr };
  }

  test('on worker threads: standard output holds the document alone, equal to the one made without workers', () => {
    expect(existsSync(program), 'the project is built').toBe(true);
    writeSampleScenario(folder, sampleSynthetic, 'many.yaml');
    const words = ['run', 'many.yaml', '--json', '--policies', 'random', 'fgd', '--workers'];
    const { code, output } = sira(...words, '2');
    expect(code).toBe(0);
    const alone = sira(...words, '0');
    const digests = (text: string): string[] =>
      (JSON.parse(text) as ResultDocument).policies.flatMap(({ runs }) => runs.map(({ digest }) => digest));
    expect(digests(output)).toEqual(digests(alone.output));
    expect(new Set(digests(output)).size).toBe(6);
  });

  test('a mistake in the trace crosses from the worker in words, with exit code 2', () => {
    const apart = mkdtempSync(join(folder, 'worker-'));
    const file = writeSampleScenario(apart);
    writeFileSync(join(apart, 'trace.csv'), 'name,at,for,cores,gpus\nA,0,10,1,one\n');
    const { code, output, errors } = sira('run', file, '--json');
    expect([code, output]).toEqual([2, '']);
    expect(errors).toMatch(/^error\[SIRA_TRACE_MALFORMED\] [\s\S]*trace\.csv:2[\s\S]*\n {2}do: /);
  });

  test('--verify: two processes and a restored kernel agree', () => {
    writeSampleScenario(folder, sampleSynthetic, 'many.yaml');
    const { code, output } = sira('run', 'many.yaml', '--verify', '--seeds', '1', '--policies', 'random', 'fgd');
    expect(output).toMatch(
      /^Deterministic: 2 runs, each twice in two processes and once restored .*; [\d,]+ effects equal\.\n$/,
    );
    expect(code).toBe(0);
  });

  test('--verify: a mistake in the trace is the user’s, not a defect', () => {
    const apart = mkdtempSync(join(folder, 'verify-'));
    const file = writeSampleScenario(apart);
    writeFileSync(join(apart, 'trace.csv'), 'name,at,for,cores,gpus\nA,0,10,1,one\n');
    const { code, errors } = sira('run', file, '--verify');
    expect(code).toBe(2);
    expect(errors).toMatch(/^error\[SIRA_TRACE_MALFORMED\] /);
  });
});
