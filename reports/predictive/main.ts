// `npm run tables:predictive`: runs the scenarios of energy-aware placement, predictive scaling and predictive placement anew and writes
// their page and document. Exit code 1 if a check does not hold. What is written depends on the code and the data alone.

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command } from 'commander';
import { buildResults } from '../../sim/experiment/build-results.ts';
import { loadScenario } from '../../sim/experiment/load-scenario.ts';
import { projectRoot } from '../../sim/experiment/project-root.ts';
import type { ResultDocument } from '../../sim/experiment/results.ts';
import { runExperiment } from '../../sim/experiment/run-experiment.ts';
import { checkList } from '../tables/table.ts';
import { predictiveChecks, predictivePage } from './predictive-page.ts';

const program = new Command('tables:predictive')
  .description('Measures energy-aware placement, predictive scaling and predictive placement beside what reacts only.')
  .option('-o, --output <folder>', 'where to write', join(projectRoot(), 'reports', 'predictive'))
  .option('-w, --workers <count>', 'worker threads', '1')
  .addHelpText('after', '\nExample:\n  npm run tables:predictive -- -o /tmp/predictive')
  .parse();
const { output, workers } = program.opts<{ output: string; workers: string }>();
const command = 'npm run tables:predictive';

async function run(name: string): Promise<ResultDocument> {
  const file = `scenarios/${name}.yaml`;
  const scenario = loadScenario(join(projectRoot(), file));
  const records = await runExperiment(scenario, {
    workers: Number(workers),
    progress: (_, ended) => {
      if (ended !== undefined) console.error(ended);
    },
  });
  return buildResults(scenario, records, { file, command, version: '', createdAt: '', wallSeconds: 0 });
}

const results = {
  energy: await run('energy'),
  scaling: await run('predictive-scaling'),
  azure: await run('predictive-azure'),
  placement: await run('predictive-placement'),
};
const checks = predictiveChecks(results);
const metrics = (document: ResultDocument) =>
  document.policies.map(({ name, metrics: values }) => ({
    name,
    energyKilowattHours: values.energyKilowattHours?.perSeed,
    waitMeanSeconds: values.waitMeanSeconds?.perSeed,
    asleepPercent: values.asleepPercent?.perSeed,
  }));
mkdirSync(output, { recursive: true });
const document = {
  ...{ command, checks },
  ...{ energy: metrics(results.energy), scaling: metrics(results.scaling) },
  ...{ azure: metrics(results.azure), placement: metrics(results.placement) },
};
const rounded = (_: string, value: unknown): unknown =>
  typeof value === 'number' ? Number(value.toPrecision(10)) : value;
writeFileSync(join(output, 'predictive.json'), `${JSON.stringify(document, rounded, 1)}\n`);
writeFileSync(join(output, 'predictive.md'), predictivePage(results, checks));
console.log(checkList(checks));
process.exitCode = checks.every(({ holds }) => holds) ? 0 : 1;
