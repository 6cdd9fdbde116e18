import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { errorTable } from '../../core/base/errors.ts';
import { projectRoot } from '../../sim/experiment/project-root.ts';
import { readTree } from './check-tree.ts';
import { errorsPage } from './errors-page.ts';

const codes = Object.keys(errorTable);

test('the page is the table; `npm run errors` writes it', () => {
  expect(readFileSync(join(projectRoot(), 'reports', 'errors.md'), 'utf8')).toBe(errorsPage());
});

test('every code used is in the table, and every code of the table is used', () => {
  const used = new Set<string>();
  for (const file of readTree(projectRoot())) {
    if (file.isTest || file.path === 'core/base/errors.ts') continue;
    for (const [, code] of file.text.matchAll(/['"`](SIRA_[A-Z_]+)['"`]/g)) used.add(code!);
  }
  // Not a code but a switch of the environment.
  used.delete('SIRA_DEBUG');
  expect([...used].filter((code) => !codes.includes(code))).toEqual([]);
  expect(codes.filter((code) => !used.has(code))).toEqual([]);
});

test('every entry says what happened and what to do, in sentences', () => {
  for (const [code, entry] of Object.entries(errorTable)) {
    expect(entry.summary, code).toMatch(/^[A-Z].*\.$/);
    expect(entry.remedy, code).toMatch(/^[A-Z].*\.$/);
    expect(entry.http, code).toBeGreaterThanOrEqual(400);
  }
});
