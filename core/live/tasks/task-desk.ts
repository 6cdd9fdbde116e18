// Tasks for clients that hold no stream: handed over in one call, asked for in another. It is a submitter like any other, inside the
// kernel's process. A key makes a call that is repeated one task, also across restarts of the kernel: key and caller travel with the
// work, which is on the disk before the task is accepted; and an end stays unacknowledged, so kept by the kernel, for as long as it may
// be asked for. What is kept is bounded in number and in time.

import { status } from '@grpc/grpc-js';
import { SiraError } from '../../base/errors.ts';
import type { TaskEnded as KernelEnd } from '../../kernel/effects.ts';
import { endsTopic } from '../../kernel/kernel.ts';
import type { AttachRequest, AttachResponse } from '../../proto/generated/sira/v1/submission_service.ts';
import { Work } from '../../proto/generated/sira/v1/work.ts';
import { Submitter } from '../client/submitter.ts';
import type { TaskDescription, TaskEnd } from '../client/task.ts';
import { parametersOfMessages } from '../client/work.ts';
import type { SubmissionGateway } from '../grpc/submission-gateway.ts';
import type { LiveKernel } from '../live-kernel.ts';
import { localStreams } from '../local-stream.ts';
import { submitterNumber } from '../submitter-number.ts';

export interface TaskDeskOptions {
  /** Ends that are kept to be asked for. */
  readonly endsMax: number;
  readonly keepMicros: number;
}

export const defaultTaskDeskOptions: TaskDeskOptions = { endsMax: 1000, keepMicros: 900_000_000 };

export const longestWaitMicros = 300_000_000;
const submitterName = '~tasks';
const openMax = 65_536;
/** Among the parameters of the work. */
const callerParameter = 'sira.caller';
const keyParameter = 'sira.key';

interface Kept {
  readonly task: number;
  readonly caller: string;
  readonly key: string;
  end: TaskEnd | undefined;
  /** Among all ends; rising. */
  offset: number;
  endedMicros: number;
  readonly waiting: Set<(end: TaskEnd) => void>;
}

/** What one may know of a task that was handed over here. */
export interface KnownTask {
  readonly task: number;
  /** Undefined while it has not ended. */
  readonly end: TaskEnd | undefined;
}

export class TaskDesk {
  /** Resolves when tasks can be taken. */
  readonly opened: Promise<void>;
  private readonly live: LiveKernel;
  private readonly options: TaskDeskOptions;
  private readonly tasks = new Map<number, Kept>();
  private readonly byKey = new Map<string, Promise<Kept>>();
  /** In order of their offsets. */
  private ended: Kept[] = [];
  private submitter: Submitter | undefined;
  private isStopped = false;
  private readonly timer: NodeJS.Timeout;

  constructor(live: LiveKernel, submissions: SubmissionGateway, options: TaskDeskOptions = defaultTaskDeskOptions) {
    this.live = live;
    this.options = options;
    const connected = Submitter.connect({
      address: '',
      name: submitterName,
      unansweredMax: 4096,
      endsUnacknowledgedMax: 4 * options.endsMax,
      attach: () => {
        const { client, server } = localStreams<AttachRequest, AttachResponse>();
        if (this.isStopped) setImmediate(() => server.emit('error', { code: status.ABORTED, details: 'it has ended' }));
        else submissions.attach(server, true);
        return client;
      },
      ended: (end, offset) => void this.hasEnded(end, offset),
    });
    this.opened = connected.then(
      async (submitter) => {
        if (this.isStopped) {
          submitter.abandon();
          return;
        }
        await this.recall();
        this.submitter = submitter;
      },
      () => {},
    );
    this.timer = setInterval(() => this.forgetOld(), Math.min(10_000, options.keepMicros / 2000));
    this.timer.unref();
  }

  /** Resolves with the task's number when it is on the disk. The same caller's same key is the same task, whatever else is said; an
   *  empty key is none. SIRA_QUEUE_FULL (with `retryAfterMicros`, see QueueFullError), SIRA_MESSAGE_REFUSED, SIRA_TENSOR_INVALID,
   *  and what the kernel says when it takes nothing. */
  async submit(caller: string, key: string, description: TaskDescription): Promise<number> {
    const { refusal } = this.live;
    if (refusal !== undefined) throw new SiraError(refusal.code, refusal.reason);
    const { submitter } = this;
    if (submitter === undefined) throw new SiraError('SIRA_LOG_CLOSED', 'the kernel begins or stops');
    const name = keyOf(caller, key);
    const known = key === '' ? undefined : this.byKey.get(name);
    if (known !== undefined) return (await known).task;
    if (this.tasks.size >= openMax)
      throw new SiraError('SIRA_QUEUE_FULL', `${openMax} tasks of such calls are open already`);
    const parameters = {
      ...description.parameters,
      [callerParameter]: caller,
      ...(key === '' ? {} : { [keyParameter]: key }),
    };
    const taken = submitter
      .submit({ ...description, parameters })
      .then(({ task }) => this.tasks.get(task) ?? this.keep(task, caller, key));
    if (key === '') return (await taken).task;
    this.byKey.set(name, taken);
    try {
      return (await taken).task;
    } catch (error) {
      // It was not taken: the next call under this key may be.
      this.byKey.delete(name);
      throw error;
    }
  }

  /** The task of this number, if `mayKnow` says that its caller's is shown; waits for its end, at most so long. SIRA_NOT_FOUND for
   *  others, and for what ended too long ago. */
  async find(task: number, mayKnow: (caller: string) => boolean, waitMicros: number): Promise<KnownTask> {
    const kept = this.tasks.get(task);
    if (kept === undefined || !mayKnow(kept.caller))
      throw new SiraError('SIRA_NOT_FOUND', `no task ${task} was handed over by such a call, or it ended long ago`);
    if (kept.end !== undefined || waitMicros <= 0) return { task, end: kept.end };
    const end = await new Promise<TaskEnd | undefined>((resolve) => {
      const told = (one: TaskEnd | undefined): void => {
        clearTimeout(timer);
        kept.waiting.delete(told);
        resolve(one);
      };
      const timer = setTimeout(() => told(undefined), Math.min(waitMicros, longestWaitMicros) / 1000);
      kept.waiting.add(told);
    });
    return { task, end };
  }

  stop(): void {
    this.isStopped = true;
    clearInterval(this.timer);
    this.submitter?.abandon();
    this.submitter = undefined;
  }

  /** Tasks of an earlier process: those that have not ended, and those whose end may be asked for still. Before that is done no key is
   *  known to be new. */
  private async recall(): Promise<void> {
    const submitter = submitterNumber(submitterName);
    const { kernel } = this.live;
    for (const { task, submission, submitter: whose } of [...kernel.control.tasks.values()])
      if (whose === submitter) await this.recallOne(task, submission);
    const { broker, pendingEnds } = kernel.save();
    const held = broker.topics.find(({ name }) => name === endsTopic(submitter))?.messages ?? [];
    const late = pendingEnds.find((pending) => pending.submitter === submitter)?.ends ?? [];
    for (const { task, submission } of [...held.map(({ payload }) => payload as KernelEnd), ...late])
      await this.recallOne(task, submission);
  }

  private async recallOne(task: number, submission: number): Promise<Kept> {
    const submitter = submitterNumber(submitterName);
    const bytes = await this.live.payloads.get({ submitter, submission, attempt: 0 }).catch(() => undefined);
    const parameters = bytes === undefined ? {} : parametersOfMessages(Work.decode(bytes).parameters);
    return (
      this.tasks.get(task) ?? this.keep(task, textOf(parameters[callerParameter]), textOf(parameters[keyParameter]))
    );
  }

  private keep(task: number, caller: string, key: string): Kept {
    const kept: Kept = { task, caller, key, end: undefined, offset: -1, endedMicros: 0, waiting: new Set() };
    this.tasks.set(task, kept);
    if (key !== '') this.byKey.set(keyOf(caller, key), Promise.resolve(kept));
    return kept;
  }

  /** In order of offsets; what is not known here is of an earlier process, or has ended before its acceptance was heard of. */
  private async hasEnded(end: TaskEnd, offset: number): Promise<void> {
    const kept = this.tasks.get(end.task) ?? (await this.recallOne(end.task, end.submission));
    if (kept.end !== undefined) return;
    kept.end = end;
    kept.offset = offset;
    kept.endedMicros = this.live.now();
    this.ended.push(kept);
    this.ended.sort((left, right) => left.offset - right.offset);
    for (const told of [...kept.waiting]) told(end);
    this.forgetOld();
  }

  private forgetOld(): void {
    const { endsMax, keepMicros } = this.options;
    const before = this.live.now() - keepMicros;
    let count = 0;
    while (
      count < this.ended.length &&
      (this.ended.length - count > endsMax || (this.ended[count] as Kept).endedMicros < before)
    )
      count++;
    const gone = this.ended.splice(0, count);
    for (const { task, caller, key } of gone) {
      this.tasks.delete(task);
      if (key !== '') this.byKey.delete(keyOf(caller, key));
    }
    const last = gone.at(-1);
    if (last !== undefined) this.submitter?.acknowledge(last.offset);
  }
}

function keyOf(caller: string, key: string): string {
  return `${caller}\0${key}`;
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
