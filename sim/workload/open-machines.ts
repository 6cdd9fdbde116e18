// Makes the list of machines that a scenario's `cluster` part asks for: a recorded node list, whole or a seeded sample of it
// with the same mix of machines, or groups of equal machines. The order of the list breaks the scheduler's ties.

import { SiraError } from '../../core/base/errors.ts';
import { RandomStream } from '../../core/base/random.ts';
import { describeCount, describeCounted } from './describe.ts';
import { readOpenbNodes } from './openb-nodes.ts';
import { indexByNumber, readOrderFile } from './order-file.ts';
import type { ClusterSpec, MachineGroup } from './spec.ts';
import type { MachineSpec } from './workload.ts';

/**
 * The machines of `spec`, in the order that breaks ties, and notes for the report, one sentence each. The same seed gives the
 * same machines. Throws `SIRA_FILE_MISSING`, `SIRA_TRACE_MALFORMED`, and `SIRA_SCENARIO_INVALID` if no machine is left.
 */
export function openMachines(spec: ClusterSpec, seed: number): { machines: MachineSpec[]; notes: string[] } {
  const opened =
    spec.format === 'groups' ? { machines: machinesOfGroups(spec.groups), notes: [] } : openNodeList(spec, seed);
  if (opened.machines.length === 0) {
    throw new SiraError(
      'SIRA_SCENARIO_INVALID',
      'the cluster has no machine',
      { field: 'cluster' },
      'Add machines, or sample a larger share.',
    );
  }
  return opened;
}

function machinesOfGroups(groups: readonly MachineGroup[]): MachineSpec[] {
  const machines: MachineSpec[] = [];
  for (const group of groups) {
    const digits = String(Math.max(0, group.count - 1)).length;
    for (let index = 0; index < group.count; index++) {
      machines.push({
        name: `${group.name}-${String(index).padStart(digits, '0')}`,
        cpuMilli: group.cpuMilli,
        memoryMib: group.memoryMib,
        gpuCount: group.gpuCount,
        gpuModel: group.gpuCount === 0 ? '' : group.gpuModel,
      });
    }
  }
  return machines;
}

function openNodeList(
  spec: ClusterSpec & { format: 'openb' },
  seed: number,
): { machines: MachineSpec[]; notes: string[] } {
  const notes: string[] = [];
  const listed = readOpenbNodes(spec.file);
  let machines = spec.gpuOnly ? listed.filter((machine) => machine.gpuCount > 0) : listed;
  if (machines.length < listed.length)
    notes.push(`${describeCounted(listed.length - machines.length, 'machine')} without a GPU left out.`);
  if (spec.sample < 1) {
    const before = machines.length;
    machines = sampleMachines(machines, spec.sample, seed);
    notes.push(
      `${describeCount(machines.length)} of ${describeCount(before)} machines were drawn by seed, with the same mix of kinds (largest remainder).`,
    );
  }
  if (spec.shuffle === true) {
    machines = new RandomStream(seed, 'workload.machine-order').shuffle(machines);
    notes.push('The machines stand in an order drawn by seed, which breaks ties.');
  }
  if (spec.order !== undefined) machines = orderMachines(machines, spec.order, seed);
  return { machines, notes };
}

/**
 * Keeps `share` of the machines: of each kind (model, GPUs, CPU, memory) the number that the method of largest remainder gives
 * it (Hamilton; ties go to the larger kind, then to the first in the list), so the mix does not depend on the seed; which
 * machines of a kind are kept is drawn. The order of the list stays.
 */
function sampleMachines(machines: readonly MachineSpec[], share: number, seed: number): MachineSpec[] {
  const kinds = new Map<string, number[]>();
  for (const [index, machine] of machines.entries()) {
    const key = `${machine.gpuModel} ${machine.gpuCount} ${machine.cpuMilli} ${machine.memoryMib}`;
    const members = kinds.get(key);
    if (members === undefined) kinds.set(key, [index]);
    else members.push(index);
  }
  const quotas = [...kinds.values()].map((members, position) => {
    const exact = Math.round(members.length * share * 1e9) / 1e9;
    // Rounded, so that equal remainders stay equal whatever the multiplication's last bit.
    return { members, position, kept: Math.floor(exact), remainder: Math.round((exact - Math.floor(exact)) * 1e9) };
  });
  let seats = Math.round(machines.length * share);
  for (const quota of quotas) seats -= quota.kept;
  const byRemainder = quotas.toSorted(
    (a, b) => b.remainder - a.remainder || b.members.length - a.members.length || a.position - b.position,
  );
  for (const quota of byRemainder.slice(0, seats)) quota.kept++;

  const random = new RandomStream(seed, 'workload.machines');
  const kept = quotas.flatMap((quota) => random.shuffle(quota.members).slice(0, quota.kept));
  return kept.toSorted((a, b) => a - b).map((index) => machines[index] as MachineSpec);
}

/** Puts the machines in the order that the file gives; every machine must stand in it, once. */
function orderMachines(machines: readonly MachineSpec[], orderName: string, seed: number): MachineSpec[] {
  const { file, entries } = readOrderFile(orderName, seed);
  const indices = indexByNumber(
    machines.map((machine) => machine.name),
    file,
  );
  const ordered: MachineSpec[] = [];
  const seen = new Set<number>();
  for (const { number, line } of entries) {
    if (seen.has(number))
      throw new SiraError('SIRA_TRACE_MALFORMED', `machine ${number} stands twice`, { file, line, field: 'number' });
    seen.add(number);
    const index = indices.get(number);
    if (index !== undefined) ordered.push(machines[index] as MachineSpec);
  }
  if (ordered.length < machines.length) {
    const missing = machines.find((machine) => !ordered.includes(machine)) as MachineSpec;
    const detail = `the order names ${ordered.length} of ${machines.length} machines; "${missing.name}" is not among them`;
    throw new SiraError('SIRA_TRACE_MALFORMED', detail, { file }, 'Use the node list that the order was made for.');
  }
  return ordered;
}
