// Cases that showed a bug, as files: one a bug, made small, with a word on what it was. They are replayed by the tests, and must
// pass ever after. A file says the whole case, so that it outlives every change of how cases are drawn; its schema is
// scenarios/regress.schema.json.

import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { Ajv, type ValidateFunction } from 'ajv';
import { Document, isScalar, isSeq, visit } from 'yaml';
import { SiraError } from '../../../core/base/errors.ts';
import { projectRoot } from '../../experiment/project-root.ts';
import { schemaProblems } from '../../experiment/schema-problems.ts';
import { YamlSource } from '../../experiment/yaml-source.ts';
import type { SwarmCase } from '../swarm.ts';

export interface RegressCase {
  /** Of the file, without its ending. */
  readonly name: string;
  /** What the bug was. */
  readonly description: string;
  /** Which oracle found it. */
  readonly oracle: string;
  /** When the kernel is replaced by one restored from its snapshot, if that is what failed. */
  readonly restartsMicros: readonly number[];
  readonly case: SwarmCase;
}

export function regressFolder(): string {
  return join(projectRoot(), 'scenarios', 'regress');
}

/** The path written. */
export function writeRegressFile({ name, ...content }: RegressCase, folder = regressFolder()): string {
  mkdirSync(folder, { recursive: true });
  const file = join(folder, `${name}.yaml`);
  const head =
    '# yaml-language-server: $schema=../regress.schema.json\n' +
    '# A case of the swarm that once broke a promise, made as small as it goes. Replayed by sim/fault/runner/regress.test.ts.\n';
  const document = new Document(content, { aliasDuplicateObjects: false });
  // What is one of a list (a machine, a task, a fault), or holds plain values alone, stands on a line.
  visit(document, {
    Map: (_, map, path) => {
      const plain = map.items.every(({ value }) => isScalar(value));
      if (plain || isSeq(path.at(-1))) map.flow = true;
    },
    Seq: (_, seq) => {
      if (seq.items.every((item) => isScalar(item))) seq.flow = true;
    },
  });
  writeFileSync(file, head + document.toString({ lineWidth: 0 }));
  return file;
}

/** Names of the saved cases' files, in order. */
export function regressFiles(folder = regressFolder()): string[] {
  const names = readdirSync(folder).filter((name) => name.endsWith('.yaml'));
  return names.sort((left, right) => (left < right ? -1 : 1)).map((name) => join(folder, name));
}

/** The case in a file. Throws the first problem as SIRA_FILE_MISSING, SIRA_YAML_MALFORMED or SIRA_SCENARIO_INVALID, with the
 *  file, line and field. */
export function readRegressFile(file: string): RegressCase {
  const source = new YamlSource(file);
  const problem = source.problems[0] ?? schemaProblems(source, createRegressSchema())[0];
  if (problem !== undefined) throw problem;
  const content = source.value as Omit<RegressCase, 'name'>;
  const text = relative(regressFolder(), file);
  const rising = content.restartsMicros.every((time, index, all) => index === 0 || time >= (all[index - 1] as number));
  if (!rising)
    throw new SiraError('SIRA_SCENARIO_INVALID', 'the restarts do not rise', source.place(['restartsMicros']));
  return { name: text.replace(/\.yaml$/, ''), ...content };
}

/** Compiled anew by each caller that keeps it not: files are few. Faults may last for ever, so numbers need not be finite. */
function createRegressSchema(): ValidateFunction {
  const file = join(projectRoot(), 'scenarios', 'regress.schema.json');
  const ajv = new Ajv({ allErrors: true, strict: true, strictNumbers: false, strictRequired: false, verbose: true });
  return ajv.compile(JSON.parse(readFileSync(file, 'utf8')) as object);
}
