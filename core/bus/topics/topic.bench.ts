// What a message costs from publication to the durable acknowledgement, over files in memory: `npm run bench:topics`.
// Beside it the floor: the same bytes appended to a bare log with the same group commit.

import { Log, type LogEffect } from '../../log/log.ts';
import type { FileCompletion, FileOperation } from '../../ports/file-port.ts';
import { TopicBroker } from './topic-broker.ts';
import type { GroupMode, TopicEffect, TopicInput } from './topic-protocol.ts';

const messages = 1_000_000;
const batch = 1_000;
const payload = new Uint8Array(100).fill(7);
const noBytes = new Uint8Array(0);

/** Files that remember nothing: what is written is counted alone; nothing is read back at the end of a topic. */
function answer({ id }: FileOperation): FileCompletion {
  return { id, ok: true, bytes: noBytes, entries: [] };
}

class Run {
  readonly broker = new TopicBroker({ log: { segmentBytesMax: 2 ** 30 }, windowMessagesMax: 4096 }, 1);
  nowMicros = 1;
  published = 0;
  delivered: { group: string; offset: number; subscriber: string }[] = [];
  readonly operations: { store: string; operation: FileOperation }[] = [];
  readonly effects = { push: (effect: TopicEffect): void => this.take(effect) };

  give(input: object): void {
    this.broker.handle({ ...input, timeMicros: this.nowMicros } as TopicInput, this.effects);
  }

  settle(): void {
    this.broker.flush(this.effects);
    for (let at = 0; at < this.operations.length; at++) {
      const { store, operation } = this.operations[at]!;
      this.broker.complete(store, answer(operation), this.nowMicros, this.effects);
      this.broker.flush(this.effects);
    }
    this.operations.length = 0;
  }

  take(effect: TopicEffect): void {
    if (effect.kind === 'file') this.operations.push(effect);
    else if (effect.kind === 'published') this.published++;
    else if (effect.kind === 'deliver')
      this.delivered.push({ group: effect.group, offset: effect.message.offset, subscriber: effect.subscriber });
    else if (effect.kind === 'refused' || effect.kind === 'topicsFailed') throw new Error(JSON.stringify(effect));
  }
}

function measure(mode: GroupMode, groups: number, keys: number): number {
  const run = new Run();
  run.broker.open(1, run.effects);
  run.settle();
  run.give({ kind: 'createTopic', topic: 'a', terms: {} });
  run.settle();
  for (let group = 0; group < groups; group++) {
    const subscriber = `s${group}`;
    run.give({ kind: 'subscriberConnected', subscriber, connection: 1 });
    const terms = { topic: 'a', mode, start: 'earliest', speed: 'full' };
    run.give({ kind: 'subscribe', subscriber, connection: 1, group: `g${group}`, ...terms });
    run.settle();
    run.give({ kind: 'grant', subscriber, connection: 1, group: `g${group}`, messages: 1e12, bytes: 1e15 });
  }
  const names = Array.from({ length: Math.max(1, keys) }, (_, index) => `key ${index}`);
  const begin = performance.now();
  for (let sequence = 1; sequence <= messages; ) {
    run.nowMicros += 100;
    for (const end = sequence + batch; sequence < end; sequence++) {
      const key = keys === 0 ? undefined : names[sequence % keys];
      const timeMicros = run.nowMicros;
      run.broker.handle(
        { kind: 'publish', timeMicros, topic: 'a', producer: 'producer', sequence, key, payload },
        run.effects,
      );
    }
    run.settle();
    while (run.delivered.length > 0) {
      const { delivered } = run;
      run.delivered = [];
      for (const { group, offset, subscriber } of delivered) {
        const timeMicros = run.nowMicros;
        run.broker.handle(
          { kind: 'acknowledge', timeMicros, subscriber, group, offset, cumulative: false },
          run.effects,
        );
      }
    }
    run.settle();
  }
  const micros = (performance.now() - begin) * 1000;
  if (run.published !== messages) throw new Error('not everything was published');
  return micros / messages;
}

function measureLog(): number {
  const operations: FileOperation[] = [];
  const log = new Log({ segmentBytesMax: 2 ** 30 });
  const effects = {
    push: (effect: LogEffect): void => {
      if (effect.kind === 'file') operations.push(effect.operation);
    },
  };
  const settle = (): void => {
    for (let at = 0; at < operations.length; at++) log.complete(answer(operations[at]!), effects);
    operations.length = 0;
  };
  log.open(1, effects);
  settle();
  const begin = performance.now();
  for (let sequence = 0; sequence < messages; ) {
    for (const end = sequence + batch; sequence < end; sequence++) log.append({ timeMicros: sequence, value: payload });
    log.flush(effects);
    settle();
  }
  return ((performance.now() - begin) * 1000) / messages;
}

const rows: [string, () => number][] = [
  ['bare log, append and sync', measureLog],
  ['exclusive, 1 group', () => measure('exclusive', 1, 0)],
  ['shared, 1 group', () => measure('shared', 1, 0)],
  ['keyOrdered, 1 group, 1,000 keys', () => measure('keyOrdered', 1, 1000)],
  ['shared, 4 groups', () => measure('shared', 4, 0)],
];
for (const [name, run] of rows) console.log(`${name.padEnd(34)} ${run().toFixed(2)} µs a message`);
