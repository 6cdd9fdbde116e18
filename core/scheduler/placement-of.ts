// The placement of a profile, with all that its plug-ins may look at.

import type { RandomStream } from '../base/random.ts';
import { durationsOf, forecastSeconds } from '../policy/forecast/duration-model.ts';
import { findPlacement } from './catalogue.ts';
import type { ClusterState } from './cluster-state.ts';
import type { Placement, PluginContext, Profile } from './framework.ts';
import type { RequestKind } from './request.ts';

/** Throws SIRA_POLICY_UNKNOWN, SIRA_SCENARIO_INVALID as {@link findPlacement}. */
export function placementOf(
  { place, typicalTasks, durations, artifact }: Profile,
  cluster: ClusterState,
  random: RandomStream,
  { skills, power, links }: Pick<PluginContext, 'skills' | 'power' | 'links'>,
): Placement {
  const context: PluginContext = { cluster, random, typicalTasks, skills, power, links, artifact };
  if (durations === undefined) return findPlacement(place)(context);
  const model = durationsOf(durations);
  const classOf = ({ taskClass = 0 }: RequestKind): string => skills?.className?.(taskClass) ?? '';
  const seconds = (kind: RequestKind): number => forecastSeconds(model, classOf(kind), kind.gpuCount);
  return findPlacement(place)({ ...context, forecastSeconds: seconds });
}
