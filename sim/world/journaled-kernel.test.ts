// A kernel with a journal, on a disk that loses what was not synced: what it holds back, what it gives back, and when it says no.

import { afterEach, describe, expect, it, test, vi } from 'vitest';
import { RandomStream } from '../../core/base/random.ts';
import { createKernelSettings } from '../../core/config/kernel-setting-table.ts';
import type { InputBody } from '../../core/kernel/inputs.ts';
import { defaultJournalSettings, type JournalSettings } from '../../core/kernel/journal.ts';
import { JournaledKernel, type JournaledKernelEffect, type ReleasedInput } from '../../core/kernel/journaled-kernel.ts';
import { Kernel } from '../../core/kernel/kernel.ts';
import { helloFrom, plainProfile, submissionOf } from '../../core/kernel/kernel-driver.ts';
import { Simulation } from '../engine/simulation.ts';
import { Disk } from './disk.ts';
import { type DiskSpec, soundDisk } from './disk-spec.ts';

type News = Exclude<JournaledKernelEffect, { kind: 'file' }>;
type NewsOf<K extends News['kind']> = Extract<News, { kind: K }>;

const plainDisk: DiskSpec = {
  ...soundDisk,
  readLatency: { distribution: 'constant', meanMicros: 100, sigma: 0 },
  writeLatency: { distribution: 'constant', meanMicros: 20, sigma: 0 },
  syncLatency: { distribution: 'constant', meanMicros: 500, sigma: 0 },
};

/** A journaled kernel on a disk, and what it said. */
class Driver {
  readonly simulation = new Simulation();
  readonly disk: Disk;
  settings: JournalSettings;
  running!: JournaledKernel;
  news: News[] = [];
  readonly released: ReleasedInput[] = [];
  /** Of the kernel as it came from the disk. */
  recoveredDigest = '';
  private life = 0;

  constructor(settings: Partial<JournalSettings> = {}, spec: DiskSpec = plainDisk, seed = 1) {
    this.settings = { ...defaultJournalSettings, codeHash: 'one', ...settings };
    this.disk = new Disk(this.simulation, spec, new RandomStream(seed, 'disk'));
    this.start();
  }

  get now(): number {
    return this.simulation.nowMicros;
  }

  get sink(): { push(effect: JournaledKernelEffect): void } {
    const { life } = this;
    return {
      push: (effect) => {
        if (life !== this.life) return;
        if (effect.kind === 'recovered') this.recoveredDigest = this.running.kernel.digest;
        if (effect.kind === 'released') this.released.push(effect.input);
        if (effect.kind !== 'file') this.news.push(effect);
        else {
          const { store } = effect;
          const port = this.disk.open(store, (completion) => {
            if (life === this.life) this.running.complete(store, completion, this.now, this.sink);
          });
          port.submit(effect.operation);
        }
      },
    };
  }

  /** Begins, and runs until inputs are taken or it has failed. */
  start(sequenceMax?: number): void {
    this.life++;
    this.news = [];
    this.running = new JournaledKernel(this.settings, () => ({
      kernel: new Kernel(plainProfile, createKernelSettings(), 7),
      profile: plainProfile,
    }));
    this.running.open(this.now, this.sink, sequenceMax);
    while (this.last('ready') === undefined && this.last('failed') === undefined && this.simulation.step());
  }

  crash(): void {
    this.life++;
    this.disk.crash();
  }

  give(body: InputBody): boolean {
    return this.running.give(body, this.now, this.sink).ok;
  }

  /** Begins to write, and lets time pass. */
  run(micros = 1_000_000): void {
    this.running.flush(this.sink);
    this.simulation.runUntil(this.now + micros);
  }

  last<K extends News['kind']>(kind: K): NewsOf<K> | undefined {
    return this.news.findLast((news): news is NewsOf<K> => news.kind === kind);
  }

  sequences(): number[] {
    return this.released.map((input) => input.sequence);
  }
}

const submit = (submission: number): InputBody => submissionOf(submission);

describe('effects', () => {
  it('leave when the disk has their input, in order, all of one instant with one sync', () => {
    const driver = new Driver();
    const syncs = driver.disk.syncCount;
    for (let submission = 1; submission <= 50; submission++) expect(driver.give(submit(submission))).toBe(true);
    driver.run(500);
    expect(driver.sequences(), 'writing and syncing take 520 µs').toEqual([]);
    driver.run(40);
    expect(driver.sequences()).toEqual(Array.from({ length: 50 }, (_, index) => index + 1));
    expect(driver.disk.syncCount - syncs).toBe(1);
    expect(driver.released[1]?.effects).toEqual([{ kind: 'submissionAccepted', submitter: 1, submission: 2, task: 2 }]);
  });

  it('of inputs that come during a sync share the next', () => {
    const driver = new Driver();
    const syncs = driver.disk.syncCount;
    for (let submission = 1; submission <= 100; submission++) {
      driver.give(submit(submission));
      driver.run(100);
    }
    driver.run();
    expect(driver.released.length).toBe(100);
    // 10 ms of inputs, 520 µs a flush.
    expect(driver.disk.syncCount - syncs).toBeLessThanOrEqual(21);
  });

  it('that may not have left leave again after a crash, the same ones; the others do not', () => {
    const driver = new Driver();
    driver.give(submit(1));
    driver.run();
    driver.give(submit(2));
    driver.run();
    driver.give(submit(3));
    driver.run(5000);
    const before = [...driver.released];
    driver.crash();
    driver.released.length = 0;
    driver.start();
    // What left up to the second had left when the third was appended.
    expect(driver.released).toEqual([before[2]]);
    expect(driver.last('recovered')?.report).toMatchObject({ snapshotSequence: 0, lastSequence: 3 });
  });

  it('of inputs that the disk never had are gone with them, and nobody knows', () => {
    let lost = 0;
    let kept = 0;
    for (let seed = 1; seed <= 40; seed++) {
      const driver = new Driver({}, plainDisk, seed);
      driver.give(submit(1));
      driver.run();
      driver.give(submit(2));
      driver.run(300);
      expect(driver.sequences()).toEqual([1]);
      driver.crash();
      driver.start();
      const { lastSequence } = driver.last('recovered')!.report;
      if (lastSequence === 1) lost++;
      else kept++;
      driver.run();
      // A restart tells how long it was away.
      expect(driver.released.at(-1)?.body).toMatchObject({ kind: 'resumed' });
    }
    expect(lost).toBeGreaterThan(5);
    expect(kept).toBeGreaterThan(5);
  });
});

describe('a kernel that comes back', () => {
  const story = (driver: Driver, from: number, to: number): void => {
    for (let submission = from; submission <= to; submission++) {
      if (submission === 1) driver.give(helloFrom('agent-1'));
      driver.give(submit(submission));
      driver.give({ kind: 'instantEnded' });
      driver.run(10_000);
    }
  };

  it('is where it was, from every snapshot', () => {
    for (const snapshotInputs of [1, 4, 9, 1000]) {
      const driver = new Driver({ snapshotInputs, snapshotMicros: 3_600_000_000 });
      story(driver, 1, 30);
      const { digest } = driver.running.kernel;
      const state = JSON.stringify(driver.running.kernel.save());
      driver.crash();
      driver.start();
      expect(driver.last('recovered')?.report.lastSequence).toBe(61);
      expect(driver.recoveredDigest).toBe(digest);
      const { kernel } = driver.running;
      // The input that ends the outage has been handled already.
      expect(kernel.lastSequence).toBe(62);
      const other = new Driver({ snapshotInputs: 1000 });
      story(other, 1, 30);
      expect(other.running.kernel.digest).toBe(digest);
      expect(JSON.stringify(other.running.kernel.save())).toBe(state);
    }
  });

  test('a fresh kernel that has nothing but the files says the same, from the first input on', () => {
    const log = { retainBytesMax: Number.POSITIVE_INFINITY, segmentBytesMax: 4096 };
    const driver = new Driver({ snapshotInputs: 10, snapshotsKept: 1000, log });
    story(driver, 1, 40);
    driver.run();
    for (const sequenceMax of [0, 25, 1000]) {
      driver.run();
      const { digest, lastSequence } = driver.running.kernel;
      driver.crash();
      driver.start(sequenceMax);
      const { report } = driver.last('recovered')!;
      expect(report.snapshotSequence).toBeLessThanOrEqual(sequenceMax);
      expect(report.lastSequence).toBe(lastSequence);
      expect(driver.recoveredDigest).toBe(digest);
    }
  });

  it('keeps the journal that its snapshots need, and no more', () => {
    const driver = new Driver({ snapshotInputs: 20, log: { retainBytesMax: 0, segmentBytesMax: 4096 } });
    for (let round = 0; round < 20; round++) {
      story(driver, 1 + round * 20, 20 + round * 20);
      driver.running.maintain(driver.now, driver.sink);
      driver.run(100_000);
    }
    driver.crash();
    driver.start();
    const { report } = driver.last('recovered')!;
    expect(report.log.startOffset).toBeGreaterThan(700);
    expect(report.lastSequence).toBe(801);
  });
});

describe('a journal that cannot be trusted', () => {
  const crashed = (settings: Partial<JournalSettings> = {}): Driver => {
    const driver = new Driver(settings);
    for (let submission = 1; submission <= 200; submission++) {
      driver.give(submit(submission));
      driver.run(1000);
    }
    driver.run();
    driver.crash();
    return driver;
  };

  it('is replayed by the code that wrote it alone', () => {
    const driver = crashed();
    driver.settings = { ...driver.settings, codeHash: 'two' };
    driver.start();
    expect(driver.last('failed')?.fault).toMatchObject({ code: 'SIRA_LOG_VERSION', reason: /code one/ });
    driver.crash();
    driver.settings = { ...driver.settings, codeHash: 'one' };
    driver.start();
    expect(driver.last('recovered')?.report.lastSequence).toBe(200);
  });

  it('goes on under other code from a snapshot at its end', () => {
    const driver = crashed({ snapshotInputs: 200 });
    driver.settings = { ...driver.settings, codeHash: 'two' };
    driver.start();
    expect(driver.last('recovered')?.report).toMatchObject({ snapshotSequence: 200, lastSequence: 200 });
    driver.give(submit(201));
    driver.run();
    expect(driver.released.at(-1)?.effects).toContainEqual({
      kind: 'submissionAccepted',
      submitter: 1,
      submission: 201,
      task: 201,
    });
  });

  it('says so when it has rotted, or goes on from an older snapshot with all inputs after it', () => {
    const codes = new Set<string>();
    let older = 0;
    for (let seed = 1; seed <= 60; seed++) {
      const driver = new Driver({ snapshotInputs: 50 }, plainDisk, seed);
      for (let submission = 1; submission <= 120; submission++) {
        driver.give(submit(submission));
        driver.run(2000);
      }
      driver.crash();
      driver.disk.flipBits(1);
      driver.start();
      const failed = driver.last('failed');
      if (failed !== undefined) codes.add(failed.fault.code);
      else {
        const { report } = driver.last('recovered')!;
        if (report.snapshotFaults.length > 0) older++;
        // Rot in the very last batch cannot be told from a torn tail, but it is said that something was cut.
        if (report.log.cutBytes === 0) expect(report.lastSequence).toBe(120);
      }
    }
    expect([...codes]).toEqual(['SIRA_LOG_CORRUPT']);
    expect(older).toBeGreaterThan(0);
  });
});

describe('a disk that is full or too slow', () => {
  it('takes no input, keeps what it has, and goes on with a word on how long it was away', () => {
    const driver = new Driver();
    driver.give(submit(1));
    driver.run();
    driver.disk.isFull = true;
    driver.give(submit(2));
    driver.run();
    expect(driver.last('paused')?.refusal.code).toBe('SIRA_DISK_FULL');
    expect(driver.give(submit(3))).toBe(false);
    expect(driver.running.refusalNow).toMatchObject({ ok: false, code: 'SIRA_DISK_FULL' });
    driver.disk.isFull = false;
    const lastReady = driver.last('ready');
    driver.run(3_000_000);
    driver.running.maintain(driver.now, driver.sink);
    driver.run();
    expect(driver.last('ready')).not.toBe(lastReady);
    expect(driver.sequences()).toEqual([1, 2, 3]);
    const [, second, third] = driver.released;
    expect(second?.body).toEqual(submit(2));
    const { body } = third!;
    expect(body.kind === 'resumed' && body.pausedMicros).toBeGreaterThan(3_000_000);
    expect(driver.give(submit(3))).toBe(true);
  });

  it('bounds what is held', () => {
    const driver = new Driver({ heldInputsMax: 10 });
    driver.disk.slowness = 1000;
    let taken = 0;
    for (let submission = 1; submission <= 100; submission++) {
      if (driver.give(submit(submission))) taken++;
      driver.run(1000);
    }
    expect(taken).toBe(10);
    expect(driver.running.heldCount).toBe(10);
    expect(driver.running.refusalNow?.code).toBe('SIRA_QUEUE_FULL');
    driver.run(2_000_000);
    expect(driver.running.refusalNow).toBeUndefined();
    expect(driver.give(submit(11))).toBe(true);
  });
});

describe('marks of effects', () => {
  afterEach(() => void vi.restoreAllMocks());

  const brief: Partial<JournalSettings> = { marksEffects: true, snapshotInputs: 1000 };

  it('are found again by a recovery that makes the same effects', () => {
    const driver = new Driver(brief);
    driver.give(helloFrom('a'));
    for (let submission = 1; submission <= 20; submission++) driver.give(submit(submission));
    driver.give({ kind: 'instantEnded' });
    driver.run();
    const { digest } = driver.running.kernel;
    driver.crash();
    driver.start();
    expect(driver.recoveredDigest).toBe(digest);
    expect(driver.running.differingSequence).toBeUndefined();
  });

  it('tell a recovery that makes others, by the first input: the kernel goes on, and says so', () => {
    const driver = new Driver(brief);
    for (let submission = 1; submission <= 20; submission++) driver.give(submit(submission));
    driver.run();
    driver.crash();
    const { handle } = Kernel.prototype;
    vi.spyOn(Kernel.prototype, 'handle').mockImplementation(function (this: Kernel, input, effects) {
      const body = input.sequence === 7 ? submit(70) : input.body;
      handle.call(this, { ...input, body }, effects);
    });
    driver.start();
    expect(driver.running.differingSequence).toBe(7);
    expect(driver.last('ready')).toBeDefined();
  });

  it('are not read into a journal that has none, nor missed in one that has some', () => {
    const driver = new Driver({ ...brief, marksEffects: false });
    driver.give(submit(1));
    driver.run();
    driver.crash();
    driver.settings = { ...driver.settings, marksEffects: true };
    driver.start();
    driver.give(submit(2));
    driver.run();
    driver.crash();
    driver.start();
    expect(driver.last('failed')).toBeUndefined();
    expect(driver.running.differingSequence).toBeUndefined();
    expect(driver.running.kernel.control.tasks.size).toBe(2);
  });
});
