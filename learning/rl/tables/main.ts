// `npm run tables:learned`: what the trained policies of reports/learned/policies reach, as a page and a document. Exit code 1 if a
// published value is not beaten. Trains nothing: `sira train` does, by the commands on the page.

import { mkdirSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { Command } from 'commander';
import { checkList } from '../../../reports/tables/table.ts';
import { projectRoot } from '../../../sim/experiment/project-root.ts';
import { learnedChecks, learnedPage } from './learned-page.ts';
import { batchRow, deepRmRows, type LearnedRow } from './learned-rows.ts';
import { publishedPolicies } from './published-policies.ts';

const program = new Command('tables:learned')
  .description('Runs the trained policies on their tests and writes what they reach beside the published values.')
  .option('-o, --output <folder>', 'where to write', join(projectRoot(), 'reports', 'learned'))
  .addHelpText('after', '\nExample:\n  npm run tables:learned -- -o /tmp/learned')
  .parse();
const { output } = program.opts<{ output: string }>();

const rows: LearnedRow[] = [];
for (const training of ['lublin', 'lublin-backfill'] as const) {
  for (const policy of publishedPolicies(training)) {
    const row = batchRow(training, policy);
    rows.push(row);
    console.error(`${training}, seed ${row.seed}: ${row.mean.toFixed(3)}`);
  }
}
const { rows: deepRm, heuristics } = deepRmRows();
rows.push(...deepRm);
const checks = learnedChecks(rows);
mkdirSync(output, { recursive: true });
const document = { command: 'npm run tables:learned', checks, heuristics: { 'deep-rm': heuristics }, rows };
const rounded = (_: string, value: unknown): unknown =>
  typeof value === 'number' ? Number(value.toPrecision(10)) : value;
writeFileSync(join(output, 'learned.json'), `${JSON.stringify(document, rounded, 1)}\n`);
writeFileSync(join(output, 'learned.md'), learnedPage(rows, checks));
console.log(`${checkList(checks)}\nwritten to ${relative(process.cwd(), output) || '.'}`);
process.exitCode = checks.every(({ holds }) => holds) ? 0 : 1;
