// The arithmetic of dense layers in WebAssembly's vectors of four float32: products of matrices, sums of columns, closed relus. Every
// rounding is fixed by WebAssembly, so results repeat on every machine. All addresses are bytes in the memory given; rows of
// matrices are padded to multiples of four numbers, and so are numbers of rows that are written.

import {
  add,
  addFour,
  atLeastFour,
  bothFour,
  buildModule,
  defineFunction,
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

/** Rows of a tile; with two vectors a row, its sums, a row of `by` and a number of `from` stay in sixteen registers. */
const tileRows = 4;

const multiplyKernel = defineFunction(
  'multiply',
  {
    ...({ to: 'i32', from: 'i32', by: 'i32', start: 'i32', m: 'i32', n: 'i32', k: 'i32' } as const),
    ...({ fromRow: 'i32', fromColumn: 'i32', startRow: 'i32', least: 'f32' } as const),
  },
  {
    /** Bytes of a row of `by` and `to`, and how far the tiles have come in it. */
    ...({ width: 'i32', column: 'i32' } as const),
    /** Steps that are left of k. */
    left: 'i32',
    ...({ startAt: 'i32', byAt: 'i32', toAt: 'i32', from0: 'i32', from1: 'i32', from2: 'i32', from3: 'i32' } as const),
    ...({ floor: 'v128', by0: 'v128', by1: 'v128', sum0: 'v128', sum1: 'v128', sum2: 'v128' } as const),
    ...({ sum3: 'v128', sum4: 'v128', sum5: 'v128', sum6: 'v128', sum7: 'v128' } as const),
  },
  (locals) => {
    const { to, from, by, start, m, n, k, fromRow, fromColumn, startRow, least } = locals;
    const { width, column, left, startAt, byAt, toAt, floor, by0, by1 } = locals;
    const fromAt = [locals.from0, locals.from1, locals.from2, locals.from3] as const;
    const { sum0, sum1, sum2, sum3, sum4, sum5, sum6, sum7 } = locals;
    const sums = [sum0, sum1, sum2, sum3, sum4, sum5, sum6, sum7];
    const forward = (pointer: WasmLocal, step: WasmLocal): WasmCode => set(pointer, add(get(pointer), get(step)));

    /** The tile at `column`, with one or two vectors a row. */
    const tile = (vectors: readonly WasmLocal[]): WasmCode => {
      const ofTile = (row: number): readonly WasmLocal[] =>
        sums.slice(row * vectors.length, (row + 1) * vectors.length);
      return [
        ...set(startAt, add(get(start), get(column))),
        ...fromAt.flatMap((pointer, row) => [
          ...ofTile(row).flatMap((sum, vector) => set(sum, loadFour(get(startAt), 16 * vector))),
          ...forward(startAt, startRow),
          ...set(pointer, row === 0 ? get(from) : add(get(fromAt[row - 1]!), get(fromRow))),
        ]),
        ...set(byAt, add(get(by), get(column))),
        ...set(left, get(k)),
        ...repeatWhile(
          get(left),
          ...vectors.map((local, vector) => set(local, loadFour(get(byAt), 16 * vector))),
          ...fromAt.flatMap((pointer, row) => [
            ...ofTile(row).map((sum, vector) =>
              set(sum, addFour(get(sum), multiplyFour(loadSplat(get(pointer)), get(vectors[vector]!)))),
            ),
            forward(pointer, fromColumn),
          ]),
          forward(byAt, width),
          set(left, subtract(get(left), integer(1))),
        ),
        ...set(toAt, add(get(to), get(column))),
        ...fromAt.flatMap((_, row) => [
          ...ofTile(row).flatMap((sum, vector) => storeFour(get(toAt), atLeastFour(get(sum), get(floor)), 16 * vector)),
          ...forward(toAt, width),
        ]),
        ...set(column, add(get(column), integer(16 * vectors.length))),
      ];
    };

    const down = (pointer: WasmLocal, stride: WasmLocal): WasmCode =>
      set(pointer, add(get(pointer), multiply(get(stride), integer(tileRows))));
    const hasRoomForTwo = isAtMost(add(get(column), integer(32)), get(width));
    return [
      set(floor, splat(get(least))),
      set(width, multiply(get(n), integer(4))),
      repeatWhile(
        get(m),
        set(column, integer(0)),
        when(hasRoomForTwo, repeatWhile(hasRoomForTwo, tile([by0, by1]))),
        when(isLess(get(column), get(width)), tile([by0])),
        down(from, fromRow),
        down(to, width),
        down(start, startRow),
        set(m, subtract(get(m), integer(tileRows))),
      ),
    ];
  },
);

const sumColumnsKernel = defineFunction(
  'sumColumns',
  { to: 'i32', from: 'i32', rows: 'i32', n: 'i32' },
  { width: 'i32', column: 'i32' },
  ({ to, from, rows, n, width, column }) => {
    const sumAt = add(get(to), get(column));
    return [
      set(width, multiply(get(n), integer(4))),
      repeatWhile(
        get(rows),
        set(column, integer(0)),
        repeatWhile(
          isLess(get(column), get(width)),
          storeFour(sumAt, addFour(loadFour(sumAt), loadFour(add(get(from), get(column))))),
          set(column, add(get(column), integer(16))),
        ),
        set(from, add(get(from), get(width))),
        set(rows, subtract(get(rows), integer(1))),
      ),
    ];
  },
);

const closeSlopesKernel = defineFunction(
  'closeSlopes',
  { slopes: 'i32', values: 'i32', count: 'i32' },
  {},
  ({ slopes, values, count }) => [
    repeatWhile(
      get(count),
      storeFour(get(slopes), bothFour(loadFour(get(slopes)), isGreaterFour(loadFour(get(values)), zeros))),
      set(slopes, add(get(slopes), integer(16))),
      set(values, add(get(values), integer(16))),
      set(count, subtract(get(count), integer(4))),
    ),
  ],
);

const kernelModule = buildModule([multiplyKernel, sumColumnsKernel, closeSlopesKernel]);

/** The kernels on that memory. */
export function instantiateKernels(memory: WasmMemory): SimdKernels {
  return instantiateModule(kernelModule, memory) as unknown as SimdKernels;
}
