import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { DeadlineEntry } from './deadline-heap.ts';
import { DeadlineHeap } from './deadline-heap.ts';

test('the first is always the earliest, ties by id, whatever is added, moved or removed', () => {
  const step = fc.record({ id: fc.nat(15), key: fc.nat(6), kind: fc.constantFrom('add', 'move', 'remove', 'shift') });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 100 }), (steps) => {
      const heap = new DeadlineHeap<DeadlineEntry>();
      const entries = new Map<number, DeadlineEntry>();
      const keys = new Map<number, number>();
      for (const { id, key, kind } of steps) {
        const entry = entries.get(id) ?? { id, heapKey: 0, heapIndex: -1 };
        entries.set(id, entry);
        if (kind === 'shift') {
          heap.shift(key);
          for (const [known, old] of keys) keys.set(known, old + key);
        } else if (entry.heapIndex < 0) {
          heap.add(entry, key);
          keys.set(id, key);
        } else if (kind === 'remove') {
          heap.remove(entry);
          keys.delete(id);
        } else {
          heap.move(entry, key);
          keys.set(id, key);
        }
        const earliest = [...keys].sort((left, right) => left[1] - right[1] || left[0] - right[0])[0];
        expect(heap.size).toBe(keys.size);
        expect(heap.first === undefined ? undefined : [heap.first.id, heap.first.heapKey]).toEqual(earliest);
      }
    }),
  );
});
