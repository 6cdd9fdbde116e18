// The form that asks what a change of one's own would do. What is allowed the kernel says.

import { ask } from './api.ts';
import { readerName } from './ask-why.ts';
import { byId, replace } from './dom.ts';
import { problemBox } from './drawer.ts';
import type { Recommendation } from './recommendation.ts';

interface Question {
  /** What stands before the field; empty: there is nothing to fill in. */
  readonly label: string;
  readonly hint: string;
  /** Names that are known, by the id of their list in the page. */
  readonly list: string;
  change(value: string, setting: string): object;
}

const questions: Readonly<Record<string, Question>> = {
  order: {
    ...{ label: 'Order', hint: 'sjf', list: 'what-if-orders' },
    change: (value) => ({ policy: { order: value } }),
  },
  place: {
    ...{ label: 'Placement', hint: 'spread', list: 'what-if-placements' },
    change: (value) => ({ policy: { place: value } }),
  },
  setting: {
    ...{ label: 'New value', hint: '500ms', list: '' },
    change: (value, setting) => ({ settings: { [setting]: numberOf(value) } }),
  },
  add: { ...{ label: 'How many', hint: '2', list: '' }, change: (value) => ({ machines: { add: numberOf(value) } }) },
  remove: {
    ...{ label: 'Agents, with commas', hint: 'worker-1, worker-2', list: '' },
    change: (value) => ({ machines: { remove: value.split(',').map((name) => name.trim()) } }),
  },
  sleep: {
    ...{ label: 'After', hint: '60s', list: '' },
    change: (value) => ({ sleep: { afterMicros: numberOf(value) } }),
  },
  retrain: { ...{ label: '', hint: '', list: '' }, change: () => ({ retrain: 'durations' }) },
};

const units: Readonly<Record<string, number>> = { us: 1, µs: 1, ms: 1e3, s: 1e6, min: 6e7, h: 3.6e9 };

/** A plain number, or a duration such as `500ms` in microseconds. The text itself if it is neither: the kernel refuses it in words. */
function numberOf(text: string): number | string {
  const [, number = '', unit = ''] = /^(-?[\d.]+)\s*([a-zµ]*)$/.exec(text.trim()) ?? [];
  const value = Number(number) * (unit === '' ? 1 : (units[unit] ?? Number.NaN));
  return number === '' || Number.isNaN(value) ? text : value;
}

export class WhatIfForm {
  private readonly asked: (one: Recommendation) => void;
  private readonly what = byId<HTMLSelectElement>('what-if-what');
  private readonly setting = byId<HTMLInputElement>('what-if-setting');
  private readonly value = byId<HTMLInputElement>('what-if-value');
  private readonly why = byId<HTMLInputElement>('what-if-why');

  /** `asked`: told of the recommendation that is being simulated. */
  constructor(asked: (one: Recommendation) => void) {
    this.asked = asked;
    this.what.addEventListener('change', () => this.choose());
    byId('what-if').addEventListener('submit', (event) => {
      event.preventDefault();
      void this.send();
    });
    this.choose();
  }

  private get question(): Question {
    return questions[this.what.value] as Question;
  }

  private choose(): void {
    const { label, hint, list } = this.question;
    byId('what-if-value-label').hidden = label === '';
    byId('what-if-setting-label').hidden = this.what.value !== 'setting';
    byId('what-if-value-name').textContent = label;
    this.value.placeholder = hint;
    this.value.value = '';
    this.value.setAttribute('list', list);
    this.value.required = label !== '';
  }

  private async send(): Promise<void> {
    const message = byId('what-if-message');
    const button = byId<HTMLButtonElement>('what-if-ask');
    button.disabled = true;
    try {
      const change = this.question.change(this.value.value.trim(), this.setting.value.trim());
      const said = { who: readerName() || 'console', why: this.why.value.trim() };
      const one = await ask<Recommendation>('/v1/what-if', 'POST', { change, ...said });
      replace(message);
      this.asked(one);
    } catch (error) {
      replace(message, problemBox(error));
    }
    button.disabled = false;
  }
}
