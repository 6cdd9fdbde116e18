import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { RetryQueue } from './retry-queue.ts';

const always = (): boolean => true;

describe('RetryQueue', () => {
  test('hands out what is due, in order of deadlines, equal ones in order of arrival', () => {
    const queue = new RetryQueue();
    queue.add(1, 10);
    queue.add(2, 10);
    queue.add(3, 20);
    // The wait was shortened meanwhile.
    queue.add(4, 15);
    queue.add(5, 10);
    expect(queue.takeDue(9)).toBe(-1);
    expect([1, 2, 3, 4].map(() => queue.takeDue(15))).toEqual([1, 2, 5, 4]);
    expect(queue.takeDue(19)).toBe(-1);
    expect(queue.takeDue(20)).toBe(3);
    expect(queue.takeDue(99)).toBe(-1);
    expect(queue.nextDeadline(always)).toBe(Number.POSITIVE_INFINITY);
  });

  test('what was answered meanwhile is forgotten in its turn', () => {
    const queue = new RetryQueue();
    for (const id of [1, 2, 3]) queue.add(id, id * 10);
    expect(queue.nextDeadline((id) => id >= 2)).toBe(20);
    expect(queue.save()).toEqual([
      { id: 2, deadlineMicros: 20 },
      { id: 3, deadlineMicros: 30 },
    ]);
    expect(queue.nextDeadline((id) => id !== 3)).toBe(20);
  });

  test('property: equal to a sorted list, over thousands of entries and restored on the way', () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ delay: fc.integer({ min: 0, max: 5 }), take: fc.integer({ min: 0, max: 3 }) }), {
          minLength: 1,
          maxLength: 60,
        }),
        (script) => {
          let queue = new RetryQueue();
          let model: { id: number; at: number }[] = [];
          let id = 0;
          for (const [time, { delay, take }] of script.entries()) {
            for (let copies = 0; copies < 40; copies++) {
              queue.add(++id, time + delay);
              model.push({ id, at: time + delay });
            }
            model = model.toSorted((left, right) => left.at - right.at || left.id - right.id);
            for (let count = 0; count < 15 * take; count++) {
              const due = model[0] !== undefined && model[0].at <= time ? (model.shift() as { id: number }).id : -1;
              expect(queue.takeDue(time)).toBe(due);
            }
            if (time % 7 === 3) {
              const saved = JSON.parse(JSON.stringify(queue.save()));
              queue = new RetryQueue();
              queue.restore(saved);
            }
            expect(queue.nextDeadline(always)).toBe(model[0]?.at ?? Number.POSITIVE_INFINITY);
          }
        },
      ),
      { numRuns: 30 },
    );
  });
});
