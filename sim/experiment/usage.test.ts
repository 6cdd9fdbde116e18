import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ResourceRequest } from '../../core/scheduler/request.ts';
import { Usage } from './usage.ts';

const request: ResourceRequest = {
  cpuMilli: 500,
  memoryMib: 1,
  gpuCount: 2,
  gpuMilli: 1000,
  gpuModels: [],
  machineCount: 1,
};

describe('Usage', () => {
  test('integrals by hand', () => {
    const usage = new Usage();
    usage.changeWaiting(1, 10);
    usage.changeWaiting(-1, 14);
    usage.workStarted(request, 1, 14);
    usage.workStarted({ ...request, gpuCount: 1, gpuMilli: 250 }, 3, 20);
    expect(usage.at(24)).toEqual({
      timeMicros: 24,
      gpuMilli: 2000 * 10 + 750 * 4,
      cpuMilli: 500 * 10 + 1500 * 4,
      running: 10 + 4,
      waiting: 4,
    });
    usage.workEnded(request, 1, 30);
    usage.workEnded({ ...request, gpuCount: 1, gpuMilli: 250 }, 3, 30);
    const end = usage.at(30);
    expect(usage.at(1000)).toEqual({ ...end, timeMicros: 1000 });
    expect([usage.gpuMilli, usage.cpuMilli, usage.running, usage.waiting]).toEqual([0, 0, 0, 0]);
  });

  test('property: looking at it in between changes nothing', () => {
    const works = fc.array(fc.tuple(fc.nat({ max: 100 }), fc.integer({ min: 1, max: 100 })), { maxLength: 30 });
    fc.assert(
      fc.property(works, fc.array(fc.nat({ max: 200 })), (drawn, looks) => {
        const events = drawn
          .flatMap(([begin, length]) => [
            { at: begin, kind: 'begin' },
            { at: begin + length, kind: 'end' },
          ])
          .concat(looks.map((at) => ({ at, kind: 'look' })))
          .toSorted((left, right) => left.at - right.at);
        const watched = new Usage();
        for (const { at, kind } of events) {
          if (kind === 'begin') watched.workStarted(request, 1, at);
          else if (kind === 'end') watched.workEnded(request, 1, at);
          else watched.at(at);
        }
        const lengths = drawn.reduce((sum, [, length]) => sum + length, 0);
        expect(watched.at(300)).toMatchObject({ gpuMilli: 2000 * lengths, cpuMilli: 500 * lengths, running: lengths });
      }),
    );
  });
});
