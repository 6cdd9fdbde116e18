// All oracles of a run, ready to watch a world. They are on in every run; they see everything, change nothing, and raise an
// {@link OracleViolation} at the first promise that is broken.

import type { WorldObserver } from '../world/observer.ts';
import type { WorldOptions } from '../world/world.ts';
import { CapacityOracle } from './capacity-oracle.ts';
import { DeliveryOracle } from './delivery-oracle.ts';
import { EndOracle } from './end-oracle.ts';
import { FlightRecorder } from './flight-recorder.ts';
import { LeaseOracle } from './lease-oracle.ts';
import { LivenessOracle } from './liveness-oracle.ts';
import { OwnerOracle } from './owner-oracle.ts';
import { PhysicalWorks } from './physical-work.ts';
import { type Fail, OracleViolation } from './violation.ts';

export interface Oracles {
  /** For `WorldOptions.observers`, in this order. */
  readonly observers: readonly WorldObserver[];
  /** Checks what only the end of a run shows. Call it once, with the simulated time at which the run stopped. */
  finish(nowMicros: number): void;
}

/** What the oracles need to know of a world: options for one will do. */
export type OracleOptions = Pick<WorldOptions, 'machines' | 'profile' | 'heartbeat' | 'faults'> &
  Partial<Pick<WorldOptions, 'seed'>>;

/** @throws {@link OracleViolation} (SIRA_ORACLE_VIOLATED) from any call to an observer or to `finish`. */
export function createOracles(options: OracleOptions): Oracles {
  const names = options.machines.map((machine) => machine.name);
  const recorder = new FlightRecorder(names);
  const fail: Fail = (oracle, what, nowMicros, concerned) => {
    throw new OracleViolation(oracle, what, nowMicros, concerned, recorder.chain(concerned));
  };
  const works = new PhysicalWorks(names);
  const capacity = new CapacityOracle(options.machines, fail);
  const owner = new OwnerOracle(fail);
  const leases = new LeaseOracle(works, options.heartbeat.leaseMicros, fail);
  const liveness = new LivenessOracle(options, fail);
  works.listeners.push(leases, owner, capacity, liveness);
  return {
    observers: [recorder, works, new EndOracle(fail), leases, owner, capacity, new DeliveryOracle(fail), liveness],
    finish: (nowMicros) => liveness.check(nowMicros),
  };
}
