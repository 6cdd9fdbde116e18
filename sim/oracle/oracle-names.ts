// Every oracle that watches a run of the kernel, with what it promises to find in one line. An oracle may speak under no other name,
// so that the table of planted bugs can say of each of them what it caught, and name those that caught nothing.

export const oraclePromises = {
  'acknowledged messages':
    'ends are delivered in order and without a gap, taken once, and not repeated once acknowledged',
  capacity: 'what physically runs on a machine never exceeds its CPU, memory or devices',
  checkpoints: 'work goes on only from service that was saved, and completes only after all of it',
  duties:
    'results get receipts, open questions are repeated, silent agents are declared dead, what is unwanted is stopped',
  'exactly one end': 'an accepted task ends exactly once, a refused one never runs',
  gangs: 'a gang starts as a whole or not at all',
  holds: 'agents that flap or lag get no new work, when, for as long as and in the numbers that the settings say',
  journal: 'effects leave only when their input is durable, in order, and a crash takes none of them back',
  leases: 'no agent works beyond its lease, none is declared dead before, no task has two owners',
  liveness: 'once the faults have stopped, every task ends within a bound',
  'one owner': 'no task physically runs in two places at once, none runs on after its end',
  placement: 'every decision is what a second account of the cluster says it should be',
  progress: 'the kernel is never busy with nothing',
  recovery: 'a kernel that comes back from its disk is, to the last field, one that never crashed',
} as const;

export type OracleName = keyof typeof oraclePromises;
