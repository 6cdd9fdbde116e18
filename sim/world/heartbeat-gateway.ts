// The gateway between the machines and the kernel: every interval it lets each agent check its lease, gathers the heartbeats
// that get through into one batch for the kernel, and passes the kernel's receipt on to the agents of that batch. While nothing
// changes in the fleet, no lease is near its end and the network loses nothing, it knows the outcome without asking anybody:
// otherwise a fleet of a thousand machines would spend a tenth of a run on asking.

import type { Heartbeats } from '../../core/kernel/inputs.ts';
import type { Machine } from './machine.ts';
import { firstMachineNode, type Network } from './network.ts';

interface SentBatch {
  readonly batch: number;
  readonly sentMicros: number;
  readonly machines: Int32Array;
}

/** Receipts are awaited for so many batches; older ones are forgotten. */
const sentBatchesMax = 8;

export class HeartbeatGateway {
  private readonly machines: readonly Machine[];
  private readonly network: Network;
  private readonly intervalMicros: number;
  private batchCount = 0;
  private isDown = false;
  private readonly sent: SentBatch[] = [];
  private readonly scratch: Int32Array;
  /** The last batch's arrays: an unchanged fleet sends them again. */
  private beating = new Int32Array(0);
  private agents = new Int32Array(0);
  private incarnations = new Int32Array(0);
  /** Something may differ from what the last batch says. */
  private fleetChanged = true;
  /** No lease of the last batch's agents ends before this; each heartbeat renews for at least so long. */
  private leaseFloorMicros = 0;
  private leaseLengthMicrosMin = 0;
  /** Receipt for the last batch's agents that they have not been told of, by when it was sent; −1 if there is none. */
  private untoldMicros = -1;

  constructor(machines: readonly Machine[], network: Network, intervalMicros: number) {
    this.machines = machines;
    this.network = network;
    this.intervalMicros = intervalMicros;
    this.scratch = new Int32Array(machines.length);
    for (const machine of machines) {
      machine.beforeChange = () => {
        this.tell();
        this.fleetChanged = true;
      };
    }
  }

  /** The process dies: what it knew of its batches is gone. Agents look after their leases themselves. */
  crash(): void {
    this.tell();
    this.isDown = true;
    this.sent.length = 0;
    this.fleetChanged = true;
  }

  /** It comes back. Receipts for the batches of its former life may still come, so its numbers go on behind all that can have been
   *  used: they follow from the clock. */
  start(nowMicros: number): void {
    if (!this.isDown) return;
    this.isDown = false;
    this.batchCount = Math.floor(nowMicros / this.intervalMicros) + 1;
  }

  /** One interval has passed: the batch to send to the kernel, or undefined if nobody beats. */
  tick(nowMicros: number): Heartbeats | undefined {
    if (this.isDown) {
      this.askAll(nowMicros);
      this.fleetChanged = true;
      return undefined;
    }
    this.batchCount++;
    const known = this.isSettled && nowMicros + this.intervalMicros < this.leaseFloorMicros;
    if (!known) this.askAll(nowMicros);
    const count = this.beating.length;
    if (count === 0) return undefined;
    this.sent.push({ batch: this.batchCount, sentMicros: nowMicros, machines: this.beating });
    if (this.sent.length > sentBatchesMax) this.sent.shift();
    return {
      kind: 'heartbeats',
      gateway: 0,
      batch: this.batchCount,
      agents: this.agents,
      incarnations: this.incarnations,
      count,
    };
  }

  /** The kernel has recorded a batch. `leaseMicros`: how long leases are from it on, where that has changed. */
  recorded(batch: number, leaseMicros?: number): void {
    const position = this.sent.findIndex((sent) => sent.batch === batch);
    if (position < 0) return;
    const { sentMicros, machines } = this.sent[position] as SentBatch;
    this.sent.splice(position, 1);
    if (this.isSettled && machines === this.beating && leaseMicros === undefined) {
      this.untoldMicros = Math.max(this.untoldMicros, sentMicros);
      this.leaseFloorMicros = Math.max(this.leaseFloorMicros, sentMicros + this.leaseLengthMicrosMin);
      return;
    }
    this.tell();
    for (const index of machines) {
      const machine = this.machines[index] as Machine;
      if (machine.responsive && this.network.passes(firstMachineNode + index))
        machine.leaseRenewed(sentMicros, leaseMicros);
    }
  }

  private get isSettled(): boolean {
    return !this.fleetChanged && this.network.isCalm;
  }

  /** Lets every agent look at its lease, and makes the list of those that beat. */
  private askAll(nowMicros: number): void {
    this.tell();
    const { machines, scratch, beating, incarnations } = this;
    let count = 0;
    let unchanged = true;
    this.fleetChanged = false;
    this.leaseFloorMicros = Number.POSITIVE_INFINITY;
    this.leaseLengthMicrosMin = Number.POSITIVE_INFINITY;
    for (let index = 0; index < machines.length; index++) {
      const machine = machines[index] as Machine;
      if (!machine.responsive) continue;
      const { agent } = machine;
      machine.tick(nowMicros, this.intervalMicros);
      // What a clock of its own shows is not known without asking.
      if (!machine.clock.isTrue) this.fleetChanged = true;
      if (!agent.beats) continue;
      if (!this.network.passes(firstMachineNode + index)) {
        this.fleetChanged = true;
        continue;
      }
      if (beating[count] !== index || incarnations[count] !== agent.currentIncarnation) unchanged = false;
      scratch[count++] = index;
      this.leaseFloorMicros = Math.min(this.leaseFloorMicros, agent.leaseEndMicros);
      this.leaseLengthMicrosMin = Math.min(this.leaseLengthMicrosMin, agent.leaseLengthMicros);
    }
    if (unchanged && count === beating.length) return;
    this.beating = scratch.slice(0, count);
    this.agents = this.beating.map((index) => (machines[index] as Machine).agent.agent);
    this.incarnations = this.beating.map((index) => (machines[index] as Machine).agent.currentIncarnation);
  }

  /** Passes on what was put off. Nothing has changed since, so that it comes to the same. */
  private tell(): void {
    if (this.untoldMicros < 0) return;
    for (const index of this.beating) (this.machines[index] as Machine).leaseRenewed(this.untoldMicros);
    this.untoldMicros = -1;
  }
}
