// The load that a placement sustains: how many times as fast as in the trace requests may come, while the 99th percentile of
// completion stays within a bound.

import type { AgentFleet } from './agent-fleet.ts';
import type { AgentRequests, Span } from './agent-requests.ts';
import { type AgentPolicy, runAgents } from './agent-run.ts';
import { percentile } from './agent-runs.ts';

/** Seconds; chosen on the validation's part of the trace: what spreading keeps to at about the trace's own speed. */
export const completionBoundSeconds = 30;
/** Factors that are looked at, and how often the interval between them is halved (of their logarithm: to 1.8%). */
const search = { least: 0.5, most: 5, steps: 7 } as const;

/** The 99th percentile of the seconds from a request's arrival to the end of its group. */
export function completionAt(
  fleet: AgentFleet,
  requests: AgentRequests,
  span: Span,
  seed: number,
  factor: number,
  policy: AgentPolicy,
): number {
  return percentile(runAgents(fleet, requests.draw(span, seed, factor), policy).completionSeconds, 0.99);
}

/** A factor that is sustained, found by halving: the percentile rises with the load, but not strictly, so that a somewhat larger one may be
 *  sustained as well. `search.least` if nothing was. */
export function sustainedFactor(
  fleet: AgentFleet,
  requests: AgentRequests,
  span: Span,
  seed: number,
  policy: AgentPolicy,
): number {
  let low: number = search.least;
  let high: number = search.most;
  for (let step = 0; step < search.steps; step++) {
    const middle = Math.sqrt(low * high);
    if (completionAt(fleet, requests, span, seed, middle, policy) <= completionBoundSeconds) low = middle;
    else high = middle;
  }
  return low;
}
