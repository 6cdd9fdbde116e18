// The arithmetic of dense layers in WebAssembly's vectors of four float32: products of matrices, sums of columns, closed relus. Every
// rounding is fixed by WebAssembly, so results repeat on every machine. All addresses are bytes in the memory given; rows of
// matrices are padded to multiples of four numbers, and so are numbers of rows that are written.

import {
  add,
  addFour,
  atLeastFour,
  bothFour,
  buildModule,
  declareLocals,
  get,
  instantiateModule,
  integer,
  isAtMost,
  isGreaterFour,
  isLess,
  loadFour,
  loadSplat,
  multiply,
  multiplyFour,
  repeatWhile,
  set,
  splat,
  storeFour,
  subtract,
  type WasmCode,
  type WasmFunction,
  type WasmLocal,
  type WasmMemory,
  when,
  zeros,
} from './wasm-builder.ts';

export interface SimdKernels {
  /**
   * to[m, n] = max(least, start[m, n] + from[m, k] · by[k, n]), for m and n multiples of 4 and k from 1; rows of `by` and `to` lie
   * 4n bytes apart. `from` lies as `fromRow` and `fromColumn` say, which makes a transpose of it free; so does `start`, of which
   * one row serves all with `startRow` 0.
   */
  multiply(
    to: number,
    from: number,
    by: number,
    start: number,
    m: number,
    n: number,
    k: number,
    fromRow: number,
    fromColumn: number,
    startRow: number,
    least: number,
  ): void;
  /** to[n] += Σ from[rows, n], n a multiple of 4. */
  sumColumns(to: number, from: number, rows: number, n: number): void;
  /** Slopes become 0 where the value is not above 0; `count` is a multiple of 4. */
  closeSlopes(slopes: number, values: number, count: number): void;
}

/** The kernels on that memory. */
export function instantiateKernels(memory: WasmMemory): SimdKernels {
  return instantiateModule(kernelModule, memory) as unknown as SimdKernels;
}

/** Rows of a tile; with two vectors a row, its sums, a row of `by` and a number of `from` stay in sixteen registers. */
const tileRows = 4;

function productFunction(): WasmFunction {
  const parameters = ['i32', 'i32', 'i32', 'i32', 'i32', 'i32', 'i32', 'i32', 'i32', 'i32', 'f32'] as const;
  const locals = [
    ...(['i32', 'i32', 'i32', 'i32', 'i32', 'i32', 'i32', 'i32', 'i32'] as const),
    ...Array.from({ length: 11 }, () => 'v128' as const),
  ];
  const { to, from, by, start, m, n, k, fromRow, fromColumn, startRow, least, ...own } = declareLocals(
    ...(['to', 'from', 'by', 'start', 'm', 'n', 'k', 'fromRow', 'fromColumn', 'startRow', 'least'] as const),
    ...(['width', 'column', 'left', 'byAt', 'startAt', 'from0', 'from1', 'from2', 'from3'] as const),
    ...(['floor', 'firstBy', 'secondBy', 'sum0', 'sum1', 'sum2', 'sum3', 'sum4', 'sum5', 'sum6', 'sum7'] as const),
  );
  const { width, column, left, byAt, startAt, floor, firstBy, secondBy } = own;
  const fromAt = [own.from0, own.from1, own.from2, own.from3];
  const sums = [own.sum0, own.sum1, own.sum2, own.sum3, own.sum4, own.sum5, own.sum6, own.sum7];

  /** The tile at `column`, of one or two vectors a row. */
  const tile = (byVectors: readonly WasmLocal[]): WasmCode => {
    const sumAt = (row: number, vector: number): WasmLocal => sums[row * byVectors.length + vector]!;
    const rows = Array.from({ length: tileRows }, (_, row) => row);
    return [
      set(startAt, add(get(start), get(column))),
      ...rows.flatMap((row) => [
        ...byVectors.map((_, vector) => set(sumAt(row, vector), loadFour(get(startAt), 16 * vector))),
        set(startAt, add(get(startAt), get(startRow))),
        set(fromAt[row]!, row === 0 ? get(from) : add(get(fromAt[row - 1]!), get(fromRow))),
      ]),
      set(byAt, add(get(by), get(column))),
      set(left, get(k)),
      repeatWhile(
        get(left),
        ...byVectors.map((local, vector) => set(local, loadFour(get(byAt), 16 * vector))),
        ...rows.flatMap((row) => [
          ...byVectors.map((local, vector) =>
            set(
              sumAt(row, vector),
              addFour(get(sumAt(row, vector)), multiplyFour(loadSplat(get(fromAt[row]!)), get(local))),
            ),
          ),
          set(fromAt[row]!, add(get(fromAt[row]!), get(fromColumn))),
        ]),
        set(byAt, add(get(byAt), get(width))),
        set(left, subtract(get(left), integer(1))),
      ),
      set(byAt, add(get(to), get(column))),
      ...rows.flatMap((row) => [
        ...byVectors.map((_, vector) =>
          storeFour(get(byAt), atLeastFour(get(sumAt(row, vector)), get(floor)), 16 * vector),
        ),
        set(byAt, add(get(byAt), get(width))),
      ]),
      set(column, add(get(column), integer(16 * byVectors.length))),
    ].flat();
  };

  const down = (pointer: WasmLocal, stride: WasmLocal): WasmCode =>
    set(pointer, add(get(pointer), multiply(get(stride), integer(tileRows))));
  const body = [
    set(floor, splat(get(least))),
    set(width, multiply(get(n), integer(4))),
    repeatWhile(
      get(m),
      set(column, integer(0)),
      when(
        isAtMost(integer(32), get(width)),
        repeatWhile(isAtMost(add(get(column), integer(32)), get(width)), tile([firstBy, secondBy])),
      ),
      when(isLess(get(column), get(width)), tile([firstBy])),
      down(from, fromRow),
      down(to, width),
      down(start, startRow),
      set(m, subtract(get(m), integer(tileRows))),
    ),
  ].flat();
  return { name: 'multiply', parameters, locals, body };
}

function columnSumFunction(): WasmFunction {
  const { to, from, rows, n, width, column } = declareLocals('to', 'from', 'rows', 'n', 'width', 'column');
  const at = add(get(to), get(column));
  const body = [
    set(width, multiply(get(n), integer(4))),
    repeatWhile(
      get(rows),
      set(column, integer(0)),
      repeatWhile(
        isLess(get(column), get(width)),
        storeFour(at, addFour(loadFour(at), loadFour(add(get(from), get(column))))),
        set(column, add(get(column), integer(16))),
      ),
      set(from, add(get(from), get(width))),
      set(rows, subtract(get(rows), integer(1))),
    ),
  ].flat();
  return { name: 'sumColumns', parameters: ['i32', 'i32', 'i32', 'i32'], locals: ['i32', 'i32'], body };
}

function closeFunction(): WasmFunction {
  const { slopes, values, count } = declareLocals('slopes', 'values', 'count');
  const body = repeatWhile(
    get(count),
    storeFour(get(slopes), bothFour(loadFour(get(slopes)), isGreaterFour(loadFour(get(values)), zeros))),
    set(slopes, add(get(slopes), integer(16))),
    set(values, add(get(values), integer(16))),
    set(count, subtract(get(count), integer(4))),
  );
  return { name: 'closeSlopes', parameters: ['i32', 'i32', 'i32'], locals: [], body };
}

const kernelModule = buildModule([productFunction(), columnSumFunction(), closeFunction()]);
