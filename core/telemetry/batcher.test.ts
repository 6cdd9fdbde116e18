import fc from 'fast-check';
import { expect, test } from 'vitest';
import { RandomStream } from '../base/random.ts';
import { type BatcherEffect, type BatcherSettings, type SpilledBatch, TelemetryBatcher } from './batcher.ts';
import { numbersOf, type TelemetryBatch } from './rows.ts';
import type { TableName } from './tables.ts';

const settings: BatcherSettings = {
  batchRowsMax: 10,
  lingerMicros: 1000,
  inFlightMax: 3,
  deadlineMicros: 5000,
  retryFirstMicros: 100,
  retryMaxMicros: 2000,
  memoryRowsMax: 100,
  spillBytesMax: 1_000_000,
};

const row = (number: number) => ({ time: number, run: 'r', submitter: 1, submission: number });

/** A store and a disk that do what they are told to, in virtual time, and a process that dies. */
class Bench {
  batcher: TelemetryBatcher;
  now = 0;
  /** Rows that the store has, as a store with keys does. */
  readonly stored = new Set<number>();
  readonly disk = new Map<number, TelemetryBatch<TableName>>();
  readonly aside: number[] = [];
  memoryRowsMost = 0;
  private readonly sink = { push: (effect: BatcherEffect): void => this.take(effect) };
  private todo: { readonly at: number; readonly life: number; readonly run: () => void }[] = [];
  private life = 0;
  private readonly settings: BatcherSettings;
  private readonly random: RandomStream;
  isAway = false;
  diskIsFull = false;
  /** Shares of 100. */
  losesRequests = 0;
  losesAnswers = 0;
  refuses: (number: number) => boolean = () => false;

  constructor(seed: number, changes: Partial<BatcherSettings> = {}) {
    this.settings = { ...settings, ...changes };
    this.random = new RandomStream(seed, 'store');
    this.batcher = new TelemetryBatcher(this.settings);
  }

  add(number: number): boolean {
    const taken = this.batcher.add('tasks', row(number), this.now, this.sink);
    this.memoryRowsMost = Math.max(this.memoryRowsMost, this.batcher.counts.memoryRows);
    return taken;
  }

  pass(micros: number): void {
    const until = this.now + micros;
    while (this.now < until) {
      this.now += 50;
      const due = this.todo.filter(({ at }) => at <= this.now);
      this.todo = this.todo.filter(({ at }) => at > this.now);
      for (const { life, run } of due) if (life === this.life) run();
      this.batcher.tick(this.now, this.sink);
      this.memoryRowsMost = Math.max(this.memoryRowsMost, this.batcher.counts.memoryRows);
    }
  }

  flush(): void {
    this.batcher.flush(this.now, this.sink);
  }

  stop(): void {
    this.batcher.stop(this.now, this.sink);
  }

  /** The thread that writes dies in the middle; another takes its place. */
  interrupt(): void {
    this.life++;
    this.batcher.interrupted(this.now, this.sink);
  }

  /** The process dies; the next one finds the disk. */
  die(): void {
    this.life++;
    const spilled: SpilledBatch[] = [...this.disk].map(([batch, rows]) => ({ batch, count: rows.count, bytes: 100 }));
    this.batcher = new TelemetryBatcher(this.settings, spilled);
  }

  private take(effect: BatcherEffect): void {
    switch (effect.kind) {
      case 'write':
        this.write(effect.batch, effect.rows);
        return;
      case 'spill':
        this.later(() => {
          if (!this.diskIsFull) this.disk.set(effect.batch, effect.rows);
          this.batcher.spilled(effect.batch, this.diskIsFull ? 0 : 100, this.now, this.sink);
        });
        return;
      case 'load':
        this.later(() => this.batcher.loaded(effect.batch, this.disk.get(effect.batch), this.now, this.sink));
        return;
      case 'forget':
        this.disk.delete(effect.batch);
        return;
      case 'setAside':
        this.aside.push(...numbersOf(effect.rows, 'submission'));
        return;
    }
  }

  private write(batch: number, rows: TelemetryBatch<TableName>): void {
    const numbers = numbersOf(rows, 'submission');
    if (this.random.nextBelow(100) < this.losesRequests) return;
    this.later(() => {
      if (this.isAway) {
        if (this.random.nextBelow(2) === 0) this.batcher.failed(batch, false, this.now, this.sink);
        return;
      }
      if (numbers.some((number) => this.refuses(number))) {
        this.batcher.failed(batch, true, this.now, this.sink);
        return;
      }
      for (const number of numbers) this.stored.add(number);
      if (this.random.nextBelow(100) < this.losesAnswers) return;
      this.later(() => this.batcher.written(batch, this.now, this.sink));
    });
  }

  private later(run: () => void): void {
    this.todo.push({ at: this.now + this.random.nextBelow(400), life: this.life, run });
  }
}

test('rows go out in batches when they are many or when they have waited', () => {
  const bench = new Bench(1);
  for (let number = 1; number <= 10; number++) bench.add(number);
  bench.pass(900);
  expect(bench.stored.size).toBe(10);
  bench.add(11);
  bench.pass(800);
  expect(bench.stored.size).toBe(10);
  bench.pass(1200);
  expect(bench.stored.size).toBe(11);
  expect(bench.batcher.isEmpty).toBe(true);
  expect(bench.batcher.counts).toMatchObject({ written: 11, memoryRows: 0, failures: 0 });
});

test('while the store is away rows go to the disk, and come back in their order when it is there again', () => {
  const bench = new Bench(2);
  bench.isAway = true;
  for (let number = 1; number <= 1000; number++) {
    expect(bench.add(number), `row ${number}`).toBe(true);
    bench.pass(100);
  }
  bench.pass(10_000);
  expect(bench.disk.size).toBeGreaterThan(90);
  expect(bench.memoryRowsMost).toBeLessThanOrEqual(100);
  expect(bench.stored.size).toBe(0);
  bench.isAway = false;
  bench.flush();
  bench.pass(60_000);
  expect([...bench.stored]).toHaveLength(1000);
  expect(bench.batcher.isEmpty).toBe(true);
  expect(bench.disk.size).toBe(0);
});

test('with neither store nor disk rows are refused and counted, and memory keeps its bound', () => {
  const bench = new Bench(3);
  bench.isAway = true;
  bench.diskIsFull = true;
  let taken = 0;
  for (let number = 1; number <= 1000; number++) {
    if (bench.add(number)) taken++;
    bench.pass(50);
  }
  expect(bench.memoryRowsMost).toBe(100);
  expect(taken).toBe(100);
  expect(bench.batcher.counts.refused).toBe(900);
  bench.diskIsFull = false;
  bench.pass(20_000);
  expect(bench.add(1001)).toBe(true);
});

test('what the store will never take is set aside, and what follows is written', () => {
  const bench = new Bench(4);
  bench.refuses = (number) => number === 15;
  for (let number = 1; number <= 30; number++) bench.add(number);
  bench.pass(5000);
  expect(bench.aside).toEqual([11, 12, 13, 14, 15, 16, 17, 18, 19, 20]);
  expect(bench.stored.size).toBe(20);
  expect(bench.batcher.isEmpty).toBe(true);
  expect(bench.batcher.counts).toMatchObject({ setAside: 10, written: 20 });
});

test('a process that stops leaves everything in the store or on the disk for the next one', () => {
  const bench = new Bench(5);
  bench.isAway = true;
  for (let number = 1; number <= 57; number++) bench.add(number);
  bench.pass(500);
  bench.stop();
  bench.pass(20_000);
  expect(bench.batcher.isSafe).toBe(true);
  bench.die();
  bench.isAway = false;
  bench.add(58);
  bench.flush();
  bench.pass(30_000);
  expect([...bench.stored].sort((left, right) => left - right)).toEqual(Array.from({ length: 58 }, (_, i) => i + 1));
  expect(bench.batcher.isEmpty).toBe(true);
});

test('a thread that dies takes nothing with it: what it was asked is asked again', () => {
  for (const isAway of [false, true]) {
    const bench = new Bench(6);
    bench.isAway = isAway;
    for (let number = 1; number <= 300; number++) {
      bench.add(number);
      bench.pass(50);
      if (number % 60 === 0) bench.interrupt();
    }
    bench.isAway = false;
    bench.flush();
    bench.pass(60_000);
    expect(bench.stored.size).toBe(300 - bench.batcher.counts.refused);
    expect(bench.batcher.counts.refused).toBe(0);
    expect(bench.batcher.isEmpty).toBe(true);
    expect(bench.disk.size).toBe(0);
  }
});

test('whatever requests and answers are lost, nothing that was taken is lost as long as the process lives', () => {
  fc.assert(
    fc.property(
      fc.record({
        seed: fc.integer({ min: 1, max: 1e9 }),
        losesRequests: fc.constantFrom(0, 10, 60),
        losesAnswers: fc.constantFrom(0, 10, 60),
        outages: fc.array(fc.record({ length: fc.nat(8000), rows: fc.nat(200), fullDisk: fc.boolean() }), {
          maxLength: 6,
        }),
      }),
      ({ seed, losesRequests, losesAnswers, outages }) => {
        const bench = new Bench(seed);
        Object.assign(bench, { losesRequests, losesAnswers });
        const taken = new Set<number>();
        let number = 0;
        const some = (count: number, pause: number): void => {
          for (let index = 0; index < count; index++) {
            if (bench.add(++number)) taken.add(number);
            if (index % 10 === 9) bench.pass(pause);
          }
        };
        for (const { length, rows, fullDisk } of outages) {
          some(rows, 300);
          bench.isAway = true;
          bench.diskIsFull = fullDisk;
          some(rows, 200);
          bench.pass(length);
          bench.isAway = false;
          bench.diskIsFull = false;
        }
        bench.losesRequests = 0;
        bench.losesAnswers = 0;
        bench.flush();
        bench.pass(100_000);
        expect(bench.batcher.isEmpty).toBe(true);
        expect([...taken].filter((one) => !bench.stored.has(one))).toEqual([]);
        expect([...bench.stored].filter((one) => !taken.has(one))).toEqual([]);
        expect(bench.memoryRowsMost).toBeLessThanOrEqual(100 + 3 * 10);
        expect(bench.disk.size).toBe(0);
        expect(bench.batcher.counts).toMatchObject({ written: taken.size, lost: 0 });
      },
    ),
    { numRuns: 60 },
  );
});
