import { expect, test } from 'vitest';
import {
  add,
  buildModule,
  createMemory,
  defineFunction,
  get,
  instantiateModule,
  integer,
  loadFour,
  repeatWhile,
  set,
  splat,
  storeFour,
  subtract,
} from './wasm-builder.ts';

function instantiate(bytes: Uint8Array<ArrayBuffer>) {
  const memory = createMemory(65_536);
  return { numbers: new Float32Array(memory.buffer), exports: instantiateModule(bytes, memory) };
}

test('constants of every length arrive, with their signs', () => {
  for (const constant of [0, 4, 60, 64, 124, 128, 8188, 8192, 16_384, -4, -64, -68, -8192, -8196]) {
    const put = defineFunction('put', { base: 'i32', value: 'f32' }, {}, ({ base, value }) => [
      storeFour(add(get(base), integer(constant)), splat(get(value))),
    ]);
    const { numbers, exports } = instantiate(buildModule([put]));
    exports.put!(32_768, 2.5);
    const at = (32_768 + constant) / 4;
    expect([...numbers.subarray(at - 1, at + 5)], String(constant)).toEqual([0, 2.5, 2.5, 2.5, 2.5, 0]);
  }
});

test('offsets count in bytes, loops end when their condition does', () => {
  const copy = defineFunction('copy', { from: 'i32', to: 'i32', count: 'i32' }, {}, ({ from, to, count }) => [
    repeatWhile(
      get(count),
      storeFour(get(to), loadFour(get(from), 256)),
      set(from, add(get(from), integer(16))),
      set(to, add(get(to), integer(16))),
      set(count, subtract(get(count), integer(1))),
    ),
  ]);
  const { numbers, exports } = instantiate(buildModule([copy]));
  for (let index = 0; index < 100; index++) numbers[index] = index;
  exports.copy!(16, 4000, 2);
  expect([...numbers.subarray(1000, 1009)]).toEqual([68, 69, 70, 71, 72, 73, 74, 75, 0]);
});

test('WebAssembly refuses what makes no sense', () => {
  const wrong = defineFunction('wrong', {}, {}, () => [integer(1)]);
  expect(() => instantiate(buildModule([wrong]))).toThrow('Compiling function');
});
