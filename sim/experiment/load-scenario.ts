// Reads a scenario file and vouches for it: what comes back is complete, its names exist and its files can be read. Reading
// the traces themselves is left to sim/workload.

import { dirname, resolve } from 'node:path';
import { SiraError } from '../../core/base/errors.ts';
import type { Scenario } from './scenario.ts';
import { type CheckedScenario, checkFields } from './scenario-rules.ts';
import { compileSchema, scenarioSchemaFile, schemaProblems } from './schema-problems.ts';
import { YamlSource } from './yaml-source.ts';

/** Everything that is wrong with the scenario in `file`, in the order of the file, and the scenario itself if nothing is. */
export function checkScenario(file: string): CheckedScenario {
  let source: YamlSource;
  try {
    source = new YamlSource(file);
  } catch (error) {
    if (error instanceof SiraError) return { scenario: undefined, problems: [error] };
    throw error;
  }
  if (source.problems.length > 0) return { scenario: undefined, problems: source.problems };
  const problems = schemaProblems(source, compileSchema(scenarioSchemaFile()));
  if (problems.length > 0) return { scenario: undefined, problems };
  const checked = checkFields(source, dirname(resolve(file)));
  return checked.problems.length > 0 ? { scenario: undefined, problems: checked.problems } : checked;
}

/** The scenario in `file`. Throws the first problem as SIRA_FILE_MISSING, SIRA_YAML_MALFORMED, SIRA_SCENARIO_INVALID or
 *  SIRA_POLICY_UNKNOWN, with the file, line, column and field. */
export function loadScenario(file: string): Scenario {
  const { scenario, problems } = checkScenario(file);
  const first = problems[0];
  if (scenario !== undefined) return scenario;
  if (first === undefined || problems.length === 1) throw first;
  const others = problems.length === 2 ? 'one more problem' : `${problems.length - 1} more problems`;
  throw new SiraError(
    first.code,
    first.message,
    first.place,
    `${first.remedy} There ${problems.length === 2 ? 'is' : 'are'} ${others}: \`sira check ${file}\` lists all.`,
  );
}
