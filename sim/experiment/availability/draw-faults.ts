// A life of the fleet: every fault that befalls it in a span of time, drawn from a seed by the fault model. Each unit fails by
// itself, is repaired, and fails again; what fails together (a rack, a feed) is one fault of many machines. Units have streams
// of their own, so that a change of one class leaves the others as they were.

import { RandomStream } from '../../../core/base/random.ts';
import {
  type FaultClass,
  type FaultEffect,
  faultClasses,
  sampleBetween,
  sampleRepair,
  takeoverRepair,
} from './fault-model.ts';
import { type FleetSpec, feedMachines, rackMachines } from './fleet.ts';

export interface DrawnFault {
  /** Name of its class. */
  readonly cause: string;
  readonly effect: FaultEffect;
  readonly atMicros: number;
  readonly forMicros: number;
  /** Indices of the machines that it strikes; none for kernel and gateway. */
  readonly machines: readonly number[];
  readonly factor: number;
}

export interface FaultDraw {
  readonly seed: number;
  readonly fleet: FleetSpec;
  readonly spanMicros: number;
  /** How many times as often everything fails: 1, unless a short span is to hold many faults. */
  readonly acceleration: number;
  readonly classes?: readonly FaultClass[] | undefined;
}

/** In order of time. */
export function drawFaults(draw: FaultDraw): DrawnFault[] {
  const { seed, fleet, spanMicros, acceleration, classes = faultClasses } = draw;
  const faults: DrawnFault[] = [];
  for (const { name, unit, effect, factor, between, repair } of classes) {
    const count =
      { machine: fleet.racks * fleet.machinesPerRack, rack: fleet.racks, feed: fleet.feeds }[unit as 'rack'] ?? 1;
    for (let index = 0; index < count; index++) {
      const random = new RandomStream(seed, `availability.${name}.${index}`);
      for (let atMicros = 0; ; ) {
        atMicros += Math.max(1, Math.round(sampleBetween(random, between) / acceleration));
        if (atMicros >= spanMicros) break;
        const stretch = repair === takeoverRepair ? fleet.takeoverFactor : 1;
        const forMicros = Math.max(1, Math.round(stretch * sampleRepair(random, repair)));
        const machines =
          unit === 'machine'
            ? [index]
            : unit === 'rack'
              ? rackMachines(fleet, index)
              : unit === 'feed'
                ? feedMachines(fleet, index)
                : [];
        faults.push({ cause: name, effect, atMicros, forMicros, machines, factor });
        if (unit === 'feed' && index === 0) {
          const takeoverMicros = Math.round(fleet.takeoverFactor * sampleRepair(random, takeoverRepair));
          const kernel = { effect: 'kernelDown', forMicros: takeoverMicros, machines: [] } as const;
          faults.push({ cause: name, atMicros, factor, ...kernel });
        }
        atMicros += forMicros;
      }
    }
  }
  return faults.sort((left, right) => left.atMicros - right.atMicros);
}
