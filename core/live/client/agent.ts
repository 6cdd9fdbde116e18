// Agents in a process: each is a name, what its machine offers, and functions; one connection speaks for all of them. The
// protocol is core/client's AgentClient, the same that simulated agents run; here are the clock, the stream and the functions. A
// result is kept until the kernel has recorded it; work whose lease has run out is aborted.

import { type ChannelCredentials, credentials as grpcCredentials } from '@grpc/grpc-js';
import {
  AgentServiceClient,
  type ConnectRequest,
  type ConnectResponse,
} from '../../proto/generated/sira/v1/agent_service.ts';
import { LiveClock } from '../live-clock.ts';
import { type AgentDefinition, AgentHost } from './agent-host.ts';
import { HelloPacer } from './hello-pacer.ts';
import { ReconnectingStream } from './reconnecting-stream.ts';

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

const batchesMax = 64;
/** A process that is busy hears late what came in time. */
const busyMicros = 3_000_000;

export class AgentConnection {
  private readonly options: AgentOptions;
  private readonly clock = new LiveClock();
  private readonly client: AgentServiceClient;
  private readonly stream: ReconnectingStream<ConnectRequest, ConnectResponse>;
  private readonly hosts: readonly AgentHost[];
  private readonly hellos = new HelloPacer(
    (value) => this.stream.send({ message: { $case: 'hello', value } }),
    () => this.clock.now(),
  );
  private readonly byName = new Map<string, AgentHost>();
  private readonly byAgent = new Map<number, AgentHost>();
  /** When each batch of heartbeats was sent, and for whom, by its number. */
  private readonly sent = new Map<number, { readonly sentMicros: number; readonly hosts: readonly AgentHost[] }>();
  private batchCount = 0;
  private intervalMicros = 1_000_000;
  private beatTimer: NodeJS.Timeout | undefined;
  private hasStarted = false;
  private heardMicros = 0;

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
      closed: (reason) => this.closed(reason),
      rejected: (_code, reason) => options.connection?.('rejected', reason),
    });
    this.hosts = options.agents.map(
      (definition) =>
        new AgentHost(definition, this.clock, options.retryMicros ?? 1_000_000, (message) => this.say(message)),
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
    this.heardMicros = 0;
    this.stream.break();
  }

  /** Ends at once: work that runs is aborted, and is placed elsewhere when the lease has run out. */
  stop(): void {
    clearTimeout(this.beatTimer);
    this.stream.close();
    for (const host of this.hosts) host.stop();
    this.client.close();
  }

  private say(message: NonNullable<ConnectRequest['message']>): void {
    if (message.$case === 'hello') this.hellos.offer(message.value);
    else this.stream.send({ message });
  }

  private opened(): void {
    const now = this.clock.now();
    this.hellos.reopened();
    this.options.connection?.('open', '');
    for (const host of this.hosts) {
      if (this.hasStarted) host.machine.reconnected(now);
      else host.machine.start(now);
    }
    this.hasStarted = true;
  }

  /** Who was in touch with the kernel until now was left by it; who was not has left it, as far as the kernel can tell. */
  private closed(reason: string): void {
    const now = this.clock.now();
    if (now - this.heardMicros > 2 * this.intervalMicros + busyMicros)
      for (const { machine } of this.hosts) machine.disconnected(now);
    this.options.connection?.('closed', reason);
  }

  private receive(message: NonNullable<ConnectResponse['message']>): void {
    const now = this.clock.now();
    this.heardMicros = now;
    switch (message.$case) {
      case 'registered': {
        const { value } = message;
        const host = this.byName.get(value.name);
        this.hellos.answered(value.name);
        if (host === undefined) return;
        this.byAgent.set(value.agent, host);
        this.beatEvery(value.heartbeatIntervalMicros);
        const stop = value.stop.map(({ task, attempt }) => ({ task, attempt }));
        const disconnectGraceMicros = value.disconnectGraceMicros > 0 ? value.disconnectGraceMicros : undefined;
        const registered = { kind: 'agentRegistered', gateway: 0, ...value, disconnectGraceMicros, stop } as const;
        host.receive(() => host.machine.receive(registered, now));
        return;
      }
      case 'refused': {
        const { name, incarnation, reason, incarnationKnown } = message.value;
        const host = this.byName.get(name);
        this.hellos.answered(name);
        host?.receive(() => {
          host.machine.incarnationKnown(incarnationKnown);
          const refusal = incarnationKnown >= incarnation ? host.machine.currentIncarnation : incarnation;
          host.machine.receive({ kind: 'agentRefused', gateway: 0, name, incarnation: refusal, reason }, now);
        });
        return;
      }
      case 'heartbeatsRecorded': {
        const { batch, leaseMicros, heartbeatIntervalMicros } = message.value;
        const sent = this.sent.get(batch);
        this.sent.delete(batch);
        for (const { machine } of sent?.hosts ?? [])
          machine.leaseRenewed(sent!.sentMicros, leaseMicros > 0 ? leaseMicros : undefined);
        if (heartbeatIntervalMicros > 0) this.beatEvery(heartbeatIntervalMicros);
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
      case 'power': {
        const { agent, incarnation, awake } = message.value;
        const host = this.byAgent.get(agent);
        host?.receive(() => host.machine.receive({ kind: 'agentPower', agent, incarnation, awake }, now));
        return;
      }
      case 'recorded': {
        const { agent, incarnation, attempt } = message.value;
        this.byAgent
          .get(agent)
          ?.recorded({ agent, incarnation, task: attempt?.task ?? -1, attempt: attempt?.attempt ?? -1 }, now);
        return;
      }
      case 'ping':
        this.stream.send({ message: { $case: 'echo', value: message.value } });
        return;
      case 'discovered':
        return;
    }
  }

  private beatEvery(intervalMicros: number): void {
    if (intervalMicros === this.intervalMicros) return;
    this.intervalMicros = intervalMicros;
    this.beatAgain();
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
    const hosts: AgentHost[] = [];
    const load = this.options.load?.();
    for (const host of this.hosts) {
      host.receive(() => host.machine.tick(now, this.intervalMicros));
      const { machine } = host;
      if (!machine.beats) continue;
      hosts.push(host);
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
    this.sent.set(batch, { sentMicros: now, hosts });
    for (const oldest of this.sent.keys()) {
      if (this.sent.size <= batchesMax) break;
      this.sent.delete(oldest);
    }
  }
}
