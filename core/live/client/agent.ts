// Agents in a process: each is a name, what its machine offers, and functions; one connection speaks for all of them. The
// protocol is core/client's AgentClient, the same that simulated agents run; here are the clock, the stream and the functions. A
// result is kept until the kernel has recorded it; work whose lease has run out is aborted.

import { type ChannelCredentials, credentials as grpcCredentials } from '@grpc/grpc-js';
import { AgentClient, type AgentMessage } from '../../client/agent-client.ts';
import type { Dispatch } from '../../kernel/effects.ts';
import type { AttemptReference } from '../../kernel/inputs.ts';
import {
  AgentServiceClient,
  type ConnectRequest,
  type ConnectResponse,
  type Dispatch as DispatchMessage,
} from '../../proto/generated/sira/v1/agent_service.ts';
import type { NamedTensor } from '../../proto/generated/sira/v1/tensor.ts';
import type { Work } from '../../proto/generated/sira/v1/work.ts';
import type { AgentResources } from '../../registry/agent-hello.ts';
import { LiveClock } from '../live-clock.ts';
import { agentMessage, type Outcome } from './agent-messages.ts';
import { ReconnectingStream } from './reconnecting-stream.ts';
import { type Tensors, tensorsOfMessages, tensorsToMessages } from './tensors.ts';
import { type Parameters, parametersOfMessages } from './work.ts';

/** What a function is told besides its inputs. */
export interface WorkContext {
  readonly function: string;
  readonly parameters: Parameters;
  readonly task: number;
  readonly attempt: number;
  /** Names of the agents whose machines the task spans, this one first, and the devices taken on each, a bit mask. */
  readonly machines: readonly string[];
  readonly deviceMasks: readonly number[];
  /** Aborted when the work is not wanted any more: cancelled, evicted, or the lease has run out. */
  readonly signal: AbortSignal;
  /** Service that earlier attempts had saved; 0 at the first. */
  readonly resumeMicros: number;
  /** A checkpoint that holds this much service, earlier attempts' included, is saved. */
  progressed(progressMicros: number): void;
  /** Energy that the work took, if it was measured. */
  measured(joules: number): void;
}

/** A function that agents serve. What it throws is the reason of the failure. */
export type WorkFunction = (inputs: Tensors, context: WorkContext) => Tensors | Promise<Tensors>;

export interface AgentDefinition {
  /** Names the agent across restarts. */
  readonly name: string;
  readonly functions: Readonly<Record<string, WorkFunction>>;
  /** Default: one core, 1 GiB, no GPU. */
  readonly resources?: Partial<AgentResources> | undefined;
  /** Skills besides the functions, with strengths. */
  readonly skills?: Readonly<Record<string, number>> | undefined;
  readonly labels?: Readonly<Record<string, string | number>> | undefined;
}

export interface AgentOptions {
  /** `host:port` of the kernel. */
  readonly address: string;
  readonly agents: readonly AgentDefinition[];
  readonly credentials?: ChannelCredentials | undefined;
  /** Time until an unanswered message is sent again. */
  readonly retryMicros?: number | undefined;
  readonly messageBytesMax?: number | undefined;
  /** Share of the processors in use, 0 to 1. */
  readonly load?: (() => number) | undefined;
  /** The connection came or went; for logs. */
  readonly connection?: ((state: 'open' | 'closed' | 'rejected', reason: string) => void) | undefined;
}

interface Running {
  readonly abort: AbortController;
}

const defaultResources: AgentResources = { cpuMilli: 1000, memoryMib: 1024, gpuCount: 0, gpuModel: '' };
const batchesMax = 64;

export class AgentConnection {
  private readonly options: AgentOptions;
  private readonly clock = new LiveClock();
  private readonly client: AgentServiceClient;
  private readonly stream: ReconnectingStream<ConnectRequest, ConnectResponse>;
  private readonly hosts: readonly AgentHost[];
  private readonly byName = new Map<string, AgentHost>();
  private readonly byAgent = new Map<number, AgentHost>();
  /** When each batch of heartbeats was sent, by its number. */
  private readonly sent = new Map<number, number>();
  private batchCount = 0;
  private intervalMicros = 1_000_000;
  private beatTimer: NodeJS.Timeout | undefined;
  private hasStarted = false;

  private constructor(options: AgentOptions) {
    this.options = options;
    const bytes = options.messageBytesMax ?? 20 * 1024 ** 2;
    this.client = new AgentServiceClient(options.address, options.credentials ?? grpcCredentials.createInsecure(), {
      'grpc.max_receive_message_length': bytes,
      'grpc.max_send_message_length': bytes,
      'grpc.keepalive_time_ms': 20_000,
      'grpc.use_local_subchannel_pool': 1,
      'grpc.initial_reconnect_backoff_ms': 50,
      'grpc.min_reconnect_backoff_ms': 50,
      'grpc.max_reconnect_backoff_ms': 500,
    });
    this.stream = new ReconnectingStream<ConnectRequest, ConnectResponse>(() => this.client.connect(), {
      opened: () => this.opened(),
      received: ({ message }) => {
        if (message !== undefined) this.receive(message);
      },
      closed: (reason) => options.connection?.('closed', reason),
      rejected: (_code, reason) => options.connection?.('rejected', reason),
    });
    this.hosts = options.agents.map(
      (definition) =>
        new AgentHost(
          definition,
          this.clock,
          options.retryMicros ?? 1_000_000,
          (message) => void this.stream.send({ message }),
        ),
    );
    for (const host of this.hosts) this.byName.set(host.name, host);
  }

  /** Begins to serve; it goes on through losses of the connection until {@link stop}. */
  static start(options: AgentOptions): AgentConnection {
    const connection = new AgentConnection(options);
    connection.stream.start();
    connection.beatAgain();
    return connection;
  }

  /** Attempts that run now. */
  get runningCount(): number {
    return this.hosts.reduce((sum, host) => sum + host.machine.runningCount, 0);
  }

  /** True when every agent is registered. */
  get isReady(): boolean {
    return this.hosts.every((host) => host.machine.beats);
  }

  /** Tells the kernel that no new work is wanted, and waits, at most so long, until what runs has ended and is recorded. */
  async drain(longestMillis: number): Promise<void> {
    for (const { machine } of this.hosts) {
      const value = { agent: machine.agent, incarnation: machine.currentIncarnation };
      if (machine.beats) this.stream.send({ message: { $case: 'draining', value } });
    }
    const end = performance.now() + longestMillis;
    while (this.hosts.some((host) => host.isBusy) && performance.now() < end)
      await new Promise((resolve) => setTimeout(resolve, 10));
  }

  /** Breaks the connection as a lost network would; it comes back. */
  break(): void {
    this.stream.break();
  }

  /** Ends at once: work that runs is aborted, and is placed elsewhere when the lease has run out. */
  stop(): void {
    clearTimeout(this.beatTimer);
    this.stream.close();
    for (const host of this.hosts) host.stop();
    this.client.close();
  }

  private opened(): void {
    const now = this.clock.now();
    this.options.connection?.('open', '');
    for (const host of this.hosts) {
      if (this.hasStarted) host.machine.reconnected(now);
      else host.machine.start(now);
    }
    this.hasStarted = true;
  }

  private receive(message: NonNullable<ConnectResponse['message']>): void {
    const now = this.clock.now();
    switch (message.$case) {
      case 'registered': {
        const { value } = message;
        const host = this.byName.get(value.name);
        if (host === undefined) return;
        this.byAgent.set(value.agent, host);
        if (value.heartbeatIntervalMicros !== this.intervalMicros) {
          this.intervalMicros = value.heartbeatIntervalMicros;
          this.beatAgain();
        }
        const stop = value.stop.map(({ task, attempt }) => ({ task, attempt }));
        host.receive(() => host.machine.receive({ kind: 'agentRegistered', gateway: 0, ...value, stop }, now));
        return;
      }
      case 'refused': {
        const { name, incarnation, reason, incarnationKnown } = message.value;
        const host = this.byName.get(name);
        host?.receive(() => {
          host.machine.incarnationKnown(incarnationKnown);
          const refusal = incarnationKnown >= incarnation ? host.machine.currentIncarnation : incarnation;
          host.machine.receive({ kind: 'agentRefused', gateway: 0, name, incarnation: refusal, reason }, now);
        });
        return;
      }
      case 'heartbeatsRecorded': {
        const sentMicros = this.sent.get(message.value.batch);
        if (sentMicros === undefined) return;
        this.sent.delete(message.value.batch);
        for (const { machine } of this.hosts) machine.leaseRenewed(sentMicros);
        return;
      }
      case 'dispatch':
        this.byAgent.get(message.value.agent)?.dispatch(message.value, now);
        return;
      case 'stop': {
        const { agent, incarnation, attempt, order } = message.value;
        const host = this.byAgent.get(agent);
        const reference = { task: attempt?.task ?? -1, attempt: attempt?.attempt ?? -1 };
        host?.receive(() => host.machine.receive({ kind: 'stop', agent, incarnation, ...reference, order }, now));
        return;
      }
      case 'recorded': {
        const { agent, incarnation, attempt } = message.value;
        this.byAgent
          .get(agent)
          ?.recorded({ agent, incarnation, task: attempt?.task ?? -1, attempt: attempt?.attempt ?? -1 }, now);
        return;
      }
      case 'discovered':
        return;
    }
  }

  /** One heartbeat for all agents. */
  private beatAgain(): void {
    clearTimeout(this.beatTimer);
    this.beatTimer = setTimeout(() => {
      this.beat();
      this.beatAgain();
    }, this.intervalMicros / 1000);
  }

  private beat(): void {
    const now = this.clock.now();
    const beats = [];
    const load = this.options.load?.();
    for (const host of this.hosts) {
      host.receive(() => host.machine.tick(now, this.intervalMicros));
      const { machine } = host;
      if (!machine.beats) continue;
      beats.push({
        agent: machine.agent,
        incarnation: machine.currentIncarnation,
        load,
        running: machine.runningCount,
      });
    }
    if (beats.length === 0) return;
    const batch = ++this.batchCount;
    if (!this.stream.send({ message: { $case: 'heartbeats', value: { batch, beats } } })) return;
    this.sent.set(batch, now);
    for (const oldest of this.sent.keys()) {
      if (this.sent.size <= batchesMax) break;
      this.sent.delete(oldest);
    }
  }
}

/** One agent: its protocol machine, and what it runs. */
class AgentHost {
  readonly name: string;
  readonly machine: AgentClient;
  private readonly definition: AgentDefinition;
  private readonly clock: LiveClock;
  private readonly send: (message: NonNullable<ConnectRequest['message']>) => void;
  private readonly running = new Map<number, Running>();
  /** What was reported and is not recorded yet. */
  private readonly outcomes = new Map<number, Outcome>();
  private incarnation = 0;
  /** The dispatch that is being received. */
  private arriving: DispatchMessage | undefined;

  constructor(
    definition: AgentDefinition,
    clock: LiveClock,
    retryMicros: number,
    send: (message: NonNullable<ConnectRequest['message']>) => void,
  ) {
    this.name = definition.name;
    this.definition = definition;
    this.clock = clock;
    this.send = send;
    const capabilities: Record<string, number> = { ...definition.skills };
    for (const name of Object.keys(definition.functions)) capabilities[name] ??= 1;
    this.machine = new AgentClient(
      {
        gateway: 0,
        name: definition.name,
        resources: { ...defaultResources, ...definition.resources },
        capabilities,
        attributes: definition.labels ?? {},
        retryMicros,
        firstIncarnation: Math.floor(Date.now() / 1000) - 1_600_000_000,
      },
      {
        send: (message) => this.say(message),
        startWork: (dispatch) => this.startWork(dispatch),
        stopWork: ({ attempt }) => this.running.get(attempt)?.abort.abort(),
        wakeAt: (timeMicros) => {
          const millis = Math.max(0, Math.ceil((timeMicros - this.clock.now()) / 1000));
          setTimeout(() => this.receive(() => this.machine.wake(this.clock.now())), millis).unref();
        },
      },
    );
  }

  get isBusy(): boolean {
    return this.machine.runningCount > 0 || this.outcomes.size > 0;
  }

  /** Anything may make the machine give up its work: what was kept for it goes as well. */
  receive(act: () => void): void {
    act();
    if (this.machine.currentIncarnation === this.incarnation) return;
    this.incarnation = this.machine.currentIncarnation;
    this.outcomes.clear();
  }

  dispatch(message: DispatchMessage, now: number): void {
    const { agent, incarnation, attempt, order, deviceMasks, checkpoint } = message;
    const reference = { task: attempt?.task ?? -1, attempt: attempt?.attempt ?? -1 };
    this.arriving = message;
    this.receive(() =>
      this.machine.receive(
        {
          kind: 'dispatch',
          agent,
          incarnation,
          ...reference,
          order,
          submitter: 0,
          submission: 0,
          machines: [],
          deviceMasks,
          ...(checkpoint === undefined ? {} : { checkpoint }),
        },
        now,
      ),
    );
    this.arriving = undefined;
  }

  recorded(reference: AttemptReference & { readonly agent: number; readonly incarnation: number }, now: number): void {
    this.receive(() => this.machine.receive({ kind: 'resultRecorded', ...reference }, now));
    if (!this.running.has(reference.attempt)) this.outcomes.delete(reference.attempt);
  }

  stop(): void {
    for (const { abort } of this.running.values()) abort.abort();
  }

  private startWork(dispatch: Dispatch): void {
    const message = this.arriving;
    if (message === undefined) return;
    const abort = new AbortController();
    this.running.set(dispatch.attempt, { abort });
    const cameMicros = this.clock.now();
    // Not within the call that the machine makes.
    setImmediate(() => void this.run(dispatch, message, abort, cameMicros));
  }

  private async run(
    dispatch: Dispatch,
    message: DispatchMessage,
    abort: AbortController,
    cameMicros: number,
  ): Promise<void> {
    const { task, attempt } = dispatch;
    const incarnation = this.machine.currentIncarnation;
    const work = message.work as Work | undefined;
    let joules = 0;
    let outputs: readonly NamedTensor[] = [];
    let failure = '';
    const startedMicros = this.clock.now();
    try {
      const run = this.definition.functions[work?.function ?? ''];
      if (work === undefined || run === undefined) throw new Error(`this agent has no function ${work?.function}`);
      const tensors = await run(tensorsOfMessages(work.inputs), {
        function: work.function,
        parameters: parametersOfMessages(work.parameters),
        task,
        attempt,
        machines: message.machines,
        deviceMasks: message.deviceMasks,
        signal: abort.signal,
        resumeMicros: dispatch.checkpoint?.resumeMicros ?? 0,
        progressed: (progressMicros) => {
          if (!abort.signal.aborted) this.machine.workProgressed(dispatch, Math.round(progressMicros));
        },
        measured: (amount) => {
          joules += amount;
        },
      });
      outputs = tensorsToMessages(tensors);
    } catch (error) {
      failure = error instanceof Error ? error.message : String(error);
      if (failure === '') failure = 'failed without a reason';
    }
    const now = this.clock.now();
    this.running.delete(attempt);
    // Stopped, or of an earlier incarnation: the machine has answered for it already.
    if (abort.signal.aborted || this.machine.currentIncarnation !== incarnation) return;
    this.outcomes.set(attempt, { outputs, queueMicros: startedMicros - cameMicros, failure });
    this.machine.workEnded(
      dispatch,
      failure === '' ? 'completed' : 'failed',
      now - startedMicros,
      now,
      joules > 0 ? joules : undefined,
    );
  }

  private say(message: AgentMessage): void {
    const outcome = message.kind === 'taskFinished' ? this.outcomes.get(message.attempt) : undefined;
    this.send(agentMessage(message, outcome));
  }
}
