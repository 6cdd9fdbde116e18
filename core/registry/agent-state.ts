// The states of an agent and the one table of legal transitions. `starting`: known, not yet able to work. `ready`, `busy`:
// takes work, has no room for more. `draining`: finishes what it has, takes nothing new. `suspect`: its heartbeats stay out
// longer than is plausible. `dead`: it said goodbye or its lease ran out; only a new incarnation leaves this state.

export const agentStates = ['starting', 'ready', 'busy', 'draining', 'suspect', 'dead'] as const;

export type AgentState = (typeof agentStates)[number];

/** Position of each state in {@link agentStates}: the number that columns hold. */
export const agentStateNumber: Readonly<Record<AgentState, number>> = {
  starting: 0,
  ready: 1,
  busy: 2,
  draining: 3,
  suspect: 4,
  dead: 5,
};

/** Why a state changed. */
export type AgentChangeReason =
  | 'restarted'
  | 'reported ready'
  | 'has room'
  | 'has no room'
  | 'drained'
  | 'undrained'
  | 'heartbeat overdue'
  | 'heartbeat returned'
  | 'connection closed'
  | 'lease expired'
  | 'said goodbye';

/** Where each state may go. A restart goes through `starting` from anywhere. */
export const agentTransitions: Readonly<Record<AgentState, readonly AgentState[]>> = {
  starting: ['ready', 'busy', 'draining', 'suspect', 'dead'],
  ready: ['starting', 'busy', 'draining', 'suspect', 'dead'],
  busy: ['starting', 'ready', 'draining', 'suspect', 'dead'],
  draining: ['starting', 'ready', 'busy', 'suspect', 'dead'],
  suspect: ['starting', 'ready', 'busy', 'draining', 'dead'],
  dead: ['starting'],
};

/** Told of every change of state, after it happened. `from` is never equal to `to`. */
export type AgentChangeListener = (row: number, from: AgentState, to: AgentState, reason: AgentChangeReason) => void;
