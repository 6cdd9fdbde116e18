// `npm run tables:matching`: runs the matching experiment anew and writes its page, document and figure. Exit code 1 if a promise
// no longer holds. What is written depends on the code alone, so that a second run changes no file.

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command } from 'commander';
import { projectRoot } from '../../sim/experiment/project-root.ts';
import { checkList } from '../tables/table.ts';
import { matchingFigure } from './matching-figure.ts';
import { matchingChecks, matchingPage } from './matching-page.ts';
import { type MatchingResult, runMatching } from './matching-run.ts';
import { firstSeed, type MatchingDocument, variants } from './matching-variants.ts';

const program = new Command('tables:matching')
  .description('Measures how often discovery finds the agent that serves a request fastest, before and after learning.')
  .option('-o, --output <folder>', 'where to write', join(projectRoot(), 'reports', 'matching'))
  .addHelpText('after', '\nExamples:\n  npm run tables:matching\n  npm run tables:matching -- -o /tmp/matching')
  .exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : 2))
  .action(({ output }: { readonly output: string }) => {
    const total = variants.reduce((sum, { seeds }) => sum + seeds, 0);
    let done = 0;
    const document: MatchingDocument = {
      command: 'npm run tables:matching',
      variants: variants.map(({ name, description, seeds, options }) => {
        const runs: MatchingResult[] = [];
        for (let seed = firstSeed; seed < firstSeed + seeds; seed++) {
          runs.push(runMatching({ ...options, seed }));
          console.error(`${++done} of ${total} runs: ${name}, seed ${seed}`);
        }
        return { name, description, runs };
      }),
    };
    mkdirSync(output, { recursive: true });
    writeFileSync(join(output, 'matching.json'), `${JSON.stringify(document, null, 1)}\n`);
    writeFileSync(join(output, 'matching.md'), matchingPage(document));
    writeFileSync(join(output, 'matching.svg'), matchingFigure(document));
    const checks = matchingChecks(document);
    console.log(checkList(checks));
    process.exitCode = checks.every(({ holds }) => holds) ? 0 : 1;
  });

await program.parseAsync();
