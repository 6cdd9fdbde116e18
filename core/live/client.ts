// What programs outside use: `import … from 'sira-kernel/client'`. Agents that serve functions, submitters that hand over tasks,
// and the tensors that both speak of. This list is the whole of it.

export { SiraError } from '../base/errors.ts';
export type { DataType } from '../tensor/data-type.ts';
export { TensorView } from '../tensor/tensor-view.ts';
export { AgentConnection, type AgentOptions } from './client/agent.ts';
export type { AgentDefinition, WorkContext, WorkFunction } from './client/agent-host.ts';
export { QueueFullError, Submitter, type SubmitterOptions } from './client/submitter.ts';
export type { SubmittedTask, TaskDescription, TaskEnd } from './client/task.ts';
export { arrayFrom, type NumberArray, type Tensors, tensorFrom } from './client/tensors.ts';
export {
  type PublishOptions,
  type ReceivedMessage,
  type SubscribeOptions,
  Topics,
  type TopicsOptions,
} from './client/topics.ts';
export type { Parameters, ParameterValue } from './client/work.ts';
export type { ModelDefinition } from './inference/model-messages.ts';
export type { TensorSignature } from './inference/model-table.ts';
export { clientCredentials } from './security/client-credentials.ts';
