// How a log behaves over any file port, and the driver that joins the two for tests. What needs a power failure is tested on
// the simulated disk (sim/world/disk-log.test.ts).

import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { FilePortSubject } from '../ports/file-port.contract.ts';
import type { FilePort } from '../ports/file-port.ts';
import { Log, type LogEffect, type LogRecord, type LogSettings } from './log.ts';

type News = Exclude<LogEffect, { kind: 'file' }>;
type Kind = News['kind'];

/** A log on a port, and what it said. */
export class LogDriver {
  readonly log: Log;
  readonly news: News[] = [];
  readonly port: FilePort;
  readonly effects = { push: (effect: LogEffect): void => this.take(effect) };

  constructor(open: FilePortSubject['open'], settings: Partial<LogSettings>) {
    this.log = new Log(settings);
    this.port = open((completion) => this.log.complete(completion, this.effects));
  }

  /** The last news of a kind. */
  last<K extends Kind>(kind: K): Extract<News, { kind: K }> | undefined {
    return this.news.findLast((news): news is Extract<News, { kind: K }> => news.kind === kind);
  }

  /** Takes the news of a kind away. */
  takeAll<K extends Kind>(kind: K): Extract<News, { kind: K }>[] {
    const taken = this.news.filter((news): news is Extract<News, { kind: K }> => news.kind === kind);
    const rest = this.news.filter((news) => news.kind !== kind);
    this.news.splice(0, this.news.length, ...rest);
    return taken;
  }

  private take(effect: LogEffect): void {
    if (effect.kind === 'file') this.port.submit(effect.operation);
    else this.news.push(effect);
  }
}

export const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);
export const textOf = (bytes: Uint8Array | undefined): string | undefined =>
  bytes === undefined ? undefined : new TextDecoder().decode(bytes);

/** A record as a line: `offset@time key=value`. */
export function lineOf(record: LogRecord): string {
  const key = record.key === undefined ? '' : `${textOf(record.key)}=`;
  return `${record.offset}@${record.timeMicros} ${key}${textOf(record.value) ?? '(tombstone)'}`;
}

export function describeLog(name: string, create: () => Promise<FilePortSubject>): void {
  describe(`log over ${name}`, () => {
    let subject: FilePortSubject;
    let driver: LogDriver;
    let time = 0;
    let readId = 0;

    const open = async (settings: Partial<LogSettings> = {}): Promise<void> => {
      driver = new LogDriver((complete) => subject.open(complete), { segmentBytesMax: 4096, ...settings });
      driver.log.open(time, driver.effects);
      await until(() => driver.log.state !== 'opening');
    };
    const until = (isDone: () => boolean): Promise<void> => subject.runUntil(isDone);
    const close = async (): Promise<void> => {
      driver.log.close(driver.effects);
      await until(() => driver.log.state === 'closed');
      await subject.close(driver.port);
    };
    const append = (value: string | undefined, key?: string): number => {
      const message = { timeMicros: time, key: key === undefined ? undefined : bytesOf(key), value: undefined };
      const full = value === undefined ? message : { ...message, value: bytesOf(value) };
      const result = driver.log.append(full, driver.effects);
      if (!result.ok) throw new Error(result.reason);
      return result.value;
    };
    const settled = (): Promise<void> => until(() => driver.log.durableEnd === driver.log.nextOffset);
    const read = async (fromOffset: number, recordsMax = 1000, bytesMax = 1_000_000): Promise<string[]> => {
      readId += 1;
      const id = readId;
      driver.log.read({ id, fromOffset, recordsMax, bytesMax }, driver.effects);
      const answered = (news: News): boolean =>
        (news.kind === 'logRead' || news.kind === 'logReadFailed') && news.id === id;
      await until(() => driver.news.some(answered));
      const answer = driver.news.find(answered)!;
      if (answer.kind === 'logReadFailed') return [answer.fault.code];
      return answer.kind === 'logRead' ? answer.records.map(lineOf) : [];
    };
    const readAll = async (): Promise<string[]> => {
      const lines: string[] = [];
      for (let offset = driver.log.startOffset; offset < driver.log.durableEnd; ) {
        const some = await read(offset);
        if (some.length === 0) break;
        lines.push(...some);
        offset = Number(some.at(-1)!.split('@')[0]) + 1;
      }
      return lines;
    };
    const findTime = async (timeMicros: number): Promise<number> => {
      readId += 1;
      const id = readId;
      driver.log.findTime(id, timeMicros, driver.effects);
      await until(() => driver.news.some((news) => news.kind === 'logTimeFound' && news.id === id));
      return driver.takeAll('logTimeFound').at(-1)!.offset;
    };

    beforeEach(async () => {
      time = 1_000_000;
      subject = await create();
    });
    afterEach(async () => {
      await subject.runUntil(() => driver.log.operationCount === 0);
      await subject.close(driver.port);
      await subject.dispose();
    });

    test('a new log is empty, and what is appended can be read once it is durable', async () => {
      await open({ firstOffset: 7 });
      expect(driver.last('logOpened')?.report).toMatchObject({ startOffset: 7, nextOffset: 7, cutBytes: 0 });
      expect(append('a')).toBe(7);
      expect(append('b', 'key')).toBe(8);
      expect(append(undefined, 'key')).toBe(9);
      expect(driver.log.durableEnd, 'not before the disk has it').toBe(7);
      expect(await read(7)).toEqual([]);
      await settled();
      expect(driver.takeAll('logDurable').at(-1)?.endOffset).toBe(10);
      expect(await read(7)).toEqual(['7@1000000 a', '8@1000000 key=b', '9@1000000 key=(tombstone)']);
      expect(await read(8, 1)).toEqual(['8@1000000 key=b']);
      expect(await read(10)).toEqual([]);
    });

    test('appends during a sync share the next one', async () => {
      await open({ segmentBytesMax: 1_000_000 });
      for (let index = 0; index < 500; index++) append(`value ${index}`);
      await settled();
      // The first goes alone, all others together.
      expect(driver.takeAll('logDurable').map((news) => news.endOffset)).toEqual([1, 500]);
      for (let index = 0; index < 10; index++) driver.log.append({ timeMicros: time, value: bytesOf('deferred') });
      expect(driver.log.operationCount).toBe(0);
      driver.log.flush(driver.effects);
      await settled();
      expect(driver.takeAll('logDurable').map((news) => news.endOffset)).toEqual([510]);
    });

    test('closed and opened again it goes on where it was', async () => {
      await open();
      const expected: string[] = [];
      for (let index = 0; index < 300; index++) {
        time += 10;
        append(`value ${index}`.repeat(index % 7), `key ${index % 5}`);
        expected.push(`${index}@${time} key ${index % 5}=${`value ${index}`.repeat(index % 7)}`);
        if (index % 20 === 0) await settled();
      }
      await settled();
      expect(driver.log.segments.length).toBeGreaterThan(3);
      expect(await readAll()).toEqual(expected);
      await close();
      await open();
      expect(driver.last('logOpened')?.report).toMatchObject({ nextOffset: 300, lastTimeMicros: time, cutBytes: 0 });
      expect(append('more')).toBe(300);
      await settled();
      expect(await readAll()).toEqual([...expected, `300@${time} more`]);
    });

    test('reads begin anywhere, with indices in memory and not', async () => {
      await open({ indexEveryBytes: 256, loadedIndexesMax: 2 });
      for (let index = 0; index < 400; index++) {
        time += 1 + (index % 3);
        append(`value ${index}`);
        if (index % 10 === 0) await settled();
      }
      await settled();
      const all = await readAll();
      for (const offset of [0, 399, 57, 200, 3, 301, 58, 120, 250]) {
        expect(await read(offset, 3)).toEqual(all.slice(offset, offset + 3));
      }
    });

    test('a time is found, in a segment, between segments, before and after all', async () => {
      await open({ indexEveryBytes: 128 });
      const times: number[] = [];
      for (let index = 0; index < 300; index++) {
        time += index % 4 === 0 ? 10 : 0;
        append(`value ${index}`);
        times.push(time);
        if (index % 8 === 0) await settled();
      }
      await settled();
      const wanted = [0, times[0]!, times[0]! + 1, times[150]!, times[150]! + 1, times[299]!, times[299]! + 1];
      for (const at of [...wanted, ...times.filter((_, index) => index % 17 === 0)]) {
        const expected = times.findIndex((recorded) => recorded >= at);
        expect(await findTime(at)).toBe(expected < 0 ? 300 : expected);
      }
    });

    test('a segment names the code that wrote it', async () => {
      await open({ codeHash: 'first' });
      append('a');
      await settled();
      await close();
      await open({ codeHash: 'second' });
      expect(driver.last('logOpened')?.report.lastCodeHash).toBe('first');
      append('b');
      await settled();
      expect(driver.log.segments.map((segment) => segment.codeHash)).toEqual(['first', 'second']);
      expect(await readAll()).toEqual(['0@1000000 a', '1@1000000 b']);
      await close();
      await open({ codeHash: 'second' });
      expect(driver.log.segments.map((segment) => segment.codeHash)).toEqual(['first', 'second']);
    });

    test('retention by size and age spares what is held', async () => {
      await open({ retainBytesMax: 10_000, retainMicros: 500_000 });
      for (let index = 0; index < 300; index++) {
        append(`value ${index}`.repeat(10));
        if (index % 8 === 0) await settled();
      }
      await settled();
      driver.log.hold('reader', 100);
      driver.log.maintain(time, driver.effects);
      await until(() => driver.log.operationCount === 0);
      expect(driver.log.startOffset).toBeGreaterThan(50);
      expect(driver.log.startOffset).toBeLessThanOrEqual(100);
      expect(driver.last('logTrimmed')?.startOffset).toBe(driver.log.startOffset);
      expect(await read(100, 1)).toHaveLength(1);
      expect(await read(0)).toEqual(['SIRA_OFFSET_GONE']);
      driver.log.release('reader');
      driver.log.maintain(time, driver.effects);
      await until(() => driver.log.operationCount === 0);
      expect(driver.log.sizeBytes).toBeLessThanOrEqual(10_000);
      expect(driver.log.startOffset).toBeGreaterThan(100);
      driver.log.maintain(time + 500_001, driver.effects);
      await until(() => driver.log.operationCount === 0);
      expect(driver.log.segments).toHaveLength(1);
      const { startOffset } = driver.log;
      await close();
      await open();
      expect(driver.log.startOffset).toBe(startOffset);
      expect(driver.log.nextOffset).toBe(300);
    });

    test('a segment is closed by age, so that retention by age can have it', async () => {
      await open({ segmentAgeMaxMicros: 1000, retainMicros: 5000 });
      append('a');
      await settled();
      driver.log.maintain(time + 1000, driver.effects);
      await until(() => driver.log.operationCount === 0);
      expect(driver.log.segments).toHaveLength(2);
      driver.log.maintain(time + 5001, driver.effects);
      await until(() => driver.log.operationCount === 0);
      expect(driver.log.segments.map((segment) => segment.baseOffset)).toEqual([1]);
    });

    test('compaction keeps the last record of each key, under its offset, and buries the dead', async () => {
      await open({ tombstoneMicros: 1000 });
      for (let index = 0; index < 400; index++) {
        time += 1;
        append(`value ${index}`.repeat(3), `key ${index % 8}`);
        if (index % 8 === 0) append('no key');
        if (index % 5 === 0) await settled();
      }
      append(undefined, 'key 3');
      await settled();
      driver.log.roll(driver.effects);
      await until(() => driver.log.operationCount === 0);
      const before = await readAll();
      driver.log.compact(time, driver.effects);
      await until(() => driver.news.some((news) => news.kind === 'logCompacted'));
      const after = await readAll();
      const isLast = (line: string, at: number): boolean => {
        const key = / (key \d)=/.exec(line)?.[1];
        return key === undefined || before.findLastIndex((other) => other.includes(`${key}=`)) === at;
      };
      expect(after).toEqual(before.filter(isLast));
      expect(driver.takeAll('logCompacted')[0]?.removedRecords).toBe(before.length - after.length);
      expect(after.some((line) => line.includes('(tombstone)'))).toBe(true);
      driver.log.compact(time + 1000, driver.effects);
      await until(() => driver.news.some((news) => news.kind === 'logCompacted'));
      expect(await readAll()).toEqual(after.filter((line) => !line.includes('(tombstone)')));
      await close();
      await open();
      expect(await readAll()).toEqual(after.filter((line) => !line.includes('(tombstone)')));
      expect(append('next')).toBe(451);
    });

    test('more keys than a compaction remembers take several', async () => {
      await open({ compactionKeysMax: 3 });
      for (let index = 0; index < 200; index++) {
        append(`value ${index}`.repeat(5), `key ${index % 10}`);
        if (index % 7 === 0) await settled();
      }
      driver.log.roll(driver.effects);
      await until(() => driver.log.operationCount === 0);
      driver.log.compact(time, driver.effects);
      await until(() => driver.news.some((news) => news.kind === 'logCompacted'));
      const after = await readAll();
      expect(after).toHaveLength(3 + 7 * 20);
      for (let key = 0; key < 10; key++) {
        expect(after.findLast((line) => line.includes(`key ${key}=`))).toContain(`${190 + key}@`);
      }
    });

    test('too much at once is refused, and taken later', async () => {
      await open({ pendingBytesMax: 4096, recordBytesMax: 1024 });
      let accepted = 0;
      let refusal = '';
      while (refusal === '') {
        const result = driver.log.append({ timeMicros: time, value: new Uint8Array(1000) }, driver.effects);
        if (result.ok) accepted += 1;
        else refusal = result.code;
      }
      expect(refusal).toBe('SIRA_QUEUE_FULL');
      expect(accepted).toBe(3);
      await settled();
      expect(append('later')).toBe(3);
      await settled();
    });

    test('a large record fits, and is read whatever the bounds of the read', async () => {
      await open();
      const large = 'x'.repeat(500_000);
      append('small');
      append(large);
      append('small');
      await settled();
      expect((await read(0, 10, 100)).map((line) => line.length)).toEqual(['0@1000000 small'.length]);
      expect((await read(1, 10, 100)).map((line) => line.length)).toEqual([large.length + '1@1000000 '.length]);
      expect(await read(2, 10, 100)).toEqual(['2@1000000 small']);
    });

    test('closing writes what waits; afterwards nothing is taken', async () => {
      await open();
      for (let index = 0; index < 10; index++) append(`value ${index}`);
      await close();
      expect(driver.log.append({ timeMicros: time, value: bytesOf('x') }, driver.effects)).toMatchObject({
        ok: false,
        code: 'SIRA_LOG_CLOSED',
      });
      await open();
      expect(driver.log.nextOffset).toBe(10);
      driver.log.roll(driver.effects);
      await until(() => driver.log.operationCount === 0);
      driver.log.verify(driver.effects);
      await until(() => driver.news.some((news) => news.kind === 'logVerified'));
      expect(driver.last('logVerified')?.faults).toEqual([]);
    });
  });
}
