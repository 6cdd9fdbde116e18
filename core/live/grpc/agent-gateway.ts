// The agents' side of the live kernel: one stream for each agent or gateway of agents. It turns what they say into inputs, keeps
// results before it reports them, gathers heartbeats, and sends each effect to the stream that its agent speaks on. An effect
// whose agent is not connected is dropped: the kernel repeats what needs an answer.

import { randomInt } from 'node:crypto';
import { type ServerDuplexStream, status } from '@grpc/grpc-js';
import { SiraError } from '../../base/errors.ts';
import type { Dispatch, Effect, LeaseTerms } from '../../kernel/effects.ts';
import type {
  AgentHello,
  ConnectRequest,
  ConnectResponse,
  Heartbeats,
  TaskFinished,
} from '../../proto/generated/sira/v1/agent_service.ts';
import { TaskEnded } from '../../proto/generated/sira/v1/submission_service.ts';
import { Work } from '../../proto/generated/sira/v1/work.ts';
import { modelsOf } from '../inference/model-messages.ts';
import { ModelTable } from '../inference/model-table.ts';
import type { LiveKernel } from '../live-kernel.ts';
import type { GrpcGuard } from '../security/grpc-guard.ts';
import { AttemptSpans } from '../tracing.ts';
import { HeartbeatDesk } from './heartbeat-desk.ts';
import type { LinkDesk } from './link-desk.ts';
import { MeasuredSession } from './measured-session.ts';
import { answerMessage, finishedInput, helloInput, queryOf, referenceOf } from './messages.ts';
import { tensorsProblem } from './tensor-problem.ts';

type Stream = ServerDuplexStream<ConnectRequest, ConnectResponse>;
type Request = NonNullable<ConnectRequest['message']>;
type Response = NonNullable<ConnectResponse['message']>;

export interface AgentGatewayOptions {
  /** Time over which heartbeats are gathered. */
  readonly heartbeatBatchMicros: number;
  /** Agents that one stream may speak for. */
  readonly agentsPerStreamMax: number;
  /** Messages that wait for a slow stream. */
  readonly outgoingMax: number;
}

const failureBytesMax = 2000;
/** Less than it takes to find out that nobody answers a ping. */
const silenceMicrosMax = 9_000_000;

export class AgentGateway {
  /** Share of the processors in use by agent number, as last told. */
  readonly loads = new Map<number, number>();
  /** What connected agents offer as models. */
  readonly models = new ModelTable();
  private readonly live: LiveKernel;
  private readonly guard: GrpcGuard;
  private readonly links: LinkDesk;
  private readonly options: AgentGatewayOptions;
  private readonly sessions = new Set<AgentSession>();
  private readonly byName = new Map<string, AgentSession>();
  private readonly byAgent = new Map<number, AgentSession>();
  private readonly spans = new AttemptSpans();
  private readonly heartbeats = new HeartbeatDesk();
  private readonly timer: NodeJS.Timeout;

  constructor(live: LiveKernel, guard: GrpcGuard, links: LinkDesk, options: AgentGatewayOptions) {
    this.live = live;
    this.guard = guard;
    this.links = links;
    this.options = options;
    this.timer = setInterval(() => this.beat(), Math.max(1, options.heartbeatBatchMicros / 1000));
  }

  get connectionCount(): number {
    return this.sessions.size;
  }

  isConnected(agent: number): boolean {
    return this.byAgent.has(agent);
  }

  /** A stream begins. */
  attach(stream: Stream): void {
    const session = new AgentSession(stream, this.options.outgoingMax, this.links);
    this.sessions.add(session);
    session.listen(
      (message) => {
        session.heardMicros = this.live.now();
        this.receive(session, message);
      },
      () => this.detach(session),
    );
  }

  /** Carries out an effect, if it is one for an agent. */
  carryOut(effect: Effect): void {
    switch (effect.kind) {
      case 'agentRegistered': {
        const session = this.byName.get(effect.name);
        if (session === undefined || session.gateway !== effect.gateway) return;
        this.byAgent.set(effect.agent, session);
        session.agents.add(effect.agent);
        session.measured ??= effect.name;
        this.links.begin('agent', session.measured, session, session.agents.size);
        const { disconnectGraceMicros = 0, stop } = effect;
        session.send({ $case: 'registered', value: { ...effect, disconnectGraceMicros, stop: [...stop] } });
        return;
      }
      case 'agentRefused': {
        const session = this.byName.get(effect.name);
        if (session === undefined || session.gateway !== effect.gateway) return;
        const { registry } = this.live.kernel.control;
        const row = registry.rowOf(effect.name);
        const incarnationKnown = row < 0 ? 0 : registry.incarnationOf(row);
        session.send({ $case: 'refused', value: { ...effect, incarnationKnown } });
        return;
      }
      case 'heartbeatsRecorded':
        this.heartbeats.recorded(effect.batch, effect.terms);
        return;
      case 'dispatch':
        this.dispatch(effect);
        return;
      case 'stop': {
        const { agent, incarnation, order } = effect;
        const value = { agent, incarnation, attempt: referenceOf(effect), order };
        this.byAgent.get(agent)?.send({ $case: 'stop', value });
        return;
      }
      case 'agentPower': {
        const { agent, incarnation, awake } = effect;
        this.byAgent.get(agent)?.send({ $case: 'power', value: { agent, incarnation, awake } });
        return;
      }
      case 'resultRecorded': {
        const { agent, incarnation } = effect;
        this.spans.recorded(effect);
        this.byAgent
          .get(agent)
          ?.send({ $case: 'recorded', value: { agent, incarnation, attempt: referenceOf(effect) } });
        return;
      }
    }
  }

  /** Ends all streams: the kernel stops. */
  close(): void {
    clearInterval(this.timer);
    for (const session of [...this.sessions]) {
      session.fail(status.UNAVAILABLE, 'the kernel stops; connect again');
      this.detach(session);
    }
  }

  private detach(session: AgentSession): void {
    if (!this.sessions.delete(session)) return;
    session.outgoing.end();
    this.links.end(session);
    for (const name of session.names) {
      if (this.byName.get(name) !== session) continue;
      this.byName.delete(name);
      this.models.forget(name);
    }
    for (const agent of session.agents) {
      if (this.byAgent.get(agent) !== session) continue;
      this.byAgent.delete(agent);
      this.loads.delete(agent);
      this.sayDisconnected(session, agent);
    }
  }

  /** The agent's side closed the stream: its process died, or it means to come back. What this side ended says nothing of it, and
   *  neither does a stream that was silent before: then the network is to blame, and the agent may be at work. */
  private sayDisconnected(session: AgentSession, agent: number): void {
    const { kernel } = this.live;
    const interval = kernel.settings.get('registry.heartbeatIntervalMicros');
    const silentMicros = this.live.now() - session.heardMicros;
    if (session.hasFailed || silentMicros > Math.min(silenceMicrosMax, 1.5 * interval + 3_000_000)) return;
    const { registry } = kernel.control;
    const connection = session.connections.get(registry.names[agent] as string);
    if (connection === undefined || registry.grace.of(agent) === 0) return;
    this.live.give({
      kind: 'agentDisconnected',
      agent,
      incarnation: connection.incarnation,
      connection: connection.number,
    });
  }

  private receive(session: AgentSession, message: Request): void {
    switch (message.$case) {
      case 'hello':
        this.hello(session, message.value);
        return;
      case 'heartbeats':
        this.beats(session, message.value);
        return;
      case 'accepted': {
        const { agent, incarnation, attempt } = message.value;
        if (this.speaksFor(session, agent))
          this.live.give({ kind: 'dispatchAccepted', agent, incarnation, ...referenceOf(attempt) });
        return;
      }
      case 'progressed': {
        const { agent, incarnation, attempt, progressMicros } = message.value;
        if (this.speaksFor(session, agent))
          this.live.give({ kind: 'taskProgressed', agent, incarnation, ...referenceOf(attempt), progressMicros });
        return;
      }
      case 'finished':
        if (this.speaksFor(session, message.value.agent)) this.finished(message.value);
        return;
      case 'draining': {
        const { agent, incarnation } = message.value;
        if (this.speaksFor(session, agent)) this.live.give({ kind: 'agentDraining', agent, incarnation });
        return;
      }
      case 'powerChanged': {
        const { agent, incarnation, awake } = message.value;
        if (this.speaksFor(session, agent)) this.live.give({ kind: 'agentPowerChanged', agent, incarnation, awake });
        return;
      }
      case 'echo':
        this.links.answered(session, message.value.id);
        return;
      case 'discover':
        session.send({ $case: 'discovered', value: this.discover(message.value.id, message.value.query) });
        return;
    }
  }

  private hello(session: AgentSession, hello: AgentHello): void {
    const { name, incarnation } = hello;
    const input = helloInput(hello, session.gateway);
    const models = modelsOf(hello);
    const isFull = !session.names.has(name) && session.names.size >= this.options.agentsPerStreamMax;
    const denied = session.names.has(name)
      ? undefined
      : this.guard.refusalOf(session.stream, 'register', name, `register ${name}`);
    if (!input.ok || !models.ok || isFull || denied !== undefined) {
      const refusal = !input.ok ? input : !models.ok ? models : undefined;
      const full = `a stream speaks for ${this.options.agentsPerStreamMax} agents at most`;
      const reason = denied ?? refusal?.reason ?? full;
      session.send({ $case: 'refused', value: { name, incarnation, reason, incarnationKnown: 0 } });
      return;
    }
    // The later stream is the agent's: an older one may be half open.
    this.byName.set(name, session);
    session.names.add(name);
    session.connections.set(name, { incarnation, number: hello.connection });
    this.models.describe(name, models.value);
    this.live.give(input.value);
  }

  private beats(session: AgentSession, { batch, beats }: Heartbeats): void {
    let all = true;
    for (const { agent, incarnation, load } of beats) {
      if (!this.speaksFor(session, agent)) {
        all = false;
        continue;
      }
      this.heartbeats.beat(agent, incarnation | 0);
      if (load !== undefined) this.loads.set(agent, load);
    }
    // A receipt renews leases: none for a batch of which the kernel does not hear everything.
    if (all) this.heartbeats.receiptFor(session, batch);
  }

  /** One batch for the kernel. */
  private beat(): void {
    if (this.live.refusal !== undefined) return;
    const batch = this.heartbeats.take();
    if (batch !== undefined) this.live.give(batch);
  }

  /** The result is on the disk before the kernel knows of it, so that whoever is told of the end can have it. */
  private finished(message: TaskFinished): void {
    const input = finishedInput(message);
    const attempt = this.live.kernel.control.scheduler.attempts.get(input.attempt);
    const { outputs, cost } = message;
    const failure = truncated(message.failure);
    // Of an attempt that counts no more nothing is kept; the kernel answers it all the same.
    if (attempt === undefined || attempt.task.task !== input.task || input.outcome === 'stopped') {
      this.live.give(input);
      return;
    }
    const { submitter, submission } = attempt.task;
    const result: TaskEnded = { ...TaskEnded.decode(new Uint8Array(0)), outputs, cost, failure };
    const problem = tensorsProblem(outputs);
    if (problem !== undefined) {
      // It would be wrong each time: the attempt has failed, and says why.
      const refusal = TaskEnded.encode({ ...result, outputs: [], failure: problem }).finish();
      this.live.payloads.put({ submitter, submission, attempt: input.attempt }, refusal);
      this.live.give({ ...input, outcome: 'failed' });
      return;
    }
    const put = this.live.payloads.put(
      { submitter, submission, attempt: input.attempt },
      TaskEnded.encode(result).finish(),
    );
    if (put.ok) {
      put.value.then(
        () => this.live.give(input),
        () => {},
      );
    } else if (put.code === 'SIRA_MESSAGE_REFUSED') {
      // It would be refused each time: the attempt has failed, and says why.
      const refusal = TaskEnded.encode({ ...result, outputs: [], failure: put.reason }).finish();
      this.live.payloads.put({ submitter, submission, attempt: input.attempt }, refusal);
      this.live.give({ ...input, outcome: 'failed' });
    }
    // Otherwise the agent repeats it.
  }

  private dispatch(effect: Dispatch): void {
    const session = this.byAgent.get(effect.agent);
    if (session === undefined || session.dispatching.has(effect.attempt)) return;
    const { names } = this.live.kernel.control.registry;
    const { agent, incarnation, order, submitter, submission, checkpoint } = effect;
    session.dispatching.add(effect.attempt);
    session.outgoing.send(async () => {
      session.dispatching.delete(effect.attempt);
      const bytes = await this.live.payloads.get({ submitter, submission, attempt: 0 }).catch(() => undefined);
      const attempt = this.live.kernel.control.scheduler.attempts.get(effect.attempt);
      // It has ended while its dispatch waited to be sent, perhaps with its work removed.
      if (attempt === undefined) return undefined;
      if (bytes === undefined) {
        this.live.options.logger.warn({ submitter, submission }, 'a task without its work is not dispatched');
        return undefined;
      }
      const work = Work.decode(bytes);
      const { submittedMicros } = attempt.task;
      const value = {
        agent,
        incarnation,
        attempt: referenceOf(effect),
        order,
        machines: effect.machines.map((row) => names[row] ?? ''),
        deviceMasks: [...effect.deviceMasks],
        checkpoint,
        work: { ...work, ...this.spans.dispatched(effect, work, names[agent] ?? '', submittedMicros) },
      };
      return { message: { $case: 'dispatch', value } };
    });
  }

  private discover(
    id: number,
    query: Parameters<typeof queryOf>[0],
  ): Extract<Response, { $case: 'discovered' }>['value'] {
    try {
      return { id, answer: answerMessage(this.live.kernel.discover(queryOf(query))), refusal: '' };
    } catch (error) {
      if (!(error instanceof SiraError)) throw error;
      return { id, answer: undefined, refusal: error.message };
    }
  }

  private speaksFor(session: AgentSession, agent: number): boolean {
    return this.byAgent.get(agent) === session;
  }
}

class AgentSession extends MeasuredSession<Request, Response> {
  /** Names this connection in the journal: an answer made again after a restart finds nobody. */
  readonly gateway = randomInt(1, 2 ** 47);
  readonly names = new Set<string>();
  readonly agents = new Set<number>();
  /** Of each agent's last hello, by name. */
  readonly connections = new Map<string, { readonly incarnation: number; readonly number: number }>();
  heardMicros = 0;
  /** The agent under whose name the link is measured. */
  measured: string | undefined;
  /** Attempts whose dispatch waits to be sent: a repetition is not needed. */
  readonly dispatching = new Set<number>();
  beatsRecorded(batch: number, terms: LeaseTerms | undefined): void {
    const { leaseMicros = 0, heartbeatIntervalMicros = 0 } = terms ?? {};
    this.send({ $case: 'heartbeatsRecorded', value: { batch, leaseMicros, heartbeatIntervalMicros } });
  }
}

function truncated(text: string): string {
  return text.length <= failureBytesMax ? text : `${text.slice(0, failureBytesMax)}…`;
}
