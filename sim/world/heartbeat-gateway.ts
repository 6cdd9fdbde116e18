// The gateway between the machines and the kernel: every interval it lets each agent check its lease, gathers the heartbeats
// that get through into one batch for the kernel, and passes the kernel's receipt on to the agents of that batch.

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
  private readonly sent: SentBatch[] = [];
  private readonly scratch: Int32Array;
  /** The last batch's arrays: an unchanged fleet sends them again. */
  private beating = new Int32Array(0);
  private agents = new Int32Array(0);
  private incarnations = new Int32Array(0);

  constructor(machines: readonly Machine[], network: Network, intervalMicros: number) {
    this.machines = machines;
    this.network = network;
    this.intervalMicros = intervalMicros;
    this.scratch = new Int32Array(machines.length);
  }

  /** One interval has passed: the batch to send to the kernel, or undefined if nobody beats. */
  tick(nowMicros: number): Heartbeats | undefined {
    const { machines, scratch, beating, incarnations } = this;
    let count = 0;
    let unchanged = true;
    for (let index = 0; index < machines.length; index++) {
      const machine = machines[index] as Machine;
      if (!machine.responsive) continue;
      const { agent } = machine;
      agent.tick(nowMicros, this.intervalMicros);
      if (!agent.beats || !this.network.passes(firstMachineNode + index)) continue;
      if (beating[count] !== index || incarnations[count] !== agent.currentIncarnation) unchanged = false;
      scratch[count++] = index;
    }
    this.batchCount++;
    if (count === 0) return undefined;
    if (!unchanged || count !== beating.length) {
      this.beating = scratch.slice(0, count);
      this.agents = this.beating.map((index) => (machines[index] as Machine).agent.agent);
      this.incarnations = this.beating.map((index) => (machines[index] as Machine).agent.currentIncarnation);
    }
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

  /** The kernel has recorded a batch. */
  recorded(batch: number): void {
    const position = this.sent.findIndex((sent) => sent.batch === batch);
    if (position < 0) return;
    const { sentMicros, machines } = this.sent[position] as SentBatch;
    this.sent.splice(position, 1);
    for (const index of machines) {
      const machine = this.machines[index] as Machine;
      if (machine.responsive && this.network.passes(firstMachineNode + index)) machine.agent.leaseRenewed(sentMicros);
    }
  }
}
