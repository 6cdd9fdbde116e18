// Text without locales: an order that is the same on every machine, and the known names nearest to a mistyped one. Who
// wants the single best for "did you mean" takes nearest-name.ts.

import { editDistance } from './nearest-name.ts';

/** Orders texts by UTF-16 code units: negative, zero or positive. Fit for `sort`; independent of any locale. */
export function compareText(left: string, right: string): number {
  return left < right ? -1 : left > right ? 1 : 0;
}

/**
 * Up to `count` of `names` that may have been meant by `name`, nearest first, then in text order; case does not count.
 * A name is near when its distance is at most a third of the longer length (at least 2), or when `name` (three letters or
 * more) is part of it.
 */
export function closestNames(name: string, names: Iterable<string>, count = 3): string[] {
  const wanted = name.toLowerCase();
  const near: { readonly candidate: string; readonly distance: number }[] = [];
  for (const candidate of names) {
    const known = candidate.toLowerCase();
    const isPart = wanted.length >= 3 && wanted !== known && known.includes(wanted);
    const distance = isPart ? 1 : editDistance(wanted, known);
    const distanceMax = Math.max(2, Math.floor(Math.max(wanted.length, known.length) / 3));
    if (distance <= distanceMax && distance < Math.max(wanted.length, known.length)) near.push({ candidate, distance });
  }
  near.sort((left, right) => left.distance - right.distance || compareText(left.candidate, right.candidate));
  return near.slice(0, count).map((entry) => entry.candidate);
}
