// Whole runs by name, as a training's document names them.

import { resolve } from 'node:path';
import { SiraError } from '../../core/base/errors.ts';
import { type AgentsSpec, agentRuns } from './agents/agent-runs.ts';
import type { EnvironmentSpec } from './catalogue.ts';
import type { Environment } from './environment.ts';
import { packingCases } from './packing/packing-cases.ts';
import { PackingEnvironment } from './packing/packing-environment.ts';
import { type PackingSpec, packingRuns } from './packing/packing-runs.ts';
import type { WholeRuns } from './whole-runs.ts';

export type WholeRunsSpec = PackingSpec | AgentsSpec;

/** What is left out has a default. */
export type WholeRunsFields =
  | (Pick<PackingSpec, 'kind' | 'nodes' | 'pods' | 'fallback'> & Partial<PackingSpec>)
  | (Pick<AgentsSpec, 'kind' | 'fallback'> & Partial<AgentsSpec>);

export function isOfWholeRuns(environment: EnvironmentSpec | WholeRunsFields): environment is WholeRunsFields {
  return environment.kind === 'packing' || environment.kind === 'agents';
}

export function wholeRunsSpec(fields: WholeRunsFields): WholeRunsSpec {
  return fields.kind === 'packing'
    ? { machineShare: 0.3, mixFactor: 2, ratio: 1.3, ...fields }
    : { factorMin: 1, factorMax: 3, lengthSeconds: 300, ...fields };
}

/** The same, step by step; SIRA_SCENARIO_INVALID where there are no steps. */
export function openStepped(spec: WholeRunsSpec, folder: string): Environment {
  if (spec.kind === 'agents')
    throw new SiraError(
      'SIRA_SCENARIO_INVALID',
      'the agents scenario is played as a whole',
      {},
      'Train it by `sira train`.',
    );
  return new PackingEnvironment(
    packingCases(resolve(folder, spec.nodes), resolve(folder, spec.pods), spec),
    spec.fallback,
  );
}

/** `folder` is where relative paths start. Throws what reading the files throws. */
export function openWholeRuns(spec: WholeRunsSpec, folder: string): WholeRuns {
  if (spec.kind === 'agents') return agentRuns(spec);
  return packingRuns(spec, resolve(folder, spec.nodes), resolve(folder, spec.pods));
}
