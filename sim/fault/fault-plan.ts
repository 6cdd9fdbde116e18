// Turns the faults of a scenario into events: each strikes its machines at its time and ends after its length. Which machines
// a share means is drawn by seed when the world is built, so that every policy suffers the same. Faults may overlap: a
// machine recovers from a kind of fault when the last of that kind has ended.

import { assert } from '../../core/base/assert.ts';
import { RandomStream } from '../../core/base/random.ts';
import { microsPerSecond } from '../../core/base/time.ts';
import type { KernelSettings } from '../../core/kernel/kernel-settings.ts';
import { eventPriority } from '../engine/priority.ts';
import type { Simulation } from '../engine/simulation.ts';
import { type FaultSpec, kernelFaultKinds, type MachineFaultKind, machineFaultKinds } from '../experiment/scenario.ts';
import type { MachineSpec } from '../workload/workload.ts';
import type { HeartbeatGateway } from '../world/heartbeat-gateway.ts';
import type { JournaledKernelHost } from '../world/journaled-kernel-host.ts';
import type { Machine } from '../world/machine.ts';
import { firstMachineNode, gatewayNode, type Network, submitterNode } from '../world/network.ts';
import type { WorldObserver } from '../world/observer.ts';
import type { SubmitterProcess } from '../world/submitter-process.ts';

/** What faults need of the world that they strike. */
export interface FaultedWorld {
  readonly simulation: Simulation;
  readonly machines: readonly Machine[];
  readonly network: Network;
  readonly settings: KernelSettings;
  readonly journaled: JournaledKernelHost | undefined;
  /** A machine crashes: its work is lost, and work that it shares with others fails there. */
  crash(index: number): void;
  readonly gateway: HeartbeatGateway;
  readonly submitter: SubmitterProcess;
}

export function scheduleFaults(
  faults: readonly FaultSpec[],
  world: FaultedWorld,
  seed: number,
  observers: readonly WorldObserver[],
): void {
  const struck = drawFaultMachines(
    faults,
    world.machines.map((machine) => machine.spec),
    seed,
  );
  /** Active faults by kind and machine. */
  const activeFaults = new Map<string, Set<FaultSpec>>();
  const change = (index: number, begins: boolean): void => {
    const fault = faults[index] as FaultSpec;
    const machines = struck[index] as readonly number[];
    const name = !strikesMachines(fault)
      ? fault.kind
      : `${fault.kind} of ${machines.length} machine${machines.length === 1 ? '' : 's'}`;
    for (const observer of observers) observer.faultChanged?.(name, begins, world.simulation.nowMicros);
    const activeOf = (key: string): Set<FaultSpec> => {
      const active = activeFaults.get(key) ?? new Set<FaultSpec>();
      activeFaults.set(key, active);
      if (begins) active.add(fault);
      else active.delete(fault);
      return active;
    };
    if (isKernelFault(fault)) applyToKernel(fault, world, activeOf(fault.kind), begins);
    else if (!strikesMachines(fault)) applyToService(fault, world, activeOf(fault.kind), begins);
    for (const machine of machines) {
      apply(fault.kind as MachineFaultKind, world, machine, activeOf(`${fault.kind} ${machine}`), begins);
    }
  };
  // Two handlers for all: a scenario may have more faults than a simulation has kinds of events.
  const begin = world.simulation.defineHandler('fault begins', (index) => change(index, true));
  const end = world.simulation.defineHandler('fault ends', (index) => change(index, false));
  const { nowMicros } = world.simulation;
  faults.forEach((fault, index) => {
    assert(!isKernelFault(fault) || world.journaled !== undefined, 'only a kernel with a journal survives its faults');
    const atMicros = Math.max(nowMicros, fault.atMicros);
    world.simulation.schedule(atMicros, eventPriority.world, begin, index, undefined);
    if (fault.forMicros !== Number.POSITIVE_INFINITY) {
      world.simulation.schedule(atMicros + fault.forMicros, eventPriority.world, end, index, undefined);
    }
  });
}

/** The machines that each fault strikes, rising: the same for everybody who asks with one seed. */
export function drawFaultMachines(
  faults: readonly FaultSpec[],
  machines: readonly MachineSpec[],
  seed: number,
): readonly (readonly number[])[] {
  const random = new RandomStream(seed, 'faults');
  return faults.map((fault) => {
    const all = machines.map((_, index) => index);
    const which = fault.machines;
    if (!('share' in which)) return all.filter((index) => which.includes((machines[index] as MachineSpec).name));
    const count = Math.min(all.length, Math.max(1, Math.round(which.share * all.length)));
    const drawn = random.shuffle(all).slice(0, count);
    return drawn.sort((left, right) => left - right);
  });
}

/** True for what befalls the kernel or its disk rather than machines. */
export function isKernelFault({ kind }: Pick<FaultSpec, 'kind'>): boolean {
  return (kernelFaultKinds as readonly string[]).includes(kind);
}

/** True for what befalls machines rather than the kernel or those between. */
export function strikesMachines({ kind }: Pick<FaultSpec, 'kind'>): boolean {
  return (machineFaultKinds as readonly string[]).includes(kind);
}

/** When the last fault has ended; 0 without faults, `Infinity` if one never ends. */
export function faultsEndMicros(faults: readonly FaultSpec[]): number {
  return faults.reduce((latest, fault) => Math.max(latest, fault.atMicros + fault.forMicros), 0);
}

/** `active`: the faults of this kind that the machine suffers now; one of them has just begun, or another ended. */
function apply(
  kind: MachineFaultKind,
  world: FaultedWorld,
  index: number,
  active: ReadonlySet<FaultSpec>,
  begins: boolean,
): void {
  const machine = world.machines[index];
  if (machine === undefined) return;
  const worst = (none: number): number => worstOf(active, none);
  switch (kind) {
    case 'crash':
      if (begins) world.crash(index);
      else if (active.size === 0) machine.start();
      break;
    case 'hang':
      if (begins) machine.hang();
      else if (active.size === 0) machine.resume(world.settings.get('registry.heartbeatIntervalMicros'));
      break;
    case 'slow':
      machine.slowness = worst(1);
      break;
    case 'partition':
      world.network.cut(firstMachineNode + index, active.size > 0);
      break;
    case 'lossy':
      world.network.setLoss(firstMachineNode + index, worst(0));
      break;
    case 'clog':
      world.network.clog(firstMachineNode + index, active.size > 0);
      break;
    case 'clockJump':
      if (begins) machine.disturbClock(microsPerSecond * worst(0), undefined);
      break;
    case 'clockDrift': {
      const [drift] = active;
      machine.disturbClock(0, 1 + (drift?.factor ?? 0));
      break;
    }
    case 'drain':
      if (begins) machine.drain();
      else if (active.size === 0) {
        machine.agent.endDrain();
        restart(world, machine, index);
      }
      break;
    case 'reconnect':
      if (begins) machine.reconnect();
      break;
    case 'resize': {
      // Who was never registered as it is would be refused as it is for ever.
      if (begins && machine.agent.agent < 0) break;
      const share = active.size > 0 ? 0.5 : 1;
      const { cpuMilli, memoryMib, gpuCount, gpuModel } = machine.spec;
      machine.agent.hasResources({
        cpuMilli: Math.floor(cpuMilli * share),
        memoryMib: Math.floor(memoryMib * share),
        gpuCount,
        gpuModel,
      });
      restart(world, machine, index);
      break;
    }
  }
}

/** The agent's process ends and begins anew, if its machine runs. */
function restart(world: FaultedWorld, machine: Machine, index: number): void {
  if (!machine.isUp) return;
  world.crash(index);
  machine.start();
}

function applyToService(
  { kind }: FaultSpec,
  world: FaultedWorld,
  active: ReadonlySet<FaultSpec>,
  begins: boolean,
): void {
  switch (kind) {
    case 'gatewayCrash':
      if (begins) world.gateway.crash();
      else if (active.size === 0) world.gateway.start(world.simulation.nowMicros);
      break;
    case 'submitterCrash':
      if (begins) world.submitter.crash();
      else if (active.size === 0) world.submitter.start();
      break;
    case 'submitterClog':
      world.network.clog(submitterNode, active.size > 0);
      break;
    case 'submitterReconnect':
      if (begins) world.submitter.reconnect();
      break;
    case 'gatewayClog':
      world.network.clog(gatewayNode, active.size > 0);
      break;
    default:
      break;
  }
}

function applyToKernel(fault: FaultSpec, world: FaultedWorld, active: ReadonlySet<FaultSpec>, begins: boolean): void {
  const { journaled } = world;
  if (journaled === undefined) return;
  switch (fault.kind) {
    case 'kernelCrash':
      if (begins) journaled.crash();
      else if (active.size === 0) journaled.start();
      break;
    case 'diskSlow':
      journaled.disk.slowness = worstOf(active, 1);
      break;
    case 'diskFull':
      journaled.disk.isFull = active.size > 0;
      break;
    case 'diskRot':
      if (begins) journaled.disk.flipBits(fault.factor);
      break;
    case 'kernelClock': {
      const last = [...active].at(-1);
      journaled.wallAheadMicros = Math.round(microsPerSecond * (last?.factor ?? 0));
      break;
    }
  }
}

function worstOf(active: ReadonlySet<FaultSpec>, none: number): number {
  let factor = none;
  for (const fault of active) factor = Math.max(factor, fault.factor);
  return factor;
}
