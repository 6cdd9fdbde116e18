// Opening on a full disk: it ends in SIRA_DISK_FULL and not otherwise, harms nothing, leaves nothing behind that piles up, and
// works as soon as there is room, whether power failed in between or not.

import { describe, expect, it } from 'vitest';
import { RandomStream } from '../../core/base/random.ts';
import { microsPerSecond } from '../../core/base/time.ts';
import { plainProfile } from '../../core/kernel/kernel-driver.ts';
import { bytesOf, LogDriver, lineOf } from '../../core/log/log.contract.ts';
import type { LogSettings } from '../../core/log/log.ts';
import { defaultSimulationLimits, Simulation } from '../engine/simulation.ts';
import { Disk } from './disk.ts';
import { soundDisk } from './disk-spec.ts';
import { soundNetwork } from './sound-network.ts';
import { World } from './world.ts';

const settings = { segmentBytesMax: 4096, recordBytesMax: 4096, indexEveryBytes: 512 };

/** A folder, and the logs that open it one after the other. */
class Folder {
  readonly simulation = new Simulation();
  readonly disk: Disk;
  driver!: LogDriver;
  private readonly settings: Partial<LogSettings>;

  constructor(seed: number, more: Partial<LogSettings> = {}) {
    this.settings = { ...settings, ...more };
    this.disk = new Disk(this.simulation, soundDisk, new RandomStream(seed, 'disk'));
  }

  settle(): void {
    while (this.driver.log.operationCount > 0 && this.simulation.step());
  }

  /** `opened`, or the code with which it failed. */
  open(): string {
    this.driver = new LogDriver((complete) => this.disk.open('log', complete), this.settings);
    this.driver.log.open(0, this.driver.effects);
    this.settle();
    const { log } = this.driver;
    expect(log.operationCount).toBe(0);
    if (log.state === 'open') return 'opened';
    expect(log.state).toBe('failed');
    const failed = this.driver.last('logOpenFailed')!;
    expect(failed.fault.reason).toContain('no space left');
    expect(log.append({ timeMicros: 1, value: bytesOf('x') }, this.driver.effects).ok, 'it takes nothing').toBe(false);
    return failed.fault.code;
  }

  fill(count: number, from = 0): void {
    for (let index = from; index < from + count; index++) {
      const value = bytesOf('v'.repeat(200 + index));
      expect(this.driver.log.append({ timeMicros: index, value }, this.driver.effects).ok).toBe(true);
      this.settle();
    }
  }

  lines(): string[] {
    const { log, effects } = this.driver;
    const lines: string[] = [];
    for (let offset = log.startOffset; offset < log.durableEnd; ) {
      log.read({ id: 1, fromOffset: offset, recordsMax: 100, bytesMax: 100_000 }, effects);
      this.settle();
      const [answer] = this.driver.takeAll('logRead');
      lines.push(...answer!.records.map(lineOf));
      offset = answer!.nextOffset;
    }
    return lines;
  }
}

describe('opening a log on a full disk', () => {
  it('says so, keeps every record, and opens once there is room', () => {
    for (const crashes of [false, true]) {
      for (let seed = 1; seed <= 20; seed++) {
        const folder = new Folder(seed);
        expect(folder.open()).toBe('opened');
        folder.fill(40);
        const before = folder.lines();
        expect(before).toHaveLength(40);
        folder.disk.crash();
        folder.disk.isFull = true;
        const used: number[] = [];
        for (let attempt = 0; attempt < 5; attempt++) {
          expect(folder.open(), 'a full disk is named as what it is').toBe('SIRA_DISK_FULL');
          if (crashes) folder.disk.crash();
          used.push(folder.disk.usedBytes);
        }
        // What a failed opening left behind is gone with the next: at most a header and the sectors that still fitted.
        expect(Math.max(...used) - Math.min(...used)).toBeLessThanOrEqual(8 * 1024);
        folder.disk.isFull = false;
        expect(folder.open()).toBe('opened');
        expect(folder.lines()).toEqual(before);
        folder.fill(10, 40);
        expect(folder.driver.log.durableEnd).toBe(50);
      }
    }
  });

  it('with room for any part of what it writes, either opens or says so', () => {
    const outcomes = new Map<string, number>();
    for (let room = 0; room <= 6000; room += 37) {
      const folder = new Folder(room + 1);
      folder.open();
      folder.fill(40);
      const before = folder.lines();
      folder.disk.crash();
      folder.disk.capacityBytes = folder.disk.usedBytes + room;
      const outcome = folder.open();
      outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
      if (outcome !== 'opened') {
        folder.disk.capacityBytes = soundDisk.capacityBytes;
        expect(folder.open()).toBe('opened');
      }
      expect(folder.lines()).toEqual(before);
    }
    expect([...outcomes.keys()].sort((left, right) => (left < right ? -1 : 1))).toEqual(['SIRA_DISK_FULL', 'opened']);
  });

  it('begins a new log once there is room', () => {
    for (let seed = 1; seed <= 20; seed++) {
      const folder = new Folder(seed);
      folder.disk.isFull = true;
      expect(folder.open()).toBe('SIRA_DISK_FULL');
      folder.disk.isFull = false;
      // The name may be there, and a part of the header.
      folder.disk.capacityBytes = seed;
      const outcome = folder.open();
      expect(['SIRA_DISK_FULL', 'opened']).toContain(outcome);
      folder.disk.capacityBytes = soundDisk.capacityBytes;
      if (seed % 2 === 0) folder.disk.crash();
      expect(folder.open()).toBe('opened');
      expect(folder.driver.log.nextOffset).toBe(0);
      folder.fill(3);
      expect(folder.lines()).toHaveLength(3);
    }
  });
});

describe('a log whose disk is full when a segment begins', () => {
  it('leaves nothing of it: trimmed and opened again, it has what was kept', () => {
    let stalls = 0;
    for (let room = 0; room <= 400; room += 4) {
      const folder = new Folder(room + 1, { retainBytesMax: 6000 });
      folder.open();
      folder.fill(20);
      const { log, effects } = folder.driver;
      log.roll(effects);
      folder.disk.capacityBytes = folder.disk.usedBytes + room;
      folder.settle();
      if (log.stalledReason !== undefined) stalls++;
      folder.disk.capacityBytes = soundDisk.capacityBytes;
      log.maintain(20, effects);
      folder.settle();
      // Every segment of that time goes.
      folder.fill(60, 20);
      log.maintain(100, effects);
      folder.settle();
      const before = folder.lines();
      expect(log.startOffset).toBeGreaterThan(20);
      folder.disk.crash();
      expect(folder.open()).toBe('opened');
      expect(folder.lines()).toEqual(before);
    }
    expect(stalls).toBeGreaterThan(50);
  });
});

describe('a kernel that comes back to a full disk', () => {
  it('tries again until there is room, and then goes on with everything that it had', () => {
    const downMicros: number[] = [];
    const recoveredMicros: number[] = [];
    const ends: string[] = [];
    const request = { cpuMilli: 1000, memoryMib: 1024, gpuCount: 0, gpuMilli: 0, gpuModels: [], machineCount: 1 };
    const tasks = Array.from({ length: 40 }, (_, index) => ({
      name: `task-${index}`,
      arrivalMicros: index * microsPerSecond,
      request,
      durationMicros: 3 * microsPerSecond,
      estimateMicros: 3 * microsPerSecond,
      priority: 0,
      tenant: 'default',
    }));
    const kernelFault = { machines: [], factor: 1 };
    const world = new World({
      seed: 1,
      machines: [{ name: 'one', cpuMilli: 8000, memoryMib: 65_536, gpuCount: 0, gpuModel: '' }],
      workload: { tasks: () => tasks[Symbol.iterator](), typicalTasks: () => [], notes: [] },
      profile: plainProfile,
      network: soundNetwork(100),
      heartbeat: { intervalMicros: microsPerSecond, leaseMicros: 5 * microsPerSecond },
      limits: { ...defaultSimulationLimits, queueLengthMax: 1000 },
      faults: [
        { kind: 'kernelCrash', atMicros: 10 * microsPerSecond, forMicros: microsPerSecond, ...kernelFault },
        { kind: 'diskFull', atMicros: 10 * microsPerSecond, forMicros: 15 * microsPerSecond, ...kernelFault },
      ],
      journal: { disk: soundDisk, settings: { codeHash: 'one' } },
      observers: [
        {
          kernelDown: (nowMicros) => downMicros.push(nowMicros),
          kernelRecovered: (_kernel, _report, nowMicros) => recoveredMicros.push(nowMicros),
          taskEnded: ({ outcome }) => ends.push(outcome),
        },
      ],
    });
    world.runUntilDone(600 * microsPerSecond);
    expect(ends).toEqual(tasks.map(() => 'completed'));
    // One crash, and one opening a second or so that found no room.
    expect(downMicros.length).toBeGreaterThan(8);
    const recovered = recoveredMicros.filter((micros) => micros > 10 * microsPerSecond);
    expect(recovered).toHaveLength(1);
    expect(recovered[0]).toBeGreaterThanOrEqual(25 * microsPerSecond);
    expect(recovered[0]).toBeLessThan(28 * microsPerSecond);
  });
});
