// Rules of layout: where files stand, what they are called, how long they are, how they open, and which imports which.

import { layerOf, mayImport, topEntries } from './layers.ts';
import type { SourceFile, Violation } from './source-file.ts';

/** Lines of a file that is not a test, at most. */
export const lineCountMax = 400;

/** Entries at the top of the project that have no place there. */
export function checkTopEntries(names: readonly string[]): Violation[] {
  return names
    .filter((name) => !topEntries.includes(name))
    .map((name) => ({
      file: name,
      line: 1,
      rule: 'top-entry',
      message: 'nothing else stands at the top; put it into a folder, or into layers.ts with a reason',
    }));
}

/** All rules of layout on one file. */
export function checkLayout(file: SourceFile): Violation[] {
  return [...checkName(file), ...checkLength(file), ...checkOpening(file), ...checkImports(file)];
}

function checkName(file: SourceFile): Violation[] {
  const name = file.path.split('/').at(-1) ?? '';
  if (/^[a-z0-9]+(-[a-z0-9]+)*(\.(live|test|contract|bench|config))*\.ts$/.test(name)) return [];
  return [
    { file: file.path, line: 1, rule: 'file-name', message: 'file names are kebab-case, such as queue-order.ts' },
  ];
}

function checkLength(file: SourceFile): Violation[] {
  const lineCount = file.text.split('\n').length - (file.text.endsWith('\n') ? 1 : 0);
  if (file.isTest || lineCount <= lineCountMax) return [];
  return [
    {
      file: file.path,
      line: lineCountMax + 1,
      rule: 'file-length',
      message: `${lineCount} lines; split what does two things (at most ${lineCountMax})`,
    },
  ];
}

function checkOpening(file: SourceFile): Violation[] {
  const opening = file.text.replace(/^#!.*\n\s*/, '');
  if (file.isTest || /^\/[/*]/.test(opening)) return [];
  return [
    {
      file: file.path,
      line: 1,
      rule: 'opening-comment',
      message: 'open with a few sentences: which promise the file keeps, what it leaves to others',
    },
  ];
}

function checkImports(file: SourceFile): Violation[] {
  const violations: Violation[] = [];
  const report = (line: number, rule: string, message: string): void => {
    violations.push({ file: file.path, line, rule, message });
  };
  if (file.layer === undefined) report(1, 'folder', 'this folder is not in layers.ts');
  for (const { specifier, target, line } of file.imports) {
    if (target === undefined) continue;
    if (!/\.(ts|json)$/.test(specifier)) report(line, 'import-extension', `"${specifier}" must end in .ts`);
    const to = layerOf(target);
    if (file.layer === undefined || to === undefined) continue;
    if (!mayImport(file.layer, to))
      report(line, 'import-order', `${file.layer.path} may not import ${to.path}: imports run one way (layers.ts)`);
    if (!file.isTest && /\.(test|contract|bench)\.ts$/.test(target))
      report(line, 'import-test', 'the product does not import tests');
  }
  return violations;
}
