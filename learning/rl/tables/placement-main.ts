// `npm run tables:placements`: what the trained placements of reports/learned/policies reach, as a page, a document and pictures. Exit code
// 1 if FGD or spreading is not beaten. Trains nothing: `sira train` does, by the commands on the page.

import { mkdirSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { Command } from 'commander';
import { checkList } from '../../../reports/tables/table.ts';
import { projectRoot } from '../../../sim/experiment/project-root.ts';
import { agentRows } from './agent-rows.ts';
import { agentsFigure, packingGainFigure } from './placement-figures.ts';
import { type PlacementDocument, placementChecks, placementPage, type TrainedFrom } from './placement-page.ts';
import { packingRows } from './placement-rows.ts';
import { publishedPolicies, validationOf } from './published-policies.ts';

const program = new Command('tables:placements')
  .description('Runs the trained placements on their tests and writes what they reach beside FGD and heuristics.')
  .option('-o, --output <folder>', 'where to write', join(projectRoot(), 'reports', 'learned'))
  .addHelpText('after', '\nExample:\n  npm run tables:placements -- -o /tmp/placements')
  .parse();
const { output } = program.opts<{ output: string }>();

const policies = { openb: publishedPolicies('openb'), agents: publishedPolicies('agents') };
const packing = packingRows(policies.openb, ({ workload, order, fgd, learned }) =>
  console.error(
    `${workload} ${order}: FGD ${fgd.toFixed(2)}, learned ${learned.map((value) => value.toFixed(2)).join(' ')}`,
  ),
);
const agents = agentRows(policies.agents, ({ policy, seed, sustained }) =>
  console.error(`${policy}${seed > 0 ? ` ${seed}` : ''}: ${sustained.map((value) => value.toFixed(2)).join(' ')}`),
);
const trained = (['openb', 'agents'] as const).flatMap((training) =>
  policies[training].map(
    (policy): TrainedFrom => ({
      training,
      seed: policy.seed,
      command: policy.artifact.manifest.lineage.command,
      validation: validationOf(policy),
    }),
  ),
);
const document: PlacementDocument = { command: 'npm run tables:placements', packing, agents, trained };
const rounded = (_: string, value: unknown): unknown =>
  typeof value === 'number' ? Number(value.toPrecision(10)) : value;
// The page is made from the document as it is written.
const written = JSON.parse(JSON.stringify(document, rounded)) as PlacementDocument;
const checks = placementChecks(written);
mkdirSync(output, { recursive: true });
writeFileSync(join(output, 'placements.json'), `${JSON.stringify(written, undefined, 1)}\n`);
writeFileSync(join(output, 'placements.md'), placementPage(written, checks));
writeFileSync(join(output, 'openb.svg'), packingGainFigure(written.packing));
writeFileSync(join(output, 'agents.svg'), agentsFigure(written.agents));
console.log(`${checkList(checks)}\nwritten to ${relative(process.cwd(), output) || '.'}`);
process.exitCode = checks.every(({ holds }) => holds) ? 0 : 1;
