// Requests as the simulator plays them: each a gang of tasks, one a member, that start together. A member computes its part at its
// accelerator's speed; before that it waits for the tensors of the others, whose time follows from the links between where they
// stand, and for those that are slower: all members end together. Who stands where is seen from the kernel's dispatches.

import { microsPerSecond } from '../../../core/base/time.ts';
import type { Effect, TaskEnded } from '../../../core/kernel/effects.ts';
import type { ResourceRequest } from '../../../core/scheduler/request.ts';
import type { Workload, WorkloadTask, WorkRun } from '../../../sim/workload/workload.ts';
import type { WorldObserver } from '../../../sim/world/observer.ts';
import { type AgentFleet, gigabitsBetween, workClasses } from './agent-fleet.ts';
import type { AgentRequest } from './agent-requests.ts';

const request: ResourceRequest = {
  cpuMilli: 4000,
  memoryMib: 16_384,
  gpuCount: 1,
  gpuMilli: 1000,
  gpuModels: [],
  machineCount: 1,
};

interface Group {
  readonly request: AgentRequest;
  /** By member; −1 before it was dispatched. */
  readonly machines: number[];
  ended: number;
}

export class AgentGroups implements WorldObserver {
  /** Seconds from arrival to the end of the last member, by request that has ended. */
  readonly completionSeconds: number[] = [];
  /** Gigabits of the requests that have ended, by the way that they took: within machines, within racks, between racks. */
  readonly gigabits = { machine: 0, rack: 0, uplink: 0 };
  readonly workload: Workload;
  private readonly fleet: AgentFleet;
  private readonly machineOfName = new Map<string, number>();
  private readonly machineOfAgent: number[] = [];
  private readonly memberOf: { readonly group: Group; readonly member: number }[] = [];

  constructor(fleet: AgentFleet, requests: readonly AgentRequest[]) {
    this.fleet = fleet;
    for (const [machine, { name }] of fleet.machines.entries()) this.machineOfName.set(name, machine);
    this.workload = { tasks: () => this.tasks(requests), typicalTasks: () => [], notes: [] };
  }

  kernelEffect(effect: Effect): void {
    if (effect.kind === 'agentRegistered') {
      this.machineOfAgent[effect.agent] = this.machineOfName.get(effect.name)!;
    } else if (effect.kind === 'dispatch') {
      const { group, member } = this.memberOf[effect.submission]!;
      group.machines[member] = this.machineOfAgent[effect.agent]!;
    }
  }

  taskEnded({ submission }: TaskEnded, nowMicros: number): void {
    const { group } = this.memberOf[submission]!;
    if (++group.ended < group.machines.length) return;
    this.completionSeconds.push((nowMicros - group.request.arrivalMicros) / microsPerSecond);
    const { machines } = group;
    for (const [member, first] of machines.entries()) {
      for (const second of machines.slice(member + 1)) {
        const way =
          first === second ? 'machine' : this.fleet.rackOf[first] === this.fleet.rackOf[second] ? 'rack' : 'uplink';
        this.gigabits[way] += group.request.gigabits;
      }
    }
  }

  private *tasks(requests: readonly AgentRequest[]): Generator<WorkloadTask> {
    for (const [number, asked] of requests.entries()) {
      const { groupSize, workClass, plainSeconds, arrivalMicros } = asked;
      const group: Group = { request: asked, machines: new Array<number>(groupSize).fill(-1), ended: 0 };
      const seconds = plainSeconds / groupSize;
      const size = seconds * this.fleet.plainRate(workClass);
      for (let member = 0; member < groupSize; member++) {
        // Submissions are numbered from 1 in the order of arrival.
        this.memberOf[this.memberOf.length === 0 ? 1 : this.memberOf.length] = { group, member };
        yield {
          name: `request-${number + 1}-${member + 1}`,
          arrivalMicros,
          request,
          durationMicros: Math.max(1, Math.round(seconds * microsPerSecond)),
          estimateMicros: Math.max(1, Math.round(seconds * microsPerSecond)),
          priority: 0,
          tenant: 'default',
          taskClass: workClasses[workClass]!,
          size,
          run: (machine) => this.runOf(group, machine, size),
          ...(groupSize === 1 ? {} : { gang: { name: `request-${number + 1}`, size: groupSize } }),
        };
      }
    }
  }

  private runOf({ request: asked, machines }: Group, machine: number, size: number): WorkRun {
    const micros = (where: number): number => (size / this.fleet.rate(where, asked.workClass)) * microsPerSecond;
    const own = micros(machine);
    let slowest = own;
    let exchange = 0;
    for (const [first, where] of machines.entries()) {
      slowest = Math.max(slowest, micros(where));
      let seconds = 0;
      for (const [second, other] of machines.entries())
        if (second !== first) seconds += asked.gigabits / machines.length / gigabitsBetween(this.fleet, where, other);
      exchange = Math.max(exchange, seconds * microsPerSecond);
    }
    return {
      durationMicros: Math.max(1, Math.round(own)),
      setUpMicros: Math.round(exchange + slowest - own),
      fails: false,
      joules: 0,
    };
  }
}
