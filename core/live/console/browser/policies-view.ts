// Which policy serves, how its rollouts stand (stage, witnesses, canary, guards), who decided what, and the words that move them.
// What a word does is the kernel's to say.

import { ask } from './api.ts';
import { askWhy, type Said } from './ask-why.ts';
import { byId, type Child, count, h, moment, percent, plural, replace } from './dom.ts';
import { badge, type Drawer, facts } from './drawer.ts';
import {
  canaryPicture,
  changes,
  endStages,
  guardTable,
  meter,
  type PolicyVersion,
  type Reading,
  type Rollout,
  type Step,
  say,
  stages,
  stepper,
  valueText,
  type Watch,
  watchTable,
  witnessTable,
} from './rollout-parts.ts';

interface Policies {
  readonly serves: PolicyVersion;
  readonly good: readonly PolicyVersion[];
  readonly rollouts: readonly Rollout[];
  readonly guards: readonly Reading[];
  /** By what a network decides; empty without one. */
  readonly networks: Readonly<Record<string, NetworkCounts>>;
  /** Empty if nobody looks. */
  readonly watch: Watch | Readonly<Record<string, never>>;
}

interface NetworkCounts {
  readonly decisions: number;
  readonly outside: number;
  readonly overBudget: number;
  readonly broken: number;
}

const rolloutsShown = 20;
const stepsShown = 60;

export class PoliciesView {
  private readonly drawer: Drawer;

  constructor(drawer: Drawer) {
    this.drawer = drawer;
  }

  async draw(): Promise<void> {
    const [policies, { events }] = await Promise.all([
      ask<Policies>('/v1/policies'),
      ask<{ events: readonly Step[] }>('/v1/policies/history'),
    ]);
    const { rollouts } = policies;
    const newest = rollouts.toReversed().slice(0, rolloutsShown);
    replace(byId('policy-serving'), this.serving(policies));
    replace(
      byId('policy-rollouts'),
      newest.length === 0
        ? h(
            'p',
            { class: 'quiet' },
            'No candidate was ever proposed. ',
            h('code', {}, 'sira policy promote sjf --why "short tasks wait"'),
            ' proposes one and runs the simulation gate.',
          )
        : newest.map((rollout) => this.card(rollout, policies, events)),
    );
    replace(
      byId('policy-history'),
      events.length === 0 ? h('li', { class: 'quiet' }, 'Nobody has decided anything yet.') : null,
      events.toReversed().slice(0, stepsShown).map(stepItem),
    );
  }

  private serving({ serves, good, networks }: Policies): Child[] {
    const before = good.filter(({ version }) => version !== serves.version);
    const isTrusted = good.at(-1)?.version === serves.version;
    const back = h('button', { type: 'button', class: 'plain danger' }, 'Roll back to the policy before');
    back.addEventListener('click', () =>
      this.command('Roll back what serves', 'Roll back', '/v1/policies/rollback', [
        h('p', {}, `${serves.name} gives way at once to the last good policy before it: ${before.at(-1)?.name}.`),
      ]),
    );
    return [
      h(
        'p',
        { class: 'serving' },
        h('b', {}, serves.name),
        h('span', { class: 'quiet' }, `version ${serves.version}${isTrusted ? '' : ', a candidate in its canary'}`),
      ),
      facts(policyFacts(serves.policy)),
      ...Object.entries(networks).map(([part, counts]) => h('p', { class: 'spaced' }, networkText(part, counts))),
      before.length === 0
        ? h('p', { class: 'quiet spaced' }, 'No other policy has served before.')
        : h(
            'p',
            { class: 'quiet spaced' },
            `Trusted before: ${before.map(({ name, version }) => `${name} (version ${version})`).join(', then ')}.`,
          ),
      before.length > 0 && isTrusted ? h('div', { class: 'actions' }, back) : null,
    ];
  }

  private card(rollout: Rollout, { good, serves, guards, watch }: Policies, events: readonly Step[]): HTMLElement {
    const { candidate, stage, testimonies, canary, plan } = rollout;
    const number = rollout.rollout;
    const steps = events.filter((event) => event.rollout === number);
    const before = good.find(({ version }) => version === rollout.incumbentVersion);
    const isOver = endStages.includes(stage);
    const servesAlone = stage === 'promoted' && candidate.version === serves.version;
    return h(
      'section',
      { class: 'rollout', id: `rollout-${number}` },
      h(
        'div',
        { class: 'head' },
        h('h3', {}, candidate.name),
        h('span', { class: 'quiet' }, `rollout ${number}, version ${candidate.version}`),
        badge(say(stage)),
        rollout.paused === '' ? null : badge('stands still'),
        rollout.awaitsApproval === undefined ? null : badge('awaits approval'),
      ),
      stepper(rollout, steps),
      h('p', {}, standing(rollout, serves, steps)),
      before === undefined || isOver ? null : changes(before.policy, candidate.policy),
      stage === 'shadow' ? meter('decisions beside', rollout.shadowDecisions, plan.shadowDecisions) : null,
      canary === undefined || canary === null ? null : canaryPicture(canary, plan.canary),
      plan.guards.length === 0 ? null : guardTable(plan.guards, isOver && !servesAlone ? [] : guards),
      servesAlone && 'inputs' in watch ? watchTable(watch as Watch) : null,
      testimonies.length === 0 ? null : witnessTable(testimonies),
      this.actions(rollout, serves),
    );
  }

  private actions(rollout: Rollout, serves: PolicyVersion): HTMLElement | null {
    const { stage, paused, awaitsApproval, candidate, canary } = rollout;
    const number = rollout.rollout;
    const button = (word: string, label: string, what: string, isDangerous = false): HTMLElement => {
      const made = h('button', { type: 'button', class: isDangerous ? 'plain danger' : 'plain' }, label);
      const content = [h('p', {}, what)];
      made.addEventListener('click', () =>
        this.command(
          `${label}: ${candidate.name}`,
          label,
          `/v1/policies/rollouts/${number}/${word}`,
          content,
          isDangerous,
        ),
      );
      return made;
    };
    if (stage === 'promoted' && candidate.version === serves.version) return null;
    if (endStages.includes(stage)) return null;
    const next = awaitsApproval ?? stages[stages.indexOf(stage === 'held' ? 'canary' : stage) + 1] ?? 'promoted';
    const hasServed = canary !== undefined && canary !== null;
    return h(
      'div',
      { class: 'actions' },
      paused !== ''
        ? button('resume', 'Go on', 'The rollout goes on where it stood still.')
        : button(
            'approve',
            next === 'promoted' ? 'Promote' : `Approve: ${say(next)}`,
            next === 'promoted'
              ? 'It serves alone from that moment on, whatever its witnesses have said.'
              : `The rollout enters the stage “${say(next)}” on your word, whatever the gate has said.`,
          ),
      paused !== '' ? null : button('pause', 'Hold', 'It stands still, and the last good policy serves.'),
      hasServed
        ? button('rollback', 'Roll back', 'The last good policy serves at once, and the rollout is over.', true)
        : button('reject', 'Reject', 'The rollout is over. The candidate has never served.', true),
    );
  }

  private command(title: string, label: string, path: string, content: readonly Child[], isDangerous = true): void {
    const act = async (said: Said): Promise<void> => {
      await ask(path, 'POST', said);
      await this.draw();
    };
    askWhy(this.drawer, { title, content, label, isDangerous, act });
  }
}

function standing(rollout: Rollout, serves: PolicyVersion, steps: readonly Step[]): string {
  const { stage, paused, awaitsApproval, shadowDecisions, shadowAgreements, plan, canary } = rollout;
  const last = steps.at(-1);
  const told = last === undefined || last.why === '' ? '' : ` by ${last.who}: ${last.why}`;
  if (paused !== '') return `It stands still: ${paused}. The last good policy serves.`;
  if (awaitsApproval !== undefined) return `The stage “${say(awaitsApproval)}” waits for a person's approval.`;
  switch (stage) {
    case 'simulation':
    case 'replay':
      return `It waits for what the ${say(stage)} finds.`;
    case 'shadow':
      return shadowDecisions === 0
        ? 'It decides beside the policy that serves, and changes nothing.'
        : `It decides beside the policy that serves, and agrees with it in ${percent(shadowAgreements / shadowDecisions)}.`;
    case 'canary':
      return `It serves in turns with the incumbent: ${plural(canary?.tasks ?? 0, 'task')} of ${count(plan.canary.tasksMax)} at most.`;
    case 'held':
      return 'The canary is over, and not every witness speaks for it: a person decides.';
    case 'promoted':
      return rollout.candidate.version === serves.version ? `It serves${told}.` : `It was promoted${told}.`;
    default:
      return `It was ${say(stage)}${told}.`;
  }
}

/** What the shield let the network decide, and why not the rest. */
function networkText(part: string, { decisions, outside, overBudget, broken }: NetworkCounts): string {
  const fallbacks = outside + overBudget + broken;
  const said = `Its network was asked for ${plural(decisions, 'decision')} of ${part}`;
  if (decisions === 0 || fallbacks === 0) return `${said}; none was left to the fallback.`;
  const why = Object.entries({ 'unlike the training': outside, 'over the budget': overBudget, 'no number': broken });
  const reasons = why.flatMap(([reason, number]) => (number > 0 ? [`${reason}: ${count(number)}`] : []));
  return `${said}; ${percent(fallbacks / decisions)} were left to the fallback (${reasons.join(', ')}).`;
}

function policyFacts(policy: Readonly<Record<string, unknown>>): [string, Child][] {
  return Object.entries(policy)
    .filter(([name, value]) => name !== 'name' && valueText(value) !== '–')
    .map(([name, value]) => [name, valueText(value)]);
}

function stepItem({ rollout, from, to, who, why, atMicros, servesVersion }: Step): HTMLElement {
  return h(
    'li',
    {},
    h(
      'div',
      { class: 'change-head' },
      h('b', {}, `rollout ${rollout}: ${say(from)} → ${say(to)}`),
      h('span', {}, who),
      h('time', {}, moment(atMicros)),
    ),
    why === '' ? null : h('p', {}, why),
    h('p', { class: 'quiet' }, `version ${servesVersion} serves`),
  );
}
