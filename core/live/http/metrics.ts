// What Prometheus scrapes: names as its conventions have them, base units (seconds, bytes, joules), and labels whose values are
// few and known beforehand: no agent, task or tenant is one. Counters count what this process saw; gauges are read when scraped.

import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { ReleasedInput } from '../../kernel/journaled-kernel.ts';
import { agentStates } from '../../registry/agent-state.ts';
import type { BatcherCounts } from '../../telemetry/batcher.ts';
import { linkKinds } from '../grpc/link-desk.ts';
import type { GrpcServer } from '../grpc/server.ts';
import type { LiveKernel } from '../live-kernel.ts';
import type { LiveTopics } from '../live-topics.ts';
import type { Denials } from '../security/denials.ts';
import type { Activity } from './activity.ts';
import { NetworkMeter, networkParts } from './network-meter.ts';
import { placedCount } from './views.ts';

const latencyBuckets = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5];
const taskBuckets = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800, 7200, 43_200];
const microsPerSecond = 1_000_000;
const bytesPerMib = 1024 ** 2;

export class Metrics {
  readonly registry = new Registry();
  readonly requests: Histogram<'method' | 'route' | 'status'>;
  readonly eventStreams: Gauge;
  readonly eventStreamsDropped: Counter;
  private readonly live: LiveKernel;
  private readonly stopListening: () => void;
  private readonly inputs: Counter<'kind'>;
  private readonly decisions: Counter<'outcome' | 'rule'>;
  private readonly release: Histogram;
  private readonly networks: NetworkMeter;

  constructor(live: LiveKernel, grpc: GrpcServer, activity: Activity, topics: LiveTopics, version: string) {
    this.live = live;
    const registers = [this.registry];
    collectDefaultMetrics({ register: this.registry });
    new Gauge({
      name: 'sira_build_info',
      help: 'Always 1: the version that runs.',
      labelNames: ['version', 'code_hash'],
      registers,
    }).set({ version, code_hash: live.codeHash }, 1);
    this.inputs = new Counter({
      name: 'sira_kernel_inputs_total',
      help: 'Durable inputs by kind.',
      labelNames: ['kind'],
      registers,
    });
    this.decisions = new Counter({
      name: 'sira_scheduler_decisions_total',
      help: 'Decisions of the scheduler.',
      labelNames: ['outcome', 'rule'],
      registers,
    });
    this.release = new Histogram({
      name: 'sira_journal_release_seconds',
      help: 'From when an input was taken to when its effects left: what the journal adds to latency.',
      buckets: latencyBuckets,
      registers,
    });
    this.requests = new Histogram({
      name: 'sira_http_request_duration_seconds',
      help: 'HTTP requests answered, by route.',
      labelNames: ['method', 'route', 'status'],
      buckets: latencyBuckets,
      registers,
    });
    this.eventStreams = new Gauge({ name: 'sira_http_event_streams', help: 'Open streams of events.', registers });
    this.eventStreamsDropped = new Counter({
      name: 'sira_http_event_streams_dropped_total',
      help: 'Streams of events ended because their reader was too slow.',
      registers,
    });
    this.tasks(activity);
    this.gauges(grpc);
    this.topics(topics);
    this.links(grpc);
    this.networks = new NetworkMeter(live);
    this.watchNetworks();
    this.stopListening = live.listen({ released: (input) => this.released(input) });
  }

  close(): void {
    this.stopListening();
  }

  /** Counts what is refused from now on. */
  watchDenials(denials: Denials): void {
    const counter = new Counter({
      name: 'sira_denials_total',
      help: 'What was refused for want of permission, or for too much of it.',
      labelNames: ['reason', 'over'],
      registers: [this.registry],
    });
    denials.counted = (reason, over) => counter.inc({ reason, over });
  }

  private tasks(activity: Activity): void {
    const registers = [this.registry];
    const ended = new Counter({
      name: 'sira_tasks_ended_total',
      help: 'Tasks that ended.',
      labelNames: ['outcome'],
      registers,
    });
    const seconds = (name: string, help: string) => new Histogram({ name, help, buckets: taskBuckets, registers });
    const wait = seconds('sira_task_wait_seconds', 'From submission to the first placement.');
    const service = seconds(
      'sira_task_service_seconds',
      'Time of the work of completed tasks, as the agent measured it.',
    );
    const completion = seconds('sira_task_completion_seconds', 'From submission to the end of completed tasks.');
    const joules = new Counter({
      name: 'sira_task_energy_joules_total',
      help: 'Energy of tasks, as agents measured it.',
      registers,
    });
    activity.endedHere = (outcome, life) => {
      ended.inc({ outcome });
      if (life?.joules !== undefined && life.joules >= 0) joules.inc(life.joules);
      if (life === undefined || outcome !== 'completed') return;
      wait.observe(Math.max(0, life.firstPlacedMicros - life.submittedMicros) / microsPerSecond);
      service.observe(Math.max(0, life.serviceMicros) / microsPerSecond);
      completion.observe(Math.max(0, life.endedMicros - life.submittedMicros) / microsPerSecond);
    };
  }

  /** What became of the rows of telemetry. */
  watchTelemetry(telemetry: { readonly counts: BatcherCounts }): void {
    const registers = [this.registry];
    new Counter({
      name: 'sira_telemetry_rows_total',
      help: 'Rows of telemetry: written to the store, refused for want of room, set aside or lost.',
      labelNames: ['outcome'],
      registers,
      collect() {
        const { written, refused, setAside, lost } = telemetry.counts;
        this.reset();
        for (const [outcome, rows] of Object.entries({ written, refused, set_aside: setAside, lost }))
          this.inc({ outcome }, rows);
      },
    });
    new Counter({
      name: 'sira_telemetry_write_failures_total',
      help: 'Writes of telemetry that failed or took too long; they are done again.',
      registers,
      collect() {
        this.reset();
        this.inc(telemetry.counts.failures);
      },
    });
    new Gauge({
      name: 'sira_telemetry_memory_rows',
      help: 'Rows of telemetry that wait in memory.',
      registers,
      collect() {
        this.set(telemetry.counts.memoryRows);
      },
    });
    new Gauge({
      name: 'sira_telemetry_spilled_bytes',
      help: 'Telemetry on the disk, waiting for its store.',
      registers,
      collect() {
        this.set(telemetry.counts.spilledBytes);
      },
    });
  }

  private gauges(grpc: GrpcServer): void {
    const { live } = this;
    const registers = [this.registry];
    const gauge = (name: string, help: string, read: () => number): void => {
      new Gauge({
        name,
        help,
        registers,
        collect() {
          this.set(read());
        },
      });
    };
    new Gauge({
      name: 'sira_agents',
      help: 'Agents by state.',
      labelNames: ['state'],
      registers,
      collect() {
        const { registry } = live.kernel.control;
        const counts = new Array<number>(agentStates.length).fill(0);
        for (let row = 0; row < registry.size; row++) counts[registry.stateNumber[row] as number]!++;
        for (const [number, state] of agentStates.entries()) this.set({ state }, counts[number] as number);
      },
    });
    gauge('sira_agent_connections', 'Streams of agents and gateways.', () => grpc.agents.connectionCount);
    gauge('sira_submitter_connections', 'Streams of submitters.', () => grpc.submissions.connectionCount);
    gauge('sira_queue_tasks', 'Waiting tasks.', () => live.kernel.control.scheduler.queueLength);
    gauge('sira_placed_tasks', 'Tasks that hold resources.', () => placedCount(live));
    gauge('sira_queue_tasks_max', 'Tasks that may wait at once.', () =>
      live.kernel.settings.get('scheduler.queueLengthMax'),
    );
    const { cluster } = live.kernel.control.scheduler;
    const resource = (name: string, help: string, capacity: () => number, free: () => number): void => {
      gauge(`${name}_capacity`, `${help} of all agents ever registered.`, capacity);
      gauge(`${name}_free`, `${help} not in use.`, free);
    };
    const sum = (column: Float64Array): number => {
      let total = 0;
      for (let row = 0; row < cluster.machineCount; row++) total += column[row] as number;
      return total;
    };
    resource(
      'sira_cpu_cores',
      'Processor cores',
      () => cluster.cpuCapacityTotalMilli / 1000,
      () => cluster.cpuFreeTotalMilli / 1000,
    );
    resource(
      'sira_memory_bytes',
      'Memory',
      () => cluster.memoryCapacityTotalMib * bytesPerMib,
      () => sum(cluster.memoryFreeMib) * bytesPerMib,
    );
    resource(
      'sira_accelerators',
      'Accelerators',
      () => cluster.gpuCapacityTotalMilli / 1000,
      () => cluster.gpuFreeTotalMilli / 1000,
    );
    gauge('sira_journal_sequence', 'Number of the latest input.', () => live.kernel.lastSequence);
    gauge('sira_journal_held_inputs', 'Inputs that wait for the disk.', () => live.heldCount);
    gauge('sira_journal_refusing', '1 while inputs are refused: the disk is full, or the kernel stops.', () =>
      live.refusal === undefined ? 0 : 1,
    );
    gauge('sira_payloads', 'Work and results kept.', () => live.payloads.count);
    gauge('sira_settings_version', 'Version of the settings.', () => live.kernel.settings.version);
  }

  private links({ links }: GrpcServer): void {
    const registers = [this.registry];
    const roundTrip = new Histogram({
      name: 'sira_link_round_trip_seconds',
      help: 'From a ping to its echo, by whose stream it is; the other process is part of the way.',
      labelNames: ['kind'],
      buckets: latencyBuckets,
      registers,
    });
    const lost = new Counter({
      name: 'sira_link_pings_lost_total',
      help: 'Pings without an echo within five seconds.',
      labelNames: ['kind'],
      registers,
    });
    links.echoed = (kind, seconds) => roundTrip.observe({ kind }, seconds);
    links.lost = (kind) => lost.inc({ kind });
    new Gauge({
      name: 'sira_links_anomalous',
      help: 'Links that are unusual, by what is unusual about them.',
      labelNames: ['kind', 'anomaly'],
      registers,
      collect() {
        const views = links.views().filter(({ connected }) => connected);
        for (const kind of linkKinds)
          for (const anomaly of ['lossy', 'slow', 'slower'] as const) {
            const isOne = (view: (typeof views)[number]) => view.kind === kind && view.anomalies.includes(anomaly);
            this.set({ kind, anomaly }, views.filter(isOne).length);
          }
      },
    });
  }

  private topics(topics: LiveTopics): void {
    const registers = [this.registry];
    new Gauge({
      name: 'sira_topics',
      help: 'Durable topics.',
      registers,
      collect() {
        this.set(topics.describe().length);
      },
    });
    new Gauge({
      name: 'sira_topic_messages',
      help: 'Messages kept in all durable topics.',
      registers,
      collect() {
        this.set(topics.describe().reduce((sum, { startOffset, endOffset }) => sum + endOffset - startOffset, 0));
      },
    });
    new Gauge({
      name: 'sira_topic_group_lag_messages_max',
      help: 'Messages that the slowest group of all durable topics is behind.',
      registers,
      collect() {
        this.set(Math.max(0, ...topics.describe().flatMap(({ groups }) => groups.map(({ lag }) => lag))));
      },
    });
  }

  private watchNetworks(): void {
    const { networks } = this;
    const registers = [this.registry];
    new Counter({
      name: 'sira_policy_network_decisions_total',
      help: 'Decisions that a trained policy was asked for, by what it decides.',
      labelNames: ['part'],
      registers,
      collect() {
        networks.update();
        this.reset();
        for (const part of networkParts) this.inc({ part }, networks.totals[part].decisions);
      },
    });
    new Counter({
      name: 'sira_policy_fallbacks_total',
      help: 'Decisions of those that the shield left to the fallback, by why: inputs unlike the training, the budget, or scores that are no numbers.',
      labelNames: ['part', 'reason'],
      registers,
      collect() {
        networks.update();
        this.reset();
        for (const part of networkParts) {
          const { outside, overBudget, broken } = networks.totals[part];
          for (const [reason, count] of Object.entries({ outside, over_budget: overBudget, broken }))
            this.inc({ part, reason }, count);
        }
      },
    });
  }

  private released({ timeMicros, body, effects }: ReleasedInput): void {
    this.inputs.inc({ kind: body.kind });
    this.release.observe(Math.max(0, this.live.now() - timeMicros) / microsPerSecond);
    let hasChanged = body.kind === 'policyCommanded';
    for (const effect of effects)
      if (effect.kind === 'decisionMade')
        this.decisions.inc({ outcome: effect.record.outcome, rule: effect.record.rule });
      else if (effect.kind === 'rolloutChanged') hasChanged = true;
    if (hasChanged) this.networks.update();
  }
}
