// What is known of an agent's state, as bits of one number. The state is derived from them, so that a
// suspicion, say, ends where it began, whatever came between.

import type { AgentState } from './agent-state.ts';

export const flagStarted = 1;
export const flagBusy = 2;
export const flagDraining = 4;
export const flagSuspect = 8;
export const flagDead = 16;
/** The drain outlives restarts. */
export const flagPinned = 32;

/** The state that the flags add up to. */
export function stateOf(flags: number): AgentState {
  if ((flags & flagDead) !== 0) return 'dead';
  if ((flags & flagSuspect) !== 0) return 'suspect';
  if ((flags & flagDraining) !== 0) return 'draining';
  if ((flags & flagStarted) === 0) return 'starting';
  return (flags & flagBusy) !== 0 ? 'busy' : 'ready';
}
