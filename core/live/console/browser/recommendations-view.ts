// Recommendations: what could be better, each with its simulated effect; apply, reject or take back; ask what a change of one's own
// would do; how good past advice was. There is such a page where the kernel has the routes.

import { ask } from './api.ts';
import { askWhy, type Said } from './ask-why.ts';
import { byId, type Child, clock, h, percent, plural, replace, signedPercent } from './dom.ts';
import { badge, type Drawer, problemBox, table } from './drawer.ts';
import { intervalPicture } from './interval-picture.ts';
import { type Effect, type Ledger, type Recommendation, type RecommendationPage, sayAdvice } from './recommendation.ts';
import { type Act, recommendationDetail } from './recommendation-detail.ts';
import { WhatIfForm } from './what-if-form.ts';

const shown = 100;

/** The open one that changes most. */
function mostWorth(recommendations: readonly Recommendation[]): Recommendation | undefined {
  const changeOf = ({ effects }: Recommendation): number => effects[0]?.change.mean ?? 0;
  return recommendations
    .filter(({ state }) => state === 'recommended')
    .toSorted((left, right) => changeOf(left) - changeOf(right))[0];
}

function changeText({ change: { mean, low, high } }: Effect): string {
  return `${signedPercent(mean)} (${signedPercent(low)} to ${signedPercent(high)})`;
}

export class RecommendationsView {
  private readonly drawer: Drawer;
  private readonly filters = ['kind', 'state', 'risk'].map((name) => byId<HTMLSelectElement>(`advice-${name}`));
  private selected: number | undefined;
  /** What stands there, so that nothing is drawn anew under a reader's eyes that has not changed. */
  private drawnList = '';
  private drawnDetail = '';
  private drawnLedger = '';

  constructor(drawer: Drawer) {
    this.drawer = drawer;
    for (const filter of this.filters) filter.addEventListener('change', () => void this.draw());
    const look = byId('advice-look');
    look.addEventListener('click', () => void this.look());
    new WhatIfForm((one) => {
      this.selected = one.id;
      void this.draw();
    });
  }

  async draw(): Promise<void> {
    const query = new URLSearchParams({ limit: String(shown) });
    for (const { id, value } of this.filters) if (value !== '') query.set(id.replace('advice-', ''), value);
    const [page, ledger] = await Promise.all([
      ask<RecommendationPage>(`/v1/recommendations?${query}`),
      ask<Ledger>('/v1/recommendations/ledger'),
    ]);
    const { recommendations } = page;
    this.selected ??= (mostWorth(recommendations) ?? recommendations[0])?.id;
    const one =
      recommendations.find(({ id }) => id === this.selected) ??
      (this.selected === undefined ? undefined : await ask<Recommendation>(`/v1/recommendations/${this.selected}`));
    this.drawList(page);
    this.drawDetail(one);
    this.drawLedger(ledger);
  }

  private drawList(page: RecommendationPage): void {
    const { recommendations, analysis, next } = page;
    const text = JSON.stringify([page, this.selected]);
    if (text === this.drawnList) return;
    this.drawnList = text;
    byId('advice-analysis').textContent =
      analysis.state === 'none'
        ? 'Nothing was looked at yet.'
        : analysis.state === 'running'
          ? `Looking since ${clock(analysis.atMicros)} … ${analysis.sentence}`
          : `Looked at ${clock(analysis.atMicros)}: ${analysis.sentence}`;
    byId<HTMLButtonElement>('advice-look').disabled = analysis.state === 'running';
    const isFiltered = this.filters.some(({ value }) => value !== '');
    replace(
      byId('advice-list'),
      recommendations.map((one) => this.item(one)),
      recommendations.length === 0
        ? h('li', { class: 'quiet' }, isFiltered ? 'There is no such advice.' : 'There is none yet.')
        : null,
      next === null ? null : h('li', { class: 'quiet' }, `There are more; these are the latest ${shown}.`),
    );
  }

  private item(one: Recommendation): HTMLElement {
    const { id, title, state, kind, effects, risk, progress, isWhatIf } = one;
    const [objective] = effects;
    const button = h(
      'button',
      { type: 'button', class: 'advice-item', ...(id === this.selected ? { 'aria-current': 'true' } : {}) },
      h('b', {}, title),
      h(
        'span',
        {},
        badge(sayAdvice(state)),
        h('span', { class: 'badge' }, isWhatIf ? 'what if' : sayAdvice(kind)),
        risk === null ? null : h('span', { class: `badge is-risk-${risk.level}` }, `${risk.level} risk`),
      ),
      state === 'simulating' ? h('progress', { value: progress, max: 1, 'aria-label': 'simulated' }) : null,
      objective === undefined ? null : h('span', { class: 'quiet' }, `${objective.title} ${changeText(objective)}`),
    );
    button.addEventListener('click', () => {
      this.selected = id;
      void this.draw().then(() => byId('recommendation-detail').scrollIntoView());
    });
    return h('li', {}, button);
  }

  private drawDetail(one: Recommendation | undefined): void {
    const key = one === undefined ? '' : `${one.id}-${one.version}`;
    if (key === this.drawnDetail && key !== '') return;
    this.drawnDetail = key;
    const content: readonly Child[] =
      one === undefined
        ? [
            h('h2', {}, 'No advice yet'),
            h(
              'p',
              { class: 'quiet' },
              'The kernel looks at its telemetry from time to time, or when you ask it to; what it finds is simulated on a world made ' +
                'of that telemetry before it is recommended.',
            ),
          ]
        : recommendationDetail(one, this.actOn(one));
    replace(byId('recommendation-detail'), content);
  }

  private actOn(one: Recommendation): Act {
    return (action, label, what, isDangerous) =>
      askWhy(this.drawer, {
        title: `${label}: ${one.title}`,
        content: [h('p', {}, what)],
        label,
        isDangerous,
        act: async (said: Said) => {
          const tag = { 'if-match': `"${one.id}-${one.version}"` };
          await ask(`/v1/recommendations/${one.id}:${action}`, 'POST', said, tag);
          await this.draw();
        },
      });
  }

  private drawLedger(ledger: Ledger): void {
    const text = JSON.stringify(ledger);
    if (text === this.drawnLedger) return;
    this.drawnLedger = text;
    const { entries, summaries } = ledger;
    replace(
      byId('advice-ledger'),
      entries.length === 0
        ? h('p', { class: 'quiet' }, 'No advice was followed and measured yet.')
        : [
            table(
              'How good past advice was',
              ['kind', 'followed', 'within', 'mean error', 'intervals'],
              summaries.map(({ kind, count, coverage, meanError, widening }) => [
                sayAdvice(kind),
                String(count),
                percent(coverage),
                signedPercent(meanError),
                `× ${widening.toFixed(2)}`,
              ]),
            ),
            ...entries.slice(0, 10).map(({ id, title, expected, realized, covered, outcome }) =>
              h(
                'div',
                { class: 'ledger-entry' },
                h(
                  'p',
                  {},
                  h('b', {}, title),
                  ' ',
                  badge(sayAdvice(outcome)),
                  h('span', { class: 'quiet' }, ` number ${id}`),
                ),
                intervalPicture([
                  { label: 'predicted', middle: expected.mean, low: expected.low, high: expected.high },
                  { label: covered ? 'realized, within' : 'realized, outside', middle: realized },
                ]),
              ),
            ),
            entries.length > 10 ? h('p', { class: 'quiet' }, `${plural(entries.length - 10, 'more')} before.`) : null,
          ],
    );
  }

  private async look(): Promise<void> {
    const message = byId('advice-message');
    try {
      await ask('/v1/recommendations', 'POST');
      replace(message);
      await this.draw();
    } catch (error) {
      replace(message, problemBox(error));
    }
  }
}
