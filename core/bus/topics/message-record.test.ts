// The bytes of messages, cursors and tensors: what is written is read back, the golden bytes stay, damage is told.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { PackedWriter } from '../../base/packed-values.ts';
import { CursorWriter, readCursor } from './group-cursor.ts';
import { messageOf, readMessageBytes, writeMessage } from './message-record.ts';
import { decodeTensor, encodeTensor, type TensorFact } from './tensor-record.ts';
import type { DeadLetterOrigin, MessageContent } from './topic-protocol.ts';

const hex = (bytes: Uint8Array): string => Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');

function encode(
  content: MessageContent,
  { producer = 'p', sequence = 1, settled = -1, origin = undefined as DeadLetterOrigin | undefined } = {},
): Uint8Array {
  const writer = new PackedWriter();
  writeMessage(writer, producer, sequence, settled, content, origin);
  return writer.written.slice();
}

const everything: MessageContent = {
  key: 'a key',
  priority: 7,
  deadlineMicros: 2_000_000,
  deliverAtMicros: 1_500_000,
  parent: { topic: 'before', offset: 41 },
  tensors: [{ tensor: 't/1', sizeBytes: 4096, digest: new Uint8Array([1, 2, 3]) }],
  digest: new Uint8Array([9, 8]),
  payload: new Uint8Array([255, 0, 127]),
};

const origin: DeadLetterOrigin = {
  topic: 'work',
  group: 'workers',
  offset: 300,
  producer: 'p',
  sequence: 12,
  attempts: 3,
  cause: 'timedOut',
  reason: 'no “answer”',
};

describe('a message as bytes', () => {
  test('golden bytes: they may only change with the version', () => {
    expect(hex(encode({ payload: new Uint8Array([1]) }))).toBe('010002700100' + '01');
    expect(hex(encode(everything, { producer: 'producer', sequence: 1000, settled: 999, origin }))).toBe(
      '01ff1070726f6475636572cae803070a61206b6579cb80841ecb60e3160c6265666f72652901067' +
        '42f31ca001003010203020908' +
        '08776f726b0e776f726b657273ca2c0102700c030117' +
        '6e006f0020001c20' +
        '61006e0073007700650072001d20' +
        'cae703ff007f',
    );
  });

  test('everything comes back', () => {
    const bytes = encode(everything, { sequence: 5, settled: 3, origin });
    expect(readMessageBytes(bytes, 17, 99)).toEqual({
      ...messageOf(17, 99, 'p', 5, 3, everything),
      origin,
    });
  });

  test('what was taken and what is read are equal, whatever it is', () => {
    const digest = fc.uint8Array({ maxLength: 32 });
    const tensor = fc.record({ tensor: fc.string({ minLength: 1 }), sizeBytes: fc.maxSafeNat(), digest });
    const content = fc.record(
      {
        key: fc.string(),
        priority: fc.integer({ min: 0, max: 9 }),
        deadlineMicros: fc.maxSafeNat(),
        deliverAtMicros: fc.maxSafeNat(),
        parent: fc.record({ topic: fc.string({ minLength: 1 }), offset: fc.maxSafeNat() }),
        tensors: fc.array(tensor, { minLength: 1, maxLength: 3 }),
        digest,
        payload: fc.uint8Array(),
      },
      { requiredKeys: ['payload'] },
    );
    fc.assert(
      fc.property(content, fc.string(), fc.maxSafeNat(), (message, producer, sequence) => {
        const bytes = encode(message, { producer, sequence });
        expect(readMessageBytes(bytes, 3, 4)).toEqual(messageOf(3, 4, producer, sequence, -1, message));
      }),
      { numRuns: 300 },
    );
  });

  test('bytes that are no message are told, never thrown at', () => {
    expect(readMessageBytes(new Uint8Array([2, 0]), 0, 0)).toBe('its format is version 2');
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => {
        readMessageBytes(bytes, 0, 0);
        readCursor(bytes);
        decodeTensor(bytes);
      }),
      { numRuns: 1000 },
    );
    const whole = encode(everything, { origin });
    for (let length = 0; length < whole.length - everything.payload.length; length++)
      expect(typeof readMessageBytes(whole.subarray(0, length), 0, 0)).toBe('string');
  });
});

describe('a cursor as bytes', () => {
  test('golden bytes', () => {
    const writer = new CursorWriter();
    writer.begin(2, 1000, 1010);
    writer.add(1000, 1, 'rejected');
    writer.add(1007, 0, 'disconnected');
    expect(hex(writer.bytes)).toBe('0102cae8030a00040702');
    expect(readCursor(writer.bytes)).toEqual({
      ...{ epoch: 2, floor: 1000, end: 1010 },
      unsettled: new Map([
        [1000, { attempts: 1, attemptEnd: 'rejected' }],
        [1007, { attempts: 0, attemptEnd: 'disconnected' }],
      ]),
    });
  });
});

describe('a tensor as bytes', () => {
  test('comes back with the mentions that are stored', () => {
    const mention = { topicNumber: 3, offset: 500, producer: 'p', isExtra: false };
    const fact: TensorFact = {
      ...{ owner: 'o', sizeBytes: 12, digest: new Uint8Array([1]), publications: 2, leaseEndMicros: -1 },
      ...{ state: 'lost', releaseCause: 'lost', lossReason: 'gone', isTold: true },
      mentions: [mention, { ...mention, offset: 501, isExtra: true }],
    };
    const bytes = encodeTensor(fact, ({ offset }) => offset === 500);
    expect(hex(bytes)).toBe('01026f0c010102d10101020108676f6e650103caf401027000');
    expect(decodeTensor(bytes)).toEqual({ ...fact, mentions: [mention] });
  });
});
