// Elements and words of the console: making elements without markup in text, so that nothing from outside is ever parsed, and
// writing numbers, times and durations as people read them.

export type Child = Node | string | number | null | undefined | false;

/** An element: attributes by name, `on…` as listeners, then its children. */
export function h<Name extends keyof HTMLElementTagNameMap>(
  name: Name,
  attributes: Readonly<Record<string, unknown>> = {},
  ...children: readonly (Child | readonly Child[])[]
): HTMLElementTagNameMap[Name] {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === undefined || value === false || value === null) continue;
    if (key.startsWith('on')) element.addEventListener(key.slice(2), value as EventListener);
    else if (key === 'style') element.style.cssText = String(value);
    else element.setAttribute(key, value === true ? '' : String(value));
  }
  append(element, children.flat());
  return element;
}

export function append(element: Element, children: readonly Child[]): void {
  for (const child of children)
    if (child !== null && child !== undefined && child !== false)
      element.append(typeof child === 'number' ? String(child) : child);
}

export function replace(element: Element, ...children: readonly (Child | readonly Child[])[]): void {
  element.replaceChildren();
  append(element, children.flat());
}

export function byId<Type extends HTMLElement = HTMLElement>(id: string): Type {
  const element = document.getElementById(id);
  if (element === null) throw new Error(`the page has no #${id}`);
  return element as Type;
}

/** `1.4 s`, `12 ms`, `3 min 20 s`. */
export function duration(micros: number | null): string {
  if (micros === null) return '–';
  if (micros < 0) return `−${duration(-micros)}`;
  if (micros < 1000) return `${Math.round(micros)} µs`;
  if (micros < 999_500) return `${Number((micros / 1000).toPrecision(3))} ms`;
  const seconds = micros / 1e6;
  if (seconds < 59.95) return `${Number(seconds.toPrecision(3))} s`;
  const whole = Math.round(seconds);
  if (whole < 3600) return two(Math.floor(whole / 60), 'min', whole % 60, 's');
  if (whole < 86_400) return two(Math.floor(whole / 3600), 'h', Math.floor((whole % 3600) / 60), 'min');
  return two(Math.floor(whole / 86_400), 'd', Math.floor((whole % 86_400) / 3600), 'h');
}

function two(first: number, unit: string, second: number, lesser: string): string {
  return second === 0 ? `${first} ${unit}` : `${first} ${unit} ${second} ${lesser}`;
}

export function clock(micros: number): string {
  return micros === 0 ? '–' : new Date(micros / 1000).toLocaleTimeString('en-GB');
}

export function moment(micros: number): string {
  return micros === 0 ? 'before the first start' : new Date(micros / 1000).toLocaleString('en-GB');
}

export function count(value: number): string {
  return value.toLocaleString('en-US', { maximumFractionDigits: 1 });
}

export function percent(share: number): string {
  return `${Math.round(share * 100)}%`;
}

/** A score with four digits at most. */
export function short(value: number | null): string {
  return value === null ? '–' : String(Number(value.toPrecision(4))).replace('-', '−');
}

/** A setting's value: durations as such. */
export function settingText(name: string, value: number | string | boolean): string {
  return name.endsWith('Micros') && typeof value === 'number' ? duration(value) : String(value);
}

export function plural(number: number, word: string): string {
  return `${count(number)} ${word}${number === 1 ? '' : 's'}`;
}

/** A relative change: `−12.3%`, `+4%`; 0.05 is five in a hundred. */
export function signedPercent(change: number): string {
  const value = Number((100 * change).toPrecision(Math.abs(change) < 0.01 ? 1 : 3));
  const sign = value > 0 ? '+' : value < 0 ? '−' : '';
  return `${sign}${count(Math.abs(value))}%`;
}
