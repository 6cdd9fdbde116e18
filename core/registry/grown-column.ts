// Columns of typed arrays with more rows, those that there are kept.

export function grownFloats(column: Float64Array, rows: number): Float64Array<ArrayBuffer> {
  const larger = new Float64Array(rows);
  larger.set(column);
  return larger;
}

export function grownBytes(column: Uint8Array, rows: number): Uint8Array<ArrayBuffer> {
  const larger = new Uint8Array(rows);
  larger.set(column);
  return larger;
}

export function grownIntegers(column: Int32Array, rows: number): Int32Array<ArrayBuffer> {
  const larger = new Int32Array(rows);
  larger.set(column);
  return larger;
}
