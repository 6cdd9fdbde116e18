// The clients and a real kernel over a channel that loses, doubles and reorders: a tiny harness with virtual time, in which
// the whole protocol is visible on one page. Whole worlds with machines and faults are the simulator's to test.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { RandomStream } from '../base/random.ts';
import { createKernelSettings } from '../config/kernel-setting-table.ts';
import type { Dispatch, Effect, TaskEnded } from '../kernel/effects.ts';
import type { InputBody } from '../kernel/inputs.ts';
import { Kernel } from '../kernel/kernel.ts';
import { cpuRequest, plainProfile } from '../kernel/kernel-driver.ts';
import { AgentClient, type ToAgent } from './agent-client.ts';
import { SubmitterClient, type ToSubmitter } from './submitter-client.ts';

const milli = 1000;
const second = 1_000_000;
const interval = 2 * second;
const lease = 10 * second;
const retry = 3 * second;

interface Trouble {
  readonly seed: number;
  readonly loss: number;
  readonly duplication: number;
  /** One-way delays are uniform up to this: messages within it overtake one another. */
  readonly delayMaxMicros: number;
  /** Cuts an agent off for a while, again and again. */
  readonly cuts: boolean;
  /** Agents crash and come back. */
  readonly crashes: boolean;
  readonly cancels: boolean;
  readonly queueLengthMax: number;
}

/** Trouble lasts until then; afterwards everything must come to an end. */
const troubleMicros = 120 * second;

class Host {
  readonly client: AgentClient;
  readonly running = new Map<number, Dispatch>();
  /** Counts crashes: what was to happen before one does not happen any more. */
  life = 0;
  up = true;
  cutOff = false;

  constructor(name: string, world: TinyWorld) {
    this.client = new AgentClient(
      {
        gateway: 0,
        name,
        resources: { cpuMilli: 2000, memoryMib: 4096, gpuCount: 0, gpuModel: '' },
        capabilities: {},
        attributes: {},
        retryMicros: retry,
      },
      {
        send: (message) => world.toKernel(message, this),
        startWork: (dispatch) => world.begin(this, dispatch),
        stopWork: ({ attempt }) => void this.running.delete(attempt),
        wakeAt: (timeMicros) =>
          world.at(timeMicros, () => {
            if (this.up) this.client.wake(world.now);
          }),
      },
    );
  }
}

class TinyWorld {
  now = 0;
  readonly ends = new Map<number, TaskEnded>();
  readonly answers = new Map<number, boolean>();
  readonly kernel: Kernel;
  private readonly queue: { readonly at: number; readonly order: number; readonly run: () => void }[] = [];
  private scheduled = 0;
  private sequence = 0;
  private readonly trouble: Trouble;
  private readonly random: RandomStream;
  private readonly hosts: Host[] = [];
  private readonly hostOfAgent: (Host | undefined)[] = [];
  private readonly submitter: SubmitterClient;
  private batch = 0;
  private readonly batches = new Map<number, { readonly sentMicros: number; readonly hosts: readonly Host[] }>();

  constructor(trouble: Trouble, taskCount: number) {
    this.trouble = trouble;
    this.random = new RandomStream(trouble.seed, 'channel');
    const initial = {
      'registry.leaseMicros': lease,
      'registry.heartbeatIntervalMicros': interval,
      'dispatch.retryMicros': retry,
      'bus.redeliveryMicros': 5 * second,
      'scheduler.attemptsMax': 1000,
      'scheduler.queueLengthMax': trouble.queueLengthMax,
    };
    this.kernel = new Kernel(plainProfile, createKernelSettings({ initial }), 1);
    this.submitter = new SubmitterClient(
      { submitter: 1, retryMicros: retry, acknowledgeEvery: 5, acknowledgeMicros: second },
      {
        send: (message) => this.toKernel(message),
        wakeAt: (timeMicros) => this.at(timeMicros, () => this.submitter.wake(this.now)),
        answered: (submission, accepted) => {
          expect(this.answers.has(submission), `submission ${submission} is answered twice`).toBe(false);
          this.answers.set(submission, accepted);
        },
        ended: (end) => {
          expect(this.ends.has(end.submission), `submission ${end.submission} ends twice`).toBe(false);
          this.ends.set(end.submission, end);
        },
      },
    );
    this.submitter.start(0);
    for (let number = 0; number < 3; number++) this.hosts.push(new Host(`host-${number}`, this));
    for (const host of this.hosts) host.client.start(0);
    for (let number = 1; number <= taskCount; number++) {
      this.at(this.random.nextBelow(60 * second), () => {
        const submission = this.submitter.submit(cpuRequest, second, 0, 'default', this.now);
        if (!trouble.cancels || this.random.nextFloat() > 0.3) return;
        this.at(this.now + this.random.nextBelow(20 * second), () => {
          const isOpen = !this.ends.has(submission) && this.answers.get(submission) !== false;
          if (isOpen) this.submitter.cancel(submission, this.now);
        });
      });
    }
    this.at(interval, () => this.beat());
    if (trouble.cuts) this.repeat(15 * second, (host) => this.cut(host));
    if (trouble.crashes) this.repeat(25 * second, (host) => this.crash(host));
  }

  /** Runs until nothing is open, or until the time is up. */
  run(untilMicros: number, done: () => boolean): void {
    while (!done()) {
      this.queue.sort((left, right) => left.at - right.at || left.order - right.order);
      const next = this.queue.shift();
      if (next === undefined || next.at > untilMicros) return;
      this.now = next.at;
      next.run();
    }
  }

  at(timeMicros: number, run: () => void): void {
    this.queue.push({ at: Math.max(timeMicros, this.now), order: this.scheduled++, run });
  }

  toKernel(message: InputBody, host?: Host): void {
    this.carry(() => this.give(message), host);
  }

  begin(host: Host, dispatch: Dispatch): void {
    for (const other of this.hosts) {
      for (const { submission, attempt } of other.running.values()) {
        expect(submission === dispatch.submission, `attempts ${attempt} and ${dispatch.attempt} run at once`).toBe(
          false,
        );
      }
    }
    expect(host.running.size, 'a machine of two cores').toBeLessThan(2);
    host.running.set(dispatch.attempt, dispatch);
    const { life } = host;
    const duration = 1 + this.random.nextBelow(8 * second);
    this.at(this.now + duration, () => {
      if (host.life !== life || !host.running.delete(dispatch.attempt)) return;
      host.client.workEnded(dispatch, this.random.nextFloat() < 0.1 ? 'failed' : 'completed', duration, this.now);
    });
  }

  /** One instant for one input: what the shells of the simulator and the live kernel do for many. */
  private give(body: InputBody): void {
    this.handle(body);
    if (this.kernel.awaitsInstantEnd) this.handle({ kind: 'instantEnded' });
  }

  private handle(body: InputBody): void {
    const effects: Effect[] = [];
    this.kernel.handle({ sequence: ++this.sequence, timeMicros: this.now, body: stamped(body, this.now) }, effects);
    for (const effect of effects) this.carryOut(effect);
  }

  private carryOut(effect: Effect): void {
    switch (effect.kind) {
      case 'wakeAt':
        this.at(effect.timeMicros, () => this.give({ kind: 'timeReached' }));
        return;
      case 'agentRegistered':
      case 'agentRefused': {
        const host = this.hosts.find((candidate) => `host-${this.hosts.indexOf(candidate)}` === effect.name) as Host;
        if (effect.kind === 'agentRegistered') this.hostOfAgent[effect.agent] = host;
        this.toHost(host, effect);
        return;
      }
      case 'dispatch':
      case 'stop':
      case 'resultRecorded':
        this.toHost(this.hostOfAgent[effect.agent] as Host, effect);
        return;
      case 'heartbeatsRecorded':
        this.recorded(effect.batch);
        return;
      case 'submissionAccepted':
      case 'submissionRefused':
      case 'subscribed':
      case 'deliver':
        this.carry(() => this.submitter.receive(effect satisfies ToSubmitter, this.now));
        return;
      default:
        return;
    }
  }

  private toHost(host: Host, message: ToAgent): void {
    this.carry(() => {
      if (host.up) host.client.receive(message, this.now);
    }, host);
  }

  private carry(arrive: () => void, host?: Host): void {
    const { loss, duplication, delayMaxMicros } = this.trouble;
    const isTroubled = this.now < troubleMicros;
    for (let copies = isTroubled && this.random.nextFloat() < duplication ? 2 : 1; copies > 0; copies--) {
      if (isTroubled && this.random.nextFloat() < loss) continue;
      this.at(this.now + 1 + this.random.nextBelow(delayMaxMicros), () => {
        if (host?.cutOff !== true) arrive();
      });
    }
  }

  private beat(): void {
    this.at(this.now + interval, () => this.beat());
    const beating: Host[] = [];
    for (const host of this.hosts) {
      if (!host.up) continue;
      host.client.tick(this.now, interval);
      if (host.client.beats && !host.cutOff) beating.push(host);
    }
    this.batches.set(++this.batch, { sentMicros: this.now, hosts: beating });
    const agents = Int32Array.from(beating, (host) => host.client.agent);
    const incarnations = Int32Array.from(beating, (host) => host.client.currentIncarnation);
    this.toKernel({ kind: 'heartbeats', gateway: 0, batch: this.batch, agents, incarnations, count: beating.length });
  }

  private recorded(batch: number): void {
    const sent = this.batches.get(batch);
    for (const host of sent?.hosts ?? []) {
      this.carry(() => {
        if (host.up) host.client.leaseRenewed(sent?.sentMicros ?? 0);
      }, host);
    }
  }

  private repeat(meanMicros: number, strike: (host: Host) => void): void {
    const next = this.now + this.random.nextBelow(2 * meanMicros);
    if (next >= troubleMicros) return;
    this.at(next, () => {
      strike(this.hosts[this.random.nextBelow(this.hosts.length)] as Host);
      this.repeat(meanMicros, strike);
    });
  }

  private cut(host: Host): void {
    host.cutOff = true;
    this.at(this.now + this.random.nextBelow(3 * lease), () => {
      host.cutOff = false;
    });
  }

  private crash(host: Host): void {
    if (!host.up) return;
    host.up = false;
    host.life++;
    host.running.clear();
    this.at(this.now + 1 + this.random.nextBelow(2 * lease), () => {
      host.up = true;
      host.client.start(this.now);
    });
  }
}

/** Broker inputs carry their time: that of their arrival. */
function stamped(body: InputBody, timeMicros: number): InputBody {
  return 'timeMicros' in body ? { ...body, timeMicros } : body;
}

function runToEnd(trouble: Trouble, taskCount: number): TinyWorld {
  const world = new TinyWorld(trouble, taskCount);
  world.run(
    troubleMicros + 600 * second,
    () =>
      world.now > 60 * second &&
      world.answers.size === taskCount &&
      [...world.answers].every(([submission, accepted]) => !accepted || world.ends.has(submission)),
  );
  const open = Array.from({ length: taskCount }, (_, index) => index + 1).filter(
    (submission) => world.answers.get(submission) !== false && !world.ends.has(submission),
  );
  expect(open, 'submissions without an end').toEqual([]);
  expect(world.answers.size).toBe(taskCount);
  return world;
}

const trouble = fc.record<Trouble>({
  seed: fc.nat(),
  loss: fc.constantFrom(0, 0.05, 0.3),
  duplication: fc.constantFrom(0, 0.1, 0.5),
  delayMaxMicros: fc.constantFrom(milli, 100 * milli, second),
  cuts: fc.boolean(),
  crashes: fc.boolean(),
  cancels: fc.boolean(),
  queueLengthMax: fc.constantFrom(3, 1000),
});

describe('the clients and the kernel', () => {
  test('property: whatever the channel does, every task is answered once and ends once', () => {
    fc.assert(
      fc.property(trouble, (drawn) => {
        runToEnd(drawn, 25);
      }),
      { numRuns: 60 },
    );
  });

  test('over a perfect channel every task completes, most at their first attempt', () => {
    const quiet = { loss: 0, duplication: 0, cuts: false, crashes: false, cancels: false, queueLengthMax: 1000 };
    const world = runToEnd({ ...quiet, seed: 3, delayMaxMicros: milli }, 100);
    const outcomes = [...world.ends.values()];
    expect(outcomes.every((end) => end.outcome === 'completed')).toBe(true);
    // One in ten attempts fails by itself.
    expect(world.kernel.counts.placements).toBeLessThan(130);
    expect(world.kernel.counts.placements).toBe(outcomes.reduce((sum, end) => sum + end.attempts, 0));
  });
});
