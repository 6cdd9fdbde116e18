// Each bounded collection against the plainest model of it, over random sequences of operations.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AssertionError } from './assert.ts';
import { KeyedHeap } from './binary-heap.ts';
import { BoundedMap } from './bounded-map.ts';
import { RingBuffer } from './ring-buffer.ts';

const small = fc.integer({ min: 0, max: 30 });
const key = fc.oneof(fc.integer({ min: -5, max: 5 }), fc.double({ noNaN: true }));

describe('RingBuffer', () => {
  it('behaves as an array that refuses beyond its bound', () => {
    const operation = fc.oneof(
      fc.record({ kind: fc.constant('push' as const), value: small }),
      fc.record({ kind: fc.constantFrom('shift' as const, 'peek' as const, 'clear' as const), value: small }),
    );
    const mostlyPushes = fc.array(fc.oneof({ weight: 3, arbitrary: operation }, { weight: 1, arbitrary: operation }), {
      maxLength: 120,
      size: 'max',
    });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 40 }), mostlyPushes, (lengthMax, operations) => {
        const buffer = new RingBuffer<number>(lengthMax);
        const model: number[] = [];
        for (const { kind, value } of operations) {
          if (kind === 'push') {
            const hasRoom = model.length < lengthMax;
            if (hasRoom) model.push(value);
            expect(buffer.push(value)).toBe(hasRoom);
          } else if (kind === 'shift') expect(buffer.shift()).toBe(model.shift());
          else if (kind === 'peek') expect(buffer.peek()).toBe(model[0]);
          else if (value === 0) {
            buffer.clear();
            model.length = 0;
          }
          expect(buffer.length).toBe(model.length);
          expect(buffer.isFull).toBe(model.length === lengthMax);
          expect(buffer.toArray()).toEqual(model);
          for (let index = 0; index < model.length; index++) expect(buffer.at(index)).toBe(model[index]);
        }
      }),
    );
  });

  it('rejects an index or a bound that makes no sense', () => {
    expect(() => new RingBuffer<number>(4).at(0)).toThrow(AssertionError);
    expect(() => new RingBuffer<number>(0)).toThrow(AssertionError);
  });
});

describe('KeyedHeap', () => {
  it('behaves as a list sorted by key, then id', () => {
    const operation = fc.record({
      kind: fc.constantFrom(
        'push' as const,
        'push' as const,
        'pop' as const,
        'remove' as const,
        'update' as const,
        'save' as const,
      ),
      id: small,
      key,
    });
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 30 }),
        fc.array(operation, { maxLength: 150, size: 'max' }),
        (lengthMax, operations) => {
          let heap = new KeyedHeap(lengthMax);
          const model = new Map<number, number>();
          const first = (): [number, number] | undefined =>
            [...model].sort(([leftId, leftKey], [rightId, rightKey]) =>
              leftKey < rightKey ? -1 : leftKey > rightKey ? 1 : leftId - rightId,
            )[0];
          for (const { kind, id, key } of operations) {
            if (kind === 'push') {
              if (model.has(id)) expect(() => heap.push(key, id)).toThrow(AssertionError);
              else {
                const hasRoom = model.size < lengthMax;
                if (hasRoom) model.set(id, key);
                expect(heap.push(key, id)).toBe(hasRoom);
              }
            } else if (kind === 'pop') {
              const expected = first();
              expect(heap.pop()).toBe(expected?.[0] ?? -1);
              if (expected !== undefined) model.delete(expected[0]);
            } else if (kind === 'remove') expect(heap.remove(id)).toBe(model.delete(id));
            else if (kind === 'update') {
              expect(heap.update(id, key)).toBe(model.has(id));
              if (model.has(id)) model.set(id, key);
            } else {
              const copy = new KeyedHeap(lengthMax);
              copy.restore(heap.save());
              heap = copy;
            }
            expect(heap.length).toBe(model.size);
            expect(heap.peek()).toBe(first()?.[0] ?? -1);
            expect(heap.peekKey()).toBe(first()?.[1] ?? Infinity);
            expect(heap.keyOf(id)).toBe(model.get(id));
          }
          let last = -Infinity;
          while (heap.length > 0) {
            expect(heap.peekKey()).toBeGreaterThanOrEqual(last);
            last = heap.peekKey();
            model.delete(heap.pop());
          }
          expect(model.size).toBe(0);
        },
      ),
    );
  });

  it('rejects keys and ids that have no place in an order', () => {
    const heap = new KeyedHeap(4);
    expect(() => heap.push(NaN, 1)).toThrow(AssertionError);
    expect(() => heap.push(1, -1)).toThrow(AssertionError);
    expect(() => heap.push(1, 0.5)).toThrow(AssertionError);
  });
});

describe('BoundedMap', () => {
  it('behaves as a map, and refuses a new key beyond its maximum with the reason', () => {
    const operation = fc.record({
      kind: fc.constantFrom('set' as const, 'set' as const, 'delete' as const),
      key: small,
      value: small,
    });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 10 }), fc.array(operation, { maxLength: 80 }), (lengthMax, operations) => {
        const map = new BoundedMap<number, number>('agents', lengthMax);
        const model = new Map<number, number>();
        for (const { kind, key, value } of operations) {
          if (kind === 'delete') expect(map.delete(key)).toBe(model.delete(key));
          else if (model.has(key) || model.size < lengthMax) {
            model.set(key, value);
            expect(map.set(key, value)).toEqual({ ok: true });
          } else {
            expect(map.set(key, value)).toEqual({
              ok: false,
              code: 'SIRA_QUEUE_FULL',
              reason: `there are already ${lengthMax} agents, the maximum`,
            });
          }
          expect([...map]).toEqual([...model]);
          expect(map.size).toBe(model.size);
          expect(map.get(key)).toBe(model.get(key));
        }
      }),
    );
  });
});
