// What a registry can be told: detector, leases, sweeps and bounds.

import { assert } from '../base/assert.ts';
import { microsPerMilli } from '../base/time.ts';
import type { CapabilitySpace } from './capability-matrix.ts';
import type { PhiAccrualSettings } from './phi-accrual.ts';
import { defaultSkillSettings, type SkillSettings } from './skill-settings.ts';

export interface AgentRegistrySettings extends PhiAccrualSettings {
  /** Rows, at most. */
  readonly agentCountMax: number;
  /** A heartbeat keeps an agent alive for this long. */
  readonly leaseMicros: number;
  /** An agent that closes its connection keeps its work for so long; 0: for the rest of its lease. */
  readonly disconnectGraceMicros: number;
  /** How far the clocks of two processes of the kernel, one after the other, may differ; 0 if nobody knows. */
  readonly clockErrorMicros: number;
  /** Two sweeps are at least this far apart; a change may be noticed this much late. */
  readonly sweepSpacingMicros: number;
  readonly capabilitySpace: CapabilitySpace;
  readonly capabilityDimensions: number;
  /** Distinct attribute names over all agents. */
  readonly attributeCountMax: number;
  readonly skills: SkillSettings;
}

/** Settings that follow from the heartbeat interval: one lost heartbeat is tolerated, suspicion begins at about 2.5
 *  intervals of silence when heartbeats were regular, and death comes after 4. */
export function agentRegistrySettings(heartbeatIntervalMicros: number): AgentRegistrySettings {
  return {
    heartbeatIntervalMicros,
    acceptablePauseMicros: heartbeatIntervalMicros,
    standardDeviationMicrosMin: heartbeatIntervalMicros / 10,
    smoothing: 0.05,
    threshold: 8,
    agentCountMax: 1_000_000,
    leaseMicros: 4 * heartbeatIntervalMicros,
    disconnectGraceMicros: 0,
    clockErrorMicros: 0,
    sweepSpacingMicros: Math.min(100 * microsPerMilli, heartbeatIntervalMicros),
    capabilitySpace: 'vector',
    capabilityDimensions: 64,
    attributeCountMax: 64,
    skills: defaultSkillSettings,
  };
}

/** What must hold of them; the kernel's table of settings keeps it. */
export function checkRegistrySettings(settings: AgentRegistrySettings): void {
  assert(settings.leaseMicros > settings.heartbeatIntervalMicros, 'a lease must outlast one heartbeat interval');
  assert(settings.sweepSpacingMicros >= 1, 'sweeps must be at least a microsecond apart');
}
