// What a simulated producer publishes to a durable topic: its messages as a function of their sequence. Key, priority, deadline,
// delay and payload of a message are computed anew wherever they are needed, by the producer that sends it again and by the
// oracle that looks at its delivery, so that nobody has to remember a million of them.

import type { PublishInput, TensorOwnedInput, TensorReference } from '../../core/bus/topics/topic-protocol.ts';

/** How the messages of a producer are made. Shares are 0…1. */
export interface TopicStreamSpec {
  readonly topic: string;
  readonly messages: number;
  readonly startMicros: number;
  /** So many are due at one instant, the next so many `gapMicros` later. */
  readonly burst: number;
  readonly gapMicros: number;
  /** 0: no keys. */
  readonly keys: number;
  /** Share of the messages that have the first key. */
  readonly hotShare: number;
  readonly prioritized: boolean;
  readonly deadlineShare: number;
  readonly deadlineMicros: number;
  readonly delayShare: number;
  readonly delayMicros: number;
  readonly payloadBytesMax: number;
  /** Every so many messages one refers to a tensor; 0: none. */
  readonly tensorEvery: number;
  readonly tensorLeaseMicros: number;
}

const poolLength = 64;
const choices = 256;

export class TopicStream {
  readonly index: number;
  /** The producer's name. */
  readonly producer: string;
  readonly spec: TopicStreamSpec;
  readonly payloads: readonly Uint8Array[];
  private readonly salt: number;
  private readonly keys: readonly (string | undefined)[];

  constructor(index: number, producer: string, spec: TopicStreamSpec, seed: number) {
    this.index = index;
    this.producer = producer;
    this.spec = spec;
    this.salt = mix(mix(seed) ^ (index + 1));
    const payloads: Uint8Array[] = [];
    for (let number = 0; number < poolLength; number++) {
      const length = mix(this.salt ^ (number * 7919)) % (spec.payloadBytesMax + 1);
      payloads.push(Uint8Array.from({ length }, (_, at) => mix(this.salt + number * 1009 + at) & 255));
    }
    this.payloads = payloads;
    const keys: (string | undefined)[] = [];
    for (let choice = 0; choice < choices; choice++) {
      const isHot = choice < spec.hotShare * choices;
      keys.push(spec.keys === 0 ? undefined : `k${isHot ? 0 : mix(this.salt ^ (choice * 31)) % spec.keys}`);
    }
    this.keys = keys;
  }

  /** When the producer means to send it. */
  dueMicros(sequence: number): number {
    const { startMicros, burst, gapMicros } = this.spec;
    return startMicros + Math.floor((sequence - 1) / burst) * gapMicros;
  }

  /** Sequences due at `nowMicros`, from 1 to this one. */
  dueThrough(nowMicros: number): number {
    const { startMicros, burst, gapMicros, messages } = this.spec;
    if (nowMicros < startMicros) return 0;
    if (gapMicros === 0) return messages;
    return Math.min(messages, (Math.floor((nowMicros - startMicros) / gapMicros) + 1) * burst);
  }

  key(sequence: number): string | undefined {
    return this.keys[this.draw(sequence) & (choices - 1)];
  }

  priority(sequence: number): number {
    if (!this.spec.prioritized) return 0;
    const drawn = (this.draw(sequence) >>> 8) & 15;
    return drawn < 10 ? 0 : drawn < 14 ? 4 : 9;
  }

  /** −1: none. */
  deadlineMicros(sequence: number): number {
    const { deadlineShare, deadlineMicros } = this.spec;
    if (deadlineShare === 0 || ((this.draw(sequence) >>> 12) & 1023) >= deadlineShare * 1024) return -1;
    return this.dueMicros(sequence) + deadlineMicros;
  }

  /** −1: at once. */
  deliverAtMicros(sequence: number): number {
    const { delayShare, delayMicros } = this.spec;
    if (delayShare === 0 || ((this.draw(sequence) >>> 22) & 1023) >= delayShare * 1024) return -1;
    return this.dueMicros(sequence) + delayMicros;
  }

  payload(sequence: number): Uint8Array {
    return this.payloads[(this.draw(sequence) >>> 5) & (poolLength - 1)]!;
  }

  hasTensor(sequence: number): boolean {
    const { tensorEvery } = this.spec;
    return tensorEvery > 0 && sequence % tensorEvery === 0;
  }

  tensors(sequence: number): readonly TensorReference[] | undefined {
    return this.hasTensor(sequence) ? [this.tensor(sequence)] : undefined;
  }

  tensorName(sequence: number): string {
    return `${this.producer}/${sequence}`;
  }

  /** Of whose message a tensor of this stream is. */
  sequenceOf(tensor: string): number {
    return Number(tensor.slice(tensor.indexOf('/') + 1));
  }

  publication(sequence: number, timeMicros: number, settledSequence: number | undefined): PublishInput {
    const deadlineMicros = this.deadlineMicros(sequence);
    const deliverAtMicros = this.deliverAtMicros(sequence);
    return {
      kind: 'publish',
      timeMicros,
      topic: this.spec.topic,
      producer: this.producer,
      sequence,
      settledSequence,
      key: this.key(sequence),
      priority: this.priority(sequence),
      deadlineMicros: deadlineMicros < 0 ? undefined : deadlineMicros,
      deliverAtMicros: deliverAtMicros < 0 ? undefined : deliverAtMicros,
      parent: undefined,
      tensors: this.tensors(sequence),
      digest: undefined,
      payload: this.payload(sequence),
    };
  }

  announcement(sequence: number, timeMicros: number): TensorOwnedInput {
    const { tensor, sizeBytes, digest } = this.tensor(sequence);
    return {
      kind: 'tensorOwned',
      timeMicros,
      owner: this.producer,
      tensor,
      sizeBytes,
      digest,
      publications: 1,
      leaseEndMicros: this.leaseEndMicros(sequence),
    };
  }

  /** Some have a short lease, some none, most one that outlives them. */
  leaseEndMicros(sequence: number): number {
    const kind = (this.draw(sequence) >>> 9) & 7;
    if (kind === 0) return -1;
    const { tensorLeaseMicros } = this.spec;
    return this.dueMicros(sequence) + (kind === 1 ? Math.ceil(tensorLeaseMicros / 50) : tensorLeaseMicros);
  }

  private tensor(sequence: number): TensorReference {
    const digest = Uint8Array.from({ length: 8 }, (_, at) => mix(this.draw(sequence) + at) & 255);
    return { tensor: this.tensorName(sequence), sizeBytes: 1024 + sequence, digest };
  }

  private draw(sequence: number): number {
    return mix(this.salt ^ sequence);
  }
}

/** Thirty-two bits as good as drawn, from thirty-two bits (Wellons, "Prospecting for hash functions", lowbias32). */
export function mix(value: number): number {
  let mixed = value | 0;
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x21f0aaad);
  mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
  return (mixed ^ (mixed >>> 15)) >>> 0;
}
