// The promise of agents: one that runs and has no answer says it again. A hello is repeated until the kernel has registered it, a
// result until the kernel has recorded it. The fleet hides an agent that falls silent for ever, since others do its work: that it
// is missed must not depend on whether a task gets stuck.

import type { AgentMessage } from '../../core/client/agent-client.ts';
import type { Dispatch, Effect } from '../../core/kernel/effects.ts';
import type { InputBody } from '../../core/kernel/inputs.ts';
import type { MachineSpec } from '../workload/workload.ts';
import type { WorldObserver } from '../world/observer.ts';
import type { Fail } from './violation.ts';

export interface AgentDutyOptions {
  readonly machines: readonly Pick<MachineSpec, 'name'>[];
  /** After how long agents repeat what has no answer. */
  readonly retryMicros: number;
}

interface Watched {
  up: boolean;
  hung: boolean;
  /** When it could begin to speak: its start, or the end of its last hang. */
  sinceMicros: number;
  incarnation: number;
  /** Whether the kernel has registered this incarnation: the answer may be on its way whenever the agent says hello again. */
  registered: boolean;
  /** When the hello that is without an answer was last said; −1 if there is none. */
  helloMicros: number;
  /** Attempts begun in this incarnation whose results are not recorded: when the result was last said, −1 before there is one. */
  readonly results: Map<number, number>;
}

export class AgentDutyOracle implements WorldObserver {
  private readonly retryMicros: number;
  private readonly fail: Fail;
  private readonly watched: Watched[];
  private readonly machineOf = new Map<string, number>();
  /** Machine by the kernel's agent number. */
  private readonly machineOfAgent: number[] = [];

  constructor({ machines, retryMicros }: AgentDutyOptions, fail: Fail) {
    // By their own clocks, which may be slow.
    this.retryMicros = Math.ceil(1.02 * retryMicros);
    this.fail = fail;
    for (const [machine, { name }] of machines.entries()) this.machineOf.set(name, machine);
    const fresh = { up: false, hung: false, sinceMicros: 0, incarnation: -1, registered: false, helloMicros: -1 };
    this.watched = machines.map(() => ({ ...fresh, results: new Map<number, number>() }));
  }

  machineUp(machine: number, up: boolean, nowMicros: number): void {
    const watched = this.at(machine);
    watched.up = up;
    watched.hung = false;
    watched.sinceMicros = nowMicros;
    // It begins with a hello.
    watched.helloMicros = up ? nowMicros : -1;
    watched.results.clear();
  }

  machineHung(machine: number, hung: boolean, nowMicros: number): void {
    const watched = this.at(machine);
    watched.hung = hung;
    watched.sinceMicros = nowMicros;
  }

  agentSaid(machine: number, message: AgentMessage, nowMicros: number): void {
    const watched = this.at(machine);
    if (message.kind === 'agentHello') {
      if (message.incarnation !== watched.incarnation) {
        watched.results.clear();
        watched.incarnation = message.incarnation;
        watched.registered = false;
      }
      watched.helloMicros = watched.registered ? -1 : nowMicros;
    } else if (message.kind === 'taskFinished' && watched.results.has(message.attempt)) {
      watched.results.set(message.attempt, nowMicros);
    }
  }

  workStarted({ attempt }: Dispatch, machines: readonly number[]): void {
    this.at(machines[0] as number).results.set(attempt, -1);
  }

  kernelEffect(effect: Effect): void {
    if (effect.kind === 'agentRegistered') {
      const machine = this.machineOf.get(effect.name);
      if (machine === undefined) return;
      this.machineOfAgent[effect.agent] = machine;
      const watched = this.at(machine);
      if (effect.incarnation !== watched.incarnation) return;
      watched.registered = true;
      watched.helloMicros = -1;
    } else if (effect.kind === 'resultRecorded') {
      const machine = this.machineOfAgent[effect.agent];
      if (machine !== undefined) this.at(machine).results.delete(effect.attempt);
    }
  }

  kernelInput(input: InputBody, nowMicros: number): void {
    if (input.kind === 'heartbeats') this.judge(nowMicros);
  }

  private judge(nowMicros: number): void {
    const isLate = (saidMicros: number, sinceMicros: number): boolean =>
      saidMicros >= 0 && nowMicros > Math.max(saidMicros, sinceMicros) + this.retryMicros;
    for (const [machine, { up, hung, sinceMicros, helloMicros, results }] of this.watched.entries()) {
      if (!up || hung) continue;
      if (isLate(helloMicros, sinceMicros)) {
        const what = `the agent of machine ${machine} said hello at ${helloMicros} µs, got no answer, and is silent since`;
        this.fail('duties', what, nowMicros, {});
      }
      for (const [attempt, saidMicros] of results) {
        if (!isLate(saidMicros, sinceMicros)) continue;
        const what = `the result of attempt ${attempt} was said at ${saidMicros} µs, is not recorded, and is not said again`;
        this.fail('duties', what, nowMicros, { attempt });
      }
    }
  }

  private at(machine: number): Watched {
    return this.watched[machine] as Watched;
  }
}
