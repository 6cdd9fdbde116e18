// An agent says hello: into the registry it goes, and if it is new its machine into the cluster, under one number. What the answer
// is, and what becomes of its work, is the control machine's.

import { assert } from '../base/assert.ts';
import { equalResources, type Registration } from '../registry/agent-hello.ts';
import type { AgentRegistry } from '../registry/agent-registry.ts';
import type { ClusterState } from '../scheduler/cluster-state.ts';
import { machineProblem } from './admission.ts';
import type { AgentHello } from './inputs.ts';

/** The registration, or why there is none. */
export function takeInAgent(
  input: AgentHello,
  registry: AgentRegistry,
  cluster: ClusterState,
  nowMicros: number,
): Registration | string {
  const known = registry.rowOf(input.name);
  if (known < 0) {
    const problem = machineProblem(input.resources, cluster.models);
    if (problem !== undefined) return problem;
  } else if (!equalResources(registry.resourcesOf(known), input.resources)) {
    return 'resources differ from the first registration';
  }
  const registration = registry.register({ ...input, ready: true }, nowMicros);
  if (registration.kind === 'rejected') return registration.reason ?? 'rejected';
  // What it declares may have changed, and with it what placements hope for.
  if (registration.kind !== 'new') cluster.touch(registration.row);
  else assert(cluster.addMachine(input.resources) === registration.row, 'agents and machines share their numbers');
  return registration;
}
