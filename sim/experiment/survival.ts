// Waits that are still going on when a run ends are known only to be longer than they were so far: censored observations.
// Leaving them out would flatter the policies that starve somebody. The product-limit estimator (Kaplan and Meier, JASA 1958)
// uses them for what they are worth.

/** Observations with their censoring: `censored[i]` is 1 if `values[i]` is only a lower bound. */
export interface Observations {
  readonly values: Float64Array;
  readonly censored: Uint8Array;
}

/** Gathers observations in place: with a million tasks, arrays that grow would take several times the room. */
export class ObservationWriter {
  private readonly values: Float64Array;
  private readonly censored: Uint8Array;
  private count = 0;

  constructor(countMax: number) {
    this.values = new Float64Array(countMax);
    this.censored = new Uint8Array(countMax);
  }

  add(value: number, isCensored: boolean): void {
    this.values[this.count] = value;
    this.censored[this.count] = isCensored ? 1 : 0;
    this.count++;
  }

  /** What was added; nothing may be added afterwards. */
  finish(): Observations {
    if (this.count === this.values.length) return { values: this.values, censored: this.censored };
    return { values: this.values.slice(0, this.count), censored: this.censored.slice(0, this.count) };
  }
}

/** The estimated distribution: at `times[i]` (ascending, distinct) the survival probability falls to `survival[i]`. */
export class SurvivalCurve {
  readonly times: Float64Array;
  readonly survival: Float64Array;
  /** The largest observation, censored or not; beyond it nothing is known. */
  readonly largest: number;
  readonly censoredCount: number;

  /** Sorts the observations (n log n); at one value, ends come before censorings. */
  constructor({ values, censored }: Observations) {
    const count = values.length;
    const order = new Uint32Array(count);
    for (let index = 0; index < count; index++) order[index] = index;
    order.sort(
      (left, right) =>
        (values[left] as number) - (values[right] as number) ||
        (censored[left] as number) - (censored[right] as number),
    );
    const times = new Float64Array(count);
    const survival = new Float64Array(count);
    let steps = 0;
    let alive = 1;
    let atRisk = count;
    let censoredCount = 0;
    for (let position = 0; position < count; ) {
      const time = values[order[position] as number] as number;
      let ends = 0;
      let leaving = 0;
      for (; position < count && values[order[position] as number] === time; position++) {
        leaving++;
        if (censored[order[position] as number] === 0) ends++;
      }
      censoredCount += leaving - ends;
      if (ends > 0) {
        alive *= (atRisk - ends) / atRisk;
        times[steps] = time;
        survival[steps] = alive;
        steps++;
      }
      atRisk -= leaving;
    }
    this.times = times.subarray(0, steps);
    this.survival = survival.subarray(0, steps);
    this.largest = count === 0 ? Number.NaN : (values[order[count - 1] as number] as number);
    this.censoredCount = censoredCount;
  }

  /** Mean restricted to the largest observation: the area under the curve. NaN without observations. */
  restrictedMean(): number {
    let area = 0;
    let time = 0;
    let alive = 1;
    for (let index = 0; index < this.times.length; index++) {
      area += alive * ((this.times[index] as number) - time);
      time = this.times[index] as number;
      alive = this.survival[index] as number;
    }
    return area + alive * (this.largest - time);
  }

  /** The smallest time by which a share `probability` has ended; the largest observation (then a lower bound) if it never has. */
  quantile(probability: number): number {
    // A product of many factors may miss the exact share by a few units in the last place.
    const threshold = 1 - probability + 1e-12;
    let low = 0;
    let high = this.times.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.survival[middle] as number) <= threshold) high = middle;
      else low = middle + 1;
    }
    return low < this.times.length ? (this.times[low] as number) : this.largest;
  }
}

/** Joins observations of several runs. */
export function poolObservations(parts: readonly Observations[]): Observations {
  const count = parts.reduce((sum, part) => sum + part.values.length, 0);
  const values = new Float64Array(count);
  const censored = new Uint8Array(count);
  let offset = 0;
  for (const part of parts) {
    values.set(part.values, offset);
    censored.set(part.censored, offset);
    offset += part.values.length;
  }
  return { values, censored };
}
