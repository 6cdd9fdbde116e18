// Reads a timestamp such as `2023-11-16 18:17:03.9799600` into microseconds, exactly and without the machine's time zone.

import { microsPerDay, microsPerHour, microsPerMinute, microsPerSecond } from '../../core/base/time.ts';

const pattern = /^(\d{4})-(\d\d)-(\d\d)[ T](\d\d):(\d\d):(\d\d)(?:\.(\d+))?(?:Z|([+-])(\d\d):?(\d\d))?$/;

/** Microseconds since 1970-01-01 UTC (the proleptic Gregorian calendar), rounded; UTC if no offset is given; `undefined` if malformed. */
export function parseTimestampMicros(text: string): number | undefined {
  const match = pattern.exec(text);
  if (match === null) return undefined;
  const [year, month, day, hour, minute, second] = match.slice(1, 7).map(Number) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  if (month < 1 || month > 12 || day < 1 || day > daysInMonth(year, month) || hour > 23 || minute > 59 || second > 59)
    return undefined;
  const fraction = Math.round(Number(`0.${match[7] ?? '0'}`) * microsPerSecond);
  const offset =
    (match[8] === '-' ? -1 : 1) * (Number(match[9] ?? 0) * microsPerHour + Number(match[10] ?? 0) * microsPerMinute);
  const ofDay = hour * microsPerHour + minute * microsPerMinute + second * microsPerSecond + fraction;
  return daysSinceEpoch(year, month, day) * microsPerDay + ofDay - offset;
}

function daysInMonth(year: number, month: number): number {
  if (month === 2) return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28;
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
}

/** Days from 1970-01-01 to the date, negative before it (Hinnant, "chrono-Compatible Low-Level Date Algorithms"). */
function daysSinceEpoch(year: number, month: number, day: number): number {
  const shifted = month > 2 ? year : year - 1;
  const era = Math.floor(shifted / 400);
  const yearOfEra = shifted - era * 400;
  const dayOfYear = Math.floor((153 * (month > 2 ? month - 3 : month + 9) + 2) / 5) + day - 1;
  const dayOfEra = yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear;
  return era * 146097 + dayOfEra - 719468;
}
