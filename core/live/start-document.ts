// The configuration of `sira start` as a file: YAML, held to start.schema.json, with the place of every mistake. What the fields
// mean is start-settings.ts's affair.

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { SiraError } from '../base/errors.ts';
import { createKernelSettings } from '../config/kernel-setting-table.ts';
import type { DocumentKind } from '../documents/check-command.ts';
import { compileSchema, schemaProblems } from '../documents/schema-problems.ts';
import { YamlSource } from '../documents/yaml-source.ts';
import {
  checkPlacement,
  findQueueOrder,
  learnedOrderName,
  learnedPlacementName,
  queueOrders,
} from '../scheduler/catalogue.ts';
import { ClusterState } from '../scheduler/cluster-state.ts';
import { policyFromFiles, type WrittenStart } from './policy-files.ts';
import { type StartFields, startSettings } from './start-settings.ts';

/** Absolute path of the published schema. */
export function startSchemaFile(): string {
  const beside = join(import.meta.dirname, 'start.schema.json');
  // Compiled code lies in dist/, the schema with the sources.
  return existsSync(beside) ? beside : join(import.meta.dirname, '..', '..', '..', 'core', 'live', 'start.schema.json');
}

export interface CheckedStart {
  readonly fields: StartFields | undefined;
  /** In the order of the file; none if there are fields. */
  readonly problems: readonly SiraError[];
}

/** What is written in `file`, or everything that is wrong with it. */
export function readStart(file: string): CheckedStart {
  let source: YamlSource;
  try {
    source = new YamlSource(file);
  } catch (error) {
    if (error instanceof SiraError) return { fields: undefined, problems: [error] };
    throw error;
  }
  if (source.problems.length > 0) return { fields: undefined, problems: source.problems };
  // An empty file says nothing, and that is sound.
  if (source.value === null) return { fields: {}, problems: [] };
  const problems = [...schemaProblems(source, compileSchema(startSchemaFile()), 'SIRA_SETTING_INVALID')];
  if (problems.length > 0) return { fields: undefined, problems };
  const { policy, ...others } = source.value as WrittenStart;
  const built = policy === undefined ? undefined : policyFromFiles(source, policy, problems);
  const fields: StartFields = built === undefined ? others : { ...others, policy: built };
  if (problems.length === 0) problems.push(...meaningProblems(source, fields));
  return problems.length > 0 ? { fields: undefined, problems } : { fields, problems };
}

export const startDocument: DocumentKind = {
  name: 'configuration of the live kernel',
  fields: [
    'data',
    'durability',
    'seed',
    'grpc',
    'http',
    'policy',
    'settings',
    'payload',
    'topics',
    'snapshot',
    'security',
    'telemetry',
    'recommendations',
    'log',
  ],
  check(file, context) {
    const { fields, problems } = readStart(file);
    for (const problem of problems) context.printError(problem);
    if (fields === undefined) return undefined;
    const { grpcAddress, httpAddress, dataFolder, durability, profile } = startSettings(fields);
    return `gRPC on ${grpcAddress}, HTTP on ${httpAddress}, data in ${dataFolder}, ${durability}, ${profile.order} and ${profile.place}`;
  },
};

/** What the schema cannot say: names, and bounds of settings. */
function meaningProblems(source: YamlSource, { policy, settings }: StartFields): SiraError[] {
  const problems: SiraError[] = [];
  const note = (path: readonly string[], error: unknown): void => {
    if (!(error instanceof SiraError)) throw error;
    problems.push(new SiraError(error.code, error.message, source.place(path), error.remedy));
  };
  const { order, place, artifact } = policy ?? {};
  if (order === learnedOrderName) {
    try {
      findQueueOrder(order, { cluster: new ClusterState(), tenantWeights: {}, artifact });
    } catch (error) {
      note(['policy', artifact === undefined ? 'order' : 'artifact'], error);
    }
  } else if (artifact !== undefined && place !== learnedPlacementName)
    note(
      ['policy', 'artifact'],
      new SiraError('SIRA_SETTING_INVALID', 'only the order or placement `learned` looks at an artifact'),
    );
  else if (order !== undefined && !Object.hasOwn(queueOrders, order))
    note(['policy', 'order'], unknown('queue order', order, [...Object.keys(queueOrders), learnedOrderName]));
  if (place !== undefined) {
    try {
      if (checkPlacement(place, artifact))
        note(
          ['policy', 'place'],
          new SiraError('SIRA_SETTING_INVALID', `${place} needs a typical workload, which a live kernel has not`),
        );
    } catch (error) {
      note(['policy', 'place'], error);
    }
  }
  for (const [name, value] of Object.entries(settings ?? {})) {
    const status = createKernelSettings().assign({ [name]: value }, { who: 'check', why: 'check', atMicros: 0 });
    // Rules between settings are looked at below, over all of them.
    if (!status.ok && !/must be/.test(status.reason))
      note(['settings', name], new SiraError(status.code, status.reason));
  }
  if (problems.length > 0) return problems;
  const all = createKernelSettings().assign(startSettings({ settings: settings ?? {} }).settings, {
    who: 'check',
    why: 'check',
    atMicros: 0,
  });
  if (!all.ok) note(['settings'], new SiraError(all.code, all.reason));
  return problems;
}

function unknown(what: string, name: string, known: readonly string[]): SiraError {
  return new SiraError('SIRA_POLICY_UNKNOWN', `no ${what} is called "${name}"; known: ${known.join(', ')}`);
}
