// What a setting is: a name, a type, bounds, a default and a sentence that says what it does. A value is checked against its
// definition here, with a reason that names the bound; who may change it, and when, is settings.ts's affair.

import { acceptedWith, type Refused, type Result, refused } from '../base/status.ts';
import { closestNames } from '../base/text.ts';
import { formatDuration, parseDurationMicros } from '../base/time.ts';

interface Described {
  /** What it does and what to weigh when changing it, in one or two sentences. */
  readonly description: string;
}

/** An integer or real number within inclusive bounds. */
export interface NumberSetting extends Described {
  readonly type: 'integer' | 'number';
  /** `micros` also takes durations such as "40s"; a plain count has no unit. */
  readonly unit?: 'micros' | 'bytes' | 'tasks' | 'messages' | 'attempts' | 'joules' | 'ratio';
  readonly default: number;
  readonly min: number;
  readonly max: number;
}

export interface BooleanSetting extends Described {
  readonly type: 'boolean';
  readonly default: boolean;
}

/** One of a few texts. */
export interface ChoiceSetting extends Described {
  readonly type: 'choice';
  readonly choices: readonly string[];
  readonly default: string;
}

export type SettingDefinition = NumberSetting | BooleanSetting | ChoiceSetting;

/** Definitions by dotted name, such as `registry.leaseMicros`. Its order is the order of every listing. */
export type SettingTable = Readonly<Record<string, SettingDefinition>>;

export type SettingValue = number | boolean | string;

/** The type of the values that a definition allows. */
export type ValueOf<Definition extends SettingDefinition> = Definition extends NumberSetting
  ? number
  : Definition extends BooleanSetting
    ? boolean
    : Definition extends ChoiceSetting
      ? Definition['choices'][number]
      : never;

/** All values of a table by name. */
export type ValuesOf<Table extends SettingTable> = { readonly [Name in keyof Table]: ValueOf<Table[Name]> };

/** `value` as the setting's type, or SIRA_SETTING_INVALID with the bound that it breaks. */
export function checkSettingValue(name: string, definition: SettingDefinition, value: unknown): Result<SettingValue> {
  switch (definition.type) {
    case 'boolean':
      return typeof value === 'boolean' ? acceptedWith(value) : invalid(`${name} is true or false, not ${show(value)}`);
    case 'choice': {
      if (typeof value === 'string' && definition.choices.includes(value)) return acceptedWith(value);
      return invalid(`${name} is one of ${definition.choices.join(', ')}, not ${show(value)}`);
    }
    default:
      return checkNumber(name, definition, value);
  }
}

function checkNumber(name: string, definition: NumberSetting, value: unknown): Result<number> {
  const isDuration = definition.unit === 'micros';
  const number = isDuration && typeof value === 'string' ? parseDurationMicros(value) : value;
  if (typeof number !== 'number' || Number.isNaN(number)) {
    const expected = isDuration ? 'a number of microseconds or a duration such as 40s' : 'a number';
    return invalid(`${name} is ${expected}, not ${show(value)}`);
  }
  if (definition.type === 'integer' && !Number.isInteger(number))
    return invalid(`${name} is a whole number, not ${number}`);
  if (number < definition.min)
    return invalid(
      `${name} is at least ${showNumber(definition, definition.min)}, not ${showNumber(definition, number)}`,
    );
  if (number > definition.max)
    return invalid(
      `${name} is at most ${showNumber(definition, definition.max)}, not ${showNumber(definition, number)}`,
    );
  return acceptedWith(number === 0 ? 0 : number);
}

/** The refusal of a name that no table has, with the ones that may have been meant. */
export function unknownSetting(name: string, table: SettingTable): Refused {
  const near = closestNames(name, Object.keys(table));
  return invalid(`there is no setting ${show(name)}${near.length === 0 ? '' : `; did you mean ${near.join(' or ')}?`}`);
}

function invalid(reason: string): Refused {
  return refused('SIRA_SETTING_INVALID', reason);
}

function show(value: unknown): string {
  if (typeof value === 'string') return `"${value.length > 40 ? `${value.slice(0, 40)}…` : value}"`;
  return typeof value === 'object' && value !== null ? 'an object' : String(value);
}

function showNumber(definition: NumberSetting, value: number): string {
  if (definition.unit === 'micros') return `${value} µs (${formatDuration(value)})`;
  return definition.unit === undefined ? String(value) : `${value} ${definition.unit}`;
}
