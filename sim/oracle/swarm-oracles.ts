// Oracles that are too slow for large runs and are on in the swarm: those that look at every machine and every open task again and
// again.

import type { WorldObserver } from '../world/observer.ts';
import { AgentDutyOracle } from './agent-duty-oracle.ts';
import { type DutyOptions, DutyOracle } from './duty-oracle.ts';
import { FlightRecorder } from './flight-recorder.ts';
import { type HoldsOptions, HoldsOracle } from './holds-oracle.ts';
import { type LiveLockOptions, LiveLockOracle } from './live-lock-oracle.ts';
import { type PlacementOptions, PlacementOracle } from './placement-oracle.ts';
import { type Fail, OracleViolation } from './violation.ts';

/** For `WorldOptions.observers`, beside those of `createOracles`. They raise {@link OracleViolation} (SIRA_ORACLE_VIOLATED). */
export function createSwarmOracles(
  options: PlacementOptions & DutyOptions & HoldsOptions & LiveLockOptions,
): readonly WorldObserver[] {
  const recorder = new FlightRecorder(options.machines.map((machine) => machine.name));
  const fail: Fail = (oracle, what, nowMicros, concerned) => {
    throw new OracleViolation(oracle, what, nowMicros, concerned, recorder.chain(concerned));
  };
  return [
    recorder,
    new PlacementOracle(options, fail),
    new DutyOracle(options, fail),
    new AgentDutyOracle(options, fail),
    new HoldsOracle(options, fail),
    new LiveLockOracle(options, fail),
  ];
}
