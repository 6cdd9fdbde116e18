import { expect, test } from 'vitest';
import { RandomStream } from '../../core/base/random.ts';
import { crc32c } from '../../core/log/crc32c.ts';
import { type Snapshot, type SnapshotEffect, SnapshotStore } from '../../core/log/snapshot-store.ts';
import { defaultSimulationLimits, Simulation } from '../engine/simulation.ts';
import { Disk } from './disk.ts';
import { soundDisk } from './disk-spec.ts';

class Holder {
  readonly simulation = new Simulation(defaultSimulationLimits);
  readonly disk: Disk;
  store!: SnapshotStore;
  news: SnapshotEffect[] = [];
  effects!: { push(effect: SnapshotEffect): void };

  constructor(seed: number) {
    this.disk = new Disk(this.simulation, soundDisk, new RandomStream(seed, 'disk'));
    this.restart();
  }

  restart(): void {
    const store = new SnapshotStore(2);
    const port = this.disk.open('snapshots', (completion) => store.complete(completion, effects));
    const effects = {
      push: (effect: SnapshotEffect): void => {
        if (effect.kind === 'file') port.submit(effect.operation);
        else this.news.push(effect);
      },
    };
    this.store = store;
    this.effects = effects;
  }

  run(steps = Number.POSITIVE_INFINITY): void {
    for (let step = 0; step < steps && this.store.operationCount > 0; step++) this.simulation.step();
  }

  read(): Extract<SnapshotEffect, { kind: 'snapshotRead' }> {
    this.store.readLatest(this.effects);
    this.run();
    const last = this.news.at(-1);
    if (last?.kind !== 'snapshotRead') throw new Error(JSON.stringify(last));
    return last;
  }
}

const snapshotAt = (offset: number, size: number): Snapshot => ({
  offset,
  timeMicros: offset * 10,
  schemaVersion: 3,
  codeHash: `code-${offset}`,
  body: Uint8Array.from({ length: size }, (_, index) => (index * 7 + offset) & 255),
});

/** `toEqual` on long typed arrays costs more than all the rest. */
function digestOf({ offset, timeMicros, schemaVersion, codeHash, body }: Snapshot): string {
  return `${offset} ${timeMicros} ${schemaVersion} ${codeHash} ${body.length} ${crc32c(body)}`;
}

test('over 500 seeds of power failures: the newest announced snapshot, or a newer one, and always a whole one', () => {
  let newer = 0;
  for (let seed = 1; seed <= 500; seed++) {
    const holder = new Holder(seed);
    const random = new RandomStream(seed, 'story');
    const written = new Map<number, Snapshot>();
    let announced = -1;
    for (let offset = 1; offset <= 12; offset++) {
      const snapshot = snapshotAt(offset, random.nextBelow(5000));
      written.set(offset, snapshot);
      holder.news = [];
      expect(holder.store.write(snapshot, holder.effects)).toBe(true);
      holder.run(random.nextBelow(12));
      if (holder.news.some((news) => news.kind === 'snapshotWritten')) announced = offset;
      if (random.nextBelow(2) === 0) {
        holder.disk.crash();
        holder.restart();
        const { snapshot: found, faults } = holder.read();
        expect(faults).toEqual([]);
        expect(found?.offset ?? -1, `seed ${seed}`).toBeGreaterThanOrEqual(announced);
        if (found !== undefined) expect(digestOf(found)).toBe(digestOf(written.get(found.offset)!));
        if ((found?.offset ?? -1) > announced) newer++;
        announced = found?.offset ?? -1;
      } else {
        holder.run();
        if (holder.news.some((news) => news.kind === 'snapshotWritten')) announced = offset;
      }
    }
  }
  expect(newer).toBeGreaterThan(0);
});

test('a damaged snapshot is named, and the one before it is given', () => {
  for (let seed = 1; seed <= 60; seed++) {
    const holder = new Holder(seed);
    for (const offset of [5, 6, 7]) {
      holder.store.write(snapshotAt(offset, 300), holder.effects);
      holder.run();
    }
    expect(holder.disk.contentOf('snapshots', '0000000000000005.snapshot'), 'two are kept').toBeUndefined();
    holder.disk.flipBits(1);
    const { snapshot, faults } = holder.read();
    const isNewest = snapshot?.offset === 7;
    expect(snapshot).toEqual(snapshotAt(isNewest ? 7 : 6, 300));
    expect(faults.map((fault) => fault.code)).toEqual(isNewest ? [] : ['SIRA_LOG_CORRUPT']);
  }
});

test('a full disk fails the new snapshot and keeps the old', () => {
  const holder = new Holder(1);
  holder.store.write(snapshotAt(1, 300), holder.effects);
  holder.run();
  holder.disk.isFull = true;
  holder.store.write(snapshotAt(2, 300), holder.effects);
  holder.run();
  expect(holder.news.at(-1)).toMatchObject({ kind: 'snapshotFailed', offset: 2, fault: { code: 'SIRA_DISK_FULL' } });
  expect(holder.read().snapshot?.offset).toBe(1);
});
