// One recommendation in full: what it would do and on what evidence, how risky it is, and what it did after it was applied.

import { type Child, count, duration, h, moment, plural, settingText, short, signedPercent } from './dom.ts';
import { badge, facts, table } from './drawer.ts';
import { intervalPicture } from './interval-picture.ts';
import {
  type AdviceAction,
  actionStates,
  type Effect,
  type Evidence,
  type Realized,
  type Recommendation,
  sayAdvice,
} from './recommendation.ts';

export type Act = (action: AdviceAction, label: string, what: string, isDangerous: boolean) => void;

export function recommendationDetail(one: Recommendation, act: Act): Child[] {
  const { title, kind, state, risk, finding, reasons, effects, evidence, realized, steps, progress } = one;
  const [objective] = effects;
  return [
    h(
      'div',
      { class: 'head' },
      h('h2', { class: 'large' }, title),
      badge(sayAdvice(state)),
      h('span', { class: 'badge' }, sayAdvice(kind)),
      risk === null ? null : h('span', { class: `badge is-risk-${risk.level}` }, `${risk.level} risk`),
    ),
    h('p', {}, finding),
    state === 'simulating'
      ? h('progress', { value: progress, max: 1, 'aria-label': 'How much of it is simulated' })
      : null,
    ...reasons.map((reason) => h('p', { class: 'reason' }, reason)),
    actions(one, act),
    ...(effects.length === 0 ? [] : effectSection(effects)),
    ...(realized === null || objective === undefined ? [] : realizedSection(objective, realized)),
    ...(steps.length === 0 ? [] : [h('h3', {}, 'What a person does'), listOf('ol', steps)]),
    h('h3', {}, 'The change'),
    changeList(one),
    risk === null ? null : h('h3', {}, 'Risk'),
    risk === null ? null : h('p', {}, `${risk.level[0]?.toUpperCase()}${risk.level.slice(1)}: ${risk.rule}.`),
    ...(evidence === null ? [] : evidenceSection(evidence)),
    h('h3', {}, 'What became of it'),
    table(
      'History',
      ['when', 'state', 'who', 'why'],
      one.history.map(({ atMicros, state: reached, who, why }) => [
        moment(atMicros),
        badge(sayAdvice(reached)),
        who,
        h('span', { class: 'wrap' }, why),
      ]),
    ),
  ];
}

function actions(one: Recommendation, act: Act): HTMLElement | null {
  const { state, means, kind, expiresMicros, applied } = one;
  const isAnswer = kind === 'doNothing' || kind === 'cannotTell';
  const button = (action: AdviceAction, label: string, what: string, look = 'plain'): HTMLElement | null => {
    if (!(actionStates[action] as readonly string[]).includes(state)) return null;
    if (isAnswer && action !== 'dismiss') return null;
    const isDangerous = look.includes('danger');
    return h('button', { type: 'button', class: look, onclick: () => act(action, label, what, isDangerous) }, label);
  };
  const applying: Readonly<Record<string, string>> = {
    settings: 'The settings change at once. Then the effect is measured, and a worse one than predicted is taken back.',
    rollout: 'A rollout begins: gates, shadow and canary try the policy before it serves alone.',
    drain: 'The agents get no new work; what they run is finished.',
    byHand: 'The kernel cannot do it: a person follows the steps, and then says so here.',
  };
  const buttons = [
    state === 'awaitsPerson'
      ? button('apply', 'The steps are done', 'From now on its effect is measured.', 'primary')
      : button('apply', 'Apply', applying[means] ?? 'It is put in force.', 'primary'),
    button('dismiss', 'Reject', 'It is not done, and not shown as open any more.'),
    button('rollback', 'Roll back', 'What it changed is taken back at once.', 'plain danger'),
    button('simulate', 'Simulate again', 'On a world made of the latest telemetry.'),
  ].filter((each) => each !== null);
  if (buttons.length === 0) return null;
  const left = expiresMicros - Date.now() * 1000;
  const note =
    state === 'recommended'
      ? `Holds for ${duration(Math.max(0, left))} more.`
      : applied === null
        ? ''
        : `Applied by ${applied.who} at ${moment(applied.atMicros)}.`;
  return h('div', { class: 'actions spaced' }, buttons, h('span', { class: 'quiet' }, note));
}

function effectSection(effects: readonly Effect[]): Child[] {
  return [
    h('h3', {}, 'Predicted effect'),
    intervalPicture(
      effects.map(({ title, unit, present, changed, change, expected, atMost }) => ({
        label: title,
        note: `${short(present)} → ${short(changed)} ${unit}`,
        middle: change.mean,
        low: change.low,
        high: change.high,
        around: expected,
        atMost: atMost ?? undefined,
      })),
    ),
    h(
      'p',
      { class: 'quiet' },
      'Less is better. Thick: 95% interval of the mean over seeds, paired; thin: where the change of a single window will lie; ' +
        'solid line: no change; dashed line: more than this speaks against it.',
    ),
  ];
}

function realizedSection({ title, unit, expected }: Effect, realized: Realized): Child[] {
  const { before, after, without, change, verdict, reason, tasks, fromMicros, untilMicros } = realized;
  const isTold = verdict !== 'cannotTell';
  return [
    h('h3', {}, 'Realized against predicted'),
    h('p', {}, badge(verdicts[verdict] ?? verdict), ` ${reason}`),
    isTold
      ? intervalPicture([
          { label: `predicted ${title}`, middle: expected.mean, low: expected.low, high: expected.high },
          { label: 'realized', middle: change },
        ])
      : null,
    facts([
      ['before', `${short(before)} ${unit}`],
      ...(isTold
        ? ([
            ['after', `${short(after)} ${unit}`],
            ['without the change', `${short(without)} ${unit}, by the simulator`],
            ['measured over', `${duration(untilMicros - fromMicros)}, ${plural(tasks, 'task')}`],
          ] as const)
        : []),
    ]),
  ];
}

const verdicts: Readonly<Record<string, string>> = {
  inside: 'as predicted',
  better: 'better than predicted',
  worse: 'worse than predicted',
  cannotTell: 'cannot tell',
};

function evidenceSection(evidence: Evidence): Child[] {
  const { run, fromMicros, untilMicros, tasks, fidelity, seeds, files, digest, commands, assumptions } = evidence;
  return [
    h('h3', {}, 'Evidence'),
    facts([
      ['telemetry', `run ${run}, ${moment(fromMicros)} to ${moment(untilMicros)}`],
      ['tasks', count(tasks)],
      ['simulator off by', signedPercent(fidelity)],
      ['seeds', seeds.join(', ')],
      ['digest of the runs', h('code', {}, digest)],
    ]),
    ...(commands.length === 0
      ? []
      : [
          h('p', { class: 'quiet spaced' }, 'Run it again; the same files and the same code give the same runs:'),
          ...commands.map((command) => commandLine(command)),
        ]),
    assumptions.length === 0 ? null : h('details', {}, h('summary', {}, 'Assumptions'), listOf('ul', assumptions)),
    files.length === 0
      ? null
      : h(
          'details',
          {},
          h('summary', {}, plural(files.length, 'file')),
          h(
            'ul',
            { class: 'plainlist' },
            files.map(({ file, sha256 }) =>
              h('li', {}, h('code', {}, file), h('small', {}, ` ${sha256.slice(0, 16)}…`)),
            ),
          ),
        ),
  ];
}

function commandLine(command: string): HTMLElement {
  const button = h('button', { type: 'button', class: 'plain' }, 'Copy');
  button.addEventListener('click', async () => {
    await navigator.clipboard.writeText(command).then(
      () => {
        button.textContent = 'Copied';
      },
      () => {
        button.textContent = 'Select it';
      },
    );
  });
  return h('div', { class: 'command' }, h('code', {}, command), button);
}

function changeList({ change, means }: Recommendation): HTMLElement {
  const entries = Object.entries(change).flatMap(([part, value]): [string, string][] =>
    typeof value === 'object' && value !== null
      ? Object.entries(value).map(([name, one]) => [
          part === 'policy' || part === 'settings' ? name : `${part} ${name}`,
          valueText(name, one),
        ])
      : [[part, String(value)]],
  );
  return entries.length === 0
    ? h('p', { class: 'quiet' }, 'None.')
    : facts([
        ...entries.map(([name, value]): [Child, Child] => [h('code', {}, name), h('b', {}, value)]),
        ['by', sayAdvice(means)],
      ]);
}

/** Lists with commas, parts by their names. */
function valueText(name: string, value: unknown): string {
  if (Array.isArray(value)) return value.join(', ');
  if (typeof value !== 'object' || value === null) return settingText(name, value as number | string | boolean);
  return Object.entries(value)
    .map(([part, one]) => `${part} ${valueText(part, one)}`)
    .join('; ');
}

function listOf(name: 'ol' | 'ul', sentences: readonly string[]): HTMLElement {
  return h(
    name,
    { class: 'plainlist' },
    sentences.map((sentence) => h('li', {}, sentence)),
  );
}
