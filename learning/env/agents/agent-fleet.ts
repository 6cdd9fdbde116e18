// The machines of the agents scenario: racks of machines whose accelerators are of three generations, fast within a machine, slower
// within a rack, slow between racks. How fast an accelerator serves a class of work is Gavel's measurement; no agent is as fast at
// everything: for one of the classes the oldest but one is the fastest.

import { join } from 'node:path';
import { RandomStream } from '../../../core/base/random.ts';
import { projectRoot } from '../../../sim/experiment/project-root.ts';
import { readTraceFile } from '../../../sim/workload/trace-file.ts';
import type { MachineSpec } from '../../../sim/workload/workload.ts';

export const gavelFile = join(projectRoot(), 'scenarios', 'data', 'gavel', 'simulation_throughputs.json.gz');

/** Gavel's job types that stand for the classes of work. */
export const workClasses = [
  'Transformer (batch size 128)',
  'LM (batch size 80)',
  'Recommendation (batch size 4096)',
] as const;

export const fleetShape = { racks: 4, machinesPerRack: 4, gpusPerMachine: 4 } as const;

/** Machines of each generation, in Gavel's names. */
const generations: readonly (readonly [string, number])[] = [
  ['v100', 5],
  ['p100', 6],
  ['k80', 5],
];

/** Gigabits a second: NVLink within a machine is told apart by the kernel itself; a card of 100 Gb/s, and a tenth of that to other racks. */
export const linkGigabits = 100;
export const uplinkGigabits = 10;
export const machineGigabits = 1000;

export interface AgentFleet {
  readonly machines: readonly MachineSpec[];
  readonly rackOf: readonly number[];
  /** Units a second that an accelerator of the machine does of a class, by the class's number. */
  rate(machine: number, workClass: number): number;
  /** Of a P100: by which sizes are chosen. */
  plainRate(workClass: number): number;
  /** Work that all accelerators do in a second, in seconds of a P100, with equal parts of all classes. */
  readonly capacity: number;
}

/** Which machine is of which generation is drawn by seed. */
export function agentFleet(seed: number): AgentFleet {
  const throughputs = JSON.parse(readTraceFile(gavelFile)) as Readonly<
    Record<string, Readonly<Record<string, Readonly<Record<string, number>>>>>
  >;
  const rates = (generation: string): number[] =>
    workClasses.map((name) => throughputs[generation]![`('${name}', 1)`]!.null!);
  const kinds = new RandomStream(seed, 'agent fleet').shuffle(
    generations.flatMap(([generation, count]) => new Array<string>(count).fill(generation)),
  );
  const ratesOf = kinds.map(rates);
  const plain = rates('p100');
  const rackOf = kinds.map((_, machine) => Math.floor(machine / fleetShape.machinesPerRack));
  const machines = kinds.map((generation, machine): MachineSpec => {
    const own = ratesOf[machine]!;
    return {
      name: `agent-${String(machine + 1).padStart(2, '0')}`,
      cpuMilli: 32_000,
      memoryMib: 262_144,
      gpuCount: fleetShape.gpusPerMachine,
      gpuModel: generation.toUpperCase(),
      skills: Object.fromEntries(workClasses.map((name, index) => [name, own[index]!])),
      attributes: { rack: `rack-${rackOf[machine]! + 1}`, linkGigabits, uplinkGigabits },
    };
  });
  let capacity = 0;
  for (const own of ratesOf)
    for (const [index, rate] of own.entries())
      capacity += (fleetShape.gpusPerMachine * rate) / plain[index]! / workClasses.length;
  return {
    machines,
    rackOf,
    rate: (machine, workClass) => ratesOf[machine]![workClass]!,
    plainRate: (workClass) => plain[workClass]!,
    capacity,
  };
}

/** Gigabits a second between two machines. */
export function gigabitsBetween(fleet: AgentFleet, first: number, second: number): number {
  if (first === second) return machineGigabits;
  return fleet.rackOf[first] === fleet.rackOf[second] ? linkGigabits : uplinkGigabits;
}
