// The trained policies that lie with the project, by training and seed: what its page is computed from.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type PolicyArtifact, policyExtension, readPolicyArtifact } from '../../../core/policy/policy-artifact.ts';
import { projectRoot } from '../../../sim/experiment/project-root.ts';

export interface PublishedPolicy {
  readonly seed: number;
  readonly bytes: Uint8Array;
  readonly artifact: PolicyArtifact;
}

/** Those of one training, by rising seed. */
export function publishedPolicies(training: string): PublishedPolicy[] {
  const folder = join(projectRoot(), 'reports', 'learned', 'policies');
  const pattern = new RegExp(`^${training}-seed-\\d+${policyExtension.replaceAll('.', '\\.')}$`);
  return readdirSync(folder)
    .filter((name) => pattern.test(name))
    .map((name) => {
      const bytes = readFileSync(join(folder, name));
      const artifact = readPolicyArtifact(bytes);
      return { seed: artifact.manifest.lineage.seed, bytes, artifact };
    })
    .sort((left, right) => left.seed - right.seed);
}

/** The one with the best validation, of a metric that is a cost, which is the one to run: choosing by the tests would spoil them. */
export function chosenPolicy(policies: readonly PublishedPolicy[]): PublishedPolicy {
  return policies.reduce((best, policy) => (validationOf(policy) < validationOf(best) ? policy : best));
}

/** Of the training's own evaluation. */
export function validationOf({ artifact }: PublishedPolicy): number {
  const { evaluation } = artifact.manifest.lineage;
  return Object.entries(evaluation).find(([name]) => name.endsWith('Validation'))![1];
}
