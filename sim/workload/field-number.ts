// Turns one field of a trace into a number, or into an error that says where it stands and what is wrong with it.

import { type ErrorPlace, SiraError } from '../../core/base/errors.ts';

const numberPattern = /^[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?$/;

/** A finite number of at least `minimum`; the unit is the field's own. Throws `SIRA_TRACE_MALFORMED`. */
export function fieldNumber(text: string, minimum: number, place: ErrorPlace): number {
  const trimmed = text.trim();
  if (trimmed === '') throw new SiraError('SIRA_TRACE_MALFORMED', 'the field is empty, a number is needed', place);
  const value = numberPattern.test(trimmed) ? Number(trimmed) : Number.NaN;
  if (!Number.isFinite(value))
    throw new SiraError('SIRA_TRACE_MALFORMED', `"${excerpt(trimmed)}" is not a number`, place);
  return atLeast(value, minimum, place);
}

/** As {@link fieldNumber}, for whole numbers. */
export function fieldInteger(text: string, minimum: number, place: ErrorPlace): number {
  const value = fieldNumber(text, minimum, place);
  if (!Number.isSafeInteger(value))
    throw new SiraError('SIRA_TRACE_MALFORMED', `${value} is not a whole number`, place);
  return value;
}

/** As {@link fieldNumber}, for a value that a JSON parser already read. */
export function jsonNumber(value: unknown, minimum: number, place: ErrorPlace): number {
  if (value === undefined) throw new SiraError('SIRA_TRACE_MALFORMED', 'the field is missing', place);
  if (typeof value !== 'number' || !Number.isFinite(value)) {
    throw new SiraError('SIRA_TRACE_MALFORMED', `${excerpt(JSON.stringify(value))} is not a number`, place);
  }
  return atLeast(value, minimum, place);
}

function atLeast(value: number, minimum: number, place: ErrorPlace): number {
  if (value < minimum) {
    const detail = minimum === 0 ? `${value} is negative` : `${value} is less than ${minimum}`;
    throw new SiraError('SIRA_TRACE_MALFORMED', detail, place);
  }
  return value;
}

function excerpt(text: string): string {
  return text.length > 40 ? `${text.slice(0, 40)}…` : text;
}
