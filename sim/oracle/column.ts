// Columns that grow with the numbers they are indexed by (submissions, tasks, attempts): dense numbers from 1, so that a column
// costs a few bytes each and no lookup. Values begin at 0.

/** `column`, or a larger copy of it if it has no room for `index`. */
export function withRoom<Column extends Float64Array | Int32Array | Uint8Array>(column: Column, index: number): Column {
  if (index < column.length) return column;
  const Kind = column.constructor as new (length: number) => Column;
  const larger = new Kind(Math.max(1024, 2 * index));
  larger.set(column);
  return larger;
}
