// "Did you mean …?": the known name nearest to a mistyped one, for error messages. It promises the same answer for the same
// arguments, and none when nothing is near enough to be a likely slip.

/** Optimal string alignment distance: insertions, deletions, substitutions and swaps of neighbours (Damerau 1964). */
export function editDistance(left: string, right: string): number {
  let beforePrevious: number[] = [];
  let previous = Array.from({ length: right.length + 1 }, (_, index) => index);
  for (let row = 1; row <= left.length; row++) {
    const current = [row];
    for (let column = 1; column <= right.length; column++) {
      const same = left[row - 1] === right[column - 1];
      let best = Math.min(previous[column]! + 1, current[column - 1]! + 1, previous[column - 1]! + (same ? 0 : 1));
      const swapped =
        row > 1 && column > 1 && left[row - 1] === right[column - 2] && left[row - 2] === right[column - 1];
      if (swapped) best = Math.min(best, beforePrevious[column - 2]! + 1);
      current.push(best);
    }
    beforePrevious = previous;
    previous = current;
  }
  return previous[right.length]!;
}

/** The one of `known` nearest to `name`, case and punctuation aside; ties go to the first. `undefined` if more than a third
 *  of its letters (two at least) would have to change and neither name holds the other. */
export function nearestName(name: string, known: readonly string[]): string | undefined {
  const plain = simplify(name);
  let best: string | undefined;
  let bestDistance = Math.max(2, Math.floor(plain.length / 3)) + 1;
  for (const candidate of known) {
    const other = simplify(candidate);
    const distance = editDistance(plain, other);
    // A name of which everything would change is not near, however short it is.
    if (distance < bestDistance && distance < Math.max(plain.length, other.length)) {
      best = candidate;
      bestDistance = distance;
    }
  }
  if (best !== undefined || plain.length < 4) return best;
  for (const candidate of known) {
    const other = simplify(candidate);
    if (other.length >= 4 && (plain.includes(other) || other.includes(plain))) return candidate;
  }
  return undefined;
}

function simplify(name: string): string {
  return name.toLowerCase().replaceAll(/[-_. ]/g, '');
}
