// The settings of the kernel: every tunable of its parts with unit, bounds, default and what to weigh. Parts read them by
// name; a number that a person may want to tune stands here and not in the code that uses it.

import type { SettingTable } from './setting.ts';
import { type SettingRule, Settings, type SettingsOptions } from './settings.ts';

const second = 1_000_000;
const minute = 60 * second;
const day = 86_400 * second;

/**
 * Heartbeat intervals that a lease lasts, at least. An agent gives up its work when its lease might end before its next look, an interval
 * later: the heartbeat before must have been recorded by then, under a lease that it takes for shorter by what its clock may drift. At two
 * intervals no lease can be held; half of another is for the way there and back.
 */
export const leaseIntervalsMin = 2.5;

export const kernelSettingTable = {
  'registry.leaseMicros': {
    type: 'integer',
    unit: 'micros',
    default: 40 * second,
    min: 1000,
    max: day,
    description:
      'How long an agent that is silent keeps its work. Longer rides out pauses, shorter frees its machine sooner: at 4 heartbeat intervals one heartbeat may be lost, at fewer than 2.5 no agent could hold it. A change holds for each agent from its next heartbeat on.',
  },
  'registry.heartbeatIntervalMicros': {
    type: 'integer',
    unit: 'micros',
    default: 10 * second,
    min: 1000,
    max: 60 * minute,
    description:
      'How often an agent says that it lives. The lease lasts 2.5 intervals at least. Agents hear of a change with their next heartbeat.',
  },
  'registry.disconnectGraceMicros': {
    type: 'integer',
    unit: 'micros',
    default: 0,
    min: 0,
    max: minute,
    description:
      'How long an agent that closed its connection, as the system of one that died does, keeps its work before that is placed elsewhere; 0 waits for the end of its lease. A change holds for agents that start after it.',
  },
  'registry.suspicionThreshold': {
    type: 'number',
    default: 8,
    min: 0.5,
    max: 16,
    description:
      'Phi of the accrual failure detector above which an agent gets no new work: at 8, one false suspicion in 10^8 beats if their gaps are as modelled.',
  },
  'registry.clockErrorMicros': {
    type: 'integer',
    unit: 'micros',
    default: 0,
    min: 0,
    max: day,
    description:
      'How far the wall clocks of the hosts that the kernel runs on, one after the other, may differ. Then an agent whose lease ran out in an outage is missed after four heartbeats; at 0 the length of an outage is not believed, and it is missed after what was left of its lease.',
  },
  'scheduler.queueLengthMax': {
    type: 'integer',
    unit: 'tasks',
    default: 1_000_000,
    min: 1,
    max: 100_000_000,
    description: 'Tasks that may wait at once; further ones are refused with SIRA_QUEUE_FULL.',
  },
  'scheduler.attemptsMax': {
    type: 'integer',
    unit: 'attempts',
    default: 16,
    min: 1,
    max: 1000,
    description: 'How often a task is started before it counts as failed.',
  },
  'scheduler.preemptionsMax': {
    type: 'integer',
    unit: 'attempts',
    default: 8,
    min: 0,
    max: 1000,
    description: 'How often a task may be evicted for others of higher priority; after that it runs to its end.',
  },
  'scheduler.gangTimeoutMicros': {
    type: 'integer',
    unit: 'micros',
    default: 10 * minute,
    min: 1,
    max: day,
    description: 'How long the members of a gang wait for the last of them to be submitted, before all are dropped.',
  },
  'scheduler.reservationDepthMax': {
    type: 'integer',
    unit: 'tasks',
    default: 100,
    min: 1,
    max: 1_000_000,
    description:
      'Waiting tasks that conservative backfilling plans for, in queue order; the others start where they delay none of those. A cycle costs time in proportion.',
  },
  'scheduler.backoffFirstMicros': {
    type: 'integer',
    unit: 'micros',
    default: second,
    min: 1,
    max: day,
    description: 'Wait before a task that could not be placed is tried again; it doubles with each failure.',
  },
  'scheduler.backoffMaxMicros': {
    type: 'integer',
    unit: 'micros',
    default: 5 * minute,
    min: 1,
    max: day,
    description: 'Longest wait between two tries of one task.',
  },
  'scheduler.decisionRunnersUp': {
    type: 'integer',
    default: 3,
    min: 0,
    max: 64,
    description:
      'Machines besides the winner whose scores a decision record keeps. Each costs time and memory a placement.',
  },
  'scheduler.exploreShare': {
    type: 'number',
    unit: 'ratio',
    default: 0,
    min: 0,
    max: 0.1,
    description:
      'Share of tasks that are placed on one of the best machines drawn at random, so that what another policy would have done is seen. Each may cost a little; without any, off-policy estimates cannot tell.',
  },
  'scheduler.exploreTop': {
    type: 'integer',
    default: 3,
    min: 1,
    max: 16,
    description: 'Machines, the best by the policy, among which exploration draws.',
  },
  'submissions.submittersMax': {
    type: 'integer',
    default: 16_384,
    min: 1,
    max: 60_000,
    description:
      'Submitters that are known at once. For one more, one is forgotten that has no open task, has taken all ends, and was not heard of for submissions.idleMicros; without such a one a new submitter waits, unanswered.',
  },
  'submissions.idleMicros': {
    type: 'integer',
    unit: 'micros',
    default: 60 * minute,
    min: second,
    max: 365 * day,
    description:
      'How long nothing must have been heard of a submitter before it may be forgotten. A submission that is repeated later than that may be taken for a new one.',
  },
  'dispatch.retryMicros': {
    type: 'integer',
    unit: 'micros',
    default: 5 * second,
    min: 1,
    max: 60 * minute,
    description: 'Wait before a dispatch that the agent has not acknowledged is sent again.',
  },
  'health.returnsMax': {
    type: 'integer',
    default: 0,
    min: 0,
    max: 100,
    description:
      'Returns of an agent (from suspicion, death or by a restart) within the window at which it gets no new work for a while; 0 is never.',
  },
  'health.returnsWindowMicros': {
    type: 'integer',
    unit: 'micros',
    default: 10 * minute,
    min: 1,
    max: day,
    description: 'Window in which the returns of an agent are counted.',
  },
  'health.flapHoldFirstMicros': {
    type: 'integer',
    unit: 'micros',
    default: minute,
    min: 1,
    max: day,
    description: 'How long an agent that returned too often gets no new work; it doubles with each time.',
  },
  'health.flapHoldMaxMicros': {
    type: 'integer',
    unit: 'micros',
    default: 60 * minute,
    min: 1,
    max: day,
    description: 'Longest time without new work for returning too often.',
  },
  'health.failuresMax': {
    type: 'integer',
    default: 0,
    min: 0,
    max: 1000,
    description: 'Tasks that fail on an agent in a row before it is ejected; 0 is never (Envoy: consecutive_5xx).',
  },
  'health.slowFactor': {
    type: 'number',
    unit: 'ratio',
    default: 0,
    min: 0,
    max: 1000,
    description:
      'An agent is ejected if the median of its latest run times over their estimates, as is usual of each class of tasks, is more than this many times the median of the agents; 0 is never.',
  },
  'health.samplesMin': {
    type: 'integer',
    default: 8,
    min: 1,
    max: 32,
    description:
      'The latest tasks that an agent is judged by, if it has as many; those that run too long already count (Envoy: success_rate_request_volume).',
  },
  'health.agentsMin': {
    type: 'integer',
    default: 5,
    min: 2,
    max: 1_000_000,
    description: 'Agents with as many results that there must be (Envoy: success_rate_minimum_hosts).',
  },
  'health.checkIntervalMicros': {
    type: 'integer',
    unit: 'micros',
    default: 10 * second,
    min: 1000,
    max: day,
    description: 'Time between two looks for slow agents (Envoy: interval).',
  },
  'health.ejectionFirstMicros': {
    type: 'integer',
    unit: 'micros',
    default: 30 * second,
    min: 1,
    max: day,
    description: 'How long an agent is ejected, times how often it was lately (Envoy: base_ejection_time).',
  },
  'health.ejectionMaxMicros': {
    type: 'integer',
    unit: 'micros',
    default: 5 * minute,
    min: 1,
    max: day,
    description: 'Longest ejection (Envoy: max_ejection_time).',
  },
  'health.heldShareMax': {
    type: 'number',
    unit: 'ratio',
    default: 0.1,
    min: 0,
    max: 1,
    description:
      'Share of the living agents, but one at least, that may be without new work for flapping or as outliers at once (Envoy: max_ejection_percent).',
  },
  'skills.halfLifeMicros': {
    type: 'integer',
    unit: 'micros',
    default: 7 * day,
    min: second,
    max: 10_000 * day,
    description:
      'An outcome counts half after this long in what is believed of an agent. Longer averages out more noise, shorter notices changes sooner.',
  },
  'skills.classesMax': {
    type: 'integer',
    default: 64,
    min: 0,
    max: 4096,
    description:
      'Classes of tasks at which agents are measured; tasks of further ones teach nothing. Each takes 88 bytes an agent.',
  },
  'skills.optimism': {
    type: 'number',
    default: 1,
    min: 0,
    max: 10,
    description:
      'Standard deviations of what is not known by which placement "fastest" prefers agents that it knows less of, twice as many where it never tried one; 0 tries nothing for the sake of knowing it.',
  },
  'faults.seed': {
    type: 'integer',
    default: 0,
    min: 0,
    max: 4_294_967_295,
    description:
      'For simulated runs: from it follow the fault points inside the kernel that are armed (core/base/fault-points.ts); 0 arms none.',
  },
  'bus.redeliveryMicros': {
    type: 'integer',
    unit: 'micros',
    default: 30 * second,
    min: 1,
    max: 10 * minute,
    description: 'Wait before a message that was not acknowledged is delivered again.',
  },
  'bus.topicLengthMax': {
    type: 'integer',
    unit: 'messages',
    default: 65_536,
    min: 1,
    max: 100_000_000,
    description:
      'Messages that a topic keeps for its slowest subscriber; further ones are refused with SIRA_QUEUE_FULL.',
  },
} as const satisfies SettingTable;

export type KernelSettingTable = typeof kernelSettingTable;
export type KernelSettingName = keyof KernelSettingTable;

/** What must hold between settings of the kernel. */
export const kernelSettingRules: readonly SettingRule<KernelSettingTable>[] = [
  {
    requirement: `registry.leaseMicros must be at least ${leaseIntervalsMin} times registry.heartbeatIntervalMicros, or agents give up their work between two heartbeats: make the lease longer, 4 times so that one may be lost, or the interval shorter`,
    holds: (values) => values['registry.leaseMicros'] >= leaseIntervalsMin * values['registry.heartbeatIntervalMicros'],
  },
  {
    requirement: 'scheduler.backoffMaxMicros must be at least scheduler.backoffFirstMicros',
    holds: (values) => values['scheduler.backoffMaxMicros'] >= values['scheduler.backoffFirstMicros'],
  },
  {
    requirement: 'health.flapHoldMaxMicros must be at least health.flapHoldFirstMicros',
    holds: (values) => values['health.flapHoldMaxMicros'] >= values['health.flapHoldFirstMicros'],
  },
  {
    requirement: 'health.ejectionMaxMicros must be at least health.ejectionFirstMicros',
    holds: (values) => values['health.ejectionMaxMicros'] >= values['health.ejectionFirstMicros'],
  },
];

/** The kernel's settings at their defaults, or at the values of `options.initial`. */
export function createKernelSettings(
  options: Omit<SettingsOptions<KernelSettingTable>, 'rules'> = {},
): Settings<KernelSettingTable> {
  return new Settings(kernelSettingTable, { ...options, rules: kernelSettingRules });
}
