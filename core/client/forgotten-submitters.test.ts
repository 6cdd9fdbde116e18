// There are more submitters than the kernel keeps in mind: those of whom nothing is left to do are forgotten, and come back. What
// is promised to each holds all the same, on a network that loses, doubles and delays: every task runs once and its end comes once.

import { describe, expect, test } from 'vitest';
import { RandomStream } from '../base/random.ts';
import type { Effect } from '../kernel/effects.ts';
import type { InputBody } from '../kernel/inputs.ts';
import { cpuRequest, helloFrom, KernelDriver, submissionOf } from '../kernel/kernel-driver.ts';
import { SubmitterClient, type ToSubmitter } from './submitter-client.ts';

const second = 1_000_000;
const idle = 10 * second;
const few = { 'submissions.submittersMax': 3, 'submissions.idleMicros': idle } as const;

class World {
  readonly driver = new KernelDriver({}, few);
  readonly random: RandomStream;
  readonly clients: SubmitterClient[] = [];
  readonly ended: Map<number, number>[] = [];
  /** Tasks that were dispatched, by submitter and submission. */
  readonly tasks = new Map<string, Set<number>>();
  /** Times that somebody was met who was not known. */
  met = 0;
  private known = new Set<number>();
  private nowMicros = 0;
  private next = 0;
  private readonly queue: { atMicros: number; number: number; act: () => void }[] = [];
  isCalm = false;

  constructor(seed: number, clientCount: number) {
    this.random = new RandomStream(seed, 'test');
    this.take(this.driver.give(helloFrom('alpha', { resources: { ...big } })));
    for (let submitter = 1; submitter <= clientCount; submitter++) {
      const ended = new Map<number, number>();
      this.ended.push(ended);
      const client: SubmitterClient = new SubmitterClient(
        { submitter, retryMicros: second, acknowledgeEvery: 4, acknowledgeMicros: second },
        {
          send: (message) => this.carry(() => this.hear(message)),
          wakeAt: (timeMicros) => this.at(timeMicros, () => client.wake(this.nowMicros)),
          answered: (_, accepted) => expect(accepted).toBe(true),
          ended: ({ submission }) => ended.set(submission, (ended.get(submission) ?? 0) + 1),
        },
      );
      this.clients.push(client);
      client.start(0);
    }
    this.beat();
  }

  at(timeMicros: number, act: () => void): void {
    this.queue.push({ atMicros: Math.max(timeMicros, this.nowMicros), number: this.next++, act });
  }

  later(byMicros: number, act: () => void): void {
    this.at(this.nowMicros + byMicros, act);
  }

  runUntil(timeMicros: number): void {
    for (;;) {
      this.queue.sort((left, right) => right.atMicros - left.atMicros || right.number - left.number);
      const event = this.queue.at(-1);
      if (event === undefined || event.atMicros > timeMicros) break;
      this.queue.pop();
      this.nowMicros = event.atMicros;
      this.driver.nowMicros = event.atMicros;
      event.act();
      if (this.random.nextBelow(500) === 0) this.driver.restart();
    }
    this.nowMicros = timeMicros;
  }

  /** Over the network. */
  private carry(act: () => void): void {
    const times = this.isCalm ? 1 : (([0, 2] as const)[this.random.nextBelow(10)] ?? 1);
    for (let copy = 0; copy < times; copy++) this.later(1 + this.random.nextBelow(2 * second), act);
  }

  private hear(body: InputBody): void {
    this.take(this.driver.give(body, this.nowMicros));
    this.take(this.driver.end(this.nowMicros));
    const known = new Set(this.driver.kernel.control.submitters.keys());
    expect(known.size).toBeLessThanOrEqual(few['submissions.submittersMax']);
    for (const submitter of known) if (!this.known.has(submitter)) this.met++;
    this.known = known;
  }

  private beat(): void {
    this.take(this.driver.beat([0]));
    this.later(5 * second, () => this.beat());
  }

  private take(effects: readonly Effect[]): void {
    for (const effect of [...effects]) {
      switch (effect.kind) {
        case 'submissionAccepted':
        case 'submissionRefused':
          this.tell(effect.submitter, effect);
          break;
        case 'subscribed':
        case 'deliver':
          this.tell(Number(effect.subscriber.split('/')[1]), effect);
          break;
        case 'wakeAt':
          this.at(effect.timeMicros, () => this.take(this.driver.pass(this.nowMicros)));
          break;
        case 'dispatch': {
          const { task, attempt, submission } = effect;
          const submitter = this.driver.kernel.control.tasks.get(task)?.submitter;
          const name = `${submitter} ${submission}`;
          this.tasks.set(name, (this.tasks.get(name) ?? new Set()).add(task));
          this.later(1, () => this.take(this.driver.accept(attempt)));
          this.later(1 + this.random.nextBelow(second), () =>
            this.take(this.driver.finish(attempt, { task, attempt })),
          );
          break;
        }
        default:
      }
    }
  }

  private tell(submitter: number, message: ToSubmitter): void {
    this.carry(() => this.clients[submitter - 1]?.receive(message, this.nowMicros));
  }
}

const big = { cpuMilli: 1_000_000, memoryMib: 1_000_000, gpuCount: 0, gpuModel: '' };

describe('submitters that are forgotten', () => {
  test.each([1, 2, 3, 4, 5, 6, 7, 8])(
    'each task runs once and its end comes once, whoever is forgotten: seed %i',
    (seed) => {
      const world = new World(seed, 6);
      const { random, clients } = world;
      const submitted = clients.map(() => 0);
      for (let round = 0; round < 60; round++) {
        const index = random.nextBelow(clients.length);
        for (let count = 1 + random.nextBelow(6); count > 0; count--) {
          world.later(random.nextBelow(3 * second), () => {
            submitted[index]!++;
            (clients[index] as SubmitterClient).submit(cpuRequest, second, 0, 'default', world.driver.nowMicros);
          });
        }
        world.runUntil(round * 8 * second);
      }
      world.isCalm = true;
      world.runUntil(1200 * second);
      for (const [index, count] of submitted.entries()) {
        const expected = Array.from({ length: count }, (_, at): [number, number] => [at + 1, 1]);
        expect([...(world.ended[index] as Map<number, number>)].sort(([left], [right]) => left - right)).toEqual(
          expected,
        );
      }
      for (const [name, tasks] of world.tasks) expect([name, tasks.size]).toEqual([name, 1]);
      // It was tried: more were met than there are.
      expect(world.met).toBeGreaterThan(clients.length);
    },
  );

  test('who has an open task, an end to take, or was heard of lately is kept; a newcomer waits unanswered', () => {
    const driver = new KernelDriver({}, { ...few, 'submissions.submittersMax': 1 });
    driver.give(helloFrom('alpha'));
    driver.give(submissionOf(1));
    driver.end();
    driver.give(submissionOf(1, { submitter: 2 }), 2 * idle);
    expect(driver.of('submissionAccepted')).toEqual([]);
    driver.accept(1);
    driver.finish(1);
    expect(driver.of('deliver')).toHaveLength(1);
    // Its end is not taken.
    driver.beat([0]);
    expect(driver.of('submissionAccepted', driver.give(submissionOf(1, { submitter: 2 }), 4 * idle))).toEqual([]);
    const acknowledge = { subscriber: 'submitter/1', subscription: 'submitter/1/ends', offset: 0, cumulative: true };
    driver.give({ kind: 'acknowledge', timeMicros: driver.nowMicros, ...acknowledge });
    expect(driver.of('submissionAccepted', driver.give(submissionOf(1, { submitter: 2 })))).toHaveLength(1);
    expect([...driver.kernel.control.submitters.keys()]).toEqual([2]);
    // A topic that begins later begins behind the offsets of the one that is gone.
    expect(driver.of('subscribed')).toMatchObject([{ topic: 'tasks/ended/2', offset: 1 }]);
  });

  test('a submission that is repeated after that is a new one, unless its submitter says that it is settled', () => {
    const driver = new KernelDriver({}, { ...few, 'submissions.submittersMax': 1 });
    driver.give(submissionOf(1, { request: { ...cpuRequest, machineCount: 0 } }));
    expect(driver.of('submissionRefused')).toHaveLength(1);
    driver.give(submissionOf(1, { submitter: 2 }), idle);
    expect(driver.of('submissionAccepted')).toHaveLength(1);
    driver.give({ kind: 'taskCancelled', submitter: 2, submission: 1 });
    expect(driver.of('deliver')).toHaveLength(1);
    const acknowledge = { subscriber: 'submitter/2', subscription: 'submitter/2/ends', offset: 0, cumulative: true };
    driver.give({ kind: 'acknowledge', timeMicros: driver.nowMicros, ...acknowledge });
    driver.give(submissionOf(70_000, { settled: 69_999 }), 2 * idle);
    expect(driver.of('submissionAccepted')).toMatchObject([{ submitter: 1, submission: 70_000 }]);
    expect(driver.give(submissionOf(1))).toEqual([]);
  });
});
