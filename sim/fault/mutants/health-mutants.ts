// Planted bugs of what is decided about agents: who is kept from new work, for how long, how many at once; and what an outage of
// the kernel does to leases.

import type { Mutant } from './mutant.ts';

const holds = 'core/kernel/agent-holds.ts';
const flaps = 'core/registry/flap-damping.ts';
const outliers = 'core/registry/outlier-detection.ts';
const registry = 'core/registry/agent-registry.ts';

export const healthMutants: readonly Mutant[] = [
  {
    name: 'held-agent-gets-work',
    bug: 'an agent that is to be kept from new work goes on getting some',
    file: holds,
    search: '    this.scheduler.setHold(agent, bitOf[cause], true);\n',
    replace: '',
  },
  {
    name: 'hold-never-lifted',
    bug: 'a machine stays closed when the hold of its agent is over',
    file: holds,
    search: '    this.scheduler.setHold(hold.agent, bitOf[hold.cause], false);\n',
    replace: '',
  },
  {
    name: 'too-many-held',
    bug: 'the share of the fleet that may be held at once is ignored',
    file: holds,
    search: 'return living > 1 && held.size <= most;',
    replace: 'return true;',
  },
  {
    name: 'held-forever-extended',
    bug: 'what a held agent does is counted against it, and makes its hold longer',
    file: holds,
    search: "    if (this.isHeld(agent, 'flapping')) return;\n",
    replace: '',
  },
  {
    name: 'flapping-noticed-late',
    bug: 'an agent may return once more than the settings allow',
    file: flaps,
    search: 'if (agent.returns.length < rules.returnsMax) return 0;',
    replace: 'if (agent.returns.length <= rules.returnsMax) return 0;',
  },
  {
    name: 'holds-do-not-grow',
    bug: 'each hold of a flapping agent is as short as the first',
    file: flaps,
    search: '    agent.holds++;\n',
    replace: '',
  },
  {
    name: 'old-returns-count',
    bug: 'returns from before the window count for ever',
    file: flaps,
    search: 'agent.returns = agent.returns.filter((time) => nowMicros - time < rules.windowMicros);',
    replace: '',
  },
  {
    name: 'fast-agents-ejected',
    bug: 'the agents that are faster than their peers are taken for the slow ones',
    file: outliers,
    search: 'if (median > bound) slow.push({ row, median });',
    replace: 'if (median > 0 && median * slowFactor * slowFactor < bound) slow.push({ row, median });',
  },
  {
    name: 'overdue-unseen',
    bug: 'work that runs too long says nothing of its agent as long as it runs',
    file: outliers,
    search: 'const ratios = [...relative(times), ...overdue].slice(-samplesMin);',
    replace: 'const ratios = [...relative(times), ...overdue.slice(overdue.length)].slice(-samplesMin);',
  },
  {
    name: 'ejection-never-doubled',
    bug: 'an agent that is ejected again and again is out no longer than the first time',
    file: outliers,
    search: '    results.ejections++;\n',
    replace: '    results.ejections = 1;\n',
  },
  {
    name: 'leases-end-in-the-outage',
    bug: 'leases run on while the kernel is away, and the fleet is declared dead when it is back',
    file: registry,
    search: 'const extendedMicros = expiryMicros + byMicros;',
    replace: 'const extendedMicros = expiryMicros;',
  },
  {
    name: 'leases-cut-by-the-outage',
    bug: 'after an outage a lease may end before the agent that holds it thinks so',
    file: registry,
    search: 'hasRunOut ? Math.min(extendedMicros, heardByMicros) : extendedMicros,',
    replace: 'Math.min(extendedMicros, heardByMicros),',
  },
  {
    name: 'outage-believed',
    bug: 'how long an outage was is taken from a wall clock that may be wrong, and leases with it',
    file: registry,
    search: 'clockErrorMicros > 0 && expiryMicros + clockErrorMicros < nowMicros;',
    replace: 'expiryMicros < nowMicros;',
  },
  {
    name: 'drained-takes-work',
    bug: 'an agent that drains is given further work',
    file: registry,
    search: "if (this.alive(row)) this.change(row, this.flagsOf(row) | flagDraining, 'drained');",
    replace: '',
  },
];
