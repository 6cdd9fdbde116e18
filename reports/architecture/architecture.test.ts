import { describe, expect, test } from 'vitest';
import { projectRoot } from '../../sim/experiment/project-root.ts';
import { checkFile, checkTree } from './check-tree.ts';
import { checkTopEntries, lineCountMax } from './layout-rules.ts';
import { sourceFile } from './source-file.ts';

/** `LINE RULE` of each violation in `text`, were it the file `path`. */
function found(path: string, text: string): string[] {
  return checkFile(sourceFile(path, text)).map(({ line, rule }) => `${line} ${rule}`);
}

/** The same for code below an opening comment; line 1 is the comment. */
function inFile(path: string, code: string): string[] {
  return found(path, `// What this file is.\n${code}\n`);
}

test('the tree keeps every rule', () => {
  const { fileCount, violations } = checkTree(projectRoot());
  expect(fileCount).toBeGreaterThan(20);
  expect(violations.map(({ file, line, rule, message }) => `${file}:${line} ${rule}: ${message}`)).toEqual([]);
});

describe('layout', () => {
  test('a planted stranger at the top is found', () => {
    expect(checkTopEntries(['core', 'utils.ts']).map(({ file }) => file)).toEqual(['utils.ts']);
  });

  test('a folder that no layer names is found', () => {
    expect(inFile('core/helpers/x.ts', '')).toEqual(['1 folder']);
  });

  test('file names are kebab-case', () => {
    for (const name of ['queueOrder.ts', 'queue_order.ts', 'Queue.ts'])
      expect(inFile(`core/base/${name}`, '')).toEqual(['1 file-name']);
    for (const name of ['queue-order.ts', 'x.test.ts', 'x.live.test.ts', 'x.contract.ts', 'v2.ts'])
      expect(inFile(`core/base/${name}`, '')).toEqual([]);
  });

  test('files are short, tests may be longer', () => {
    const long = 'x();\n'.repeat(lineCountMax);
    expect(inFile('core/base/x.ts', long)).toEqual([`${lineCountMax + 1} file-length`]);
    expect(inFile('core/base/x.test.ts', long)).toEqual([]);
  });

  test('files open with a comment', () => {
    expect(found('core/base/x.ts', 'const x = 1;\n')).toEqual(['1 opening-comment']);
    expect(found('sira.ts', '#!/usr/bin/env node\n\n// What it is.\n')).toEqual([]);
  });
});

describe('imports run one way', () => {
  const forbidden: [string, string][] = [
    ['core/base/x.ts', '../config/y.ts'],
    ['core/bus/x.ts', '../registry/y.ts'],
    ['core/scheduler/plugins/x.ts', '../../kernel/y.ts'],
    ['core/kernel/x.ts', '../client/y.ts'],
    ['core/live/x.ts', '../../sim/engine/y.ts'],
    ['sim/world/x.ts', '../../core/live/y.ts'],
    ['sim/experiment/x.ts', '../../reports/y.ts'],
    ['reports/x.ts', '../learning/y.ts'],
    ['learning/x.ts', '../sira.ts'],
  ];
  test.each(forbidden)('%s may not import %s', (path, specifier) => {
    expect(inFile(path, `import { y } from '${specifier}';`)).toEqual(['2 import-order']);
    expect(inFile(path, `export type {\n  Y,\n} from '${specifier}';`)).toEqual(['2 import-order']);
    expect(inFile(path, `\nimport '${specifier}';`)).toEqual(['3 import-order']);
    if (!path.startsWith('core/') || path.startsWith('core/live')) {
      expect(inFile(path, `const y = await import('${specifier}');`)).toContain('2 import-order');
    }
  });

  const allowed: [string, string][] = [
    ['core/config/x.ts', '../base/y.ts'],
    ['core/client/x.ts', '../kernel/y.ts'],
    ['sim/world/x.ts', '../../core/kernel/y.ts'],
    ['sim/experiment/x.ts', '../world/y.ts'],
    ['sira.ts', './learning/y.ts'],
    ['core/base/x.ts', './y.ts'],
  ];
  test.each(allowed)('%s may import %s', (path, specifier) => {
    expect(inFile(path, `import { y } from '${specifier}';`)).toEqual([]);
  });

  test('relative imports end in .ts, and the product imports no tests', () => {
    expect(inFile('core/base/x.ts', "import { y } from './y';")).toEqual(['2 import-extension']);
    expect(inFile('core/base/x.ts', "import { y } from './y.test.ts';")).toEqual(['2 import-test']);
  });

  test('an import in a comment or a string is none', () => {
    expect(
      inFile('core/base/x.ts', "// import { y } from '../kernel/y.ts';\nconst text = \"import '../kernel/y.ts'\";"),
    ).toEqual([]);
  });
});

describe('determinism in the kernel', () => {
  const planted: [string, string][] = [
    ['const now = Date.now();', 'clock'],
    ['const now = performance.now();', 'clock'],
    ['function f(at: Date): void {}', 'clock'],
    ['setTimeout(f, 1);', 'timer'],
    ['queueMicrotask(f);', 'timer'],
    ['async function f(): Promise<void> {}', 'promise'],
    ['const f = async () => {};', 'promise'],
    ['const x = process.env;', 'ambient'],
    ['console.log(1);', 'ambient'],
    ['const x = globalThis;', 'ambient'],
    ['const x = Math.random();', 'randomness'],
    ['const x = Math.exp(1);', 'open-math'],
    ['const x = Math . log2(y);', 'open-math'],
    ['const { pow } = Math;', 'open-math'],
    ["const x = Math['pow'](y, z);", 'open-math'],
    ['const x = y ** z;', 'open-math'],
    ['const x = y ** 2.5;', 'open-math'],
    ['const x = a.localeCompare(b);', 'locale'],
    ['const x = 1..toLocaleString();', 'locale'],
    ['const x = new Intl.Collator();', 'locale'],
    ['const x = y.sort();', 'bare-sort'],
    ['const x = y.toSorted( );', 'bare-sort'],
    ['let x = 1;', 'module-state'],
    ['const x = new Map<string, number>();', 'module-state'],
    ['export const x = new Set([1]);', 'module-state'],
    ['const x: number[] = [];', 'module-state'],
    ['const x = {};', 'module-state'],
    ["import { x } from 'ajv';", 'package'],
    ["import { x } from 'node:fs';", 'package'],
  ];
  test.each(planted)('%s', (code, rule) => {
    expect(inFile('core/scheduler/x.ts', code)).toContain(`2 ${rule}`);
    expect(inFile('core/scheduler/x.test.ts', code)).toEqual([]);
  });

  test('export let is found everywhere', () => {
    expect(inFile('reports/x.ts', 'export let x = 1;')).toEqual(['2 mutable-export']);
  });

  const innocent = [
    'const x = Math.sqrt(2) + Math.floor(y) + Math.PI + Math.imul(1, 2);',
    'const x = y ** 2 + z ** 3;',
    'const bits = 20;\nconst limit = 2 ** bits;',
    'const x = job.process + job.Date;',
    'interface X { process: string; async?: boolean }',
    'const x = y.toSorted((a, b) => a - b);',
    '// Date.now() is never called: Math.random() neither.',
    "const x = 'new Date()';",
    'const names: ReadonlyMap<string, number> = new Map([["a", 1]]);',
    'const table = { a: 1 } as const;',
    'const list: readonly string[] = [];',
    'function f(): number {\n  let x = 1;\n  const y = new Map();\n  return x;\n}',
    "import type { X } from 'ajv';",
  ];
  test.each(innocent)('innocent: %s', (code) => {
    expect(inFile('core/scheduler/x.ts', code)).toEqual([]);
  });

  test('scratch buffers stay in base', () => {
    const code = 'const scratch = new Float64Array(1);';
    expect(inFile('core/base/x.ts', code)).toEqual([]);
    expect(inFile('core/kernel/x.ts', code)).toEqual(['2 module-state']);
  });
});

describe('strictness by folder', () => {
  test('the simulated world is as strict as the kernel', () => {
    for (const folder of ['sim/engine', 'sim/world', 'sim/fault', 'sim/oracle']) {
      expect(inFile(`${folder}/x.ts`, "import { x } from 'node:fs';\nconst now = Date.now();")).toEqual([
        '3 clock',
        '2 package',
      ]);
    }
  });

  test('workloads read files, but by no clock and with fixed mathematics', () => {
    expect(inFile('sim/workload/x.ts', "import { x } from 'node:fs';")).toEqual([]);
    expect(inFile('sim/workload/x.ts', 'const x = Math.log(Date.now());')).toEqual(['2 clock', '2 open-math']);
  });

  test('runners measure time, but draw from seeds', () => {
    expect(inFile('sim/experiment/x.ts', 'const x = Date.now();')).toEqual([]);
    expect(inFile('sim/experiment/x.ts', 'const x = Math.random();')).toEqual(['2 randomness']);
    expect(inFile('sim/experiment/x.ts', 'const x = a.localeCompare(b);')).toEqual(['2 locale']);
    expect(inFile('sim/experiment/x.ts', "const x = y.toLocaleString('en');")).toEqual([]);
  });

  test('the live shell is free', () => {
    expect(inFile('core/live/x.ts', "import { x } from 'node:fs';\nlet y = Date.now() + Math.random();")).toEqual([]);
  });
});
