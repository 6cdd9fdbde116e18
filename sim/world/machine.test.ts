// A machine and the gateway, between a simulation and a hand that plays the kernel.

import { describe, expect, test } from 'vitest';
import { RandomStream } from '../../core/base/random.ts';
import type { AgentMessage } from '../../core/client/agent-client.ts';
import type { Dispatch } from '../../core/kernel/effects.ts';
import { Simulation } from '../engine/simulation.ts';
import { HeartbeatGateway } from './heartbeat-gateway.ts';
import { Machine } from './machine.ts';
import type { MachineWorld } from './machine-world.ts';
import { firstMachineNode, Network } from './network.ts';
import { soundNetwork } from './sound-network.ts';

const second = 1_000_000;
const interval = 10 * second;
const lease = 40 * second;

class Bench {
  readonly simulation = new Simulation();
  readonly events: string[] = [];
  readonly sent: AgentMessage[] = [];
  readonly machines: Machine[];
  readonly gateway: HeartbeatGateway;
  readonly network: Network;
  /** True run time of all work. */
  durationMicros = 30 * second;

  constructor(count = 1) {
    const { simulation } = this;
    const note = (text: string): void => void this.events.push(`${simulation.nowMicros / second} ${text}`);
    const world: MachineWorld = {
      simulation,
      workEndHandler: simulation.defineHandler('work ends', (machine, attempt) =>
        this.machine(machine).endWork(attempt as number),
      ),
      agentWakeHandler: simulation.defineHandler('agent wakes', (machine) => this.machine(machine).wake()),
      send: (_machine, message) => {
        this.sent.push(message);
        if (message.kind === 'taskFinished')
          note(`says ${message.outcome} ${message.attempt} ${message.serviceMicros}`);
        if (message.kind === 'agentHello') note(`says hello ${message.incarnation}`);
      },
      durationMicros: () => this.durationMicros,
      workStarted: (machine, { attempt }) => note(`${machine} begins ${attempt}`),
      workEnded: (machine, { attempt }, end) => note(`${machine} ${end} ${attempt}`),
      machineHung: (machine, hung) => note(`${machine} ${hung ? 'hangs' : 'goes on'}`),
    };
    this.machines = Array.from(
      { length: count },
      (_, index) =>
        new Machine(
          index,
          { name: `m${index}`, cpuMilli: 4000, memoryMib: 1, gpuCount: 2, gpuModel: 'T4' },
          3600 * second,
          world,
        ),
    );
    const spec = soundNetwork(0);
    this.network = new Network(simulation, spec, firstMachineNode + count, new RandomStream(1, 'network'));
    this.gateway = new HeartbeatGateway(this.machines, this.network, interval);
  }

  machine(index = 0): Machine {
    return this.machines[index] as Machine;
  }

  /** Starts a machine, registers it, and forgets what was said. */
  up(index = 0, incarnation = 1): Machine {
    const machine = this.machine(index);
    machine.start();
    this.register(index, incarnation);
    this.events.length = 0;
    return machine;
  }

  register(index = 0, incarnation = 1): void {
    this.machine(index).receive({
      kind: 'agentRegistered',
      gateway: 0,
      name: `m${index}`,
      agent: index,
      incarnation,
      helloSentMicros: this.simulation.nowMicros,
      leaseMicros: lease,
      heartbeatIntervalMicros: interval,
      stop: [],
    });
  }

  dispatch(attempt: number, incarnation = 1): void {
    const dispatch: Dispatch = {
      kind: 'dispatch',
      agent: 0,
      incarnation,
      task: attempt,
      attempt,
      order: attempt,
      submitter: 1,
      submission: attempt,
      machines: [0],
      deviceMasks: [0],
    };
    this.machine().receive(dispatch);
  }

  until(seconds: number): void {
    this.simulation.runUntil(seconds * second);
  }

  take(): string[] {
    return this.events.splice(0);
  }
}

describe('a machine', () => {
  test('says what it can do', () => {
    const bench = new Bench();
    bench.machine().start();
    expect(bench.sent[0]).toMatchObject({
      name: 'm0',
      resources: { cpuMilli: 4000, memoryMib: 1, gpuCount: 2, gpuModel: 'T4' },
      capabilities: { cpu: 4, 'gpu:T4': 2 },
    });
    bench.machine().start();
    expect(bench.sent).toHaveLength(1);
  });

  test('work takes its true time, times the slowness when it began', () => {
    const bench = new Bench();
    const machine = bench.up();
    bench.dispatch(1);
    machine.slowness = 3;
    bench.until(5);
    bench.dispatch(2);
    machine.slowness = 1;
    bench.until(200);
    expect(bench.take()).toEqual([
      '0 0 begins 1',
      '5 0 begins 2',
      '30 0 completed 1',
      '30 says completed 1 30000000',
      '95 0 completed 2',
      '95 says completed 2 90000000',
    ]);
  });

  test('endless work never ends by itself', () => {
    const bench = new Bench();
    bench.up();
    bench.durationMicros = Number.POSITIVE_INFINITY;
    bench.dispatch(1);
    bench.until(1e9);
    expect(bench.take()).toEqual(['0 0 begins 1']);
    expect(bench.machine().runningDispatches()).toHaveLength(1);
  });

  test('a crash loses what runs, and what comes while it is down', () => {
    const bench = new Bench();
    const machine = bench.up();
    bench.dispatch(1);
    bench.until(10);
    machine.crash();
    machine.crash();
    bench.dispatch(2);
    bench.until(50);
    expect(bench.take()).toEqual(['0 0 begins 1', '10 0 lost 1']);
    machine.start();
    expect(bench.take()).toEqual(['50 says hello 2']);
  });

  test('a hang stops the clock of its work; it goes on where it stood', () => {
    const bench = new Bench();
    const machine = bench.up();
    bench.dispatch(1);
    bench.until(10);
    machine.hang();
    expect(machine.responsive).toBe(false);
    bench.dispatch(2);
    bench.until(18);
    machine.resume(interval);
    bench.until(100);
    expect(bench.take()).toEqual([
      '0 0 begins 1',
      '10 0 hangs',
      '18 0 goes on',
      '38 0 completed 1',
      '38 says completed 1 38000000',
    ]);
  });

  test('a hang longer than the lease: the work is given up before anything else', () => {
    const bench = new Bench();
    const machine = bench.up();
    bench.dispatch(1);
    bench.until(10);
    machine.hang();
    bench.until(35);
    machine.resume(interval);
    bench.until(100);
    expect(bench.take()).toEqual(['0 0 begins 1', '10 0 hangs', '35 0 stopped 1', '35 says hello 2', '35 0 goes on']);
  });

  test('work that fails during a hang is told of when the hang ends', () => {
    const bench = new Bench();
    const machine = bench.up();
    bench.dispatch(1);
    bench.until(5);
    machine.hang();
    machine.failWork(1);
    bench.until(9);
    machine.resume(interval);
    bench.until(100);
    expect(bench.take()).toEqual([
      '0 0 begins 1',
      '5 0 hangs',
      '9 0 goes on',
      '9 0 failed 1',
      '9 says failed 1 9000000',
    ]);
  });

  test('a crash ends a hang', () => {
    const bench = new Bench();
    const machine = bench.up();
    machine.hang();
    machine.crash();
    machine.resume(interval);
    expect(machine.responsive).toBe(false);
    expect(bench.take()).toEqual(['0 0 hangs', '0 0 goes on']);
  });
});

describe('the gateway', () => {
  test('gathers the beats of those that are registered and respond', () => {
    const bench = new Bench(4);
    for (const index of [0, 1, 2]) bench.up(index);
    bench.machine(3).start();
    bench.machine(1).hang();
    bench.network.cut(firstMachineNode + 2, true);
    const batch = bench.gateway.tick(0);
    expect(batch).toMatchObject({ kind: 'heartbeats', batch: 1, count: 1 });
    expect([...(batch?.agents ?? [])]).toEqual([0]);
    expect([...(batch?.incarnations ?? [])]).toEqual([1]);
  });

  test('nobody beats: there is no batch', () => {
    const bench = new Bench(2);
    expect(bench.gateway.tick(0)).toBeUndefined();
  });

  test('an unchanged fleet sends the same arrays; a new incarnation is a change', () => {
    const bench = new Bench(2);
    bench.up(0);
    bench.up(1);
    const [one, two] = [bench.gateway.tick(0), bench.gateway.tick(1)];
    expect(two?.agents).toBe(one?.agents);
    bench.machine(0).crash();
    bench.up(0, 2);
    const three = bench.gateway.tick(2);
    expect([...(three?.incarnations ?? [])]).toEqual([2, 1]);
    expect([...(one?.incarnations ?? [])]).toEqual([1, 1]);
  });

  test('a receipt renews the leases of its batch from when that was sent; late and repeated ones do no harm', () => {
    const bench = new Bench(1);
    bench.up(0);
    const batch = bench.gateway.tick(20 * second)?.batch as number;
    bench.gateway.recorded(batch);
    bench.gateway.recorded(batch);
    bench.gateway.recorded(99);
    // Without the receipt it would give up at 30 s.
    bench.gateway.tick(49 * second);
    expect(bench.take()).toEqual([]);
    bench.gateway.tick(50 * second);
    expect(bench.take()).toEqual(['0 says hello 2']);
  });

  test('each tick is the agents’ own check of their lease', () => {
    const bench = new Bench(1);
    bench.up(0);
    bench.dispatch(1);
    bench.take();
    bench.gateway.tick(30 * second);
    expect(bench.take()).toEqual(['0 0 stopped 1', '0 says hello 2']);
  });
});
