// The promises of the log on a disk that loses, tears, fills up, fails and rots, over thousands of seeds. A seed draws the
// settings, the disk, and what happens; a model remembers what was appended and what was announced as durable.

import { describe, expect, test } from 'vitest';
import { RandomStream } from '../../core/base/random.ts';
import { bytesOf, LogDriver, lineOf } from '../../core/log/log.contract.ts';
import type { LogSettings } from '../../core/log/log.ts';
import { defaultSimulationLimits, Simulation } from '../engine/simulation.ts';
import { Disk } from './disk.ts';
import { type DiskSpec, soundDisk } from './disk-spec.ts';

interface Sent {
  readonly line: string;
  readonly key: string | undefined;
  readonly isTombstone: boolean;
}

interface Options {
  readonly seed: number;
  readonly spec: DiskSpec;
  readonly settings: Partial<LogSettings>;
  readonly compacts: boolean;
  /** Bits rot, syncs fail: the log may end for good, but must not lie. */
  readonly rots: boolean;
}

/** One log, its disk, and what must be true of them. */
/** `expect` costs more than the log does. */
function must(holds: boolean, what: string): void {
  if (!holds) throw new Error(what);
}

class World {
  readonly simulation = new Simulation(defaultSimulationLimits);
  readonly random: RandomStream;
  readonly disk: Disk;
  readonly options: Options;
  driver!: LogDriver;
  /** By offset: what was appended in this or an earlier life and not lost since. */
  readonly sent = new Map<number, Sent>();
  durableEnd = 0;
  heldOffset = Number.POSITIVE_INFINITY;
  startOffset = 0;
  compactions = 0;
  openings = 0;
  cuts = 0;
  reported = 0;
  timeMicros = 1;

  constructor(options: Options) {
    this.options = options;
    this.random = new RandomStream(options.seed, 'story');
    this.disk = new Disk(this.simulation, options.spec, new RandomStream(options.seed, 'disk'));
  }

  /** Opens the log; power may fail during it. False: it reported damage. */
  open(): boolean {
    for (let attempt = 0; ; attempt++) {
      must(attempt < 1000, 'attempts to open');
      this.openings++;
      this.driver = new LogDriver((complete) => this.disk.open('log', complete), this.options.settings);
      this.heldOffset = Number.POSITIVE_INFINITY;
      this.driver.log.open(this.timeMicros, this.driver.effects);
      const crashAfter = this.random.nextBelow(3) === 0 ? this.random.nextBelow(40) : Number.POSITIVE_INFINITY;
      for (let steps = 0; this.driver.log.state === 'opening' && steps < crashAfter; steps++) this.simulation.step();
      if (this.driver.log.state === 'opening') this.disk.crash();
      else if (this.driver.log.state === 'open') return this.checkOpened();
      else {
        const { fault } = this.driver.last('logOpenFailed')!;
        expect(['SIRA_LOG_CORRUPT', 'SIRA_DISK_FULL', 'SIRA_DISK_FAILED']).toContain(fault.code);
        if (fault.code === 'SIRA_LOG_CORRUPT') {
          expect(this.options.rots, fault.reason).toBe(true);
          expect(fault.file).toMatch(/\.log$/);
          return false;
        }
        // Opening copies the last segment: an operator makes room for it.
        this.disk.isFull = false;
        this.disk.capacityBytes += 50_000;
        this.disk.crash();
      }
    }
  }

  private checkOpened(): boolean {
    const { report } = this.driver.last('logOpened')!;
    if (report.nextOffset < this.durableEnd) {
      // Rot in the very last batch cannot be told from a torn tail, but it is said that something was cut.
      expect(this.options.rots && report.cutBytes + report.earlierCutBytes > 0, 'acknowledged records are lost').toBe(
        true,
      );
      this.durableEnd = report.nextOffset;
    }
    expect(report.startOffset).toBeGreaterThanOrEqual(this.startOffset);
    expect(report.startOffset).toBeLessThanOrEqual(Math.max(this.startOffset, this.driver.log.durableEnd));
    if (report.cutBytes > 0) this.cuts++;
    for (const offset of [...this.sent.keys()]) if (offset >= report.nextOffset) this.sent.delete(offset);
    expect(this.driver.log.nextOffset).toBe(report.nextOffset);
    for (let offset = this.durableEnd; offset < report.nextOffset; offset++)
      must(this.sent.has(offset), `record ${offset} was never appended`);
    this.durableEnd = report.nextOffset;
    return true;
  }

  append(): void {
    const { log, effects } = this.driver;
    const random = this.random;
    this.timeMicros += random.nextBelow(50);
    const key = this.options.compacts && random.nextBelow(8) > 0 ? `k${random.nextBelow(12)}` : undefined;
    const isTombstone = key !== undefined && random.nextBelow(10) === 0;
    const value = isTombstone ? undefined : 'v'.repeat(random.nextBelow(random.nextBelow(10) === 0 ? 2000 : 100));
    const message = {
      timeMicros: this.timeMicros,
      key: key === undefined ? undefined : bytesOf(key),
      value: value === undefined ? undefined : bytesOf(value),
    };
    const result = log.append(message, effects);
    if (!result.ok) return;
    must(!this.sent.has(result.value), 'offsets are given once');
    const line = lineOf({ ...message, offset: result.value });
    this.sent.set(result.value, { line, key, isTombstone });
    this.acknowledge();
  }

  acknowledge(): void {
    for (const { endOffset } of this.driver.takeAll('logDurable')) {
      must(endOffset > this.durableEnd, 'what is durable grows');
      this.durableEnd = endOffset;
    }
    for (const { startOffset } of this.driver.takeAll('logTrimmed')) {
      expect(startOffset).toBeLessThanOrEqual(this.heldOffset);
      this.startOffset = Math.max(this.startOffset, startOffset);
    }
    this.compactions += this.driver.takeAll('logCompacted').length;
  }

  run(steps: number): void {
    for (let step = 0; step < steps; step++) if (!this.simulation.step()) break;
    this.acknowledge();
  }

  runUntil(isDone: () => boolean): void {
    while (!isDone()) if (!this.simulation.step()) throw new Error('nothing is on its way');
    this.acknowledge();
  }

  hold(): void {
    const { log } = this.driver;
    this.heldOffset = log.startOffset + this.random.nextBelow(log.durableEnd - log.startOffset + 1);
    log.hold('reader', this.heldOffset);
  }

  /** Reads at the end while appends are on their way: only what is durable may come. */
  glance(): void {
    const { log, effects, news } = this.driver;
    const fromOffset = Math.max(log.startOffset, log.durableEnd - 2);
    if (!log.read({ id: -1, fromOffset, recordsMax: 100, bytesMax: 100_000 }, effects).ok) return;
    const isAnswer = ({ kind }: (typeof news)[number]): boolean => kind === 'logRead' || kind === 'logReadFailed';
    while (!news.some(isAnswer)) must(this.simulation.step(), 'the read is on its way');
    for (const { records } of this.driver.takeAll('logRead')) {
      for (const record of records) must(record.offset < log.durableEnd, 'a record is read before it is durable');
    }
    if (!this.options.rots) must(!news.some(isAnswer), 'reading at the end fails');
    this.driver.takeAll('logReadFailed');
    this.acknowledge();
  }

  /** Reads everything and compares. False: it reported damage. */
  check(): boolean {
    const { log, effects } = this.driver;
    // A compaction under way could take a tombstone from between two reads; that is what its delay is for.
    this.runUntil(() => log.operationCount === 0);
    const found = new Map<number, string>();
    // Every read of one check begins where the last ended, sometimes with another size.
    for (let offset = log.startOffset; offset < log.durableEnd; ) {
      const before = this.driver.news.length;
      const bytesMax = 200 + this.random.nextBelow(5000);
      const id = this.openings * 1_000_000 + offset;
      log.read({ id, fromOffset: offset, recordsMax: 1 + this.random.nextBelow(50), bytesMax }, effects);
      this.runUntil(() => this.driver.news.slice(before).some((news) => 'id' in news && news.id === id));
      const [failure] = this.driver.takeAll('logReadFailed');
      if (failure?.fault.code === 'SIRA_OFFSET_GONE') {
        // Retention came between.
        expect(log.startOffset).toBeGreaterThan(offset);
        offset = log.startOffset;
        continue;
      }
      if (failure !== undefined) {
        expect(failure.fault.code).toBe('SIRA_LOG_CORRUPT');
        expect(this.options.rots, failure.fault.reason).toBe(true);
        expect(failure.fault.position).toBeGreaterThanOrEqual(0);
        this.reported++;
        return false;
      }
      const [answer] = this.driver.takeAll('logRead');
      for (const record of answer!.records) {
        const line = lineOf(record);
        if (line !== this.sent.get(record.offset)?.line) expect(line).toBe(this.sent.get(record.offset)?.line);
        must(record.offset >= offset, 'records come in order');
        found.set(record.offset, line);
        offset = record.offset + 1;
      }
      must(answer!.nextOffset >= offset, 'reading goes forward');
      offset = Math.max(offset, answer!.nextOffset);
    }
    this.checkMissing(found);
    return true;
  }

  private checkMissing(found: ReadonlyMap<number, string>): void {
    const { log } = this.driver;
    const lastOfKey = new Map<string, number>();
    for (const [offset, { key }] of this.sent) {
      if (key !== undefined && offset < log.durableEnd) lastOfKey.set(key, Math.max(offset, lastOfKey.get(key) ?? -1));
    }
    for (let offset = log.startOffset; offset < log.durableEnd; offset++) {
      if (found.has(offset)) continue;
      const { key, isTombstone } = this.sent.get(offset)!;
      must(this.options.compacts && key !== undefined, `record ${offset} is missing`);
      if (lastOfKey.get(key!) === offset) must(isTombstone, `the last record of ${key} is missing`);
    }
    // A key whose tombstone is gone stays dead.
    for (const [key, offset] of lastOfKey) {
      if (found.has(offset) || offset < log.startOffset) continue;
      for (const other of found.keys()) must(this.sent.get(other)!.key !== key, `${key} lives again`);
    }
  }
}

function drawOptions(seed: number, rots: boolean): Options {
  const random = new RandomStream(seed, 'options');
  const share = (most: number): number => (random.nextBelow(2) === 0 ? 0 : random.nextFloat() * most);
  const compacts = random.nextBelow(2) === 0;
  return {
    seed,
    compacts,
    rots,
    settings: {
      segmentBytesMax: 4096 + random.nextBelow(8192),
      recordBytesMax: 4096,
      pendingBytesMax: 5000 + random.nextBelow(20_000),
      indexEveryBytes: 64 + random.nextBelow(1000),
      loadedIndexesMax: 1 + random.nextBelow(3),
      retainBytesMax: random.nextBelow(2) === 0 ? Number.POSITIVE_INFINITY : 30_000,
      retainMicros: random.nextBelow(2) === 0 ? Number.POSITIVE_INFINITY : 5000,
      segmentAgeMaxMicros: random.nextBelow(2) === 0 ? Number.POSITIVE_INFINITY : 2000,
      tombstoneMicros: random.nextBelow(2000),
      compactionKeysMax: 1 + random.nextBelow(30),
    },
    spec: {
      ...soundDisk,
      capacityBytes: random.nextBelow(3) === 0 ? 40_000 + random.nextBelow(60_000) : 2 ** 30,
      syncFailure: share(0.02),
      readFailure: 0,
      writeFailure: share(0.01),
      slowEpisodes: { meanBetweenMicros: 20_000, meanLengthMicros: 5000, factor: 1 + random.nextBelow(20) },
    },
  };
}

/** Lives one seed through. */
function live(options: Options, rounds: number): World {
  const world = new World(options);
  const { random, disk } = world;
  if (!world.open()) return world;
  for (let round = 0; round < rounds; round++) {
    const { log, effects } = world.driver;
    let isCrashed = false;
    switch (random.nextBelow(10)) {
      case 0:
        disk.crash();
        isCrashed = true;
        break;
      case 1:
        log.maintain(world.timeMicros, effects);
        // A mark, and at once the end of its segment: neither is synced until both are.
        if (random.nextBelow(2) === 0) log.roll(effects);
        break;
      case 2:
        if (options.compacts) log.compact(world.timeMicros, effects);
        break;
      case 3:
        if (random.nextBelow(4) === 0) disk.isFull = !disk.isFull;
        else if (options.rots) disk.flipBits(1);
        break;
      case 4:
        if (random.nextBelow(2) === 0) world.hold();
        else {
          log.release('reader');
          world.heldOffset = Number.POSITIVE_INFINITY;
        }
        break;
      case 5:
        if (log.state === 'open' && log.stalledReason === undefined && !world.check()) return world;
        break;
      default:
        for (let count = random.nextBelow(30); count > 0; count--) {
          world.append();
          if (random.nextBelow(4) === 0) world.run(random.nextBelow(4));
          if (random.nextBelow(20) === 0) world.glance();
        }
    }
    if (!isCrashed) world.run(random.nextBelow(20));
    // A crash, a failure or an orderly end: another opening.
    if (isCrashed || log.state === 'failed' || random.nextBelow(15) === 0) {
      if (
        !isCrashed &&
        log.state === 'open' &&
        random.nextBelow(2) === 0 &&
        log.stalledReason === undefined &&
        !disk.isFull
      ) {
        log.close(effects);
        for (let step = 0; step < 500 && log.operationCount > 0; step++) world.run(1);
      }
      world.acknowledge();
      disk.crash();
      if (!world.open()) return world;
    }
  }
  disk.isFull = false;
  disk.crash();
  if (!world.open()) return world;
  // Opening once more changes nothing.
  const before = world.driver.log.nextOffset;
  if (world.check()) {
    disk.crash();
    if (world.open()) expect(world.driver.log.nextOffset).toBe(before);
    world.check();
  }
  return world;
}

/** More by SIRA_LOG_SEEDS=10000; SIRA_LOG_FIRST_SEED begins elsewhere. */
const seedCount = Number(process.env.SIRA_LOG_SEEDS ?? 250);
const firstSeed = Number(process.env.SIRA_LOG_FIRST_SEED ?? 1);

describe('the log on a simulated disk', () => {
  test(`${seedCount} seeds of crashes, torn writes, failed syncs and full disks: nothing acknowledged is lost`, () => {
    const seen = { openings: 0, cuts: 0, compactions: 0, trimmed: 0, records: 0 };
    for (let seed = firstSeed; seed < firstSeed + seedCount; seed++) {
      try {
        const world = live(drawOptions(seed, false), 60);
        seen.openings += world.openings;
        seen.cuts += world.cuts;
        seen.compactions += world.compactions;
        seen.trimmed += world.startOffset > 0 ? 1 : 0;
        seen.records += world.durableEnd;
      } catch (error) {
        throw new Error(`seed ${seed}: ${(error as Error).stack}`);
      }
    }
    // What was to be tried has been tried.
    expect(seen.openings).toBeGreaterThan(5 * seedCount);
    expect(seen.cuts).toBeGreaterThan(seedCount / 2);
    expect(seen.compactions).toBeGreaterThan(seedCount / 2);
    expect(seen.trimmed).toBeGreaterThan(seedCount / 10);
    if (process.env.SIRA_LOG_SEEDS !== undefined) console.log(seen);
  });

  test(`${seedCount} seeds with bit rot as well: whatever is given out is what was appended`, () => {
    for (let seed = firstSeed; seed < firstSeed + seedCount; seed++) {
      try {
        live(drawOptions(seed, true), 60);
      } catch (error) {
        throw new Error(`seed ${seed}: ${(error as Error).stack}`);
      }
    }
  });
});

describe('a mark that is lost', () => {
  test('is no damage when the end of its segment, written behind it and not synced either, is not lost', () => {
    let cuts = 0;
    for (let seed = 1; seed <= 400; seed++) {
      const simulation = new Simulation(defaultSimulationLimits);
      const disk = new Disk(simulation, soundDisk, new RandomStream(seed, 'disk'));
      const open = (): LogDriver => {
        const driver = new LogDriver((complete) => disk.open('log', complete), { segmentBytesMax: 4096 });
        driver.log.open(0, driver.effects);
        while (driver.log.operationCount > 0) simulation.step();
        return driver;
      };
      const { log, effects } = open();
      // The end of the records stands right before the end of a sector, so that the mark shares none with the index.
      log.append({ timeMicros: 0, key: undefined, value: bytesOf('v'.repeat(320)) }, effects);
      while (log.operationCount > 0) simulation.step();
      log.maintain(1, effects);
      log.roll(effects);
      for (let steps = 1 + (seed % 3); steps > 0 && log.operationCount > 0; steps--) simulation.step();
      disk.crash();
      const again = open();
      expect(again.last('logOpenFailed')?.fault.reason, `seed ${seed}`).toBeUndefined();
      expect(again.log.durableEnd).toBe(1);
      if ((again.last('logOpened')?.report.cutBytes ?? 0) > 0) cuts++;
    }
    expect(cuts).toBeGreaterThan(10);
  });
});

/** A closed log of some records in two segments, and its files. */
function closedLog(): { readonly lines: string[]; readonly files: Map<string, Uint8Array> } {
  const simulation = new Simulation(defaultSimulationLimits);
  const disk = new Disk(simulation, soundDisk, new RandomStream(1, 'disk'));
  const driver = new LogDriver((complete) => disk.open('log', complete), { segmentBytesMax: 4096 });
  const { log, effects } = driver;
  const settle = (): void => {
    while (log.operationCount > 0) simulation.step();
  };
  const lines: string[] = [];
  log.open(0, effects);
  settle();
  for (let index = 0; index < 12; index++) {
    const message = { timeMicros: index, key: bytesOf(`k${index}`), value: bytesOf('v'.repeat(index)) };
    log.append(message, effects);
    lines.push(lineOf({ ...message, offset: index }));
    if (index === 6) log.roll(effects);
    settle();
  }
  log.close(effects);
  settle();
  const files = new Map<string, Uint8Array>();
  for (const { file } of log.segments) files.set(file, disk.contentOf('log', file)!);
  return { lines, files };
}

/** What becomes of a log whose files hold these bytes: the records that it gives out, and what it complains of. */
function openWith(files: ReadonlyMap<string, Uint8Array>): { readonly lines: string[]; readonly complaints: string[] } {
  const simulation = new Simulation(defaultSimulationLimits);
  const disk = new Disk(simulation, soundDisk, new RandomStream(1, 'disk'));
  const port = disk.open('log', () => {});
  let id = 1;
  for (const [file, bytes] of files) {
    port.submit({ id: id++, request: { kind: 'create', file } });
    port.submit({ id: id++, request: { kind: 'append', file, bytes } });
  }
  while (simulation.step()) {}
  const driver = new LogDriver((complete) => disk.open('log', complete), { segmentBytesMax: 4096 });
  const { log, effects } = driver;
  const settle = (): void => {
    while (log.operationCount > 0) simulation.step();
  };
  log.open(0, effects);
  settle();
  const failure = driver.last('logOpenFailed');
  if (failure !== undefined) return { lines: [], complaints: [failure.fault.reason] };
  const { damagedIndexes, cutBytes } = driver.last('logOpened')!.report;
  const complaints = [...damagedIndexes, ...(cutBytes > 0 ? [`${cutBytes} bytes cut`] : [])];
  const lines: string[] = [];
  for (let offset = log.startOffset; offset < log.durableEnd; ) {
    log.read({ id: 1, fromOffset: offset, recordsMax: 100, bytesMax: 10_000 }, effects);
    settle();
    const [bad] = driver.takeAll('logReadFailed');
    if (bad !== undefined) {
      complaints.push(bad.fault.reason);
      break;
    }
    const [answer] = driver.takeAll('logRead');
    lines.push(...answer!.records.map(lineOf));
    offset = answer!.nextOffset;
  }
  log.verify(effects);
  settle();
  complaints.push(...driver.takeAll('logVerified').flatMap(({ faults }) => faults.map((fault) => fault.reason)));
  return { lines, complaints };
}

describe('bit rot', () => {
  const { lines, files } = closedLog();

  test('a log without it opens without complaint', () => {
    expect(files.size).toBe(2);
    expect(openWith(files)).toEqual({ lines, complaints: [] });
  });

  test('every single flipped bit of a closed log is found, and nothing wrong is given out', () => {
    for (const [file, bytes] of files) {
      for (let bit = 0; bit < bytes.length * 8; bit += 3) {
        const rotten = bytes.slice();
        rotten[bit >> 3]! ^= 1 << (bit & 7);
        const result = openWith(new Map([...files, [file, rotten]]));
        const where = `${file}, bit ${bit}`;
        expect(lines.slice(0, result.lines.length), where).toEqual(result.lines);
        expect(result.complaints, where).not.toEqual([]);
        // An orderly end proves every record: what is cut then is no record.
        const isCut = result.complaints.every((complaint) => complaint.endsWith('bytes cut'));
        if (isCut) expect(result.lines, where).toEqual(lines);
      }
    }
  });

  test('a file that is gone, cut short or replaced is found', () => {
    const [first, second] = [...files.keys()] as [string, string];
    const [firstBytes] = [...files.values()] as [Uint8Array];
    expect(openWith(new Map([[first, firstBytes]])).lines, 'the last is gone: a log may end there').toHaveLength(7);
    for (let size = 0; size < firstBytes.length; size += 8) {
      const result = openWith(new Map([...files, [first, firstBytes.slice(0, size)]]));
      expect(result.complaints.length, `cut to ${size}`).toBeGreaterThan(0);
      expect(lines.slice(0, result.lines.length)).toEqual(result.lines);
    }
    expect(openWith(new Map([[second, firstBytes]])).complaints[0]).toContain('header');
  });
});
