// Learned policies that a scenario names: their artifacts as text, as a profile carries them, and what is wrong with one.

import { readFileSync } from 'node:fs';
import { toBase64 } from '../../core/base/base64.ts';
import { SiraError } from '../../core/base/errors.ts';
import {
  checkPlacement,
  findQueueOrder,
  learnedOrderName,
  learnedPlacementName,
} from '../../core/scheduler/catalogue.ts';
import { ClusterState } from '../../core/scheduler/cluster-state.ts';
import type { Profile } from '../../core/scheduler/framework.ts';

/** The file's bytes in base64; undefined if it cannot be read, which whoever checks the scenario's files reports. */
export function readArtifactText(file: string): string | undefined {
  try {
    return toBase64(readFileSync(file));
  } catch {
    return undefined;
  }
}

/** What keeps the profile's artifact from deciding its queue order, or undefined. */
export function artifactProblem({
  order,
  place,
  artifact,
}: Pick<Profile, 'order' | 'place' | 'artifact'>): SiraError | undefined {
  if (order !== learnedOrderName && place !== learnedPlacementName)
    return artifact === undefined
      ? undefined
      : new SiraError(
          'SIRA_SCENARIO_INVALID',
          `the order ${order} and the placement ${place} look at no artifact`,
          {},
          'Add `order: learned` or `place: learned`.',
        );
  try {
    findQueueOrder(order, { cluster: new ClusterState(), tenantWeights: {}, artifact });
    checkPlacement(place, artifact);
    return undefined;
  } catch (error) {
    if (error instanceof SiraError) return error;
    throw error;
  }
}
