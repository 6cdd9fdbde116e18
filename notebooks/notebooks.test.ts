// Every published notebook runs from top to bottom, as `npm run notebooks` runs it, and holds its outputs. Needs Jupyter (npm run
// provision:jupyter) and the build; without them the suite says so and is skipped, except in continuous integration.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { projectRoot } from '../sim/experiment/project-root.ts';
import { notebookFiles, runNotebook, whyNoJupyter } from './jupyter.ts';

interface Notebook {
  readonly cells: readonly {
    readonly cell_type: 'code' | 'markdown';
    readonly source: readonly string[];
    readonly outputs?: readonly { readonly output_type: string; readonly data?: Readonly<Record<string, unknown>> }[];
  }[];
}

const root = projectRoot();
const problem = whyNoJupyter(root);
if (problem !== '' && !process.env.CI) console.warn(`skipped: ${problem}; no notebook was run`);
const folder = mkdtempSync(join(tmpdir(), 'sira-notebooks-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const read = (file: string): Notebook => JSON.parse(readFileSync(file, 'utf8')) as Notebook;
const sources = ({ cells }: Notebook): string[] => cells.map(({ source }) => source.join(''));
const pictures = ({ cells }: Notebook): number =>
  cells.flatMap(({ outputs = [] }) => outputs).filter(({ data }) => data?.['image/svg+xml'] !== undefined).length;

it.runIf(process.env.CI)('has a Jupyter to test with', () => {
  expect(problem).toBe('');
});

describe.runIf(problem === '')('notebooks', () => {
  it.each(notebookFiles(root).map((file) => [basename(file), file]))(
    '%s runs from top to bottom',
    async (_, file) => {
      const output = join(folder, basename(file));
      const { ok, log } = await runNotebook(root, file, output);
      expect(ok, log).toBe(true);
      const published = read(file);
      const fresh = read(output);
      expect(sources(fresh)).toEqual(sources(published));
      // What people read on the web has its outputs.
      expect(pictures(fresh)).toBeGreaterThan(0);
      expect(pictures(published)).toBe(pictures(fresh));
      const kinds = ({ cells }: Notebook) => cells.map(({ outputs = [] }) => outputs.map((one) => one.output_type));
      expect(kinds(published)).toEqual(kinds(fresh));
    },
    600_000,
  );

  it('end at the first cell that fails, say why, and write nothing', async () => {
    const cells = ["const sum: number = 1 + 1;\nif (sum === 2) throw new Error('two it is');", "console.log('never')"];
    const file = join(folder, 'wrong.ipynb');
    const cell = (source: string, index: number) => ({
      ...{ cell_type: 'code', id: `cell-${index}`, metadata: {}, execution_count: null, outputs: [] },
      source: [source],
    });
    const kernelspec = { name: 'tslab', language: 'typescript', display_name: 'TypeScript' };
    writeFileSync(
      file,
      JSON.stringify({ cells: cells.map(cell), metadata: { kernelspec }, nbformat: 4, nbformat_minor: 5 }),
    );
    const output = join(folder, 'written.ipynb');
    const { ok, log } = await runNotebook(root, file, output);
    expect(ok).toBe(false);
    expect(log).toContain('two it is');
    expect(log).not.toContain('never');
    expect(() => readFileSync(output)).toThrow();
  });
});
