// Configuration: every setting with its bounds and what it does, changed in place with who and why, and the history with the way
// back to any version.

import { ask, type Change, type ChangeSet, type Setting } from './api.ts';
import { readerName, rememberReader } from './ask-why.ts';
import { byId, h, moment, replace, settingText } from './dom.ts';
import { problemBox } from './drawer.ts';

export class ConfigView {
  private readonly list = byId('settings');
  private readonly history = byId('setting-history');
  private readonly search = byId<HTMLInputElement>('setting-search');
  private readonly who = byId<HTMLInputElement>('setting-who');
  private readonly message = byId('setting-message');
  private settings: readonly Setting[] = [];
  private version = 0;

  constructor() {
    this.search.addEventListener('input', () => this.drawSettings());
    this.who.value = readerName();
    this.who.addEventListener('change', () => rememberReader(this.who.value.trim()));
  }

  async load(): Promise<void> {
    const [config, { history }] = await Promise.all([
      ask<{ version: number; settings: readonly Setting[] }>('/v1/config'),
      ask<{ history: readonly ChangeSet[] }>('/v1/config/history?limit=100'),
    ]);
    this.settings = config.settings;
    this.version = config.version;
    byId('setting-version').textContent = `version ${config.version}`;
    this.drawSettings();
    replace(
      this.history,
      history.map((change) => this.changeItem(change)),
    );
  }

  private drawSettings(): void {
    const wanted = this.search.value.trim().toLowerCase();
    const shown = this.settings.filter(({ name, description }) =>
      `${name} ${description}`.toLowerCase().includes(wanted),
    );
    const groups = new Map<string, Setting[]>();
    for (const setting of shown) {
      const group = setting.name.split('.')[0] as string;
      groups.set(group, [...(groups.get(group) ?? []), setting]);
    }
    replace(
      this.list,
      [...groups].map(([group, settings]) =>
        h(
          'section',
          { class: 'group' },
          h('h3', {}, group),
          settings.map((setting) => this.settingRow(setting)),
        ),
      ),
      shown.length === 0 ? h('p', { class: 'quiet' }, `No setting is about “${wanted}”.`) : null,
    );
  }

  private settingRow(setting: Setting): HTMLElement {
    const { name, value, minimum, maximum } = setting;
    const field = h('input', {
      name: 'value',
      value: settingText(name, value).replace(' ', ''),
      'aria-label': `New value of ${name}`,
      autocomplete: 'off',
      size: 9,
    });
    const why = h('input', { name: 'why', placeholder: 'why', 'aria-label': `Why ${name} changes`, maxlength: 1000 });
    const form = h('form', { class: 'change', hidden: true }, field, why, h('button', {}, 'Change'));
    form.addEventListener('submit', (event) => {
      event.preventDefault();
      void this.change(name, field.value.trim(), why.value);
    });
    const bounds =
      minimum === null || maximum === null ? '' : `${settingText(name, minimum)} to ${settingText(name, maximum)}`;
    const edit = h('button', { type: 'button', class: 'value', title: 'Change' }, settingText(name, value));
    edit.addEventListener('click', () => {
      form.hidden = !form.hidden;
      if (!form.hidden) field.select();
    });
    const isDefault = value === setting.default;
    return h(
      'div',
      { class: 'setting' },
      h(
        'div',
        { class: 'setting-head' },
        h('code', {}, name),
        edit,
        isDefault ? null : h('small', {}, `default ${settingText(name, setting.default)}`),
      ),
      h('p', {}, setting.description, h('small', {}, ` ${bounds}`)),
      form,
    );
  }

  private changeItem({ version, atMicros, who, why, changes }: ChangeSet): HTMLElement {
    const isLatest = version === this.version;
    const back = h('button', { type: 'button', class: 'plain' }, `Back to version ${version}`);
    let isSure = false;
    back.addEventListener('click', async () => {
      if (!isSure) {
        isSure = true;
        const { changes: differences } = await ask<{ changes: readonly Change[] }>(
          `/v1/config/diff?from=${this.version}&to=${version}`,
        );
        back.textContent = 'Sure?';
        back.classList.add('danger');
        back.before(h('div', { class: 'preview' }, h('b', {}, 'This would change'), changeList(differences)));
        return;
      }
      await this.send(() => ask('/v1/config/rollback', 'POST', { version, ...this.reason('from the console') }));
    });
    return h(
      'li',
      {},
      h(
        'div',
        { class: 'change-head' },
        h('b', {}, `version ${version}`),
        h('span', {}, who),
        h('time', {}, moment(atMicros)),
      ),
      why === '' ? null : h('p', {}, why),
      changeList(changes),
      isLatest ? null : back,
    );
  }

  private change(name: string, text: string, why: string): Promise<void> {
    const number = Number(text);
    const value = text !== '' && Number.isFinite(number) ? number : text.replace(/µs$/, 'us').replaceAll(' ', '');
    return this.send(() => ask(`/v1/config/${encodeURIComponent(name)}`, 'PUT', { value, ...this.reason(why) }));
  }

  private reason(why: string): object {
    return { who: this.who.value.trim() || 'console', why, expectedVersion: this.version };
  }

  private async send(work: () => Promise<unknown>): Promise<void> {
    try {
      await work();
      replace(this.message);
      await this.load();
      replace(this.message, h('div', { class: 'done', role: 'status' }, `It is on the disk: version ${this.version}.`));
    } catch (error) {
      replace(this.message, problemBox(error));
    }
    this.message.scrollIntoView({ block: 'nearest' });
  }
}

function changeList(changes: readonly Change[]): HTMLElement {
  return h(
    'ul',
    { class: 'changes' },
    changes.map(({ name, from, to }) =>
      h(
        'li',
        {},
        h('code', {}, name),
        h('span', {}, `${settingText(name, from)} → `, h('b', {}, settingText(name, to))),
      ),
    ),
    changes.length === 0 ? h('li', {}, 'nothing') : null,
  );
}
