// Capability vectors of all agents as one contiguous matrix of 32-bit floats, one row an agent, with the norms computed once.

import { assert } from '../base/assert.ts';
import type { Capabilities } from './agent-hello.ts';
import { CapabilityQuery, dotProduct } from './capability-query.ts';

/** `vector`: agents give the numbers. `skills`: agents name skills; each name gets a dimension at first sight. */
export type CapabilitySpace = 'vector' | 'skills';

export interface CapabilityMatrixState {
  readonly skills: readonly string[];
  readonly values: readonly number[];
}

export type CapabilityProblem = 'capabilities do not fit the registry' | 'too many skills';

export class CapabilityMatrix {
  readonly space: CapabilitySpace;
  readonly dimensions: number;
  /** Names of the dimensions given out so far (`skills` only). */
  readonly skills: string[] = [];
  /** Row-major, `dimensions` numbers a row. */
  values = new Float32Array(0);
  /** Euclidean norm by row. */
  norms = new Float64Array(0);
  private readonly dimensionOfSkill = new Map<string, number>();

  constructor(space: CapabilitySpace, dimensions: number) {
    assert(Number.isInteger(dimensions) && dimensions >= 0, 'the number of dimensions must be a whole number');
    this.space = space;
    this.dimensions = dimensions;
  }

  grow(rows: number): void {
    const values = new Float32Array(rows * this.dimensions);
    values.set(this.values);
    this.values = values;
    const norms = new Float64Array(rows);
    norms.set(this.norms);
    this.norms = norms;
  }

  /** Why {@link set} cannot take `capabilities`, or undefined if it can. Changes nothing. */
  problem(capabilities: Capabilities | undefined): CapabilityProblem | undefined {
    if (capabilities === undefined || (isVector(capabilities) && capabilities.length === 0)) return undefined;
    if (this.space === 'vector') {
      if (!isVector(capabilities) || capabilities.length !== this.dimensions)
        return 'capabilities do not fit the registry';
      for (let dimension = 0; dimension < this.dimensions; dimension++) {
        if (!isCapability(capabilities[dimension])) return 'capabilities do not fit the registry';
      }
      return undefined;
    }
    if (isVector(capabilities)) return 'capabilities do not fit the registry';
    let unseen = 0;
    for (const [skill, strength] of Object.entries(capabilities)) {
      if (!isCapability(strength)) return 'capabilities do not fit the registry';
      if (!this.dimensionOfSkill.has(skill)) unseen++;
    }
    return this.skills.length + unseen > this.dimensions ? 'too many skills' : undefined;
  }

  /** Stores what {@link problem} found no fault with; `undefined` is the zero vector. */
  set(row: number, capabilities: Capabilities | undefined): void {
    const first = row * this.dimensions;
    this.values.fill(0, first, first + this.dimensions);
    if (capabilities !== undefined) {
      if (isVector(capabilities)) {
        this.values.set(capabilities, first);
      } else {
        for (const [skill, strength] of Object.entries(capabilities)) {
          this.values[first + this.internSkill(skill)] = strength;
        }
      }
    }
    this.norms[row] = Math.sqrt(dotProduct(this.values, first, this.values, first, this.dimensions));
  }

  /** What rows are compared with; skills that no agent ever named count in the norm alone. Undefined if it does not fit. */
  query(capabilities: Capabilities): CapabilityQuery | undefined {
    const vector = new Float32Array(this.dimensions);
    if (isVector(capabilities)) {
      if (this.problem(capabilities) !== undefined) return undefined;
      vector.set(capabilities);
      return new CapabilityQuery(vector, 0);
    }
    if (this.space === 'vector') return undefined;
    let unknownSquares = 0;
    for (const [skill, strength] of Object.entries(capabilities)) {
      if (!isCapability(strength)) return undefined;
      const dimension = this.dimensionOfSkill.get(skill);
      if (dimension === undefined) unknownSquares += Math.fround(strength) * Math.fround(strength);
      else vector[dimension] = strength;
    }
    return new CapabilityQuery(vector, unknownSquares);
  }

  /** True if the row has a strength above 0 in a skill. */
  has(row: number, skill: string): boolean {
    const dimension = this.dimensionOf(skill);
    return dimension >= 0 && (this.values[row * this.dimensions + dimension] as number) > 0;
  }

  /** The dimension of a skill, −1 if no agent ever named it. */
  dimensionOf(skill: string): number {
    return this.dimensionOfSkill.get(skill) ?? -1;
  }

  /** Cosine of the angle between a query and each of `count` rows from `first` on, in [−1, 1]; 0 if either has no length. */
  similarities(first: number, count: number, query: CapabilityQuery, into: Float64Array): void {
    const { norms } = this;
    const { norm } = query;
    query.dotProducts(this.values, first * this.dimensions, count, into);
    for (let at = 0; at < count; at++) {
      const product = norm * (norms[first + at] as number);
      into[at] = product === 0 ? 0 : Math.min(1, Math.max(-1, (into[at] as number) / product));
    }
  }

  save(rows: number): CapabilityMatrixState {
    return { skills: this.skills.slice(), values: Array.from(this.values.subarray(0, rows * this.dimensions)) };
  }

  /** The matrix must have been grown to the state's rows. */
  restore(state: CapabilityMatrixState): void {
    this.skills.length = 0;
    this.dimensionOfSkill.clear();
    for (const skill of state.skills) this.internSkill(skill);
    this.values.fill(0);
    this.values.set(state.values);
    for (let row = 0; row < this.norms.length; row++) {
      const first = row * this.dimensions;
      this.norms[row] = Math.sqrt(dotProduct(this.values, first, this.values, first, this.dimensions));
    }
  }

  private internSkill(skill: string): number {
    const known = this.dimensionOfSkill.get(skill);
    if (known !== undefined) return known;
    const dimension = this.skills.push(skill) - 1;
    assert(dimension < this.dimensions, 'more skills than dimensions');
    this.dimensionOfSkill.set(skill, dimension);
    return dimension;
  }
}

// Within ±10¹⁸, squares of sums stay finite and the stored 32-bit value is finite as well.
function isCapability(value: unknown): boolean {
  return typeof value === 'number' && value >= -1e18 && value <= 1e18;
}

function isVector(capabilities: Capabilities): capabilities is ArrayLike<number> {
  return typeof (capabilities as ArrayLike<number>).length === 'number' && isListLike(capabilities);
}

// A skill may be named "length": only true lists and typed arrays count as vectors.
function isListLike(capabilities: Capabilities): boolean {
  return Array.isArray(capabilities) || ArrayBuffer.isView(capabilities);
}
