// The panel at the side that tells more about one thing: an agent, a task, a decision. One at a time; Escape closes it, and what
// was focused before is focused again.

import { Problem } from './api.ts';
import { byId, type Child, h, replace } from './dom.ts';

export class Drawer {
  private readonly panel = byId('drawer');
  private readonly title = byId('drawer-title');
  private readonly body = byId('drawer-body');
  private before: Element | null = null;
  private shown = 0;

  constructor() {
    byId('drawer-close').addEventListener('click', () => this.close());
    document.addEventListener('keydown', ({ key }) => {
      if (key === 'Escape') this.close();
    });
  }

  /** Shows what `load` gives, or why it cannot. */
  async open(title: string, load: () => Promise<readonly Child[]>): Promise<void> {
    const shown = ++this.shown;
    if (this.panel.hidden) this.before = document.activeElement;
    this.title.textContent = title;
    this.panel.hidden = false;
    let content: readonly Child[];
    try {
      content = await load();
    } catch (error) {
      content = [problemBox(error)];
    }
    if (shown !== this.shown) return;
    replace(this.body, content);
    this.body.scrollTop = 0;
    byId('drawer-close').focus({ preventScroll: true });
  }

  close(): void {
    if (this.panel.hidden) return;
    this.shown++;
    this.panel.hidden = true;
    if (this.before instanceof HTMLElement) this.before.focus({ preventScroll: true });
  }
}

export function problemBox(error: unknown): HTMLElement {
  const remedy = error instanceof Problem ? error.remedy : 'Is the kernel running?';
  const code = error instanceof Problem ? error.code : '';
  return h(
    'div',
    { class: 'problem', role: 'alert' },
    h('b', {}, (error as Error).message),
    h('p', {}, remedy),
    code === '' ? null : h('code', {}, code),
  );
}

/** A list of names and values. */
export function facts(entries: readonly (readonly [Child, Child])[]): HTMLElement {
  return h(
    'dl',
    { class: 'facts' },
    entries.flatMap(([name, value]) => [h('dt', {}, name), h('dd', {}, value)]),
  );
}

export function table(caption: string, heads: readonly string[], rows: readonly (readonly Child[])[]): HTMLElement {
  return h(
    'div',
    { class: 'scroll' },
    h(
      'table',
      {},
      h('caption', { class: 'hidden' }, caption),
      h(
        'thead',
        {},
        h(
          'tr',
          {},
          heads.map((head) => h('th', { scope: 'col' }, head)),
        ),
      ),
      h(
        'tbody',
        {},
        rows.map((row) =>
          h(
            'tr',
            {},
            row.map((cell) => h('td', {}, cell)),
          ),
        ),
      ),
    ),
  );
}

export function badge(text: string): HTMLElement {
  return h('span', { class: `badge is-${text.replaceAll(' ', '-')}` }, text);
}
