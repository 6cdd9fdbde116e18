// `npm run availability`: plays lives of a fleet under the fault model and writes what share of the requests was served and how
// fast displaced work ran again. Exit code 1 if a goal is missed. What is written depends on the code and the options alone.

import { mkdirSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join, relative, resolve } from 'node:path';
import { Command } from 'commander';
import { faultClasses } from '../../sim/experiment/availability/fault-model.ts';
import { defaultStudy } from '../../sim/experiment/availability/fleet.ts';
import { digestOf, runLives } from '../../sim/experiment/availability/run-lives.ts';
import { reportErrors, wholeNumber } from '../../sim/experiment/program-options.ts';
import { projectRoot } from '../../sim/experiment/project-root.ts';
import { checkList } from '../tables/table.ts';
import { availabilityFigure } from './availability-figure.ts';
import { availabilityPage, figureFile, title } from './availability-page.ts';
import { planStudy } from './study-plan.ts';
import { studyFigures } from './study-results.ts';

interface Options {
  readonly years: number;
  readonly seed: number;
  readonly lives: number;
  readonly variantYears: number;
  readonly workers: number;
  readonly resume?: string;
  readonly json?: boolean;
  readonly output: string;
}

const defaults = { years: 10, seed: 1, lives: 2, variantYears: 1 } as const;

const program = new Command('availability')
  .description(
    'Plays years of a small fleet under a stated fault model, with the true kernel in the simulated world, and says what share of\n' +
      'the requests was served in time, what was lost (nothing), and how long displaced work took to run elsewhere.',
  )
  .option('--years <count>', 'length of a life', wholeNumber(1), defaults.years)
  .option('--seed <seed>', 'of the first life', wholeNumber(0), defaults.seed)
  .option('--lives <count>', 'independent lives, one a seed', wholeNumber(1), defaults.lives)
  .option(
    '--variant-years <count>',
    'years played again under each of the other settings',
    wholeNumber(0),
    defaults.variantYears,
  )
  .option('--workers <count>', 'threads; 0 uses none', wholeNumber(0), availableParallelism())
  .option('--resume <file>', 'keep the state in this file, and go on from it if it is there')
  .option('--json', 'write the figures to standard output as JSON, and no files')
  .option('-o, --output <folder>', 'where to write', join(projectRoot(), 'reports', 'availability'))
  .addHelpText(
    'after',
    '\nExamples:\n  npm run availability\n  npm run availability -- --years 1 --lives 1 --variant-years 0 --json\n' +
      '  npm run availability -- --resume reports/runs/availability.json',
  )
  .action(run);

await reportErrors(() => program.parseAsync());

async function run(options: Options): Promise<void> {
  const { years, seed, lives, variantYears } = options;
  const started = performance.now();
  const plan = planStudy({ years, seed, lives, variantYears });
  const jobs = [...plan.lives, ...plan.variants].flatMap((variant) => variant.jobs);
  const results = await runLives(jobs, {
    workers: options.workers,
    stateFile: options.resume,
    progress: teller(started),
  });
  const figures = studyFigures(plan.lives, plan.variants, results);
  const digest = digestOf(results);
  const eventCount = results.flatMap(({ windows }) => windows).reduce((sum, window) => sum + window.eventCount, 0);
  const command = ['npm run availability', ...changed(options)].join(' ');
  const { recoveries: _, ...numbers } = figures;
  const document = JSON.stringify(
    {
      command,
      digest,
      options: { years, seed, lives, variantYears },
      study: defaultStudy,
      faultModel: faultClasses,
      ...numbers,
    },
    rounded,
    1,
  );
  if (options.json === true) console.log(document);
  else {
    mkdirSync(options.output, { recursive: true });
    const page = availabilityPage(figures, { years, seed, lives, variantYears }, command, digest, eventCount);
    writeFileSync(join(options.output, 'availability.md'), page);
    writeFileSync(join(options.output, 'availability.json'), `${document}\n`);
    writeFileSync(join(options.output, figureFile), availabilityFigure(figures));
    const minutes = ((performance.now() - started) / 60_000).toFixed(1);
    const where = relative(process.cwd(), resolve(options.output)) || '.';
    console.log(`${title}\n${checkList(figures.checks)}\n\n${jobs.length} jobs in ${minutes} min; written to ${where}`);
  }
  process.exitCode = figures.checks.every((check) => check.holds) ? 0 : 1;
}

function teller(started: number): (done: number, count: number) => void {
  const interactive = process.stderr.isTTY === true;
  let first = -1;
  let told = 0;
  return (done, count) => {
    if (first < 0) first = done;
    const seconds = (performance.now() - started) / 1000;
    if (seconds - told < (interactive ? 0.2 : 20) && done < count) return;
    told = seconds;
    const left = done > first ? `, ${Math.ceil(((count - done) * seconds) / (done - first) / 60)} min left` : '';
    const line = `${String(Math.floor((100 * done) / count)).padStart(3)}%  ${done} of ${count} jobs${done < count ? left : ''}`;
    process.stderr.write(interactive ? `\r\x1b[K${line}${done === count ? '\n' : ''}` : `${line}\n`);
  };
}

/** The options that decide what is written, where they differ from the defaults. */
function changed(options: Options): string[] {
  const flags = { years: '--years', seed: '--seed', lives: '--lives', variantYears: '--variant-years' } as const;
  const given = (Object.keys(flags) as (keyof typeof flags)[])
    .filter((name) => options[name] !== defaults[name])
    .map((name) => `${flags[name]} ${options[name]}`);
  return given.length === 0 ? [] : ['--', ...given];
}

function rounded(_: string, value: unknown): unknown {
  return typeof value === 'number' && Number.isFinite(value) ? Number(value.toPrecision(10)) : value;
}
