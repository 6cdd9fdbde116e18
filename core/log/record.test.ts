import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { AppendBuffer } from './append-buffer.ts';
import { crc32c } from './crc32c.ts';
import {
  finishRecord,
  newRecordView,
  readRecord,
  recordKind,
  recordLength,
  toLogRecord,
  writeRecord,
} from './record.ts';
import { decodeSegmentHeader, encodeSegmentHeader, parseSegmentName, segmentName } from './segment.ts';
import { SegmentIndex } from './segment-index.ts';

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);

describe('CRC-32C', () => {
  test('the published values (RFC 3720, B.4; the check value of the catalogue of CRCs)', () => {
    expect(crc32c(bytesOf('123456789'))).toBe(0xe3069283);
    expect(crc32c(new Uint8Array(32))).toBe(0x8a9136aa);
    expect(crc32c(new Uint8Array(32).fill(255))).toBe(0x62a8ab43);
    expect(crc32c(Uint8Array.from({ length: 32 }, (_, index) => index))).toBe(0x46dd794e);
    expect(crc32c(Uint8Array.from({ length: 32 }, (_, index) => 31 - index))).toBe(0x113fdb5c);
    expect(crc32c(new Uint8Array(0))).toBe(0);
  });

  test('in pieces it is the same as at once', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.nat(200), (bytes, at) => {
        const cut = Math.min(at, bytes.length);
        expect(crc32c(bytes, cut, bytes.length, crc32c(bytes, 0, cut))).toBe(crc32c(bytes));
      }),
    );
  });
});

const record = fc.record({
  offset: fc.maxSafeNat(),
  timeMicros: fc.maxSafeNat(),
  durableEnd: fc.nat(2 ** 31 - 1),
  key: fc.option(fc.uint8Array({ maxLength: 40 }), { nil: undefined }),
  value: fc.uint8Array({ maxLength: 100 }),
  start: fc.nat(10).map((count) => count * 8),
});

describe('a record', () => {
  test('is read as it was written, into whatever bytes were there', () => {
    fc.assert(
      fc.property(record, fc.nat(255), ({ offset, timeMicros, durableEnd, key, value, start }, filler) => {
        const bytes = new Uint8Array(1000).fill(filler);
        const length = writeRecord(bytes, start, recordKind.value, offset, timeMicros, key, value);
        expect(length % 8).toBe(0);
        expect(finishRecord(bytes, start, durableEnd)).toBe(length);
        const view = newRecordView();
        expect(readRecord(bytes, start, start + length, 1000, view)).toBe(0);
        expect(view).toMatchObject({ start, length, durableEnd, kind: recordKind.value });
        const read = toLogRecord(bytes, view);
        expect({ ...read, key: read.key && [...read.key], value: [...read.value!] }).toEqual({
          offset,
          timeMicros,
          key: key && [...key],
          value: [...value],
        });
      }),
    );
  });

  test('that is cut short is asked for, and one that is changed anywhere is refused', () => {
    fc.assert(
      fc.property(record, fc.nat(), fc.nat(7), ({ offset, timeMicros, key, value }, where, bit) => {
        const bytes = new Uint8Array(1000);
        const length = writeRecord(bytes, 0, recordKind.value, offset, timeMicros, key, value);
        finishRecord(bytes, 0, 0);
        const view = newRecordView();
        const wanted = readRecord(bytes, 0, where % length, 1000, view);
        expect(wanted).toBe(where % length < 32 ? 32 : length);
        bytes[where % length]! ^= 1 << bit;
        // Another length may ask for more than there is; never is it taken.
        expect(readRecord(bytes, 0, length, 1000, view)).not.toBe(0);
      }),
    );
  });
});

describe('an append buffer', () => {
  test('hands out what was added, in order, in batches that fit', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(300), { maxLength: 40 }), fc.integer({ min: 1, max: 2000 }), (sizes, bytesMax) => {
        const buffer = new AppendBuffer();
        const index = new SegmentIndex(1);
        sizes.forEach((size, at) => {
          buffer.add(recordKind.value, at, at, undefined, new Uint8Array(size).fill(at));
        });
        const view = newRecordView();
        let next = 0;
        while (buffer.lengthBytes > 0) {
          const batch = buffer.take(bytesMax, 77, 1000, index);
          const first = recordLength(0, sizes[next]!);
          expect(batch.bytes.length).toBeLessThanOrEqual(Math.max(bytesMax, first));
          for (let at = 0; at < batch.bytes.length; at += view.length) {
            expect(readRecord(batch.bytes, at, batch.bytes.length, 1000, view)).toBe(0);
            expect(view).toMatchObject({ offset: next, durableEnd: 77 });
            expect([...toLogRecord(batch.bytes, view).value!]).toEqual(new Array(sizes[next]).fill(next));
            next++;
          }
          expect(batch.endOffset).toBe(next);
          buffer.release(batch);
        }
        expect(next).toBe(sizes.length);
      }),
    );
  });
});

describe('a segment', () => {
  const header = { baseOffset: 5, generation: 9, endOffset: -1, createdMicros: 7, codeHash: 'sha256-abc', cutBytes: 3 };

  test('has a header that is read as it was written', () => {
    expect(decodeSegmentHeader(encodeSegmentHeader(header))).toEqual(header);
    const compacted = { ...header, endOffset: 2 ** 40, codeHash: 'x'.repeat(64) };
    expect(decodeSegmentHeader(encodeSegmentHeader(compacted))).toEqual(compacted);
  });

  test('names sort as offsets do', () => {
    expect(parseSegmentName(segmentName(2 ** 53 - 1, 12))).toEqual({ baseOffset: 2 ** 53 - 1, generation: 12 });
    expect(segmentName(9, 1) < segmentName(10, 1)).toBe(true);
    expect(parseSegmentName('0000000000000005.snapshot')).toBeUndefined();
  });

  test('has an index that leads to the record or to one before it', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(5), { minLength: 1, maxLength: 100 }), fc.nat(600), (gaps, wanted) => {
        const index = new SegmentIndex(64);
        let time = 0;
        const times = gaps.map((gap) => {
          time += gap;
          return time;
        });
        for (const [at, timeMicros] of times.entries()) index.add(at, timeMicros, 128 + at * 40);
        const copy = SegmentIndex.decode(index.encode())!;
        expect(copy).toEqual(index);
        const offset = Math.min(wanted, times.length - 1);
        const position = copy.positionOfOffset(offset, 128);
        expect(position).toBeLessThanOrEqual(128 + offset * 40);
        expect(position).toBeGreaterThan(128 + offset * 40 - 64 - 40);
        const first = times.findIndex((timeMicros) => timeMicros >= wanted);
        expect(copy.positionOfTime(wanted, 128)).toBeLessThanOrEqual(128 + (first < 0 ? times.length : first) * 40);
      }),
    );
  });
});
