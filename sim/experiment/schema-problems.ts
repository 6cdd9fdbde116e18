// The schema of scenarios, scenarios/scenario.schema.json; what is wrong by it is told as for every document of the project.

import { join } from 'node:path';
import { projectRoot } from './project-root.ts';

export { compileSchema, schemaProblems, suggest } from '../../core/documents/schema-problems.ts';

/** Absolute path of the published schema. */
export function scenarioSchemaFile(): string {
  return join(projectRoot(), 'scenarios', 'scenario.schema.json');
}
