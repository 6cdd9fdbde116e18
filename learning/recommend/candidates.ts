// From what limits to what might help: candidates, each with the finding that speaks for trying it. They are guesses by rule; what
// they are worth the simulator says. Whatever touches the same lever can undo one another.

import { formatDuration } from '../../core/base/time.ts';
import { kernelSettingTable } from '../../core/config/kernel-setting-table.ts';
import type { Bottlenecks } from '../../core/telemetry/bottlenecks.ts';
import { behindOthers } from '../../core/telemetry/task-life.ts';
import { type Configuration, typicalMachine } from './configuration.ts';
import type { ApplyMeans, Change, RecommendationKind } from './recommendation.ts';

export interface Candidate {
  readonly kind: RecommendationKind;
  readonly title: string;
  readonly finding: string;
  readonly change: Change;
}

/** What the rules look at besides the configuration. */
export interface Findings {
  readonly bottlenecks: Bottlenecks;
  /** Whether tasks differ in these. */
  readonly hasPriorities: boolean;
  readonly hasTenants: boolean;
  /** Tasks over several machines. */
  readonly hasWideTasks: boolean;
  /** Whether some ask for twice as much as others, and so can be passed by them for long. */
  readonly hasLargeTasks: boolean;
  readonly estimateRatios: ReadonlyMap<string, number>;
}

const candidatesMax = 8;
/** Less waiting than this is not worth a look. */
const waitShareMin = 0.05;
/** Resources in use below this share could be fewer. */
const idleShareMax = 0.4;
/** Classes whose estimates are off by factors that differ more than this are worth correcting. */
const driftMin = 1.5;
const usesEstimates = ['sjf', 'f1', 'wfp3', 'unicep', 'unicep-rlscheduler', 'learned'];

export function candidatesOf(configuration: Configuration, findings: Findings): Candidate[] {
  const { bottlenecks } = findings;
  const waiting = waitShareOf(bottlenecks);
  const found = [
    ...(waiting >= waitShareMin
      ? [
          ...limitCandidates(configuration, bottlenecks),
          ...policyCandidates(configuration, findings),
          ...growth(configuration, bottlenecks),
        ]
      : []),
    ...retraining(configuration, findings),
    ...savings(configuration, bottlenecks),
  ];
  return found.slice(0, candidatesMax);
}

/** How a change is put in force. */
export function meansOf({ policy, settings, machines, sleep, retrain }: Change): ApplyMeans {
  const parts = [policy, settings, machines, sleep, retrain].filter((part) => part !== undefined).length;
  if (parts !== 1) return 'byHand';
  if (settings !== undefined) return 'settings';
  if (policy !== undefined) return 'rollout';
  return machines?.remove !== undefined && machines.add === undefined && machines.resize === undefined
    ? 'drain'
    : 'byHand';
}

export function kindOf({ policy, settings, machines, sleep }: Change): RecommendationKind {
  if (machines !== undefined) return 'machines';
  if (sleep !== undefined) return 'power';
  if (policy !== undefined) return 'policy';
  return settings !== undefined ? 'limits' : 'retrain';
}

/** Whether two changes turn the same screw. */
export function sharesLever(one: Change, other: Change): boolean {
  const levers = ({ policy, settings = {}, machines, sleep, retrain }: Change): string[] => [
    ...(policy === undefined ? [] : ['policy']),
    // Machines that go and machines that sleep answer the same question.
    ...(machines === undefined && sleep === undefined ? [] : ['capacity']),
    ...(retrain === undefined ? [] : ['retrain']),
    ...Object.keys(settings).map((name) => name.replace(/(First|Max)Micros$/, '')),
  ];
  const theirs = levers(other);
  return levers(one).some((lever) => theirs.includes(lever));
}

/** Whether it lessens what machines take rather than what tasks wait, and whether it takes more of them. */
export function natureOf({ machines, sleep }: Change): { readonly savesEnergy: boolean; readonly costs: boolean } {
  const shrinks = machines?.remove !== undefined || (machines?.resize !== undefined && machines.resize.factor < 1);
  const grows = machines?.add !== undefined || (machines?.resize !== undefined && machines.resize.factor > 1);
  return { savesEnergy: (shrinks && !grows) || sleep !== undefined, costs: grows };
}

function waitShareOf({ parts }: Bottlenecks): number {
  return parts.filter(({ name }) => name === 'queue' || name === 'retry').reduce((sum, { share }) => sum + share, 0);
}

function waitingSentence(bottlenecks: Bottlenecks): string {
  const percent = (share: number): string => `${Math.round(100 * share)}%`;
  const [reason] = bottlenecks.reasons;
  const kept = reason?.name === behindOthers ? 'behind other tasks' : `for want of ${reason?.name}`;
  const most = reason === undefined ? '' : `, ${percent(reason.share)} of that ${kept}`;
  return `${percent(waitShareOf(bottlenecks))} of the tasks' time is waiting${most}`;
}

function limitCandidates({ policy, settings }: Configuration, bottlenecks: Bottlenecks): Candidate[] {
  if (policy.unplaced !== 'backoff') return [];
  const first = settings['scheduler.backoffFirstMicros'] as number;
  const longest = settings['scheduler.backoffMaxMicros'] as number;
  const finding = `${waitingSentence(bottlenecks)}; a task that finds no room is tried again after ${formatDuration(first)} to ${formatDuration(longest)}`;
  return [10, 100].flatMap((factor) => {
    const shorter = (name: 'scheduler.backoffFirstMicros' | 'scheduler.backoffMaxMicros', value: number): number =>
      Math.max(kernelSettingTable[name].min, 1000, Math.round(value / factor));
    const change = {
      'scheduler.backoffFirstMicros': shorter('scheduler.backoffFirstMicros', first),
      'scheduler.backoffMaxMicros': shorter('scheduler.backoffMaxMicros', longest),
    };
    if (change['scheduler.backoffFirstMicros'] >= first) return [];
    const title = `Try waiting tasks again ${factor} times as soon`;
    return [{ kind: 'limits' as const, title, finding, change: { settings: change } }];
  });
}

function policyCandidates(
  { policy }: Configuration,
  { bottlenecks, hasPriorities, hasTenants, hasWideTasks, hasLargeTasks }: Findings,
): Candidate[] {
  const finding = waitingSentence(bottlenecks);
  const candidate = (title: string, change: NonNullable<Change['policy']>): Candidate[] => {
    const differs = Object.entries(change).some(([name, value]) => policy[name as keyof typeof policy] !== value);
    return differs ? [{ kind: 'policy', title, finding, change: { policy: change } }] : [];
  };
  return [
    ...(policy.unplaced === 'block'
      ? candidate('Let tasks that fit pass one that does not', { unplaced: 'skip', overtakeMax: 1000 })
      : []),
    ...(policy.unplaced === 'backoff' || policy.unplaced === 'drop'
      ? candidate('Keep tasks that find no room in the queue', { unplaced: 'skip', overtakeMax: 1000 })
      : []),
    // Who set priorities meant them.
    ...(hasPriorities && policy.order === 'priority' ? [] : candidate('Short tasks first', { order: 'sjf' })),
    ...(hasTenants ? candidate('Shares of the tenants, evenly', { order: 'drf' }) : []),
    ...(hasWideTasks && policy.backfill === 'none'
      ? candidate('Backfill behind a blocked task', { unplaced: 'block', backfill: 'avoidReserved' })
      : []),
    ...(hasLargeTasks && policy.unplaced === 'skip' && (policy.overtakeMax === 0 || policy.overtakeMax > 10)
      ? candidate('Let at most ten tasks pass one that waits', { overtakeMax: 10 })
      : []),
    ...candidate('Pack tasks tightly', { place: 'best-fit' }),
    ...(bottlenecks.limit.name === behindOthers ? [] : candidate('Spread tasks', { place: 'spread' })),
  ];
}

function growth({ machines }: Configuration, bottlenecks: Bottlenecks): Candidate[] {
  const busy = bottlenecks.resources.some(({ usedWhileWaiting = 0 }) => usedWhileWaiting > 0.5);
  const typical = typicalMachine(machines);
  if (!busy || typical === undefined) return [];
  const finding = waitingSentence(bottlenecks);
  const add = Math.max(1, Math.round(machines.length / 10));
  const more = add === 1 ? 'Add a machine' : `Add ${add} machines`;
  const largest = machines.filter(({ cpuMilli }) => cpuMilli === typical.cpuMilli).slice(0, add);
  return [
    { kind: 'machines', title: `${more} like ${typical.name}`, finding, change: { machines: { add } } },
    {
      kind: 'machines',
      title: `Give ${largest.map(({ name }) => name).join(', ')} twice the cores and memory`,
      finding,
      change: { machines: { resize: { agents: largest.map(({ name }) => name), factor: 2 } } },
    },
  ];
}

function retraining({ policy, isRetrained }: Configuration, { estimateRatios }: Findings): Candidate[] {
  const uses = usesEstimates.includes(policy.order) || policy.backfill !== 'none' || policy.place === 'predictive';
  if (isRetrained || !uses || estimateRatios.size < 2) return [];
  const ratios = [...estimateRatios].sort(([, left], [, right]) => left - right);
  const [least, most] = [ratios[0], ratios.at(-1)] as [(typeof ratios)[number], (typeof ratios)[number]];
  if (most[1] / least[1] < driftMin) return [];
  const told = ([name, ratio]: (typeof ratios)[number]): string => `"${name}" takes ${ratio.toPrecision(2)}`;
  return [
    {
      kind: 'retrain',
      title: 'Fit the forecast of durations to what tasks take now',
      finding: `the policy decides by estimates, and they have drifted: ${told(least)} and ${told(most)} of what is estimated`,
      change: { retrain: 'durations' },
    },
  ];
}

function savings({ machines, power, sleepAfterMicros }: Configuration, { resources }: Bottlenecks): Candidate[] {
  const scarcest = Math.max(...resources.map(({ used = 0 }) => used));
  if (machines.length === 0 || scarcest > idleShareMax) return [];
  const finding = `no resource is used by more than ${Math.round(100 * scarcest)}% over time`;
  const gone = machines.slice(-Math.max(1, Math.round(machines.length / 10))).map(({ name }) => name);
  const found: Candidate[] = [];
  if (power?.sleepWatts !== undefined && sleepAfterMicros === undefined)
    found.push({
      kind: 'power',
      title: 'Let machines without work sleep after a minute',
      finding,
      change: { sleep: { afterMicros: 60_000_000 } },
    });
  if (machines.length > gone.length)
    found.push({
      kind: 'machines',
      title: `Do without ${gone.join(', ')}`,
      finding,
      change: { machines: { remove: gone } },
    });
  return found;
}
