// The submitters' side of the live kernel: one stream for each submitter. The work of a submission is on the disk before the
// kernel knows of the task, so that an accepted task can be dispatched whatever happens; ends go out with their results, as
// fast as they are read, and are forgotten once the submitter's acknowledgement is on the disk.

import { type ServerDuplexStream, status } from '@grpc/grpc-js';
import type { DeliverEffect } from '../../bus/broker-protocol.ts';
import type { Effect, TaskEnded } from '../../kernel/effects.ts';
import type { InputBody } from '../../kernel/inputs.ts';
import type { ReleasedInput } from '../../kernel/journaled-kernel.ts';
import { endsSubscriber, endsSubscription, endsTopic } from '../../kernel/kernel.ts';
import {
  type AttachRequest,
  type AttachResponse,
  TaskEnded as EndedMessage,
  type SubmitterHello,
  type TaskSubmission,
} from '../../proto/generated/sira/v1/submission_service.ts';
import { Work } from '../../proto/generated/sira/v1/work.ts';
import type { LiveKernel } from '../live-kernel.ts';
import type { GrpcGuard } from '../security/grpc-guard.ts';
import { submitterNumber } from '../submitter-number.ts';
import type { LinkDesk } from './link-desk.ts';
import { MeasuredSession } from './measured-session.ts';
import { nameProblem, outcomeMessage, submissionInput } from './messages.ts';
import { tensorsProblem } from './tensor-problem.ts';

type Stream = ServerDuplexStream<AttachRequest, AttachResponse>;
type Request = NonNullable<AttachRequest['message']>;
type Response = NonNullable<AttachResponse['message']>;

/** Submitters whose hello waits for the disk, at most: when thousands come at once, the others' are read later. */
const attachingMax = 256;

export interface SubmissionGatewayOptions {
  /** Messages that wait for a slow stream. */
  readonly outgoingMax: number;
  /** Submissions of one stream whose work is not on the disk yet. */
  readonly pendingMax: number;
}

const shedText = 'SIRA_QUEUE_FULL: the queue was full, and a task of higher priority came; submit it again later';
/** While the disk is behind, or full. */
const deferMicros = 1_000_000;

export class SubmissionGateway {
  private readonly live: LiveKernel;
  private readonly guard: GrpcGuard;
  private readonly links: LinkDesk;
  private readonly options: SubmissionGatewayOptions;
  private readonly sessions = new Set<SubmitterSession>();
  private readonly byNumber = new Map<number, SubmitterSession>();
  /** Subscriptions given to the kernel that are not durable yet, and hellos that wait until fewer are. */
  private attaching = 0;
  private readonly waitingHellos: { readonly session: SubmitterSession; readonly hello: SubmitterHello }[] = [];
  /** Ends handed out and not acknowledged: submissions by offset, by submitter. */
  private readonly unacknowledged = new Map<number, Map<number, number>>();

  constructor(live: LiveKernel, guard: GrpcGuard, links: LinkDesk, options: SubmissionGatewayOptions) {
    this.live = live;
    this.guard = guard;
    this.links = links;
    this.options = options;
  }

  /** Of submitters outside the kernel's process. */
  get connectionCount(): number {
    let count = 0;
    for (const session of this.sessions) if (!session.within) count++;
    return count;
  }

  /** A stream begins. Names with a tilde are for those `within` the kernel's process. */
  attach(stream: Stream, within = false): void {
    const session = new SubmitterSession(stream, this.options.outgoingMax, this.links, within);
    this.sessions.add(session);
    session.listen(
      (message) => this.receive(session, message),
      () => this.detach(session),
    );
  }

  /** Carries out what an input brought about for submitters. */
  released({ body, effects }: ReleasedInput): void {
    for (const effect of effects) this.carryOut(effect);
    if (body.kind === 'subscribe') this.attached();
    if (body.kind === 'acknowledge' && !effects.some((effect) => effect.kind === 'refused')) this.forget(body);
  }

  /** Ends all streams: the kernel stops. */
  close(): void {
    for (const session of [...this.sessions]) {
      session.fail(status.UNAVAILABLE, 'the kernel stops; connect again');
      this.detach(session);
    }
  }

  private carryOut(effect: Effect): void {
    switch (effect.kind) {
      case 'submissionAccepted': {
        const { submitter, submission, task = 0 } = effect;
        this.byNumber.get(submitter)?.given.delete(submission);
        this.byNumber.get(submitter)?.send({ $case: 'accepted', value: { submission, task } });
        return;
      }
      case 'submissionRefused': {
        const { submitter, submission, code, reason, retryAfterMicros = 0 } = effect;
        this.live.payloads.remove(submitter, submission);
        this.byNumber.get(submitter)?.given.delete(submission);
        this.byNumber.get(submitter)?.send({ $case: 'refused', value: { submission, code, reason, retryAfterMicros } });
        return;
      }
      case 'subscribed': {
        const session = this.sessionOf(effect.subscriber);
        if (session === undefined || session.isWelcome) return;
        session.isWelcome = true;
        if (!session.within) this.links.begin('submitter', session.name, session);
        const ledger = this.live.kernel.control.submitters.get(session.submitter);
        session.send({
          $case: 'welcome',
          value: { submissionsSeen: ledger?.highest ?? 0, endsOffset: effect.offset },
        });
        return;
      }
      case 'deliver':
        this.deliver(effect);
        return;
    }
  }

  private detach(session: SubmitterSession): void {
    if (!this.sessions.delete(session)) return;
    session.outgoing.end();
    this.links.end(session);
    if (this.byNumber.get(session.submitter) !== session) return;
    this.byNumber.delete(session.submitter);
    this.live.give({
      kind: 'subscriberDisconnected',
      timeMicros: this.live.now(),
      subscriber: endsSubscriber(session.submitter),
    });
  }

  private receive(session: SubmitterSession, message: Request): void {
    if (message.$case === 'hello') this.helloInTurn(session, message.value);
    else if (this.byNumber.get(session.submitter) !== session) {
      if (session.submitter < 0) session.fail(status.FAILED_PRECONDITION, 'a stream begins with a hello');
    } else if (message.$case === 'submit') this.submit(session, message.value);
    else if (message.$case === 'echo') this.links.answered(session, message.value.id);
    else this.live.give(this.inputOf(session.submitter, message));
  }

  private inputOf(
    submitter: number,
    message: Extract<Request, { $case: 'cancel' | 'acknowledge' | 'resume' }>,
  ): InputBody {
    const subscriber = endsSubscriber(submitter);
    const timeMicros = this.live.now();
    if (message.$case === 'cancel') return { kind: 'taskCancelled', submitter, submission: message.value.submission };
    if (message.$case === 'resume') return { kind: 'subscriberConnected', timeMicros, subscriber };
    const { offset } = message.value;
    const subscription = endsSubscription(submitter);
    return { kind: 'acknowledge', timeMicros, subscriber, subscription, offset, cumulative: true };
  }

  /** Who waits is not read from meanwhile. */
  private helloInTurn(session: SubmitterSession, hello: SubmitterHello): void {
    if (session.within || this.attaching < attachingMax) {
      this.hello(session, hello);
      return;
    }
    session.stream.pause();
    this.waitingHellos.push({ session, hello });
  }

  /** A subscription is durable: the next may come. */
  private attached(): void {
    this.attaching = Math.max(0, this.attaching - 1);
    while (this.attaching < attachingMax) {
      const next = this.waitingHellos.shift();
      if (next === undefined) return;
      if (!this.sessions.has(next.session)) continue;
      this.hello(next.session, next.hello);
      next.session.stream.resume();
    }
  }

  private hello(session: SubmitterSession, { submitter: name, inFlightMax }: SubmitterHello): void {
    const problem =
      nameProblem('a submitter', name) ??
      (name.startsWith('~') && !session.within ? 'names that begin with a tilde are taken' : undefined) ??
      (session.submitter < 0 ? undefined : 'a stream has one hello');
    if (problem !== undefined) {
      session.fail(status.INVALID_ARGUMENT, problem);
      return;
    }
    const denied = session.within
      ? undefined
      : this.guard.refusalOf(session.stream, 'submit', name, `submit as ${name}`);
    if (denied !== undefined) {
      session.fail(status.PERMISSION_DENIED, denied);
      return;
    }
    const submitter = submitterNumber(name);
    const earlier = this.byNumber.get(submitter);
    if (earlier !== undefined && earlier.name !== name) {
      session.fail(
        status.ALREADY_EXISTS,
        `the submitters ${name} and ${earlier.name} share a number; take another name`,
      );
      return;
    }
    session.name = name;
    session.submitter = submitter;
    this.byNumber.set(submitter, session);
    earlier?.fail(status.ABORTED, `another stream of ${name} has taken over`);
    const given = this.live.give({
      kind: 'subscribe',
      timeMicros: this.live.now(),
      subscriber: endsSubscriber(submitter),
      subscription: endsSubscription(submitter),
      topic: endsTopic(submitter),
      mode: 'exclusive',
      start: 'earliest',
      inFlightMax,
    });
    if (given.ok) this.attaching++;
    else session.fail(status.UNAVAILABLE, given.reason);
  }

  private submit(session: SubmitterSession, message: TaskSubmission): void {
    const { submitter } = session;
    const { submission } = message;
    const input = submissionInput(message, submitter);
    if (!input.ok) {
      session.refuse(submission, input.code, input.reason);
      return;
    }
    const problem = tensorsProblem((message.work as Work).inputs);
    if (problem !== undefined) {
      session.refuse(submission, 'SIRA_TENSOR_INVALID', problem);
      return;
    }
    // Its answer is on the way, with what the disk has yet to take.
    if (session.pending.has(submission) || (session.given.get(submission) ?? 0) > this.live.durableSequence) return;
    const known = this.live.kernel.control.submitters.get(submitter)?.look(submission, 0) ?? 'new';
    if (known !== 'new') {
      this.defer(session, submission, this.live.give(input.value));
      return;
    }
    const put =
      session.pending.size < this.options.pendingMax
        ? this.live.payloads.put({ submitter, submission, attempt: 0 }, Work.encode(message.work as Work).finish())
        : ({
            ok: false,
            code: 'SIRA_QUEUE_FULL',
            reason: `${session.pending.size} submissions wait for the disk`,
          } as const);
    if (!put.ok && put.code === 'SIRA_MESSAGE_REFUSED') {
      session.refuse(submission, put.code, put.reason);
      return;
    }
    if (!put.ok) {
      this.defer(session, submission, put);
      return;
    }
    session.pending.add(submission);
    put.value.then(
      () => {
        session.pending.delete(submission);
        // Who has been taken over from counts no more: the number may mean another task now.
        if (this.byNumber.get(submitter) === session) this.defer(session, submission, this.live.give(input.value));
      },
      () => session.pending.delete(submission),
    );
  }

  /** Tells the submitter to try again if the kernel did not take it. */
  private defer(session: SubmitterSession, submission: number, given: ReturnType<LiveKernel['give']>): void {
    if (given.ok) {
      session.given.set(submission, this.live.kernel.lastSequence);
      return;
    }
    const { code, reason } = given;
    session.send({ $case: 'deferred', value: { submission, code, reason, retryAfterMicros: deferMicros } });
  }

  private deliver({ subscriber, offset, payload }: DeliverEffect): void {
    const session = this.sessionOf(subscriber);
    const submitter = submitterOf(subscriber);
    if (submitter === undefined) return;
    // Within the process nothing is lost: who holds its ends back has each of them.
    if (session?.within === true) {
      if (offset < session.nextEnd) return;
      session.nextEnd = offset + 1;
    }
    const end = payload as TaskEnded;
    const { submission, attempt, task, attempts } = end;
    let ends = this.unacknowledged.get(submitter);
    if (ends === undefined) {
      ends = new Map();
      this.unacknowledged.set(submitter, ends);
    }
    ends.set(offset, submission);
    const agent = this.live.kernel.control.registry.names[end.agent] ?? '';
    session?.outgoing.send(async () => {
      const bytes = await this.live.payloads.get({ submitter, submission, attempt }).catch(() => undefined);
      const { outputs, cost, ...more } = EndedMessage.decode(bytes ?? new Uint8Array(0));
      const failure = end.shed === true ? shedText : more.failure;
      const outcome = outcomeMessage(end.outcome);
      const value: EndedMessage = { offset, submission, task, outcome, attempts, agent, cost, outputs, failure };
      return { message: { $case: 'ended', value } };
    });
  }

  /** An acknowledgement is on the disk: nobody asks for those results again. */
  private forget({ subscriber, offset }: Extract<InputBody, { kind: 'acknowledge' }>): void {
    const submitter = submitterOf(subscriber);
    const ends = submitter === undefined ? undefined : this.unacknowledged.get(submitter);
    if (submitter === undefined || ends === undefined) return;
    for (const [at, submission] of ends) {
      if (at > offset) continue;
      this.live.payloads.remove(submitter, submission);
      ends.delete(at);
    }
    if (ends.size === 0) this.unacknowledged.delete(submitter);
  }

  private sessionOf(subscriber: string): SubmitterSession | undefined {
    const submitter = submitterOf(subscriber);
    return submitter === undefined ? undefined : this.byNumber.get(submitter);
  }
}

class SubmitterSession extends MeasuredSession<Request, Response> {
  name = '';
  /** −1 before the hello. */
  submitter = -1;
  isWelcome = false;
  /** Offset of the next end that it has not been sent. */
  nextEnd = 0;
  /** Submissions whose work goes to the disk. */
  readonly pending = new Set<number>();
  /** Submissions without an answer, and the input that each is. */
  readonly given = new Map<number, number>();
  readonly within: boolean;

  constructor(stream: Stream, outgoingMax: number, links: LinkDesk, within: boolean) {
    super(stream, outgoingMax, links);
    this.within = within;
  }

  /** For good: another try would end alike. */
  refuse(submission: number, code: string, reason: string): void {
    this.send({ $case: 'refused', value: { submission, code, reason, retryAfterMicros: 0 } });
  }
}

function submitterOf(subscriber: string): number | undefined {
  const number = /^submitter\/(\d+)$/.exec(subscriber)?.[1];
  return number === undefined ? undefined : Number(number);
}
