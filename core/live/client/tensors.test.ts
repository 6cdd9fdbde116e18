import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { DataType, NamedTensor } from '../../proto/generated/sira/v1/tensor.ts';
import { dataTypes } from '../../tensor/data-type.ts';
import { TensorView } from '../../tensor/tensor-view.ts';
import { wireDataTypes } from '../../tensor/wire/tensor-header.ts';
import { encodeTensorMessage } from '../../tensor/wire/tensor-message.ts';
import { arrayFrom, tensorFrom, tensorsOfMessages, tensorsToMessages } from './tensors.ts';

describe('tensors in messages', () => {
  test('the numbers of types are those of the .proto file', () => {
    for (const [index, name] of wireDataTypes.entries())
      expect(DataType[name.toUpperCase() as keyof typeof DataType], name).toBe(index + 1);
  });

  test('come back as they were, bit by bit', () => {
    const fixed = wireDataTypes.filter((name) => name !== 'string' && name !== 'bool');
    fc.assert(
      fc.property(
        fc.constantFrom(...fixed),
        fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 3 }),
        fc.infiniteStream(fc.integer({ min: 0, max: 255 })),
        (dataType, shape, random) => {
          const count = shape.reduce((product, extent) => product * extent, 1);
          const data = Uint8Array.from({ length: count * dataTypes[dataType].bytes }, () => random.next().value);
          const [message] = tensorsToMessages({ it: new TensorView(dataType, shape, data) });
          const { it } = tensorsOfMessages([NamedTensor.decode(NamedTensor.encode(message!).finish())]);
          expect([it!.dataType, it!.shape]).toEqual([dataType, shape]);
          expect(it!.data).toEqual(data);
        },
      ),
      { numRuns: 200 },
    );
  });

  test('strings, bools, transposed views and arrays of numbers', () => {
    const strings = new TensorView('string', [2], ['a', 'ü']);
    const transposed = tensorFrom(Int32Array.of(1, 2, 3, 4, 5, 6), [2, 3]).transpose();
    const bools = new TensorView('bool', [2], Uint8Array.of(1, 0));
    const back = tensorsOfMessages(tensorsToMessages({ strings, transposed, bools }));
    expect(back.strings!.toElements()).toEqual(['a', 'ü']);
    expect([back.transposed!.shape, arrayFrom(back.transposed!)]).toEqual([[3, 2], Int32Array.of(1, 4, 2, 5, 3, 6)]);
    expect(back.bools!.toElements()).toEqual([true, false]);
    expect(() => arrayFrom(back.bools!)).toThrow('no array holds elements of bool');
    const floats = Float32Array.of(1.5, -0);
    expect(arrayFrom(tensorFrom(floats))).toEqual(floats);
    expect(arrayFrom(tensorFrom(floats)).buffer).not.toBe(floats.buffer);
  });

  test('the wire format is understood, and what is not whole is refused', () => {
    const tensor = tensorFrom(Float64Array.of(1, 2));
    const value = encodeTensorMessage({ topic: 't', producer: 'p', sequence: 1 }, tensor);
    expect(arrayFrom(tensorsOfMessages([{ name: 'x', form: { $case: 'message', value } }]).x!)).toEqual(
      Float64Array.of(1, 2),
    );
    const plain = (dataType: number, shape: number[], data: number[]) =>
      tensorsOfMessages([
        {
          name: 'x',
          form: { $case: 'plain', value: { dataType: dataType as DataType, shape, data: Uint8Array.from(data) } },
        },
      ]);
    expect(() => plain(DataType.FLOAT32, [1], [1, 2, 3])).toThrow('has 3 bytes; its shape says 4');
    expect(() => plain(DataType.FLOAT32, [2 ** 40, 2 ** 40], [])).toThrow('2^53');
    expect(() => plain(0, [0], [])).toThrow('no known type');
    expect(() => plain(99, [0], [])).toThrow('no known type');
    expect(() => plain(DataType.BOOL, [1], [2])).toThrow('neither 0 nor 1');
    expect(() => tensorsOfMessages([{ name: 'x', form: undefined }])).toThrow('is empty');
  });
});
