// The Open Inference Protocol without its transports: which models there are, and requests that become tasks. It is a submitter
// like any other, inside the kernel's process: a request is on the disk before it is dispatched, is placed by the policy, and
// begins anew elsewhere if its agent is lost. A request that its client gives up is cancelled; after a restart of the kernel
// nobody waits for those of before, whose ends are taken and forgotten.

import { status } from '@grpc/grpc-js';
import { SiraError } from '../../base/errors.ts';
import type { AttachRequest, AttachResponse } from '../../proto/generated/sira/v1/submission_service.ts';
import type { TensorView } from '../../tensor/tensor-view.ts';
import { Submitter } from '../client/submitter.ts';
import type { SubmittedTask, TaskEnd } from '../client/task.ts';
import type { Tensors } from '../client/tensors.ts';
import type { Parameters } from '../client/work.ts';
import type { AgentGateway } from '../grpc/agent-gateway.ts';
import type { SubmissionGateway } from '../grpc/submission-gateway.ts';
import type { LiveKernel } from '../live-kernel.ts';
import { localStreams } from '../local-stream.ts';
import type { Model, ModelTable, TensorSignature } from './model-table.ts';

export interface InferenceRequest {
  readonly model: string;
  /** Empty: the highest one that is ready, else the highest one. */
  readonly version: string;
  readonly parameters: Parameters;
  readonly inputs: Tensors;
  /** Names of the outputs wanted; empty: all. */
  readonly outputs: readonly string[];
  /** Time until the client wants no answer any more; `undefined`: {@link longestMicros}. */
  readonly timeoutMicros?: number | undefined;
  /** Aborted when the client is gone. */
  readonly signal: AbortSignal;
}

export interface InferenceResult {
  readonly model: Model;
  /** In the order of the model's description, or in which they were asked for. */
  readonly outputs: readonly (readonly [name: string, tensor: TensorView])[];
}

export const longestMicros = 600_000_000;
const underWayMax = 4096;
const submitterName = '~inference';

export class InferenceDesk {
  readonly models: ModelTable;
  readonly version: string;
  private readonly live: LiveKernel;
  private readonly agents: AgentGateway;
  /** Resolves when requests can be taken: at once, but for a kernel that takes no inputs now. */
  readonly opened: Promise<void>;
  private submitter: Submitter | undefined;
  private isStopped = false;
  private underWay = 0;

  constructor(live: LiveKernel, agents: AgentGateway, submissions: SubmissionGateway, version: string) {
    this.live = live;
    this.agents = agents;
    this.models = agents.models;
    this.version = version;
    const connected = Submitter.connect({
      address: '',
      name: submitterName,
      unansweredMax: underWayMax,
      attach: () => {
        const { client, server } = localStreams<AttachRequest, AttachResponse>();
        if (this.isStopped) setImmediate(() => server.emit('error', { code: status.ABORTED, details: 'it has ended' }));
        else submissions.attach(server, true);
        return client;
      },
    });
    this.opened = connected.then(
      (submitter) => {
        if (this.isStopped) submitter.abandon();
        else this.submitter = submitter;
      },
      () => {},
    );
  }

  /** Whether requests are taken. */
  get isReady(): boolean {
    return this.submitter !== undefined && this.live.refusal === undefined;
  }

  /** Requests that are not answered yet. */
  get underWayCount(): number {
    return this.underWay;
  }

  /** The model, in the highest version that is ready if none is named. SIRA_NOT_FOUND if no agent that is connected offers it. */
  model(name: string, version: string): Model {
    const versions = version === '' ? this.models.versions(name) : [version];
    const models = versions.flatMap((one) => this.models.find(name, one) ?? []);
    const model = models.find((one) => this.isModelReady(one)) ?? models[0];
    if (model !== undefined) return model;
    const known = this.models.versions(name);
    throw new SiraError(
      'SIRA_NOT_FOUND',
      known.length > 0
        ? `the model "${name}" has no version "${version}", but ${known.join(', ')}`
        : `no agent offers a model "${name}"`,
    );
  }

  /** Whether an agent lives that takes requests for it, now or when it has room. */
  isModelReady(model: Model): boolean {
    const { registry } = this.live.kernel.control;
    return this.models.agentsOf(model).some((agent) => {
      const row = registry.rowOf(agent);
      if (row < 0 || !this.agents.isConnected(row)) return false;
      const state = registry.state(row);
      return state === 'ready' || state === 'busy';
    });
  }

  /** Throws SIRA_NOT_FOUND, SIRA_REQUEST_INVALID, SIRA_QUEUE_FULL, SIRA_REQUEST_TIMED_OUT, SIRA_WORK_FAILED, and what the kernel
   *  says when it takes nothing. */
  async infer(request: InferenceRequest): Promise<InferenceResult> {
    const { refusal } = this.live;
    if (refusal !== undefined) throw new SiraError(refusal.code, refusal.reason);
    const { submitter } = this;
    if (submitter === undefined) throw new SiraError('SIRA_LOG_CLOSED', 'the kernel begins or stops');
    const model = this.model(request.model, request.version);
    checkRequest(model, request);
    if (this.underWay >= underWayMax)
      throw new SiraError('SIRA_QUEUE_FULL', `${underWayMax} requests are under way already`);
    this.underWay++;
    try {
      return { model, outputs: outputsOf(model, request, await this.end(submitter, model, request)) };
    } finally {
      this.underWay--;
    }
  }

  /** Ends at once: who waits for an answer waits in vain, and is told so by the transport. */
  stop(): void {
    this.isStopped = true;
    this.submitter?.abandon();
    this.submitter = undefined;
  }

  private async end(submitter: Submitter, model: Model, request: InferenceRequest): Promise<TaskEnd> {
    const { signal } = request;
    const micros = Math.min(request.timeoutMicros ?? longestMicros, longestMicros);
    let giveUp: (error: SiraError) => void = () => {};
    const givenUp = new Promise<never>((_resolve, reject) => {
      giveUp = reject;
    });
    const late = (): void => giveUp(new SiraError('SIRA_REQUEST_TIMED_OUT', `no answer within ${micros / 1000} ms`));
    const gone = (): void => giveUp(new SiraError('SIRA_REQUEST_TIMED_OUT', 'the client waits no more'));
    const timer = setTimeout(late, micros / 1000);
    signal.addEventListener('abort', gone);
    if (signal.aborted) gone();
    const submitting = submitter.submit({
      function: model.function,
      parameters: request.parameters,
      inputs: request.inputs,
      request: model.request,
      estimateMicros: model.estimateMicros,
    });
    try {
      const task = await Promise.race([submitting, givenUp]);
      return await Promise.race([task.ended, givenUp]);
    } catch (error) {
      void submitting.then(
        (task: SubmittedTask) => task.cancel(),
        () => {},
      );
      throw error;
    } finally {
      clearTimeout(timer);
      signal.removeEventListener('abort', gone);
    }
  }
}

function checkRequest(model: Model, { inputs, outputs }: InferenceRequest): void {
  const refuse = (detail: string): SiraError =>
    new SiraError('SIRA_REQUEST_INVALID', `the model "${model.name}" ${detail}`);
  for (const signature of model.inputs) {
    const tensor = Object.hasOwn(inputs, signature.name) ? inputs[signature.name] : undefined;
    if (tensor === undefined) throw refuse(`has an input "${signature.name}", which is missing`);
    const problem = misfit(signature, tensor);
    if (problem !== undefined) throw refuse(`takes "${signature.name}" ${problem}`);
  }
  const known = new Set(model.inputs.map(({ name }) => name));
  for (const name of Object.keys(inputs)) if (!known.has(name)) throw refuse(`has no input "${name}"`);
  for (const name of outputs)
    if (!model.outputs.some((output) => output.name === name)) throw refuse(`has no output "${name}"`);
}

function misfit({ dataType, shape }: TensorSignature, tensor: TensorView): string | undefined {
  if (tensor.dataType !== dataType) return `as ${dataType}, not ${tensor.dataType}`;
  const fits =
    shape.length === tensor.shape.length &&
    shape.every((extent, axis) => extent === -1 || extent === tensor.shape[axis]);
  return fits ? undefined : `in the shape [${shape}], not [${tensor.shape}]`;
}

function outputsOf(model: Model, request: InferenceRequest, end: TaskEnd): InferenceResult['outputs'] {
  if (end.outcome === 'dropped')
    throw new SiraError('SIRA_QUEUE_FULL', `the request for "${model.name}" was dropped: there was no room for it`);
  if (end.outcome !== 'completed' || end.failure !== '')
    throw new SiraError(
      'SIRA_WORK_FAILED',
      end.outcome === 'cancelled' ? `the task ${end.task} was cancelled` : end.failure || 'the agent gave no reason',
    );
  const names = request.outputs.length > 0 ? request.outputs : model.outputs.map(({ name }) => name);
  return names.map((name) => {
    const tensor = Object.hasOwn(end.outputs, name) ? end.outputs[name] : undefined;
    if (tensor === undefined)
      throw new SiraError('SIRA_WORK_FAILED', `the agent "${end.agent}" gave no output "${name}"`);
    return [name, tensor] as const;
  });
}
