// The kernel's state as the HTTP interface shows it: names instead of row numbers, and sentences beside the numbers. Reads alone.

import { agentStates } from '../../registry/agent-state.ts';
import { explainSkill } from '../../registry/explain-skill.ts';
import {
  deviceCountMax,
  filterReasons,
  holdFlapping,
  holdForTask,
  holdOutlier,
} from '../../scheduler/cluster-state.ts';
import { type DecisionRecord, explainFilter } from '../../scheduler/decision.ts';
import type { Task } from '../../scheduler/task.ts';
import type { AgentGateway } from '../grpc/agent-gateway.ts';
import type { LinkDesk } from '../grpc/link-desk.ts';
import type { LiveKernel } from '../live-kernel.ts';
import type { LiveTopics } from '../live-topics.ts';
import type { LiveTelemetry } from '../telemetry/live-telemetry.ts';
import type { Activity, KeptDecision, TaskLife } from './activity.ts';

export interface HttpSources {
  readonly live: LiveKernel;
  readonly agents: AgentGateway;
  readonly links: LinkDesk;
  readonly activity: Activity;
  readonly topics: LiveTopics;
  readonly version: string;
  /** Undefined if none is kept. */
  readonly telemetry: LiveTelemetry | undefined;
}

const skillsShown = 64;

export function clusterView({ live, agents, version }: HttpSources) {
  const { kernel } = live;
  const { registry, scheduler, tasks } = kernel.control;
  const { cluster } = scheduler;
  const { order, place, name } = scheduler.profile;
  const states: Record<string, number> = Object.fromEntries(agentStates.map((state) => [state, 0]));
  for (let row = 0; row < registry.size; row++) states[registry.state(row)]!++;
  return {
    version,
    codeHash: live.codeHash,
    startedMicros: live.startedMicros,
    nowMicros: live.now(),
    durability: live.options.durability,
    policy: { name, order, place },
    agents: { total: registry.size, connections: agents.connectionCount, states },
    tasks: { waiting: scheduler.queueLength, placed: placedCount(live), known: tasks.size },
    resources: resourcesView(live),
    counts: { ...kernel.counts },
    journal: {
      sequence: kernel.lastSequence,
      durableSequence: live.durableSequence,
      held: live.heldCount,
      digest: kernel.digest,
      refusal: live.refusal?.reason ?? '',
    },
    settingsVersion: kernel.settings.version,
    gpuModels: [...cluster.models.names],
    skills: [...registry.skills.classNames],
  };
}

/** Totals over agents that are alive. */
function resourcesView(live: LiveKernel) {
  const { registry, scheduler } = live.kernel.control;
  const { cluster } = scheduler;
  const totals = { cpuMilli: 0, cpuFreeMilli: 0, memoryMib: 0, memoryFreeMib: 0, gpuMilli: 0, gpuFreeMilli: 0 };
  for (let row = 0; row < cluster.machineCount; row++) {
    if (registry.state(row) === 'dead') continue;
    totals.cpuMilli += cluster.cpuCapacityMilli[row] as number;
    totals.cpuFreeMilli += cluster.cpuFreeMilli[row] as number;
    totals.memoryMib += cluster.memoryCapacityMib[row] as number;
    totals.memoryFreeMib += cluster.memoryFreeMib[row] as number;
    totals.gpuMilli += (cluster.gpuCount[row] as number) * 1000;
    totals.gpuFreeMilli += cluster.gpuFreeMilli[row] as number;
  }
  return totals;
}

/** Tasks that hold resources. */
export function placedCount(live: LiveKernel): number {
  const { tasks, scheduler } = live.kernel.control;
  return tasks.size - scheduler.queueLength;
}

export function agentView({ live, agents }: HttpSources, row: number) {
  const { registry, scheduler } = live.kernel.control;
  const { cluster } = scheduler;
  const holds = cluster.holds[row] ?? 0;
  const gpus = cluster.gpuCount[row] ?? 0;
  return {
    agent: row,
    name: registry.names[row] ?? '',
    state: registry.state(row),
    incarnation: registry.incarnationOf(row),
    connected: agents.isConnected(row),
    load: agents.loads.get(row) ?? null,
    takesWork: registry.takesWork(row) && holds === 0,
    holds: [
      ...((holds & holdForTask) === 0 ? [] : ['held for a task']),
      ...((holds & holdFlapping) === 0 ? [] : ['flapping']),
      ...((holds & holdOutlier) === 0 ? [] : ['outlier']),
    ],
    suspicion: registry.state(row) === 'dead' ? null : finite(registry.phi(row, live.now())),
    leaseExpiryMicros: registry.leaseExpiryMicros[row] ?? 0,
    tasks: cluster.allocationCount[row] ?? 0,
    resources: {
      ...registry.resourcesOf(row),
      cpuFreeMilli: cluster.cpuFreeMilli[row] ?? 0,
      memoryFreeMib: cluster.memoryFreeMib[row] ?? 0,
      gpuFreeMilli: Array.from(cluster.deviceFreeMilli.subarray(row * deviceCountMax, row * deviceCountMax + gpus)),
    },
  };
}

/** The first agents as columns. */
export function fleetView({ live, agents }: HttpSources, most: number) {
  const { registry, scheduler } = live.kernel.control;
  const { cluster } = scheduler;
  const rows = Array.from({ length: Math.min(most, cluster.machineCount) }, (_, row) => row);
  const share = (capacity: number, free: number): number => (capacity > 0 ? 1 - free / capacity : 0);
  return {
    names: rows.map((row) => registry.names[row] ?? ''),
    states: rows.map((row) => registry.state(row)),
    used: rows.map((row) => {
      const cpu = share(cluster.cpuCapacityMilli[row] as number, cluster.cpuFreeMilli[row] as number);
      const memory = share(cluster.memoryCapacityMib[row] as number, cluster.memoryFreeMib[row] as number);
      const gpu = share((cluster.gpuCount[row] as number) * 1000, cluster.gpuFreeMilli[row] as number);
      return Math.min(1, Math.max(0, cpu, memory, gpu));
    }),
    tasks: rows.map((row) => cluster.allocationCount[row] as number),
    connected: rows.map((row) => agents.isConnected(row)),
    total: registry.size,
  };
}

/** What is believed of the agent at each class of task, and what it declares. */
export function skillViews({ live }: HttpSources, row: number) {
  const { registry } = live.kernel.control;
  return registry.skills.classNames.slice(0, skillsShown).flatMap((name) => {
    const skill = explainSkill(registry, row, name, 1, live.now());
    if (skill === undefined) return [];
    const { taskClass, success, samples, outcomeCount } = skill;
    return [
      {
        ...{ taskClass, success, samples, outcomeCount },
        seconds: finite(skill.seconds),
        secondsLow: finite(skill.secondsLow),
        secondsHigh: finite(skill.secondsHigh),
        declaredSeconds: skill.declaredSeconds ?? null,
        measuredSeconds: skill.measuredSeconds ?? null,
        ageMicros: skill.ageMicros ?? null,
        joules: skill.joules ?? null,
      },
    ];
  });
}

/** A task that the kernel knows. */
export function taskView(sources: HttpSources, task: Task) {
  const { live, activity } = sources;
  const life = activity.life(task.task);
  const { kind } = task;
  const { cluster } = live.kernel.control.scheduler;
  const models = cluster.models.names.filter((_, bit) => (kind.gpuModelMask & (1 << bit)) !== 0);
  return {
    ...{ task: task.task, submitter: task.submitter, submission: task.submission, tenant: task.tenant },
    state: task.state === 'waiting' ? 'waiting' : life !== undefined && life.startedMicros >= 0 ? 'running' : 'placed',
    outcome: null,
    priority: task.priority,
    submittedMicros: task.submittedMicros,
    estimateMicros: task.estimateMicros,
    attempts: task.attempts,
    preemptions: task.preemptions,
    progressMicros: task.progressMicros,
    cancelled: task.cancelled,
    request: {
      ...{ cpuMilli: kind.cpuMilli, memoryMib: kind.memoryMib, gpuCount: kind.gpuCount, gpuMilli: kind.gpuMilli },
      ...{ gpuModels: models, machineCount: kind.machineCount, skill: kind.skill ?? '' },
    },
    ...timesOf(sources, task.state === 'waiting' ? undefined : life),
  };
}

/** A task that has ended. */
export function endedTaskView(sources: HttpSources, life: TaskLife) {
  const { task, submitter, submission, tenant, priority, submittedMicros, attempts } = life;
  return {
    ...{ task, submitter, submission, tenant, state: 'ended', outcome: life.outcome ?? null, priority },
    ...{ submittedMicros, attempts, cancelled: life.outcome === 'cancelled' },
    ...timesOf(sources, life),
  };
}

function timesOf(sources: HttpSources, life: TaskLife | undefined) {
  return {
    attempt: life?.attempt ?? 0,
    agents: (life?.machines ?? []).map((row) => nameOf(sources, row)),
    placedMicros: timeOf(life?.placedMicros),
    startedMicros: timeOf(life?.startedMicros),
    endedMicros: timeOf(life?.endedMicros),
    serviceMicros: life === undefined || life.endedMicros < 0 ? null : life.serviceMicros,
    joules: life?.joules ?? null,
  };
}

/** A decision in a list. */
export function decisionView(sources: HttpSources, { record, sequence, timeMicros }: KeptDecision) {
  const { decision, task, submission, attempt, outcome, rule, feasibleCount, queueLength, propensity } = record;
  return {
    ...{ decision, sequence, timeMicros, task, submission, attempt, outcome, rule },
    agents: record.machines.map((row) => nameOf(sources, row)),
    ...{ feasibleCount, queueLength, propensity },
    why: explain(sources, record),
  };
}

/** A decision with all that speaks for it. */
export function decisionExplanation(sources: HttpSources, kept: KeptDecision) {
  const { record } = kept;
  const { scores } = sources.live.kernel.control.scheduler.placement;
  return {
    ...decisionView(sources, kept),
    tieCount: record.tieCount,
    policyVersion: record.policyVersion,
    shadowMicros: record.shadowMicros < 0 ? null : record.shadowMicros,
    deviceMasks: [...record.deviceMasks],
    victims: [...(record.victims ?? [])],
    filtered: record.reasonCounts.flatMap((count, reason) =>
      count > 0 && reason > 0 ? [{ reason: filterReasons[reason] ?? `reason ${reason}`, count }] : [],
    ),
    ranked: record.ranked.map(({ machine, score, scores: values }) => ({
      agent: nameOf(sources, machine),
      score: finite(score),
      scores: values.map((value, index) => ({ plugin: scores[index]?.plugin.name ?? '', value: finite(value) })),
    })),
  };
}

/** One or two sentences. */
export function explain(sources: HttpSources, record: DecisionRecord): string {
  const filter = explainFilter(record.reasonCounts);
  const agents = record.machines.map((row) => nameOf(sources, row)).join(', ');
  const rule = record.rule === 'in order' ? '' : ` (${record.rule})`;
  switch (record.outcome) {
    case 'placed': {
      const [winner, next] = record.ranked;
      const tied = record.tieCount > 1 ? `, one of ${record.tieCount} that tie at the best score` : '';
      const beside =
        winner === undefined || next === undefined || record.tieCount > 1
          ? ''
          : `, ${short(winner.score)} before ${nameOf(sources, next.machine)} with ${short(next.score)}`;
      return `On ${agents}${rule}: best of ${record.feasibleCount} that fit${tied}${beside}; ${filter}.`;
    }
    case 'evicts':
      return `Stops ${record.victims?.length ?? 0} running tasks on ${agents} for it${rule}; ${filter}.`;
    case 'dropped':
      return `Given up${rule}; ${filter}.`;
    case 'backs off':
      return `Tried again later${rule}; ${filter}.`;
    case 'waits':
      return `Waits${rule}; ${filter}.`;
  }
}

export function nameOf({ live }: HttpSources, row: number): string {
  return live.kernel.control.registry.names[row] ?? `#${row}`;
}

function short(value: number): string {
  return String(Number(value.toPrecision(4)));
}

function timeOf(micros: number | undefined): number | null {
  return micros === undefined || micros < 0 ? null : micros;
}

function finite(value: number): number | null {
  return Number.isFinite(value) ? value : null;
}
