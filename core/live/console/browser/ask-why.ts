// The form before anything that changes the kernel: what will happen, who asks for it and why. What the kernel answers, a refusal
// for want of a role among it, is said in the form.

import { type Child, h, replace } from './dom.ts';
import { type Drawer, problemBox } from './drawer.ts';

export interface Said {
  readonly who: string;
  readonly why: string;
}

export interface Question {
  readonly title: string;
  /** What will happen. */
  readonly content: readonly Child[];
  /** On the button. */
  readonly label: string;
  /** It takes something away. */
  readonly isDangerous?: boolean;
  readonly act: (said: Said) => Promise<unknown>;
}

const whoKey = 'sira-who';

/** The reader's name as last given; empty if never. */
export function readerName(): string {
  return localStorage.getItem(whoKey) ?? '';
}

export function rememberReader(name: string): void {
  localStorage.setItem(whoKey, name);
}

export function askWhy(drawer: Drawer, { title, content, label, isDangerous = false, act }: Question): void {
  const who = h('input', { name: 'who', value: readerName(), autocomplete: 'username', placeholder: 'console' });
  const why = h('input', { name: 'why', maxlength: 1000, autocomplete: 'off' });
  const button = h('button', { class: isDangerous ? 'primary danger' : 'primary' }, label);
  const message = h('div', {});
  const form = h(
    'form',
    { class: 'why-form' },
    h('label', {}, 'Why', why),
    h('label', {}, 'Your name', who),
    h('div', {}, button),
    message,
  );
  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    rememberReader(who.value.trim());
    button.disabled = true;
    replace(message, h('p', { class: 'quiet' }, 'The kernel is asked …'));
    try {
      await act({ who: who.value.trim() || 'console', why: why.value.trim() });
      drawer.close();
    } catch (error) {
      replace(message, problemBox(error));
    }
    button.disabled = false;
  });
  void drawer.open(title, async () => [...content, form]).then(() => why.focus());
}
