// Runs a notebook from top to bottom in a fresh tslab kernel, without a browser: nbconvert of PyPI, from `.services/jupyter`, asks the
// kernel of `kernel/` for one cell after the other and writes the notebook with its outputs. An error of any cell
// ends it. What the notebooks say is theirs.

import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';

/** Where `npm run provision:jupyter` puts it, from the top of the project. */
export const jupyterFolder = join('.services', 'jupyter');
const tslabProgram = join('notebooks', 'kernel', 'node_modules', 'tslab', 'bin', 'tslab');

/** All notebooks, by path, in order. */
export function notebookFiles(projectRoot: string): readonly string[] {
  const folder = join(projectRoot, 'notebooks');
  return readdirSync(folder)
    .filter((name) => name.endsWith('.ipynb'))
    .sort((left, right) => (left < right ? -1 : 1))
    .map((name) => join(folder, name));
}

/** Why no notebook can be run here; empty if they can. */
export function whyNoJupyter(projectRoot: string): string {
  const parts = [
    [join(jupyterFolder, 'nbconvert'), 'npm run provision:jupyter'],
    [tslabProgram, 'npm run provision:jupyter'],
    [join('node_modules', 'danfojs-node'), 'npm ci'],
    [join('dist', 'notebooks', 'query.js'), 'npm run build'],
  ] as const;
  const missing = parts.find(([path]) => !existsSync(join(projectRoot, path)));
  return missing === undefined ? '' : `there is no ${missing[0]} (${missing[1]})`;
}

export interface NotebookRun {
  readonly ok: boolean;
  /** Of a failure, the cell and its error. */
  readonly log: string;
}

const cellTimeoutSeconds = 900;

/** Runs `file` in its own folder; if every cell did well, it is written with its outputs to `output`, which may be `file` itself. */
export async function runNotebook(projectRoot: string, file: string, output: string): Promise<NotebookRun> {
  const scratch = mkdtempSync(join(tmpdir(), 'sira-notebook-'));
  try {
    writeKernel(projectRoot, scratch);
    const words = [
      ...['-m', 'nbconvert', '--to', 'notebook', '--execute', file],
      ...['--output-dir', scratch, '--output', 'executed.ipynb'],
      ...[`--ExecutePreprocessor.timeout=${cellTimeoutSeconds}`, '--ExecutePreprocessor.kernel_name=tslab'],
      // Times of day would make every run another file.
      '--ExecutePreprocessor.record_timing=False',
    ];
    const { status, log } = await python(projectRoot, scratch, words);
    if (status === 0) writeFileSync(output, numbered(readFileSync(join(scratch, 'executed.ipynb'), 'utf8')));
    return { ok: status === 0, log: status === 0 ? '' : `${basename(file)}: ${errorOf(log)}` };
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

/** Tslab does not count the cells that it runs; people expect it. */
function numbered(notebook: string): string {
  const parsed = JSON.parse(notebook) as { readonly cells: { cell_type: string; execution_count?: number }[] };
  parsed.cells
    .filter((cell) => cell.cell_type === 'code')
    .forEach((cell, index) => {
      cell.execution_count = index + 1;
    });
  return `${JSON.stringify(parsed, undefined, 1)}\n`;
}

/** The cell and what it said, without the way through Jupyter's own code. */
function errorOf(log: string): string {
  const [, said] = log.split(/^\S*CellExecutionError: /m);
  return (said ?? log).trim();
}

/** The kernel as Jupyter looks it up: this Node runs the project's own tslab, whatever is installed elsewhere. */
function writeKernel(projectRoot: string, scratch: string): void {
  const folder = join(scratch, 'kernels', 'tslab');
  mkdirSync(folder, { recursive: true });
  const argv = [process.execPath, join(projectRoot, tslabProgram), 'kernel', '--config-path={connection_file}'];
  const env = {
    // tslab loads the project's modules by `require`, which Node calls experimental.
    NODE_OPTIONS: '--no-warnings',
    // Frames need no fast tensors, and are to hold the same on every machine.
    SIRA_TENSORFLOW_BACKEND: 'cpu',
    NO_COLOR: '1',
  };
  writeFileSync(
    join(folder, 'kernel.json'),
    JSON.stringify({ argv, display_name: 'TypeScript', language: 'typescript', env }),
  );
}

async function python(
  projectRoot: string,
  scratch: string,
  words: readonly string[],
): Promise<{ readonly status: number; readonly log: string }> {
  const child = spawn('python3', words, {
    cwd: projectRoot,
    env: {
      ...process.env,
      PYTHONPATH: join(projectRoot, jupyterFolder),
      // Nothing of the user's Jupyter is read, and nothing is written there.
      JUPYTER_DATA_DIR: scratch,
      JUPYTER_CONFIG_DIR: join(scratch, 'settings'),
      JUPYTER_RUNTIME_DIR: join(scratch, 'runtime'),
      IPYTHONDIR: join(scratch, 'ipython'),
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let log = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    log += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    log += text;
  });
  const status = await new Promise<number>((resolve) => {
    child.once('error', (error) => {
      log += error.message;
      resolve(127);
    });
    child.once('close', (code) => resolve(code ?? 1));
  });
  return { status, log };
}
