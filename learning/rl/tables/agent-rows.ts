// What placements sustain in the agents scenario, on the fleets and the part of the trace that no training saw.

import { toBase64 } from '../../../core/base/base64.ts';
import { agentFleet } from '../../env/agents/agent-fleet.ts';
import { AgentRequests } from '../../env/agents/agent-requests.ts';
import type { AgentPolicy } from '../../env/agents/agent-run.ts';
import { testFleetSeeds } from '../../env/agents/agent-runs.ts';
import { completionAt, sustainedFactor } from '../../env/agents/sustained-load.ts';
import type { PublishedPolicy } from './published-policies.ts';

/** Heuristics that stand beside: the first is what others are measured by. */
export const agentHeuristics = ['spread', 'best-fit', 'fastest', 'locality'] as const;

/** Factors of the picture. */
export const shownFactors: readonly number[] = [0.5, 1, 2, 3];

export interface AgentRow {
  readonly policy: string;
  /** Of training; 0 for heuristics. */
  readonly seed: number;
  /** Largest factor sustained, by fleet. */
  readonly sustained: readonly number[];
  /** 99th percentile of completion, seconds: mean over the fleets, by `shownFactors`. */
  readonly completion: readonly number[];
}

export function agentRows(policies: readonly PublishedPolicy[], told: (row: AgentRow) => void): AgentRow[] {
  const requests = new AgentRequests();
  const all: { readonly policy: string; readonly seed: number; readonly plays: AgentPolicy }[] = [
    ...agentHeuristics.map((place) => ({ policy: place, seed: 0, plays: { place } })),
    ...policies.map(({ seed, bytes }) => ({
      policy: 'learned',
      seed,
      plays: { place: 'learned', artifact: toBase64(bytes) },
    })),
  ];
  return all.map(({ policy, seed, plays }) => {
    const fleets = testFleetSeeds.map((fleetSeed) => ({ fleetSeed, fleet: agentFleet(fleetSeed) }));
    const row: AgentRow = {
      policy,
      seed,
      sustained: fleets.map(({ fleetSeed, fleet }) => sustainedFactor(fleet, requests, 'tests', fleetSeed, plays)),
      completion: shownFactors.map((factor) => {
        let sum = 0;
        for (const { fleetSeed, fleet } of fleets)
          sum += completionAt(fleet, requests, 'tests', fleetSeed, factor, plays);
        return sum / fleets.length;
      }),
    };
    told(row);
    return row;
  });
}
