// Handing over a task and waiting for its end in single calls, for clients that hold no stream.

import { type ServerUnaryCall, type sendUnaryData, status } from '@grpc/grpc-js';
import { errorTable, SiraError } from '../../base/errors.ts';
import type {
  SubmissionServiceServer,
  SubmitRequest,
  SubmitResponse,
  WaitRequest,
  WaitResponse,
} from '../../proto/generated/sira/v1/submission_service.ts';
import type { TaskDescription, TaskEnd } from '../client/task.ts';
import { tensorsOfMessages, tensorsToMessages } from '../client/tensors.ts';
import { parametersOfMessages } from '../client/work.ts';
import type { GrpcGuard, PeerCall } from '../security/grpc-guard.ts';
import { type Identity, speaksAs } from '../security/identity.ts';
import type { TaskDesk } from '../tasks/task-desk.ts';
import { nameProblem, outcomeMessage } from './messages.ts';

export function unarySubmission(desk: TaskDesk, guard: GrpcGuard): Pick<SubmissionServiceServer, 'submit' | 'wait'> {
  const identityOf = (call: PeerCall): Identity => {
    const identity = guard.identityOf(call);
    if (typeof identity === 'string') throw new SiraError('SIRA_UNAUTHENTICATED', identity);
    return identity;
  };
  return {
    submit: (call: ServerUnaryCall<SubmitRequest, SubmitResponse>, callback) =>
      answer(callback, async () => {
        const { request } = call;
        const description = descriptionOf(request);
        return { task: await desk.submit(identityOf(call).name, request.idempotencyKey, description) };
      }),
    wait: (call: ServerUnaryCall<WaitRequest, WaitResponse>, callback) =>
      answer(callback, async () => {
        const { task, timeoutMicros } = call.request;
        const { end } = await desk.find(task, mayKnow(identityOf(call)), timeoutMicros);
        return { ended: end === undefined ? undefined : endMessage(end) };
      }),
  };
}

/** Whose tasks one may ask for: one's own, and those of all names that one speaks for. */
export function mayKnow(identity: Identity): (caller: string) => boolean {
  return (caller) => identity.roles.has('administer') || speaksAs(identity, caller);
}

function descriptionOf(message: SubmitRequest): TaskDescription {
  const { work, request, estimateMicros, priority, tenant, size, checkpointMicros, idempotencyKey } = message;
  const problem =
    work === undefined
      ? 'a task names its work'
      : (nameProblem('a function', work.function) ??
        (idempotencyKey.length > 200 ? 'a key has at most 200 characters' : undefined));
  if (problem !== undefined || work === undefined) throw new SiraError('SIRA_REQUEST_INVALID', problem ?? '');
  return {
    function: work.function,
    parameters: parametersOfMessages(work.parameters),
    inputs: tensorsOfMessages(work.inputs),
    ...(request === undefined
      ? {}
      : { request: { ...request, gpuMilli: request.gpuMilli || 1000, machineCount: request.machineCount || 1 } }),
    ...(estimateMicros > 0 ? { estimateMicros } : {}),
    priority,
    tenant,
    ...(size > 0 ? { size } : {}),
    ...(checkpointMicros > 0 ? { checkpointMicros } : {}),
  };
}

function endMessage(end: TaskEnd): NonNullable<WaitResponse['ended']> {
  const { submission, task, attempts, agent, queueMicros, serviceMicros, joules, failure } = end;
  return {
    offset: 0,
    submission,
    task,
    outcome: outcomeMessage(end.outcome),
    attempts,
    agent,
    cost: { queueMicros, serviceMicros, joules },
    outputs: tensorsToMessages(end.outputs),
    failure,
  };
}

function answer<Response>(callback: sendUnaryData<Response>, make: () => Promise<Response>): void {
  make().then(
    (response) => callback(null, response),
    (error: unknown) => {
      if (!(error instanceof SiraError)) {
        callback({ code: status.INTERNAL, details: 'SIRA_DEFECT: the call could not be answered' });
        return;
      }
      const details = `${error.code}: ${error.message}`;
      callback({ code: errorTable[error.code].grpc as status, details });
    },
  );
}
