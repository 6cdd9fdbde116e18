// `npm run mutants`: plants one bug after the other in a copy of the kernel, lets the swarm hunt it, and writes the table of what
// caught it. Exit code 1 if one survives, or if the kernel without a bug does not keep every promise.

import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join, relative, resolve } from 'node:path';
import { Command } from 'commander';
import { wholeNumber } from '../../experiment/program-options.ts';
import { projectRoot } from '../../experiment/project-root.ts';
import { writeRegressFile } from '../runner/regress-file.ts';
import { mutants } from './all-mutants.ts';
import { type Catch, hunt } from './hunt.ts';
import { type Mutant, type SwarmName, swarmOf, swarms } from './mutant.ts';
import { MutantTree } from './mutant-tree.ts';
import {
  type HeldOut,
  type HuntedMutant,
  type HuntPlan,
  type MutantsDocument,
  mutantsDocument,
  mutantsMarkdown,
} from './mutants-report.ts';

interface Options {
  readonly only?: readonly string[];
  readonly seeds: number;
  readonly from: number;
  readonly limit: number;
  readonly workers: number;
  readonly output: string;
  readonly save: boolean;
  readonly resume?: string;
}

const program = new Command('mutants')
  .description('Plants bugs in a copy of the kernel and lets the swarm hunt them: what shows that the oracles bite.')
  .option('--only <names...>', 'these mutants alone; nothing is written')
  .option('--seeds <count>', 'cases a mutant, at most', wholeNumber(0), 200)
  .option('--from <seed>', 'the first seed; by default none that a test uses', wholeNumber(0), 10_001)
  .option('--limit <seconds>', 'time a mutant, at most', wholeNumber(0), 600)
  .option('--workers <count>', 'mutants hunted at once', wholeNumber(0), availableParallelism())
  .option(
    '--resume <file>',
    'hunt those alone that this file, or a page’s mutants.json, lacks or has otherwise; kept up to date',
  )
  .option('--save', 'with --only: make the case that catches it small, and save it in scenarios/regress/', false)
  .option('-o, --output <folder>', 'where to write', join(projectRoot(), 'reports', 'mutants'))
  .action(run);

await program.parseAsync();

async function run({ only, seeds, from, limit, workers, output, save, resume }: Options): Promise<void> {
  const started = performance.now();
  const chosen = only === undefined ? mutants : mutants.filter(({ name }) => only.includes(name));
  const plan = { from, seedsMax: seeds };
  const caught = resume === undefined ? new Map<Mutant, Catch | undefined>() : knownOf(resume, plan);
  const unsound: string[] = [];
  // First each swarm without a bug: a hunt means something only if it finds nothing there.
  const open = chosen.filter((mutant) => !caught.has(mutant));
  const used = swarms.filter((swarm) => open.some((mutant) => swarmOf(mutant) === swarm));
  const queue: readonly (Mutant | SwarmName)[] = [...used, ...open];
  let next = 0;
  let done = 0;
  const rows = (): HuntedMutant[] =>
    chosen.flatMap((mutant) => {
      const { name, bug, file, search, replace } = mutant;
      if (!caught.has(mutant)) return [];
      return [{ name, bug, file, search, replace, swarm: swarmOf(mutant), caught: caught.get(mutant) }];
    });
  const work = async (): Promise<void> => {
    const tree = new MutantTree();
    try {
      while (next < queue.length) {
        const item = queue[next++] as Mutant | SwarmName;
        const mutant = typeof item === 'string' ? undefined : item;
        const swarm = typeof item === 'string' ? item : swarmOf(item);
        const found = await hunt(tree, mutant, { swarm, from, seedsMax: seeds, secondsMax: limit, shrink: save });
        if (mutant !== undefined) caught.set(mutant, found);
        else if (found !== undefined) unsound.push(swarm);
        tell(mutant?.name ?? `no bug planted (${swarm})`, found, ++done, queue.length);
        if (save && mutant !== undefined && found?.shrunk !== undefined) saveCase(mutant, found);
        if (resume !== undefined) writeFileSync(resume, jsonOf(rows(), plan));
      }
    } finally {
      tree.remove();
    }
  };
  await Promise.all(Array.from({ length: Math.max(1, workers) }, work));
  const hunted = rows();
  const survivors = hunted.filter((mutant) => mutant.caught === undefined);
  if (only === undefined && unsound.length === 0) {
    mkdirSync(output, { recursive: true });
    writeFileSync(join(output, 'mutants.md'), mutantsMarkdown(hunted, plan, heldOutOf(output)));
    writeFileSync(join(output, 'mutants.json'), jsonOf(hunted, plan));
    console.log(`written to ${relative(process.cwd(), resolve(output)) || '.'}`);
  }
  const seconds = ((performance.now() - started) / 1000).toFixed(0);
  console.log(`${hunted.length - survivors.length} of ${hunted.length} caught in ${seconds} s`);
  for (const { name, bug } of survivors) console.log(`survives: ${name}: ${bug}`);
  for (const swarm of unsound)
    console.log(`without a planted bug the swarm of ${swarm} finds fault: a hunt proves nothing`);
  process.exitCode = survivors.length === 0 && unsound.length === 0 ? 0 : 1;
}

/** What was found by seeds that nobody had looked at, if that was written down. */
function heldOutOf(output: string): HeldOut | undefined {
  const file = join(output, 'held-out.json');
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as HeldOut) : undefined;
}

function jsonOf(hunted: readonly HuntedMutant[], plan: HuntPlan): string {
  return `${JSON.stringify(mutantsDocument(hunted, plan), undefined, 1)}\n`;
}

/** What a file says of mutants that are still the same. */
function knownOf(file: string, { from, seedsMax }: HuntPlan): Map<Mutant, Catch | undefined> {
  const known = new Map<Mutant, Catch | undefined>();
  if (!existsSync(file)) return known;
  const page = JSON.parse(readFileSync(file, 'utf8')) as MutantsDocument;
  if (page.from !== from || page.seedsMax !== seedsMax) return known;
  for (const row of page.mutants) {
    const mutant = mutants.find(({ name }) => name === row.name);
    const isSame = mutant?.file === row.file && mutant.search === row.search && mutant.replace === row.replace;
    if (isSame && row.caught !== null) known.set(mutant, row.caught);
  }
  return known;
}

function tell(name: string, found: Catch | undefined, done: number, all: number): void {
  const what =
    found === undefined ? 'nothing found' : `${found.oracle}, seed ${found.seed} (${found.seeds} cases): ${found.what}`;
  console.error(`${String(done).padStart(3)} of ${all}  ${name}: ${what.slice(0, 200)}`);
}

function saveCase({ name, bug }: Mutant, { oracle, shrunk }: Catch): void {
  if (shrunk === undefined) return;
  const file = writeRegressFile({
    name,
    description: `${bug[0]?.toUpperCase()}${bug.slice(1)}.`,
    oracle,
    restartsMicros: shrunk.restartsMicros,
    case: shrunk.case,
  });
  console.error(`     ${relative(process.cwd(), file)}: ${shrunk.what}`);
}
