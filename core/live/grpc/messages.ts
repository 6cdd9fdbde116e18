// Between the messages of core/proto and what the kernel speaks. A message that says what it may not is a value with the reason,
// for its sender; nothing here knows connections.

import { acceptedWith, type Result, refused } from '../../base/status.ts';
import type * as Kernel from '../../kernel/inputs.ts';
import type { AttemptReference, TaskFinished, TaskSubmitted } from '../../kernel/inputs.ts';
import {
  type AgentHello,
  AttemptOutcome,
  type TaskFinished as FinishedMessage,
} from '../../proto/generated/sira/v1/agent_service.ts';
import type { DiscoveryAnswer, DiscoveryQuery as QueryMessage } from '../../proto/generated/sira/v1/discovery.ts';
import type { TaskSubmission } from '../../proto/generated/sira/v1/submission_service.ts';
import { TaskOutcome as OutcomeMessage } from '../../proto/generated/sira/v1/work.ts';
import type { DiscoveryQuery, DiscoveryResult } from '../../registry/discovery.ts';
import type { DecisionRecord } from '../../scheduler/decision.ts';
import type { TaskOutcome } from '../../scheduler/task.ts';

export type { DecisionRecord };

export const nameBytesMax = 200;
const incarnationMax = 2 ** 31 - 1;
const skillsMax = 1000;

/** Why `name` cannot name an agent, submitter or function; `undefined` if it can. */
export function nameProblem(what: string, name: string): string | undefined {
  const bytes = Buffer.byteLength(name, 'utf8');
  if (bytes >= 1 && bytes <= nameBytesMax) return undefined;
  return `the name of ${what} has 1 to ${nameBytesMax} bytes, not ${bytes}`;
}

export function helloInput(hello: AgentHello, gateway: number): Result<Kernel.AgentHello> {
  const { name, incarnation, connection, resources, capabilities, labels, running, sentMicros } = hello;
  const problem =
    nameProblem('an agent', name) ??
    (incarnation > incarnationMax ? `an incarnation is at most ${incarnationMax}, not ${incarnation}` : undefined) ??
    (resources === undefined ? 'a hello says what the machine offers' : undefined) ??
    (capabilities.size > skillsMax ? `${capabilities.size} capabilities; at most ${skillsMax}` : undefined);
  if (problem !== undefined) return refused('SIRA_MESSAGE_REFUSED', problem);
  const { cpuMilli, memoryMib, gpuCount, gpuModel } = resources as NonNullable<typeof resources>;
  const attributes: [string, string | number][] = [];
  for (const [label, { value }] of labels) if (value !== undefined) attributes.push([label, value.value]);
  return acceptedWith({
    kind: 'agentHello',
    gateway,
    name,
    incarnation,
    resources: { cpuMilli, memoryMib, gpuCount, gpuModel },
    capabilities: Object.fromEntries(capabilities),
    attributes: Object.fromEntries(attributes),
    sentMicros,
    connection,
    running: running.map(referenceOf),
  });
}

export function referenceOf(reference: AttemptReference | undefined): AttemptReference {
  return { task: reference?.task ?? -1, attempt: reference?.attempt ?? -1 };
}

export function finishedInput(message: FinishedMessage): TaskFinished {
  const { agent, incarnation, cost, progressMicros } = message;
  return {
    kind: 'taskFinished',
    agent,
    incarnation,
    ...referenceOf(message.attempt),
    outcome: outcomeOf(message.outcome),
    serviceMicros: cost?.serviceMicros ?? 0,
    ...(progressMicros > 0 ? { progressMicros } : {}),
    ...(cost !== undefined && cost.joules > 0 ? { joules: cost.joules } : {}),
    ...(cost !== undefined && cost.queueMicros > 0 ? { queueMicros: cost.queueMicros } : {}),
  };
}

function outcomeOf(outcome: AttemptOutcome): TaskFinished['outcome'] {
  if (outcome === AttemptOutcome.COMPLETED) return 'completed';
  return outcome === AttemptOutcome.STOPPED ? 'stopped' : 'failed';
}

export function submissionInput(submit: TaskSubmission, submitter: number): Result<TaskSubmitted> {
  const { submission, settled, request, work, gang, checkpointMicros } = submit;
  const problem =
    (Number.isSafeInteger(submission) && submission >= 1 ? undefined : 'submissions count from 1') ??
    (settled >= submission ? 'what is settled comes before the submission' : undefined) ??
    (work === undefined ? 'a task names its work' : nameProblem('a function', work.function)) ??
    (submit.tenant.length > nameBytesMax ? `the name of a tenant has at most ${nameBytesMax} characters` : undefined);
  if (problem !== undefined) return refused('SIRA_MESSAGE_REFUSED', problem);
  return acceptedWith({
    kind: 'taskSubmitted',
    submitter,
    submission,
    settled,
    request: {
      cpuMilli: request?.cpuMilli ?? 0,
      memoryMib: request?.memoryMib ?? 0,
      gpuCount: request?.gpuCount ?? 0,
      gpuMilli: request?.gpuMilli || 1000,
      gpuModels: request?.gpuModels ?? [],
      machineCount: request?.machineCount || 1,
    },
    estimateMicros: submit.estimateMicros,
    priority: submit.priority,
    tenant: submit.tenant,
    taskClass: work?.function ?? '',
    skill: work?.function ?? '',
    size: submit.size || 1,
    ...(gang === undefined ? {} : { gang }),
    ...(checkpointMicros > 0 ? { checkpointMicros } : {}),
  });
}

const outcomes: Readonly<Record<TaskOutcome, OutcomeMessage>> = {
  completed: OutcomeMessage.COMPLETED,
  failed: OutcomeMessage.FAILED,
  dropped: OutcomeMessage.DROPPED,
  cancelled: OutcomeMessage.CANCELLED,
};

export function outcomeMessage(outcome: TaskOutcome): OutcomeMessage {
  return outcomes[outcome];
}

export function outcomeOfMessage(outcome: OutcomeMessage): TaskOutcome {
  for (const [name, number] of Object.entries(outcomes)) if (number === outcome) return name as TaskOutcome;
  return 'failed';
}

export function queryOf(query: QueryMessage | undefined): DiscoveryQuery {
  if (query === undefined) return { limit: 10 };
  const { capabilities, similarityMin, cpuMilli, memoryMib, gpuCount, gpuModels, attributes, limit } = query;
  return {
    ...(capabilities.size > 0 ? { capabilities: Object.fromEntries(capabilities) } : {}),
    ...(similarityMin === undefined ? {} : { similarityMin }),
    ...(query.fastest === '' ? {} : { fastest: { taskClass: query.fastest, size: query.size || 1 } }),
    resources: { cpuMilli, memoryMib, gpuCount, ...(gpuModels.length > 0 ? { gpuModels } : {}) },
    attributes: [...attributes].map(([attribute, equals]) => ({ attribute, equals })),
    limit: Math.min(limit || 10, 1000),
  };
}

export function answerMessage({ matches, agentCount, excluded }: DiscoveryResult): DiscoveryAnswer {
  return {
    matches: matches.map(({ name, row, similarity, skill }) => ({ name, agent: row, similarity, skill })),
    agentCount,
    excluded: excluded.map(({ reason, count }) => ({ reason, count })),
  };
}
