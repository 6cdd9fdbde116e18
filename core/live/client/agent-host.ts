// One agent in a process: its protocol machine, the functions that it runs, and the results that it keeps until the kernel has
// recorded them. The machine is core/client's AgentClient; which connection carries the messages is agent.ts's affair.

import { context, SpanKind, trace } from '@opentelemetry/api';
import { AgentClient, type AgentMessage } from '../../client/agent-client.ts';
import type { Dispatch } from '../../kernel/effects.ts';
import type { AttemptReference } from '../../kernel/inputs.ts';
import type { ConnectRequest, Dispatch as DispatchMessage } from '../../proto/generated/sira/v1/agent_service.ts';
import type { NamedTensor } from '../../proto/generated/sira/v1/tensor.ts';
import type { AgentResources } from '../../registry/agent-hello.ts';
import type { ModelDefinition } from '../inference/model-messages.ts';
import type { LiveClock } from '../live-clock.ts';
import { contextOf, endSpan, tracer } from '../tracing.ts';
import { agentMessage, type Outcome } from './agent-messages.ts';
import { type Tensors, tensorsOfMessages, tensorsToMessages } from './tensors.ts';
import { WakeTimers } from './wake-timers.ts';
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
  /** Puts the agent's machine to sleep, or wakes it up; resolves when it is so, and rejects where it cannot be. The kernel asks only
   *  agents whose labels have `sleepWatts`, and only without work. */
  readonly power?: ((awake: boolean) => Promise<void>) | undefined;
  /** Functions that are offered as models to clients of the Open Inference Protocol. */
  readonly models?: readonly ModelDefinition[] | undefined;
}

interface Running {
  readonly abort: AbortController;
}

const defaultResources: AgentResources = { cpuMilli: 1000, memoryMib: 1024, gpuCount: 0, gpuModel: '' };
/** One agent: its protocol machine, and what it runs. */
export class AgentHost {
  readonly name: string;
  readonly machine: AgentClient;
  private readonly definition: AgentDefinition;
  private readonly clock: LiveClock;
  private readonly send: (message: NonNullable<ConnectRequest['message']>) => void;
  private readonly running = new Map<number, Running>();
  /** What was reported and is not recorded yet. */
  private readonly outcomes = new Map<number, Outcome>();
  private readonly timers: WakeTimers;
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
    this.timers = new WakeTimers(clock, () => this.receive(() => this.machine.wake(clock.now())));
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
        power: (awake) => {
          // The kernel asks again if it fails.
          definition.power?.(awake).then(
            () => this.receive(() => this.machine.powerChanged(awake)),
            () => {},
          );
        },
        wakeAt: (timeMicros) => this.timers.at(timeMicros),
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
    this.timers.clear();
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
    const { work } = message;
    let joules = 0;
    let outputs: readonly NamedTensor[] = [];
    let failure = '';
    const startedMicros = this.clock.now();
    const parent = work === undefined ? context.active() : contextOf(work);
    const attributes = { 'sira.task': task, 'sira.attempt': attempt, 'sira.agent': this.name };
    const span = tracer().startSpan(`run ${work?.function}`, { kind: SpanKind.CONSUMER, attributes }, parent);
    try {
      const run = this.definition.functions[work?.function ?? ''];
      if (work === undefined || run === undefined) throw new Error(`this agent has no function ${work?.function}`);
      const inputs = tensorsOfMessages(work.inputs);
      const workContext: WorkContext = {
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
      };
      const tensors = await context.with(trace.setSpan(parent, span), () => run(inputs, workContext));
      outputs = tensorsToMessages(tensors);
    } catch (error) {
      failure = error instanceof Error ? error.message : String(error);
      if (failure === '') failure = 'failed without a reason';
    }
    endSpan(span, abort.signal.aborted ? 'stopped' : failure);
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
    this.send(agentMessage(message, outcome, this.definition.models));
  }
}
