import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Availability, type Window } from './availability.ts';
import { ClusterState } from './cluster-state.ts';
import { type RequestKind, RequestKindTable, type ResourceRequest } from './request.ts';

function clusterOf(machines: readonly { cpuMilli: number; gpuCount: number }[]): {
  cluster: ClusterState;
  kind: (request: Partial<ResourceRequest>) => RequestKind;
} {
  const cluster = new ClusterState();
  for (const machine of machines)
    cluster.setSchedulable(cluster.addMachine({ memoryMib: 0, gpuModel: 'T4', ...machine }), true);
  const kinds = new RequestKindTable(cluster.models);
  const base = { cpuMilli: 0, memoryMib: 0, gpuCount: 0, gpuMilli: 0, gpuModels: [], machineCount: 1 };
  return { cluster, kind: (request) => kinds.intern({ ...base, ...request }) };
}

const window = (kind: RequestKind, startMicros: number, endMicros: number, mask = 0, machine = 0): Window => ({
  kind,
  machines: [machine],
  deviceMasks: [mask],
  startMicros,
  endMicros,
});

describe('availability', () => {
  test('a device that is free now and one that is free later are not one device', () => {
    const { cluster, kind } = clusterOf([{ cpuMilli: 0, gpuCount: 2 }]);
    const gpu = kind({ gpuCount: 1, gpuMilli: 1000 });
    const availability = new Availability(cluster, [], 0);
    availability.take(window(gpu, 0, 10, 1));
    availability.take(window(gpu, 10, 20, 2));
    expect(availability.earliest(gpu, 0, 0, 10)).toBe(0);
    expect(availability.chooseDevices(gpu, 0, 0, 10)).toBe(2);
    // Device 0 is free for long from 10 on, though device 1 is busy then.
    expect(availability.earliest(gpu, 0, 0, 15)).toBe(10);
    expect(availability.chooseDevices(gpu, 0, 10, 15)).toBe(1);
    expect(availability.earliest(kind({ gpuCount: 2, gpuMilli: 1000 }), 0, 0, 1)).toBe(20);
  });

  test('what is given back leaves no trace', () => {
    const { cluster, kind } = clusterOf([{ cpuMilli: 4000, gpuCount: 0 }]);
    const two = kind({ cpuMilli: 2000 });
    const availability = new Availability(cluster, [], 5);
    availability.take(window(two, 10, 20));
    availability.take(window(two, 15, 30));
    expect(availability.changeTimes()).toEqual([5, 10, 15, 20, 30]);
    availability.giveBack(window(two, 10, 20));
    expect(availability.changeTimes()).toEqual([5, 15, 30]);
    availability.giveBack(window(two, 15, 30));
    expect(availability.changeTimes()).toEqual([5]);
  });

  const draw = fc.record({
    machine: fc.nat({ max: 1 }),
    cores: fc.integer({ min: 0, max: 3 }),
    gpus: fc.constantFrom(0, 1, 2),
    milli: fc.constantFrom(400, 1000),
    from: fc.nat({ max: 12 }),
    length: fc.integer({ min: 1, max: 8 }),
    together: fc.constantFrom(1, 1, 2),
    back: fc.boolean(),
  });

  test('property: the earliest place is that of a search second by second', () => {
    fc.assert(
      fc.property(fc.array(draw, { maxLength: 20 }), (script) => {
        const machines = [
          { cpuMilli: 4000, gpuCount: 2 },
          { cpuMilli: 3000, gpuCount: 3 },
        ];
        const { cluster, kind } = clusterOf(machines);
        const availability = new Availability(cluster, [], 0);
        const taken: Window[] = [];
        const freeAt = (machine: number, time: number): { cpu: number; devices: number[] } => {
          const free = { cpu: machines[machine]!.cpuMilli, devices: Array(machines[machine]!.gpuCount).fill(1000) };
          for (const { kind: held, machines: on, deviceMasks, startMicros, endMicros } of taken) {
            const position = on.indexOf(machine);
            if (position < 0 || time < startMicros || time >= endMicros) continue;
            free.cpu -= held.cpuMilli;
            for (let device = 0; device < free.devices.length; device++)
              if ((deviceMasks[position]! & (1 << device)) !== 0) free.devices[device] -= held.gpuMilli;
          }
          return free;
        };
        const fits = (asked: RequestKind, machine: number, start: number, length: number): boolean => {
          const least = freeAt(machine, start);
          for (let time = start; time < start + length; time++) {
            const free = freeAt(machine, time);
            least.cpu = Math.min(least.cpu, free.cpu);
            least.devices = least.devices.map((milli, device) => Math.min(milli, free.devices[device]!));
          }
          const devices = least.devices.filter((milli) => milli >= asked.gpuMilli).length;
          return least.cpu >= asked.cpuMilli && (asked.gpuCount === 0 || devices >= asked.gpuCount);
        };
        const search = (
          count: number,
          asked: RequestKind,
          on: readonly number[],
          from: number,
          length: number,
        ): number => {
          for (let start = from; start < 400; start++)
            if (on.filter((machine) => fits(asked, machine, start, length)).length >= count) return start;
          return Number.POSITIVE_INFINITY;
        };
        for (const { machine, cores, gpus, milli, from, length, together, back } of script) {
          const gpuMilli = gpus === 0 ? 0 : gpus > 1 ? 1000 : milli;
          const asked = kind({ cpuMilli: 1000 * cores, gpuCount: gpus, gpuMilli, machineCount: together });
          expect(availability.earliest(asked, machine, from, length)).toBe(search(1, asked, [machine], from, length));
          const found: number[] = [];
          const start = availability.earliestTogether(asked, from, length, found);
          expect(start).toBe(search(together, asked, [0, 1], from, length));
          const chosen: Window = {
            kind: asked,
            machines: [...found],
            deviceMasks: found.map((each) => availability.chooseDevices(asked, each, start, length)),
            startMicros: start,
            endMicros: start + length,
          };
          expect(availability.holdsWindow(chosen)).toBe(true);
          availability.take(chosen);
          taken.push(chosen);
          if (back) availability.giveBack(taken.shift() as Window);
        }
      }),
      { numRuns: 150 },
    );
  });
});
