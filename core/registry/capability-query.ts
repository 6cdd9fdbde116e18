// The capability vector that rows are compared with. The order of summation is fixed (four interleaved partial sums, joined in one
// way), so that a similarity has the same bits on every machine; the products of two 32-bit floats are exact in a double. Most
// queries name few skills: terms that are zero change no bit of a sum, and are left out.

/** With fewer numbers that are not zero than this share of all, only those are multiplied. */
const sparseShare = 0.25;

/** The dimensions that are not zero, rising, and the partial sum that each belongs to. */
interface SparseTerms {
  readonly dimensions: Int32Array;
  readonly sums: Uint8Array;
}

export class CapabilityQuery {
  readonly vector: Float32Array;
  /** Euclidean. */
  readonly norm: number;
  /** Undefined if too many are not zero. */
  private readonly sparse: SparseTerms | undefined;

  /** `unknownSquares`: of what the query asks for and no row has. Numbers must be finite, within ±10¹⁸. */
  constructor(vector: Float32Array, unknownSquares: number) {
    this.vector = vector;
    this.norm = Math.sqrt(dotProduct(vector, 0, vector, 0, vector.length) + unknownSquares);
    const dimensions = Int32Array.from(vector.keys()).filter((dimension) => vector[dimension] !== 0);
    const wholeFours = vector.length - (vector.length % 4);
    const sums = Uint8Array.from(dimensions, (dimension) => (dimension < wholeFours ? dimension % 4 : 0));
    this.sparse = dimensions.length <= sparseShare * vector.length ? { dimensions, sums } : undefined;
  }

  /** {@link dotProduct} of the query and each of `count` rows of `values`, the first of which begins at `first`. */
  dotProducts(values: Float32Array, first: number, count: number, into: Float64Array): void {
    const { vector, sparse } = this;
    const width = vector.length;
    if (sparse !== undefined) this.sparseProducts(sparse, values, first, count, into);
    else for (let at = 0; at < count; at++) into[at] = dotProduct(values, first + at * width, vector, 0, width);
  }

  private sparseProducts(
    { dimensions, sums }: SparseTerms,
    values: Float32Array,
    first: number,
    count: number,
    into: Float64Array,
  ): void {
    const { vector } = this;
    for (let at = 0; at < count; at++) {
      const row = first + at * vector.length;
      let sum0 = 0;
      let sum1 = 0;
      let sum2 = 0;
      let sum3 = 0;
      for (let index = 0; index < dimensions.length; index++) {
        const dimension = dimensions[index] as number;
        const term = (values[row + dimension] as number) * (vector[dimension] as number);
        const sum = sums[index];
        if (sum === 0) sum0 += term;
        else if (sum === 1) sum1 += term;
        else if (sum === 2) sum2 += term;
        else sum3 += term;
      }
      into[at] = sum0 + sum1 + (sum2 + sum3);
    }
  }
}

/** Σ left[l + i] · right[r + i] for i < count, as (s₀ + s₁) + (s₂ + s₃) with sₖ the sum over i ≡ k mod 4 in rising order;
 *  what is left over after the last four goes to s₀. */
export function dotProduct(left: Float32Array, l: number, right: Float32Array, r: number, count: number): number {
  let sum0 = 0;
  let sum1 = 0;
  let sum2 = 0;
  let sum3 = 0;
  let index = 0;
  for (; index + 3 < count; index += 4) {
    sum0 += (left[l + index] as number) * (right[r + index] as number);
    sum1 += (left[l + index + 1] as number) * (right[r + index + 1] as number);
    sum2 += (left[l + index + 2] as number) * (right[r + index + 2] as number);
    sum3 += (left[l + index + 3] as number) * (right[r + index + 3] as number);
  }
  for (; index < count; index++) sum0 += (left[l + index] as number) * (right[r + index] as number);
  return sum0 + sum1 + (sum2 + sum3);
}
