import { expect, test } from 'vitest';
import type { AgentState } from './agent-state.ts';
import { agentStateNumber, agentStates, agentTransitions } from './agent-state.ts';

test('the numbers of the states are their positions', () => {
  expect(agentStates.map((state) => agentStateNumber[state])).toEqual([0, 1, 2, 3, 4, 5]);
});

test('the table of transitions is the one agreed on', () => {
  const legal = (from: AgentState): string => agentStates.filter((to) => agentTransitions[from].includes(to)).join(' ');
  expect(legal('starting')).toBe('ready busy draining suspect dead');
  expect(legal('ready')).toBe('starting busy draining suspect dead');
  expect(legal('busy')).toBe('starting ready draining suspect dead');
  expect(legal('draining')).toBe('starting ready busy suspect dead');
  expect(legal('suspect')).toBe('starting ready busy draining dead');
  expect(legal('dead')).toBe('starting');
});
