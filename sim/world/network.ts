// The simulated network: every message between the kernel, the submitter and the machines takes its time, and may be lost,
// doubled, overtaken or cut off, as the scenario says, drawn from the network's own stream. With zero latency a message has
// the same timestamp and the next sequence, so that messages arrive in the order in which they were sent.

import type { RandomStream } from '../../core/base/random.ts';
import { eventPriority } from '../engine/priority.ts';
import type { Simulation } from '../engine/simulation.ts';
import type { NetworkSpec } from '../experiment/scenario.ts';
import { sampleLatency } from './latency.ts';

/** Addresses: the kernel, the submitter, the gateway, and machine i at `firstMachineNode + i`. */
export const kernelNode = 0;
export const submitterNode = 1;
export const gatewayNode = 2;
export const firstMachineNode = 3;

/** Size on the wire that is charged for, bytes: headers and a few fields. */
export const messageBytes = 256;
export const bytesPerHeartbeat = 8;

/** Messages that a clogged link holds; further ones are lost. */
const cloggedMax = 10_000;

export class Network {
  private readonly simulation: Simulation;
  private spec: NetworkSpec;
  private readonly random: RandomStream;
  private perfect: boolean;
  /** 1 while a partition cuts the node off. */
  private readonly cutOff: Uint8Array;
  private readonly extraLoss: Float64Array;
  /** What clogged nodes were sent, by node. */
  private readonly clogged = new Map<number, (() => void)[]>();
  /** Nodes that are cut off, and nodes with a loss of their own. */
  private disturbedCount = 0;
  /** When the node's link is free again, with limited bandwidth. */
  private readonly linkFreeMicros: Float64Array;
  sentCount = 0;
  lostCount = 0;

  constructor(simulation: Simulation, spec: NetworkSpec, nodeCount: number, random: RandomStream) {
    this.simulation = simulation;
    this.spec = spec;
    this.random = random;
    this.perfect = isPerfect(spec);
    this.cutOff = new Uint8Array(nodeCount);
    this.extraLoss = new Float64Array(nodeCount);
    this.linkFreeMicros = new Float64Array(nodeCount);
  }

  /** Sends `payload`; it arrives, perhaps, as an event of `handler` with `target`. `node` is the end that is not the kernel. */
  send(node: number, handler: number, target: number, payload: unknown, bytes: number): void {
    const clog = this.clogged.get(node);
    if (clog !== undefined) {
      if (clog.length < cloggedMax) clog.push(() => this.send(node, handler, target, payload, bytes));
      else this.lostCount++;
      return;
    }
    this.sentCount++;
    if (this.perfect && this.cutOff[node] === 0 && this.extraLoss[node] === 0) {
      this.arrive(this.spec.latency.meanMicros, handler, target, payload);
      return;
    }
    if (!this.passes(node)) {
      this.lostCount++;
      return;
    }
    const { duplication, reordering, bandwidthBytesPerSecond, latency } = this.spec;
    let delay = sampleLatency(this.random, latency);
    if (bandwidthBytesPerSecond > 0) {
      const now = this.simulation.nowMicros;
      const begin = Math.max(now, this.linkFreeMicros[node] as number);
      const end = begin + Math.ceil((bytes * 1_000_000) / bandwidthBytesPerSecond);
      this.linkFreeMicros[node] = end;
      delay += end - now;
    }
    // An overtaken message waits for several others to pass.
    if (reordering > 0 && this.random.nextFloat() < reordering) delay += 1 + 4 * sampleLatency(this.random, latency);
    this.arrive(delay, handler, target, payload);
    if (duplication > 0 && this.random.nextFloat() < duplication) {
      this.arrive(delay + 1 + sampleLatency(this.random, latency), handler, target, payload);
    }
  }

  /** Whether one message to or from `node` gets through now; draws from the stream if it may be lost. */
  passes(node: number): boolean {
    if ((this.cutOff[node] as number) > 0 || this.clogged.has(node)) return false;
    const loss = Math.max(this.spec.loss, this.extraLoss[node] as number);
    return loss === 0 || this.random.nextFloat() >= loss;
  }

  /** True if every message gets through at present, without a draw. */
  get isCalm(): boolean {
    return this.spec.loss === 0 && this.disturbedCount === 0;
  }

  /** From now on no message is lost, doubled or overtaken by itself. */
  calm(): void {
    this.spec = { ...this.spec, loss: 0, duplication: 0, reordering: 0 };
    this.perfect = isPerfect(this.spec);
  }

  cut(node: number, cut: boolean): void {
    const value = cut ? 1 : 0;
    this.disturbedCount += value - (this.cutOff[node] as number);
    this.cutOff[node] = value;
  }

  /** A clogged link delivers nothing, and when it is free again everything at once, in the order in which it was sent. */
  clog(node: number, clogged: boolean): void {
    const held = this.clogged.get(node);
    if (clogged === (held !== undefined)) return;
    this.disturbedCount += clogged ? 1 : -1;
    if (clogged) this.clogged.set(node, []);
    else this.clogged.delete(node);
    for (const send of held ?? []) send();
  }

  setLoss(node: number, probability: number): void {
    this.disturbedCount += (probability > 0 ? 1 : 0) - ((this.extraLoss[node] as number) > 0 ? 1 : 0);
    this.extraLoss[node] = probability;
  }

  private arrive(delayMicros: number, handler: number, target: number, payload: unknown): void {
    this.simulation.schedule(this.simulation.nowMicros + delayMicros, eventPriority.message, handler, target, payload);
  }
}

/** Every message takes the same time, and nothing is drawn. */
function isPerfect({ loss, duplication, reordering, bandwidthBytesPerSecond, latency }: NetworkSpec): boolean {
  return (
    loss === 0 &&
    duplication === 0 &&
    reordering === 0 &&
    bandwidthBytesPerSecond === 0 &&
    latency.distribution === 'constant'
  );
}
