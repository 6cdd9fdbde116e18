import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SiraError } from '../base/errors.ts';
import { bytesPerElement, type DataType, dataTypes } from './data-type.ts';
import type { Element } from './element-codec.ts';
import { broadcastShapes, checkShape, elementCount, inferShape, rowMajorStrides } from './shape.ts';
import { TensorView } from './tensor-view.ts';

const shapes = fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 4 });

function counting(shape: readonly number[]): TensorView {
  return TensorView.from(
    'int32',
    shape,
    Array.from({ length: elementCount(shape) }, (_, index) => index),
  );
}

/** Every index of a shape, the last axis fastest. */
function indicesOf(shape: readonly number[]): number[][] {
  return shape.reduce<number[][]>(
    (prefixes, extent) =>
      prefixes.flatMap((prefix) => Array.from({ length: extent }, (_, index) => [...prefix, index])),
    [[]],
  );
}

describe('data types', () => {
  it('have the sizes of their names', () => {
    for (const [name, { bytes, kind }] of Object.entries(dataTypes)) {
      const bits = /(\d+)(?:_|$)/.exec(name)?.[1];
      if (bits !== undefined) expect(bytes * 8).toBe(Number(bits));
      else expect([name, kind, bytes]).toEqual(name === 'bool' ? ['bool', 'boolean', 1] : ['string', 'string', 0]);
    }
    expect(() => bytesPerElement('string')).toThrow(SiraError);
  });
});

describe('shapes', () => {
  it('count elements, and refuse what overflows or is no extent', () => {
    expect(elementCount([])).toBe(1);
    expect(elementCount([2, 3, 4])).toBe(24);
    expect(elementCount([2, 0, 4])).toBe(0);
    expect(elementCount([2 ** 26, 2 ** 26])).toBe(2 ** 52);
    expect(() => elementCount([2 ** 27, 2 ** 26])).toThrow(SiraError);
    expect(() => checkShape([2 ** 40, 0, 2 ** 40])).toThrow(SiraError);
    for (const shape of [[-1], [1.5], [NaN], [Infinity], new Array(33).fill(1)])
      expect(() => checkShape(shape)).toThrow(SiraError);
    expect(rowMajorStrides([2, 3, 4])).toEqual([12, 4, 1]);
  });

  it('broadcast by NumPy’s rule', () => {
    expect(broadcastShapes([8, 1, 6, 1], [7, 1, 5])).toEqual([8, 7, 6, 5]);
    expect(broadcastShapes([256, 256, 3], [3])).toEqual([256, 256, 3]);
    expect(broadcastShapes([], [2, 0])).toEqual([2, 0]);
    expect(broadcastShapes([1], [0])).toEqual([0]);
    expect(() => broadcastShapes([2, 1], [8, 4, 3])).toThrow('shapes [2, 1] and [8, 4, 3] do not broadcast at axis 1');
    fc.assert(
      fc.property(shapes, shapes, (left, right) => {
        const attempt = (...operands: number[][]): string => {
          try {
            return String(broadcastShapes(...operands));
          } catch {
            return 'refused';
          }
        };
        expect(attempt(left, right)).toBe(attempt(right, left));
        expect(attempt(left, left)).toBe(String(left));
      }),
    );
  });

  it('infer one extent', () => {
    expect(inferShape([2, -1], 6)).toEqual([2, 3]);
    expect(inferShape([-1], 0)).toEqual([0]);
    for (const [shape, count] of [
      [[4, -1], 6],
      [[-1, -1], 4],
      [[5], 6],
      [[2, -2], 4],
    ] as [number[], number][]) {
      expect(() => inferShape(shape, count), String(shape)).toThrow(SiraError);
    }
  });
});

describe('TensorView', () => {
  it('reads what was written, for every data type at its limits', () => {
    const cases: Record<DataType, Element[]> = {
      bool: [true, false],
      int8: [-128, 127],
      int16: [-32768, 32767],
      int32: [-(2 ** 31), 2 ** 31 - 1],
      int64: [-(2n ** 63n), 2n ** 63n - 1n],
      uint8: [0, 255],
      uint16: [0, 65535],
      uint32: [0, 2 ** 32 - 1],
      uint64: [0n, 2n ** 64n - 1n],
      float8_e4m3: [448, -(2 ** -9)],
      float8_e5m2: [57344, -Infinity],
      float16: [65504, 2 ** -24],
      bfloat16: [-3.140625, 2 ** -133],
      float32: [Math.fround(0.1), -Infinity],
      float64: [0.1, 5e-324],
      complex64: [
        [1.5, -2.5],
        [0, Math.fround(1e-40)],
      ],
      complex128: [
        [0.1, -0.2],
        [Infinity, 5e-324],
      ],
      string: ['', 'žluťoučký kůň'],
    };
    for (const [dataType, elements] of Object.entries(cases)) {
      const tensor = TensorView.from(dataType as DataType, [2], elements);
      expect(tensor.toElements(), dataType).toEqual(elements);
      expect(tensor.transpose().copy().toElements(), dataType).toEqual(elements);
    }
    expect(TensorView.from('int64', [1], [-5]).get(0)).toBe(-5n);
  });

  it('refuses elements of the wrong kind or out of range', () => {
    const wrong: [DataType, Element][] = [
      ['bool', 1],
      ['int8', 128],
      ['uint8', -1],
      ['uint32', 2 ** 32],
      ['int16', 0.5],
      ['int32', NaN],
      ['int64', 2n ** 63n],
      ['uint64', -1n],
      ['int64', 0.5],
      ['float32', '1'],
      ['float16', true],
      ['complex64', 1],
      ['string', 1],
    ];
    for (const [dataType, element] of wrong)
      expect(() => TensorView.from(dataType, [1], [element]), dataType).toThrow(SiraError);
  });

  it('lies little-endian, the last axis together', () => {
    const tensor = TensorView.from('uint16', [2, 2], [1, 2, 3, 0x1234]);
    expect([...(tensor.data as Uint8Array)]).toEqual([1, 0, 2, 0, 3, 0, 0x34, 0x12]);
  });

  it('slices, selects, transposes and broadcasts as the definition by indices says', () => {
    const ranges = fc.array(fc.tuple(fc.nat(4), fc.nat(4), fc.integer({ min: 1, max: 3 })), {
      minLength: 4,
      maxLength: 4,
    });
    fc.assert(
      fc.property(shapes, ranges, fc.integer(), (shape, picks, seed) => {
        const tensor = counting(shape);
        const chosen = shape.map((extent, axis) => {
          const [first, second, step] = picks[axis]!;
          const start = Math.min(first, second, extent);
          return { start, stop: Math.min(Math.max(first, second), extent), step };
        });
        const sliced = tensor.slice(chosen);
        for (const index of indicesOf(sliced.shape)) {
          expect(sliced.get(...index)).toBe(
            tensor.get(...index.map((at, axis) => chosen[axis]!.start + at * chosen[axis]!.step)),
          );
        }
        const order = shape
          .map((_, axis) => axis)
          .sort((left, right) => ((seed >> left) & 1) - ((seed >> right) & 1) || left - right);
        const turned = sliced.transpose(order);
        for (const index of indicesOf(turned.shape)) {
          const back = new Array<number>(index.length);
          order.forEach((axis, place) => {
            back[axis] = index[place]!;
          });
          expect(turned.get(...index)).toBe(sliced.get(...back));
        }
        const copied = turned.copy();
        expect(copied.isContiguous).toBe(true);
        expect(copied.toElements()).toEqual(turned.toElements());
        expect(copied.reshape([-1]).toElements()).toEqual(indicesOf(turned.shape).map((index) => turned.get(...index)));
        const wide = turned.broadcastTo([2, ...turned.shape]);
        expect(wide.select(0, 1).toElements()).toEqual(turned.toElements());
        if (turned.isContiguous)
          expect(turned.reshape([turned.elementCount]).toElements()).toEqual(turned.toElements());
        else expect(() => turned.reshape([turned.elementCount])).toThrow(SiraError);
      }),
    );
  });

  it('shares its bytes with its windows until copied', () => {
    const tensor = counting([2, 3]);
    const window = tensor.transpose().select(0, 1);
    const copy = window.copy();
    window.set([1], 40);
    expect(tensor.get(1, 1)).toBe(40);
    expect(copy.get(1)).toBe(4);
  });

  it('never reaches outside of its bytes', () => {
    const bytes = new Uint8Array(24);
    expect(() => new TensorView('float32', [7], bytes)).toThrow(SiraError);
    expect(() => new TensorView('float32', [3], bytes, { strides: [3], offset: 0 })).toThrow(SiraError);
    expect(() => new TensorView('float32', [3], bytes, { strides: [-1], offset: 1 })).toThrow(SiraError);
    expect(new TensorView('float32', [3], bytes, { strides: [-1], offset: 2 }).elementCount).toBe(3);
    expect(() => new TensorView('float32', [2], bytes, { strides: [2 ** 60], offset: 0 })).toThrow(SiraError);
    expect(() => new TensorView('float32', [1], bytes, { strides: [1], offset: 0.5 })).toThrow(SiraError);
    expect(() => new TensorView('float32', [1], bytes, { strides: [], offset: 0 })).toThrow(SiraError);
    const tensor = counting([2, 3]);
    for (const indices of [[2, 0], [0, 3], [-1, 0], [0.5, 0], [0], [0, 0, 0]])
      expect(() => tensor.get(...indices)).toThrow(SiraError);
    expect(() => tensor.slice([{ start: 0, stop: 3 }])).toThrow(SiraError);
    expect(() => tensor.slice([{ start: 2, stop: 1 }])).toThrow(SiraError);
    expect(() => tensor.transpose([0, 0])).toThrow(SiraError);
    expect(() => tensor.select(2, 0)).toThrow(SiraError);
    expect(() => TensorView.from('int8', [2], [1])).toThrow(SiraError);
    expect(() => TensorView.zeros('float64', [2 ** 31])).toThrow(SiraError);
  });
});
