// HTML by tagged template, escaped by default: a value becomes text unless it is already markup. Keeps the promise that
// nothing from a scenario or a trace can close a tag or a script.

const brand: unique symbol = Symbol('markup');

/** Text that is HTML already. Only {@link html} and {@link trusted} make it. */
export interface Markup {
  readonly [brand]: true;
  readonly text: string;
}

export type HtmlValue = Markup | string | number | false | null | undefined | readonly HtmlValue[];

/** `html\`<b>${text}</b>\`` escapes `text`; markup passes through, lists are joined, false, null and undefined are nothing. */
export function html(strings: TemplateStringsArray, ...values: readonly HtmlValue[]): Markup {
  let text = strings[0];
  for (let index = 0; index < values.length; index++) text += render(values[index]) + strings[index + 1];
  return trusted(text);
}

/** Marks text as HTML. For constants of this folder, never for anything from a document. */
export function trusted(text: string): Markup {
  return { [brand]: true, text };
}

function render(value: HtmlValue): string {
  if (value === false || value === null || value === undefined) return '';
  if (typeof value === 'string') return escapeHtml(value);
  if (typeof value === 'number') return String(value);
  if (isMarkup(value)) return value.text;
  return value.map(render).join('');
}

function isMarkup(value: Markup | readonly HtmlValue[]): value is Markup {
  return brand in value;
}

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Text for element content and for quoted attributes. */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => entities[character]);
}

/** JSON that may stand in a `<script>`: no `<`, `>` or `&` is left, nor the line separators that old parsers take for a break. */
export function scriptJson(value: unknown): string {
  return JSON.stringify(value).replace(
    /[<>&\u2028\u2029]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** A library's source for a `<script>`: what could end or re-open the element is broken up by a backslash, which changes no string. */
export function scriptSource(source: string): string {
  return source.replace(/<(?=\/script|!--)/gi, '<\\');
}
