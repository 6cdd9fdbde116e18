// A public set of agents with known skills: machines of Alibaba's openb trace whose accelerators Gavel measured, and Gavel's own
// kind of K80 machine, each with the rates that Gavel measured for its accelerator while another job shares it. Which job that
// is follows from a seed, and no agent says it: it declares what its accelerator does alone. Rates are data, none is made up.

import { join } from 'node:path';
import { assert } from '../../core/base/assert.ts';
import { RandomStream } from '../../core/base/random.ts';
import { projectRoot } from '../../sim/experiment/project-root.ts';
import { readOpenbNodes } from '../../sim/workload/openb-nodes.ts';
import { readTraceFile } from '../../sim/workload/trace-file.ts';
import type { MachineSpec } from '../../sim/workload/workload.ts';

export const dataFolder = join(projectRoot(), 'scenarios', 'data');

/** Accelerators by openb's name for the model: Gavel's, and the power limit of the board in watts (NVIDIA's data sheets; a K80
 *  is one of the two chips of its board). */
const accelerators: Readonly<Record<string, { readonly gavel: string; readonly watts: number }>> = {
  P100: { gavel: 'p100', watts: 250 },
  V100M16: { gavel: 'v100', watts: 300 },
  V100M32: { gavel: 'v100', watts: 300 },
  K80: { gavel: 'k80', watts: 150 },
};

/** Gavel's physical cluster had 24 of these: a machine of one K80, 4 cores and 61 GiB (AWS p2.xlarge). */
const k80Machines = { count: 24, cpuMilli: 4000, memoryMib: 62_464, gpuCount: 1, gpuModel: 'K80' };

type Throughputs = Readonly<
  Record<string, Readonly<Record<string, Readonly<Record<string, number | readonly number[]>>>>>
>;

export interface KnownSkills {
  readonly machines: readonly MachineSpec[];
  /** Classes of tasks: Gavel's job types on one accelerator. */
  readonly classes: readonly string[];
  readonly watts: readonly number[];
  /** Steps a second that `machine` truly does of a class; 0 if it runs out of memory. */
  rate(machine: number, taskClass: string): number;
  /** Steps a second of a class on a P100 alone, by which sizes are chosen. */
  plainRate(taskClass: string): number;
  /** Other jobs share this share of the machines from now on, those of the rest stay. */
  change(share: number): void;
}

/** The agents of one seed. `aloneShare`: chance that nobody shares an agent's accelerators. */
export function knownSkills(seed: number, aloneShare: number): KnownSkills {
  const throughputs = readThroughputs();
  const classes = Object.keys(throughputs.p100 as object)
    .filter((key) => key.endsWith(', 1)'))
    .map(jobTypeOf);
  const random = new RandomStream(seed, 'residents');
  const bare: MachineSpec[] = readOpenbNodes(join(dataFolder, 'openb-fgd', 'openb_node_list_gpu_node.csv')).filter(
    ({ gpuModel }) => gpuModel in accelerators,
  );
  for (let number = 1; number <= k80Machines.count; number++) {
    const { count: _count, ...resources } = k80Machines;
    bare.push({ name: `gavel-k80-${number}`, ...resources });
  }
  // The order of registration breaks ties: it must not tell what an agent can do.
  random.shuffle(bare);
  const rateOf = (model: string, taskClass: string, resident: string): number => {
    const { gavel } = accelerators[model] as { readonly gavel: string };
    const row = throughputs[gavel]?.[keyOf(taskClass)];
    const entry = row?.[resident === '' ? 'null' : keyOf(resident)];
    const rate = typeof entry === 'number' ? entry : entry?.[0];
    assert(rate !== undefined, 'Gavel measured every pair of job types on one accelerator');
    return rate;
  };
  const machines = bare.map((machine) => ({
    ...machine,
    skills: Object.fromEntries(classes.map((name) => [name, rateOf(machine.gpuModel, name, '')])),
  }));
  const residents = machines.map(() => drawResident(random, classes, aloneShare));
  return {
    machines,
    classes,
    watts: machines.map(({ gpuModel }) => (accelerators[gpuModel] as { readonly watts: number }).watts),
    rate: (machine, taskClass) =>
      rateOf((machines[machine] as MachineSpec).gpuModel, taskClass, residents[machine] as string),
    plainRate: (taskClass) => rateOf('P100', taskClass, ''),
    change: (share) => {
      for (let machine = 0; machine < residents.length; machine++)
        if (random.nextFloat() < share) residents[machine] = drawResident(random, classes, aloneShare);
    },
  };
}

/** The job types of a Gavel trace in its order: what is asked for, how often. */
export function readJobTypes(): string[] {
  const text = readTraceFile(join(dataFolder, 'gavel', 'msr_seed0_2869ce.trace.gz'));
  return text
    .trim()
    .split('\n')
    .map((line) => line.split('\t')[0] as string);
}

/** Job that shares a machine's accelerators; empty for none. */
function drawResident(random: RandomStream, classes: readonly string[], aloneShare: number): string {
  const isAlone = random.nextFloat() < aloneShare;
  const resident = classes[random.nextBelow(classes.length)] as string;
  return isAlone ? '' : resident;
}

function readThroughputs(): Throughputs {
  return JSON.parse(readTraceFile(join(dataFolder, 'gavel', 'simulation_throughputs.json.gz'))) as Throughputs;
}

function keyOf(jobType: string): string {
  return `('${jobType}', 1)`;
}

function jobTypeOf(key: string): string {
  return key.slice(2, -"', 1)".length);
}
