// Kinds of requests: the same request is the same kind, and the table stays as small as what is in use.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ModelTable, type RequestKind, RequestKindTable, type ResourceRequest } from './request.ts';

function asking(cpuMilli: number): ResourceRequest {
  return { cpuMilli, memoryMib: 1, gpuCount: 0, gpuMilli: 0, gpuModels: [], machineCount: 1 };
}

describe('kinds of requests', () => {
  test('equal requests are one kind; class and skill make others', () => {
    const table = new RequestKindTable(new ModelTable());
    expect(table.intern(asking(1))).toBe(table.intern(asking(1)));
    expect(new Set([asking(1), asking(2)].map((request) => table.intern(request))).size).toBe(2);
    expect(table.intern(asking(1), 1)).not.toBe(table.intern(asking(1)));
    expect(table.intern(asking(1), 0, 'translate')).not.toBe(table.intern(asking(1)));
  });

  test('the table is never larger than its least, or than twice those in use, and what is in use stays as it was', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(60), fc.nat(30)), { maxLength: 300 }), (steps) => {
        const table = new RequestKindTable(new ModelTable(), 4);
        let used: RequestKind[] = [];
        let most = 0;
        const seen = new Map<number, number>();
        for (const [cpuMilli, kept] of steps) {
          if (table.isCrowded) table.keepOnly(new Set(used));
          const kind = table.intern(asking(cpuMilli));
          // An id is never given to another request.
          expect(seen.get(kind.id) ?? cpuMilli).toBe(cpuMilli);
          seen.set(kind.id, cpuMilli);
          used = [...used, kind].slice(-kept - 1);
          most = Math.max(most, new Set(used).size);
          for (const one of used) expect(table.find(one.id)).toBe(one);
          expect(table.size).toBeLessThanOrEqual(Math.max(4, 2 * most) + 1);
        }
      }),
    );
  });

  test('a table that is restored goes on equally', () => {
    const table = new RequestKindTable(new ModelTable(), 2);
    const [first] = [1, 2, 3].map((cpuMilli) => table.intern(asking(cpuMilli)));
    table.keepOnly(new Set([first as RequestKind]));
    const again = new RequestKindTable(new ModelTable(), 2);
    again.restore(JSON.parse(JSON.stringify([...table.all])) as RequestKind[], table.save());
    for (const cpuMilli of [3, 1, 9]) expect(again.intern(asking(cpuMilli))).toEqual(table.intern(asking(cpuMilli)));
    expect([again.size, again.isCrowded, again.save()]).toEqual([table.size, table.isCrowded, table.save()]);
  });
});
