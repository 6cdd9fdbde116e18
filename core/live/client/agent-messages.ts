// What an agent's protocol machine says, as messages of core/proto.

import { unreachable } from '../../base/assert.ts';
import type { AgentMessage } from '../../client/agent-client.ts';
import type { TaskFinished } from '../../kernel/inputs.ts';
import {
  AttemptOutcome,
  type AttributeValue,
  type ConnectRequest,
} from '../../proto/generated/sira/v1/agent_service.ts';
import type { NamedTensor } from '../../proto/generated/sira/v1/tensor.ts';
import { type ModelDefinition, modelMessage } from '../inference/model-messages.ts';

/** Of one attempt: what the machine does not carry. */
export interface Outcome {
  readonly outputs: readonly NamedTensor[];
  readonly queueMicros: number;
  readonly failure: string;
}

export function agentMessage(
  message: AgentMessage,
  outcome: Outcome | undefined,
  models: readonly ModelDefinition[] = [],
): NonNullable<ConnectRequest['message']> {
  switch (message.kind) {
    case 'agentHello': {
      const { name, incarnation, connection, resources, running, sentMicros } = message;
      const value = {
        name,
        incarnation,
        connection,
        resources,
        capabilities: new Map(Object.entries(message.capabilities as Readonly<Record<string, number>>)),
        labels: labelsToMessages(message.attributes),
        running: [...running],
        sentMicros,
        models: models.map(modelMessage),
      };
      return { $case: 'hello', value };
    }
    case 'dispatchAccepted': {
      const { agent, incarnation, task, attempt } = message;
      return { $case: 'accepted', value: { agent, incarnation, attempt: { task, attempt } } };
    }
    case 'taskProgressed': {
      const { agent, incarnation, task, attempt, progressMicros } = message;
      return { $case: 'progressed', value: { agent, incarnation, attempt: { task, attempt }, progressMicros } };
    }
    case 'taskFinished': {
      const { agent, incarnation, task, attempt, serviceMicros, progressMicros = 0, joules = 0 } = message;
      const value = {
        agent,
        incarnation,
        attempt: { task, attempt },
        outcome: outcomes[message.outcome],
        cost: { queueMicros: outcome?.queueMicros ?? 0, serviceMicros, joules },
        progressMicros,
        outputs: [...(outcome?.outputs ?? [])],
        failure: outcome?.failure ?? '',
      };
      return { $case: 'finished', value };
    }
    case 'agentDraining': {
      const { agent, incarnation } = message;
      return { $case: 'draining', value: { agent, incarnation } };
    }
    case 'agentPowerChanged': {
      const { agent, incarnation, awake } = message;
      return { $case: 'powerChanged', value: { agent, incarnation, awake } };
    }
    default:
      return unreachable(message);
  }
}

const outcomes: Readonly<Record<TaskFinished['outcome'], AttemptOutcome>> = {
  completed: AttemptOutcome.COMPLETED,
  failed: AttemptOutcome.FAILED,
  stopped: AttemptOutcome.STOPPED,
};

function labelsToMessages(labels: Readonly<Record<string, string | number>>): Map<string, AttributeValue> {
  const messages = new Map<string, AttributeValue>();
  for (const [label, value] of Object.entries(labels))
    messages.set(label, {
      value: typeof value === 'number' ? { $case: 'number', value } : { $case: 'text', value },
    });
  return messages;
}
