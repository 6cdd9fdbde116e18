// A submitter in a process: hands tasks to the kernel and gets each one's end once. The protocol is core/client's
// SubmitterClient, the same that simulated submitters run; here are the clock, the stream and promises. A submitter that
// restarts under its name goes on after the last number it used, and is told of ends that it had not acknowledged.

import { credentials as grpcCredentials, type status } from '@grpc/grpc-js';
import { context, SpanKind, trace } from '@opentelemetry/api';
import { type ErrorCode, errorTable, SiraError } from '../../base/errors.ts';
import { SubmitterClient } from '../../client/submitter-client.ts';
import type { TaskEnded as KernelEnd } from '../../kernel/effects.ts';
import type { InputBody, TaskSubmitted } from '../../kernel/inputs.ts';
import { endsSubscriber, endsSubscription, endsTopic } from '../../kernel/kernel.ts';
import {
  type AttachRequest,
  type AttachResponse,
  SubmissionServiceClient,
  type TaskEnded,
} from '../../proto/generated/sira/v1/submission_service.ts';
import type { Work } from '../../proto/generated/sira/v1/work.ts';
import type { ResourceRequest } from '../../scheduler/request.ts';
import { outcomeOfMessage } from '../grpc/messages.ts';
import { LiveClock } from '../live-clock.ts';
import { carrierOf, endSpan, tracer } from '../tracing.ts';
import { QueueFullError } from './queue-full-error.ts';
import { ReconnectingStream } from './reconnecting-stream.ts';
import type { SubmitterOptions } from './submitter-options.ts';
import type { SubmittedTask, TaskDescription, TaskEnd } from './task.ts';
import { tensorsOfMessages, tensorsToMessages } from './tensors.ts';
import { WakeTimers } from './wake-timers.ts';
import { parametersToMessages } from './work.ts';

export { QueueFullError, type SubmitterOptions };

interface Waiting {
  readonly work: Work;
  resolve(task: number): void;
  reject(error: Error): void;
}

const acknowledgeEvery = 64;
const acknowledgeMicros = 20_000;
const defaultRequest: ResourceRequest = {
  cpuMilli: 100,
  memoryMib: 0,
  gpuCount: 0,
  gpuMilli: 1000,
  gpuModels: [],
  machineCount: 1,
};

export class Submitter {
  private readonly options: SubmitterOptions;
  private readonly clock = new LiveClock();
  private readonly client: SubmissionServiceClient | undefined;
  private readonly stream: ReconnectingStream<AttachRequest, AttachResponse>;
  private readonly machine: SubmitterClient;
  private readonly unanswered = new Map<number, Waiting>();
  private readonly unended = new Map<number, (end: TaskEnd) => void>();
  private readonly timers: WakeTimers;
  private whenRoom: (() => void)[] = [];
  private isWelcome = false;
  private whenWelcome: (error: Error | undefined) => void = () => {};
  private work: Work | undefined;
  private arriving: TaskEnded | undefined;
  private rejection: Error | undefined;
  /** The task of the acceptance that is being received. */
  private acceptedTask = 0;
  /** What the refusal that is being received says. */
  private refusal: QueueFullError | undefined;

  private constructor(options: SubmitterOptions) {
    this.options = options;
    const bytes = options.messageBytesMax ?? 20 * 1024 ** 2;
    const client =
      options.attach === undefined
        ? new SubmissionServiceClient(options.address, options.credentials ?? grpcCredentials.createInsecure(), {
            'grpc.max_receive_message_length': bytes,
            'grpc.max_send_message_length': bytes,
            'grpc.keepalive_time_ms': 20_000,
            'grpc.use_local_subchannel_pool': 1,
            'grpc.initial_reconnect_backoff_ms': 50,
            'grpc.min_reconnect_backoff_ms': 50,
            'grpc.max_reconnect_backoff_ms': 500,
          })
        : undefined;
    this.client = client;
    const attach = options.attach ?? (() => (client as SubmissionServiceClient).attach());
    this.timers = new WakeTimers(this.clock, () => this.machine.wake(this.clock.now()));
    this.machine = new SubmitterClient(
      { submitter: 0, retryMicros: options.retryMicros ?? 1_000_000, acknowledgeEvery, acknowledgeMicros },
      {
        send: (message) => this.say(message),
        wakeAt: (timeMicros) => this.timers.at(timeMicros),
        answered: (submission, accepted, reason) => this.answered(submission, accepted, reason),
        ended: (end) => this.ended(end),
      },
    );
    this.stream = new ReconnectingStream<AttachRequest, AttachResponse>(attach, {
      opened: () => this.opened(),
      received: ({ message }) => {
        if (message !== undefined) this.receive(message);
      },
      closed: (reason) => options.connection?.('closed', reason),
      rejected: (code, reason) => this.rejected(code, reason),
    });
  }

  /** Connects, for as long as it takes; rejected if the kernel does not want this submitter. */
  static connect(options: SubmitterOptions): Promise<Submitter> {
    const submitter = new Submitter(options);
    return new Promise((resolve, reject) => {
      submitter.whenWelcome = (error) => (error === undefined ? resolve(submitter) : reject(error));
      submitter.stream.start();
    });
  }

  /** Tasks whose end is not known yet. */
  get unendedCount(): number {
    return this.unended.size;
  }

  /** Resolves when the kernel has the task on its disk. Waits while too many are unanswered. SIRA_QUEUE_FULL and
   *  SIRA_MESSAGE_REFUSED if the kernel does not take it; SIRA_TENSOR_INVALID for inputs that no message carries. */
  async submit(task: TaskDescription): Promise<SubmittedTask> {
    const span = tracer().startSpan(`submit ${task.function}`, { kind: SpanKind.PRODUCER });
    const work: Work = {
      function: task.function,
      parameters: parametersToMessages(task.parameters ?? {}),
      inputs: tensorsToMessages(task.inputs ?? {}),
      ...carrierOf(trace.setSpan(context.active(), span)),
    };
    try {
      const submitted = await this.handInTurn(task, work);
      void submitted.ended.then(({ outcome, agent, failure }) => {
        span.setAttributes({ 'sira.outcome': outcome, 'sira.agent': agent });
        endSpan(span, outcome === 'completed' ? '' : failure || outcome);
      });
      return submitted;
    } catch (error) {
      endSpan(span, (error as Error).message);
      throw error;
    }
  }

  /** Submits and waits for the end. */
  async run(task: TaskDescription): Promise<TaskEnd> {
    const submitted = await this.submit(task);
    return submitted.ended;
  }

  /** Every end up to this offset is safe here: the kernel forgets them. */
  acknowledge(offset: number): void {
    this.stream.send({ message: { $case: 'acknowledge', value: { offset } } });
  }

  /** Breaks the connection as a lost network would; it comes back. */
  break(): void {
    this.stream.break();
  }

  /** Ends at once, acknowledging nothing more: as if the process were killed. */
  abandon(): void {
    this.timers.clear();
    this.stream.close();
    this.stream.break();
    this.client?.close();
  }

  /** Acknowledges what it has been told, and ends. Tasks go on, and their ends wait for a submitter of this name. */
  async close(): Promise<void> {
    // What was told last is acknowledged within this time.
    await new Promise((resolve) => setTimeout(resolve, (2 * acknowledgeMicros) / 1000));
    this.timers.clear();
    this.stream.close();
    this.client?.close();
  }

  private async handInTurn(task: TaskDescription, work: Work): Promise<SubmittedTask> {
    const unansweredMax = this.options.unansweredMax ?? 256;
    while (this.unanswered.size >= unansweredMax && this.rejection === undefined)
      await new Promise<void>((resolve) => this.whenRoom.push(resolve));
    await this.stream.drained();
    if (this.rejection !== undefined) throw this.rejection;
    return this.hand(task, work);
  }

  private hand(task: TaskDescription, work: Work): Promise<SubmittedTask> {
    const { gang, checkpointMicros, size } = task;
    const more = {
      taskClass: task.function,
      ...(gang === undefined ? {} : { gang }),
      ...(size === undefined ? {} : { size }),
      ...(checkpointMicros === undefined ? {} : { checkpointMicros }),
    };
    return new Promise((resolve, reject) => {
      this.work = work;
      const submission = this.machine.submit(
        { ...defaultRequest, ...task.request },
        task.estimateMicros ?? 1_000_000,
        task.priority ?? 0,
        task.tenant ?? '',
        this.clock.now(),
        more,
      );
      this.work = undefined;
      const ended = new Promise<TaskEnd>((resolveEnd) => this.unended.set(submission, resolveEnd));
      const cancel = (): void => this.machine.cancel(submission, this.clock.now());
      this.unanswered.set(submission, {
        work,
        resolve: (number) => resolve({ submission, task: number, ended, cancel }),
        reject,
      });
    });
  }

  private opened(): void {
    this.options.connection?.('open', '');
    this.stream.send({
      message: {
        $case: 'hello',
        value: {
          submitter: this.options.name,
          inFlightMax: this.options.endsUnacknowledgedMax ?? 4 * acknowledgeEvery,
        },
      },
    });
    if (this.isWelcome) this.machine.reconnected(this.clock.now());
  }

  private receive(message: NonNullable<AttachResponse['message']>): void {
    const now = this.clock.now();
    const submitter = 0;
    switch (message.$case) {
      case 'welcome': {
        const { submissionsSeen, endsOffset } = message.value;
        const isFirst = !this.isWelcome;
        if (isFirst) this.machine.resume(submissionsSeen, endsOffset);
        this.isWelcome = true;
        const names = { subscriber: endsSubscriber(0), subscription: endsSubscription(0), topic: endsTopic(0) };
        this.machine.receive({ kind: 'subscribed', ...names, resumed: !isFirst, offset: endsOffset }, now);
        if (isFirst) this.whenWelcome(undefined);
        return;
      }
      case 'accepted':
        this.acceptedTask = message.value.task;
        this.machine.receive({ kind: 'submissionAccepted', submitter, submission: message.value.submission }, now);
        return;
      case 'refused': {
        const { submission, code, reason, retryAfterMicros } = message.value;
        const known = code === 'SIRA_QUEUE_FULL' ? code : 'SIRA_MESSAGE_REFUSED';
        this.refusal = known === 'SIRA_QUEUE_FULL' ? new QueueFullError(reason, retryAfterMicros) : undefined;
        this.machine.receive({ kind: 'submissionRefused', submitter, submission, code: known, reason }, now);
        this.refusal = undefined;
        return;
      }
      case 'deferred': {
        const { submission, reason } = message.value;
        const code = message.value.code in errorTable ? (message.value.code as ErrorCode) : 'SIRA_QUEUE_FULL';
        this.machine.receive({ kind: 'submissionDeferred', submitter, submission, code, reason }, now);
        return;
      }
      case 'ping':
        this.stream.send({ message: { $case: 'echo', value: message.value } });
        return;
      case 'ended':
        this.delivered(message.value, now);
        return;
    }
  }

  private delivered(end: TaskEnded, now: number): void {
    const { offset, task, submission, attempts } = end;
    const outcome = outcomeOfMessage(end.outcome);
    const payload: KernelEnd = { task, submission, outcome, attempts, attempt: 0, agent: -1, serviceMicros: 0 };
    this.arriving = end;
    this.machine.receive(
      {
        kind: 'deliver',
        subscriber: endsSubscriber(0),
        subscription: endsSubscription(0),
        topic: endsTopic(0),
        offset,
        attempt: 1,
        producer: 'kernel',
        sequence: offset + 1,
        payload,
        correlation: null,
      },
      now,
    );
    this.arriving = undefined;
  }

  private say(message: InputBody): void {
    switch (message.kind) {
      case 'taskSubmitted':
        this.saySubmission(message);
        return;
      case 'taskCancelled':
        this.stream.send({ message: { $case: 'cancel', value: { submission: message.submission } } });
        return;
      case 'acknowledge':
        if (this.options.endsUnacknowledgedMax === undefined) this.acknowledge(message.offset);
        return;
      case 'subscriberConnected':
        this.stream.send({ message: { $case: 'resume', value: {} } });
        return;
    }
    // A subscription is what the hello asks for.
  }

  private saySubmission(message: TaskSubmitted): void {
    const {
      submission,
      settled,
      request,
      estimateMicros,
      priority,
      tenant,
      gang,
      checkpointMicros = 0,
      size = 1,
    } = message;
    const work = this.work ?? this.unanswered.get(submission)?.work;
    const value = {
      submission,
      settled,
      request: { ...request, gpuModels: [...request.gpuModels] },
      estimateMicros,
      priority,
      tenant,
      gang,
      checkpointMicros,
      work,
      size,
    };
    this.stream.send({ message: { $case: 'submit', value } });
  }

  private answered(submission: number, accepted: boolean, reason: string): void {
    const waiting = this.unanswered.get(submission);
    this.unanswered.delete(submission);
    for (const resolve of this.whenRoom.splice(0)) resolve();
    if (accepted) waiting?.resolve(this.acceptedTask);
    else {
      this.unended.delete(submission);
      waiting?.reject(this.refusal ?? new SiraError('SIRA_MESSAGE_REFUSED', reason));
    }
  }

  private ended(end: KernelEnd): void {
    const message = this.arriving as TaskEnded;
    const told: TaskEnd = {
      submission: end.submission,
      task: end.task,
      outcome: end.outcome,
      attempts: end.attempts,
      agent: message.agent,
      queueMicros: message.cost?.queueMicros ?? 0,
      serviceMicros: message.cost?.serviceMicros ?? 0,
      joules: message.cost?.joules ?? 0,
      ...outputsOf(message),
    };
    this.options.ended?.(told, message.offset);
    this.unended.get(end.submission)?.(told);
    this.unended.delete(end.submission);
  }

  private rejected(code: status, reason: string): void {
    this.options.connection?.('rejected', reason);
    const error = new SiraError('SIRA_MESSAGE_REFUSED', `the kernel refused the connection: ${reason} (${code})`);
    this.rejection = error;
    this.whenWelcome(error);
    for (const { reject } of this.unanswered.values()) reject(error);
    for (const resolve of this.whenRoom.splice(0)) resolve();
  }
}

/** Outputs that this side cannot read are no reason to lose the end. */
function outputsOf({ outputs, failure }: TaskEnded): Pick<TaskEnd, 'outputs' | 'failure'> {
  try {
    return { outputs: tensorsOfMessages(outputs), failure };
  } catch (error) {
    return { outputs: {}, failure: (error as Error).message };
  }
}
