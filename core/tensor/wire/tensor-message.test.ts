import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { dataTypes } from '../data-type.ts';
import { TensorView } from '../tensor-view.ts';
import {
  decodeTensorHeader,
  headerBytesMin,
  payloadAlignment,
  type TensorLabel,
  tensorHeaderChecksum,
  wireDataTypes,
} from './tensor-header.ts';
import { defaultTensorLimits } from './tensor-limits.ts';
import { decodeTensorMessage, encodeTensorMessage, encodeTensorParts } from './tensor-message.ts';
import { allDataTypes, arbitraryTensor, bitsOf, readOrRefusal } from './tensor-samples.contract.ts';

const label: TensorLabel = { topic: 'activations/layer-3', producer: 'agent-7#2', sequence: 41 };

const names = fc.string({ unit: 'grapheme', maxLength: 12 });
const counts = fc.maxSafeNat();
const arbitraryLabel: fc.Arbitrary<TensorLabel> = fc.record(
  {
    ...{ topic: names, producer: names, sequence: counts, deadlineMicros: counts },
    causalParent: fc.record({ producer: names, sequence: counts }),
  },
  { requiredKeys: ['topic', 'producer', 'sequence'] },
);

/** The bytes with the header's checksum put right, so that what it protects can be reached. */
function resealed(bytes: Uint8Array, headerBytes: number): Uint8Array {
  const copy = bytes.slice();
  const view = new DataView(copy.buffer);
  view.setUint32(52, tensorHeaderChecksum(copy, headerBytes), true);
  return copy;
}

describe('the tensor wire format', () => {
  it('has the bytes of this example, now and in every later build', () => {
    const tensor = TensorView.from('float16', [2, 1], [1.5, -2]);
    const bytes = encodeTensorMessage(
      { topic: 't', producer: 'p', sequence: 258, causalParent: { producer: 'q', sequence: 3 }, deadlineMicros: 1 },
      tensor,
    );
    const hex = Buffer.from(bytes).toString('hex');
    expect(hex.slice(0, 96)).toBe(
      '53495254' +
        '01' +
        '0b' +
        '00' +
        '02' +
        '0300' +
        '0100' +
        '0100' +
        '0100' +
        '0400000000000000' +
        '0201000000000000' +
        '0300000000000000' +
        '0100000000000000',
    );
    expect(hex.slice(112, 112 + 38)).toBe('02000000000000000100000000000000' + '747071');
    expect(hex.slice(150, 256)).toBe('00'.repeat(53));
    expect(hex.slice(256)).toBe('003e00c0');
    // The checksums, by the reference implementation of XXH32.
    expect(hex.slice(96, 112)).toBe('db7c866a1040efe2');
  });

  it('gives back label and bits of every tensor, as a window onto its bytes, aligned', () => {
    fc.assert(
      fc.property(arbitraryLabel, arbitraryTensor(), (given, tensor) => {
        const bytes = encodeTensorMessage(given, tensor);
        const { header, tensor: found } = decodeTensorMessage(bytes);
        expect(bitsOf(found)).toEqual(bitsOf(tensor));
        expect(header).toMatchObject(given);
        expect([header.causalParent, header.deadlineMicros]).toEqual([given.causalParent, given.deadlineMicros]);
        expect(header.payloadOffset % payloadAlignment).toBe(0);
        expect(header.messageBytes).toBe(bytes.length);
        if (tensor.dataType !== 'string' && tensor.elementCount > 0) {
          const data = found.data as Uint8Array;
          expect([data.buffer, data.byteOffset]).toEqual([bytes.buffer, header.payloadOffset]);
        }
      }),
      { numRuns: 300 },
    );
  });

  it('reads the same from any place in memory', () => {
    fc.assert(
      fc.property(arbitraryTensor(), fc.integer({ min: 0, max: 9 }), (tensor, shift) => {
        const bytes = encodeTensorMessage(label, tensor);
        const moved = new Uint8Array(shift + bytes.length).subarray(shift);
        moved.set(bytes);
        expect(bitsOf(decodeTensorMessage(moved).tensor)).toEqual(bitsOf(tensor));
      }),
    );
  });

  it('has one encoding: whatever is accepted encodes to the same bytes', () => {
    const change = fc.record({ at: fc.nat({ max: 191 }), value: fc.integer({ min: 0, max: 255 }) });
    let accepted = 0;
    fc.assert(
      fc.property(
        arbitraryLabel,
        arbitraryTensor(['int8', 'float32', 'string', 'bool']),
        fc.array(change, { minLength: 1, maxLength: 3 }),
        (given, tensor, changes) => {
          const bytes = encodeTensorMessage(given, tensor);
          const { payloadOffset } = decodeTensorHeader(bytes);
          for (const { at, value } of changes) if (at < payloadOffset) bytes[at] = value;
          const sealed = resealed(bytes, payloadOffset);
          const found = readOrRefusal(() => decodeTensorMessage(sealed));
          if (found === undefined) return;
          accepted += 1;
          const { topic, producer, sequence, causalParent, deadlineMicros } = found.header;
          const again = encodeTensorMessage(
            {
              ...{ topic, producer, sequence },
              ...(causalParent && { causalParent }),
              ...(deadlineMicros !== undefined && { deadlineMicros }),
            },
            found.tensor,
          );
          expect(Buffer.from(again).equals(sealed)).toBe(true);
        },
      ),
      { numRuns: 2000 },
    );
    expect(accepted).toBeGreaterThan(50);
  });

  it('notices every changed byte and every cut', () => {
    for (const tensor of [
      TensorView.from('int32', [2, 2], [1, 2, 3, 4]),
      TensorView.from('string', [2], ['a', 'bc']),
    ]) {
      const bytes = encodeTensorMessage({ ...label, deadlineMicros: 5 }, tensor);
      for (let at = 0; at < bytes.length; at++) {
        for (const flip of [1, 0x80, 0xff]) {
          const changed = bytes.slice();
          changed[at] = bytes[at]! ^ flip;
          expect(
            readOrRefusal(() => decodeTensorMessage(changed)),
            `byte ${at}`,
          ).toBeUndefined();
        }
        expect(
          readOrRefusal(() => decodeTensorMessage(bytes.subarray(0, at))),
          `cut at ${at}`,
        ).toBeUndefined();
      }
      const longer = new Uint8Array(bytes.length + 1);
      longer.set(bytes);
      expect(() => decodeTensorMessage(longer)).toThrow(`byte ${bytes.length}: ${longer.length} bytes instead of`);
    }
  });

  it('refuses what is not canonical, and says at which byte', () => {
    const bytes = encodeTensorMessage(label, TensorView.from('uint8', [3], [1, 2, 3]));
    const cases: [number, number, string][] = [
      [0, 0x54, 'byte 0: no tensor'],
      [4, 2, 'byte 4: version 2; this reads 1'],
      [5, 18, 'byte 5: no data type has code 18'],
      [6, 1, 'byte 6: encoding 1 is not that of uint8'],
      [6, 2, 'byte 6: encoding 2'],
      [7, 33, 'byte 7: 33 axes; the limit is 32'],
      [8, 4, 'byte 8: flags 4'],
      [11, 255, 'byte 10: a name of'],
      [14, 1, 'byte 14: a parent without its flag'],
      [16, 4, 'byte 16: 4 payload bytes for uint8 of shape [3]'],
      [30, 0x20, 'byte 24: sequence is above 2^53'],
      [32, 1, 'byte 32: a parent without its flag'],
      [40, 1, 'byte 40: a deadline without its flag'],
      [56, 4, 'byte 16: 3 payload bytes for uint8 of shape [4]'],
      [64, 0xff, 'byte 64: a name that is not UTF-8'],
      [127, 1, 'byte 127: padding that is not zero'],
    ];
    for (const [at, value, message] of cases) {
      const changed = bytes.slice();
      changed[at] = value;
      expect(() => decodeTensorMessage(resealed(changed, 128)), message).toThrow(message);
    }
    // The same payload under the code of another type of one byte: a bool of 2 and of 3.
    const bools = bytes.slice();
    bools[5] = wireDataTypes.indexOf('bool');
    expect(() => decodeTensorMessage(resealed(bools, 128))).toThrow('byte 129: a bool of 2; it is 0 or 1');
    const damaged = bytes.slice();
    damaged[130] = 9;
    expect(() => decodeTensorMessage(damaged)).toThrow('byte 128: the payload');
    expect(decodeTensorMessage(damaged, { trustPayload: true }).tensor.toElements()).toEqual([1, 2, 9]);
  });

  it('keeps to its limits before it allocates', () => {
    const tensor = TensorView.from('string', [3], ['a', 'bcd', '']);
    const bytes = encodeTensorMessage(label, tensor);
    const within = (limits: Partial<typeof defaultTensorLimits>): unknown =>
      decodeTensorMessage(bytes, { limits: { ...defaultTensorLimits, ...limits } });
    expect(
      within({ stringBytesMax: 3, stringsMax: 3, rankMax: 1, nameBytesMax: 19, tensorBytesMax: 16 }),
    ).toBeDefined();
    expect(() => within({ stringBytesMax: 2 })).toThrow('a string of 3 bytes; the limit is 2');
    expect(() => within({ stringsMax: 2 })).toThrow('more than 2 elements');
    expect(() => within({ rankMax: 0 })).toThrow('1 axes; the limit is 0');
    expect(() => within({ nameBytesMax: 18 })).toThrow('a name of 19 bytes');
    expect(() => within({ tensorBytesMax: 15 })).toThrow('a payload of 16 bytes');
    // A header alone that claims 4 TiB costs nothing.
    const huge = encodeTensorMessage(label, TensorView.zeros('uint8', [0, 1])).slice();
    new DataView(huge.buffer).setUint32(56, 2 ** 31, true);
    new DataView(huge.buffer).setUint32(64, 2 ** 11, true);
    expect(() => decodeTensorHeader(resealed(huge, 128))).toThrow('more than 4294967296 elements, the limit');
    const broadcast = new TensorView('uint8', [1], new Uint8Array(1)).broadcastTo([2 ** 40]);
    expect(() => encodeTensorMessage(label, broadcast)).toThrow('more than 4294967296 elements');
  });

  it('refuses labels and elements that have no form on the wire', () => {
    const tensor = TensorView.from('bool', [1], [true]);
    for (const wrong of [{ topic: '\ud800' }, { producer: 'x'.repeat(1025) }, { sequence: -1 }, { sequence: 0.5 }])
      expect(() => encodeTensorMessage({ ...label, ...wrong }, tensor)).toThrow('tensor header: ');
    expect(() => encodeTensorMessage({ ...label, deadlineMicros: NaN }, tensor)).toThrow('deadline NaN');
    expect(() => encodeTensorMessage(label, new TensorView('bool', [1], Uint8Array.of(2)))).toThrow('a bool is 0 or 1');
    expect(() => encodeTensorMessage(label, TensorView.from('string', [1], ['\udc00']))).toThrow('half a surrogate');
  });

  it('gives header and payload apart, the payload without a copy', () => {
    const tensor = TensorView.from('int16', [2, 3], [1, 2, 3, 4, 5, 6]);
    const { header, payload } = encodeTensorParts(label, tensor);
    expect(payload.buffer).toBe((tensor.data as Uint8Array).buffer);
    expect(Buffer.concat([header, payload]).equals(encodeTensorMessage(label, tensor))).toBe(true);
    expect(decodeTensorHeader(header)).toMatchObject({ ...label, payloadBytes: 12, shape: [2, 3], dataType: 'int16' });
    expect(header.length).toBeGreaterThanOrEqual(headerBytesMin);
  });

  it('has a code for every data type', () => {
    expect([...wireDataTypes].toSorted((a, b) => (a < b ? -1 : 1))).toEqual(
      allDataTypes.toSorted((a, b) => (a < b ? -1 : 1)),
    );
    expect(wireDataTypes.length).toBe(Object.keys(dataTypes).length);
  });
});
