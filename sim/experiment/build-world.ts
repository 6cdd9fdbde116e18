// From a scenario, a policy and a seed to a world that is ready to run. Machines and tasks of a seed are the same for every
// policy: that is what makes comparisons paired.

import { assert } from '../../core/base/assert.ts';
import { SiraError } from '../../core/base/errors.ts';
import { nearestName } from '../../core/base/nearest-name.ts';
import type { Profile, TypicalTask } from '../../core/scheduler/framework.ts';
import { openMachines } from '../workload/open-machines.ts';
import { openWorkload } from '../workload/open-workload.ts';
import { TraceCache } from '../workload/trace-cache.ts';
import type { MachineSpec, Workload } from '../workload/workload.ts';
import type { WorldObserver } from '../world/observer.ts';
import { World } from '../world/world.ts';
import { checkPower } from './build-power.ts';
import type { Scenario } from './scenario.ts';

/** Share of a workload's tasks that its typical tasks cover (FGD's 95%). */
const typicalCoverage = 0.95;

export interface SeededInputs {
  readonly machines: readonly MachineSpec[];
  readonly workload: Workload;
  readonly typicalTasks: readonly TypicalTask[];
  readonly notes: readonly string[];
}

/** Opens the machines and the workload of one seed. Reads files: share the result between the policies of a seed, and `traces`
 *  between the seeds of a run. */
export function openInputs(scenario: Scenario, seed: number, traces = new TraceCache()): SeededInputs {
  const { machines, notes } = openMachines(scenario.cluster, seed);
  checkFaults(scenario, machines);
  checkPower(scenario, machines);
  const workload = openWorkload(scenario.workload, machines, seed, traces);
  return {
    machines,
    workload,
    typicalTasks: workload.typicalTasks(typicalCoverage),
    notes: [...notes, ...workload.notes],
  };
}

/** A fault that strikes a machine by name must find it: one that strikes nobody would say that all is well. */
function checkFaults({ faults, file }: Scenario, machines: readonly MachineSpec[]): void {
  const names = machines.map((machine) => machine.name);
  for (const [index, fault] of faults.entries()) {
    if ('share' in fault.machines) continue;
    const position = fault.machines.findIndex((name) => !names.includes(name));
    if (position < 0) continue;
    const name = fault.machines[position] as string;
    const near = nearestName(name, names);
    throw new SiraError(
      'SIRA_SCENARIO_INVALID',
      `no machine is called "${name}"`,
      { file, field: `faults.${index}.machines.${position}` },
      `${near === undefined ? '' : `Did you mean "${near}"? `}The machines are ${names[0]} to ${names.at(-1)}.`,
    );
  }
}

export function buildWorld(
  scenario: Scenario,
  inputs: SeededInputs,
  policy: string,
  seed: number,
  observers: readonly WorldObserver[],
): World {
  return new World({
    seed,
    machines: inputs.machines,
    workload: inputs.workload,
    profile: profileOf(scenario, inputs, policy),
    network: scenario.network,
    heartbeat: scenario.heartbeat,
    limits: scenario.limits,
    faults: scenario.faults,
    journal: scenario.journal,
    calibration: scenario.calibration,
    power: scenario.power,
    settings: scenario.settings,
    observers,
  });
}

/** The scenario's policy by that name, with the typical tasks of this seed's workload. */
export function profileOf(scenario: Scenario, inputs: SeededInputs, policy: string): Profile {
  const profile = scenario.policies.find((candidate) => candidate.name === policy);
  assert(profile !== undefined, 'the policy is one of the scenario');
  return { ...profile, typicalTasks: inputs.typicalTasks };
}
