// The parts of a rollout as the console draws it: how far it has come, what its witnesses and guards say, how its canary stands.

import { clock, count, h, moment, plural, short } from './dom.ts';
import { badge, table } from './drawer.ts';
import { intervalPicture } from './interval-picture.ts';

export interface PolicyVersion {
  readonly version: number;
  readonly name: string;
  readonly policy: Readonly<Record<string, unknown>>;
}

interface Canary {
  readonly pairs: number;
  readonly tasks: number;
  readonly slowdownChange: number;
  readonly slowdownChangeLow: number;
  readonly slowdownChangeHigh: number;
  readonly verdict: string;
  readonly harmTasks: number;
}

export interface Rollout {
  readonly rollout: number;
  readonly candidate: PolicyVersion;
  readonly incumbentVersion: number;
  readonly stage: string;
  readonly paused: string;
  readonly awaitsApproval?: string;
  readonly testimonies: readonly {
    readonly witness: string;
    readonly verdict: string;
    readonly evidence: string;
    readonly who: string;
    readonly atMicros: number;
  }[];
  readonly shadowDecisions: number;
  readonly shadowAgreements: number;
  readonly canary?: Canary | null;
  readonly plan: {
    readonly shadowDecisions: number;
    readonly canary: { readonly tasksMax: number; readonly harmTasksMax: number };
    readonly guards: readonly { readonly metric: string; readonly atMost: number; readonly windowTasks?: number }[];
  };
}

export interface Reading {
  readonly metric: string;
  readonly atMost: number;
  readonly windowTasks: number;
  readonly value: number | null;
}

/** What the watch sees of a policy that was promoted. */
export interface Watch {
  readonly arrived: number;
  readonly ended: number;
  readonly slowdown: number | null;
  readonly slowdownPromised: number | null;
  readonly inputs: readonly {
    readonly input: string;
    readonly source: string;
    readonly stability: number | null;
    readonly bound: number;
  }[];
}

export interface Step {
  readonly rollout: number;
  readonly from: string;
  readonly to: string;
  readonly who: string;
  readonly why: string;
  readonly atMicros: number;
  readonly servesVersion: number;
}

export const stages = ['simulation', 'replay', 'shadow', 'canary', 'promoted'];
export const endStages = ['promoted', 'rejected', 'rolledBack'];
const words: Readonly<Record<string, string>> = {
  proposed: 'proposed',
  simulation: 'simulation gate',
  replay: 'replay gate',
  shadow: 'shadow',
  canary: 'canary',
  held: 'held',
  promoted: 'promoted',
  rejected: 'rejected',
  rolledBack: 'rolled back',
  offPolicy: 'off-policy estimate',
  cannotTell: 'cannot tell',
  slowdown: 'slowdown',
  failedShare: 'share of failed tasks',
  oldestWaitSeconds: 'longest wait, seconds',
  queueLength: 'waiting tasks',
};
export const say = (word: string): string => words[word] ?? word;

/** The stages on the way, those behind it and the one that it is in. */
export function stepper({ stage }: Rollout, steps: readonly Step[]): HTMLElement {
  const isFailed = stage === 'rejected' || stage === 'rolledBack';
  const reached = isFailed ? (steps.at(-1)?.from ?? 'simulation') : stage;
  const at = stages.indexOf(reached === 'held' ? 'canary' : reached);
  return h(
    'ol',
    { class: 'stages' },
    stages.map((name, index) => {
      const isHere = index === at;
      const state = index < at || stage === 'promoted' ? 'is-past' : isHere ? (isFailed ? 'is-failed' : 'is-here') : '';
      return h('li', { class: state, ...(isHere ? { 'aria-current': 'step' } : {}) }, say(name));
    }),
  );
}

export function meter(label: string, value: number, most: number): HTMLElement {
  const share = most === 0 ? 1 : Math.max(0, Math.min(1, value / most));
  return h(
    'div',
    { class: 'meter' },
    h('span', {}, label),
    h('span', { class: 'bar' }, h('i', { style: `width:${100 * share}%` })),
    h('span', { class: 'number' }, `${short(value)} of ${count(most)}`),
  );
}

export function canaryPicture(canary: Canary, plan: Rollout['plan']['canary']): HTMLElement {
  const { pairs, tasks, harmTasks, slowdownChange, slowdownChangeLow, slowdownChangeHigh } = canary;
  return h(
    'div',
    { class: 'figure' },
    pairs === 0
      ? h('p', { class: 'quiet' }, 'No pair of blocks has ended yet: nothing can be said of its slowdown.')
      : intervalPicture([
          { label: 'slowdown', middle: slowdownChange, low: slowdownChangeLow, high: slowdownChangeHigh },
        ]),
    meter('tasks of the canary', tasks, plan.tasksMax),
    meter('harm, tasks', Math.max(0, harmTasks), plan.harmTasksMax),
    h('p', { class: 'quiet' }, `${plural(pairs, 'pair')} of blocks: ${say(canary.verdict)}. Less slowdown is better.`),
  );
}

export function guardTable(guards: Rollout['plan']['guards'], readings: readonly Reading[]): HTMLElement {
  return table(
    'Guards',
    ['guard', 'now', 'at most', ''],
    guards.map(({ metric, atMost, windowTasks }, index) => {
      const value = readings[index]?.value;
      const isNear = typeof value === 'number' && value > 0.8 * atMost;
      return [
        h('span', { title: windowTasks === undefined ? '' : `over ${windowTasks} tasks` }, say(metric)),
        value === undefined || value === null ? '–' : h('b', {}, short(value)),
        short(atMost),
        typeof value !== 'number'
          ? ''
          : h('span', { class: `badge is-${isNear ? 'suspect' : 'completed'}` }, isNear ? 'near' : 'good'),
      ];
    }),
  );
}

/** Whether the tasks are still like those that it was tried or trained on. */
export function watchTable({ arrived, ended, slowdown, slowdownPromised, inputs }: Watch): HTMLElement {
  const windows = inputs.filter(({ stability }) => stability !== null);
  return h(
    'div',
    { class: 'figure' },
    h(
      'p',
      { class: 'quiet' },
      `Watched since it serves alone: ${plural(arrived, 'task')} came, ${count(ended)} ended.`,
    ),
    windows.length === 0
      ? null
      : table(
          'Drift',
          ['input', 'drift', 'bound', 'from'],
          windows.map(({ input, stability, bound, source }) => [
            input,
            h('b', {}, short(stability)),
            short(bound),
            `the ${source}`,
          ]),
        ),
    slowdown === null || slowdownPromised === null
      ? null
      : h('p', { class: 'quiet' }, `Mean slowdown ${short(slowdown)} lately; ${short(slowdownPromised)} in its trial.`),
  );
}

export function witnessTable(testimonies: Rollout['testimonies']): HTMLElement {
  return table(
    'Witnesses',
    ['witness', 'says', 'evidence', 'told by'],
    testimonies.map(({ witness, verdict, evidence, who, atMicros }) => [
      say(witness),
      badge(say(verdict)),
      h('span', { class: 'wrap' }, evidence),
      h('span', { title: moment(atMicros) }, `${who}, ${clock(atMicros)}`),
    ]),
  );
}

export function changes(from: Readonly<Record<string, unknown>>, to: Readonly<Record<string, unknown>>): HTMLElement {
  const names = [...new Set([...Object.keys(from), ...Object.keys(to)])].filter(
    (name) => name !== 'name' && JSON.stringify(from[name]) !== JSON.stringify(to[name]),
  );
  return h(
    'ul',
    { class: 'changes' },
    names.map((name) =>
      h('li', {}, h('code', {}, name), h('span', {}, `${valueText(from[name])} → `, h('b', {}, valueText(to[name])))),
    ),
    names.length === 0 ? h('li', { class: 'quiet' }, 'It is as the incumbent in all.') : null,
  );
}

/** Empty collections say nothing. */
export function valueText(value: unknown): string {
  if (value === undefined || value === null || value === '') return '–';
  if (typeof value !== 'object') return String(value);
  const text = JSON.stringify(value);
  if (text === '{}' || text === '[]') return '–';
  return text.length > 80 ? `${text.slice(0, 80)}…` : text;
}
