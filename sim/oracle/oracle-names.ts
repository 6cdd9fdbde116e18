// Every oracle that watches a run of the kernel, with what it promises to find in one line. An oracle may speak under no other name,
// so that the table of planted bugs can say of each of them what it caught, and name those that caught nothing.

export const oraclePromises = {
  'acknowledged messages':
    'ends are delivered in order and without a gap, taken once, and not repeated once acknowledged',
  capacity: 'what physically runs on a machine never exceeds its CPU, memory or devices',
  checkpoints: 'work goes on only from service that was saved, and completes only after all of it',
  duties:
    'results get receipts, open questions are repeated, silent agents are declared dead, what is unwanted is stopped',
  energy: 'what tasks, idling, sleep and waking took is what the machines took; nothing runs on a machine that sleeps',
  'exactly one end': 'an accepted task ends exactly once, a refused one never runs',
  gangs: 'a gang starts as a whole or not at all',
  holds: 'agents that flap or lag get no new work, when, for as long as and in the numbers that the settings say',
  journal: 'effects leave only when their input is durable, in order, and a crash takes none of them back',
  leases: 'no agent works beyond its lease, none is declared dead before, no task has two owners',
  liveness: 'once the faults have stopped, every task ends within a bound',
  'live-lock':
    'activity comes to something: attempts, cycles and sayings are bounded while no task comes nearer to its end',
  memory: 'every table of the kernel is bounded, and empty when nothing is left to do',
  'one owner': 'no task physically runs in two places at once, none runs on after its end',
  placement: 'every decision is what a second account of the cluster says it should be',
  progress: 'the kernel is never busy with nothing',
  recovery: 'a kernel that comes back from its disk is, to the last field, one that never crashed',
  starvation: 'what could be placed is placed, and what was put off is tried again in time',
} as const;

export type OracleName = keyof typeof oraclePromises;

/** The same for runs of durable topics. */
export const topicOraclePromises = {
  'topic content': 'what is given out is what somebody sent, to the last byte, though bits flip on the disk',
  'topic credit': 'nobody is sent more than it has granted, or while it is not connected',
  'topic cursor': 'a durable cursor never passes what is not settled, and never falls back',
  'topic durability': 'what was published stands at its place, whatever crashes',
  'topic once': 'a message is stored once, and a consumer that commits has each result once',
  'topic order':
    'first deliveries are in order; the messages of a key are handled one at a time, by one member at a time',
  'topic replay': 'a replay gives every message once, in order, with the gaps that were asked for',
  'topic retention': 'nothing goes that a group still needs, unless the terms say so, and then it is told',
  'topic retry': 'redelivery comes after its back-off; a dead letter is durable before the cursor passes it',
  'topic tensors': 'a tensor is released once, when nobody needs it; a lost one is told to whom it concerns',
  'topic time': 'late messages are dropped and counted, delayed ones never early, important ones first, none starves',
} as const;
