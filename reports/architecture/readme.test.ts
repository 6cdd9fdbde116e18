import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { checkCommandOf } from '../../core/documents/check-command.ts';
import { runCommandLine } from '../../core/live/command-line.ts';
import { liveCommands, liveDocuments } from '../../core/live/commands.ts';
import { doctorCommand } from '../../core/live/doctor.ts';
import type { CommandCall } from '../../core/ports/command.ts';
import { learningCommands, livePlugins } from '../../learning/commands.ts';
import { simCommands, simDocuments } from '../../sim/commands.ts';
import { describe as describeScenario } from '../../sim/experiment/check-command.ts';
import { checkScenario, loadScenario } from '../../sim/experiment/load-scenario.ts';
import { replayCommand } from '../../sim/replay/replay-command.ts';
import { reportCommands } from '../commands.ts';

const commands = [
  ...[...reportCommands, ...simCommands, ...learningCommands, ...liveCommands(livePlugins)],
  replayCommand(() => ''),
  checkCommandOf([...simDocuments, ...liveDocuments]),
  doctorCommand([]),
];

interface Block {
  readonly language: string;
  /** File that the reader is to write the block to, or empty. */
  readonly file: string;
  readonly text: string;
}

function blocksOf(page: string): Block[] {
  return [...readFileSync(page, 'utf8').matchAll(/^```(\w+) *(\S*)\n([\s\S]*?)^```$/gm)].map(
    ([, language, file, text]) => ({
      language: language!,
      file: file!,
      text: text!,
    }),
  );
}

/** Parses a command line with the real parser and gives what the command would be called with. */
async function parse(line: string): Promise<{ name: string; call: CommandCall }> {
  const seen: { name: string; call: CommandCall }[] = [];
  const words = line
    .replace(/^(npx )?sira ?/, '')
    .replace(/ [|>].*$/, '')
    .split(/ +/)
    .filter((word) => word !== '');
  const silent = { write() {}, writeError() {}, colour: false, colourError: false, interactive: false, columns: 80 };
  await runCommandLine(
    {
      commands,
      version: '0',
      summary: '',
      terminal: silent,
      run(command, call) {
        seen.push({ name: command.name, call });
        return 0;
      },
    },
    words,
  );
  expect(seen, line).toHaveLength(1);
  return seen[0]!;
}

const pages = ['README.md', 'CONTRIBUTING.md'];
const blocks = pages.flatMap(blocksOf);
let folder = '';

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'sira-readme-'));
  for (const { file, text } of blocks) if (file !== '') writeFileSync(join(folder, file), text);
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('every YAML block is a sound scenario', () => {
  const scenarios = blocks.filter(({ language }) => language === 'yaml');
  test('there are some', () => expect(scenarios.length).toBeGreaterThanOrEqual(2));
  test.each(scenarios.map(({ file }) => file))('%s', (file) => {
    expect(checkScenario(join(folder, file)).problems).toEqual([]);
    expect(describeScenario(loadScenario(join(folder, file)))).toContain(
      '4 machines with 16 GPUs, 4 tasks in the trace',
    );
  });
});

describe('every command line parses', () => {
  const lines = blocks
    .filter(({ language }) => language === 'console')
    .flatMap(({ text }) => text.split('\n'))
    .flatMap((line) => line.split('&&'))
    .map((line) => line.trim())
    .filter((line) => /^(npx )?sira\b/.test(line));
  test('there are some', () => expect(lines.length).toBeGreaterThanOrEqual(4));
  test.each(lines)('%s', async (line) => {
    await parse(line);
  });

  const examples = commands.flatMap((command) =>
    command.examples.map((example) => [example.line, command.name] as const),
  );
  test.each(examples)('%s (help)', async (line, name) => {
    expect((await parse(line)).name).toBe(name);
  });
});

test('every npm script and path that the pages name is there', () => {
  const scripts = Object.keys((JSON.parse(readFileSync('package.json', 'utf8')) as { scripts: object }).scripts);
  for (const page of pages) {
    const text = readFileSync(page, 'utf8');
    for (const [, script] of text.matchAll(/npm run ([\w:]+)/g)) expect(scripts, page).toContain(script);
    for (const [, path] of text.matchAll(/\]\(([\w./-]+)\)/g)) expect(existsSync(path!), `${page}: ${path}`).toBe(true);
  }
});
