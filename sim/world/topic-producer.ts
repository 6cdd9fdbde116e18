// A simulated producer of a durable topic: sends what is due, a window at a time, over a network that loses, doubles and reorders;
// sends again what is not confirmed, and now and then what is. After a crash it goes on from what it had written down, or has
// forgotten everything and begins under a new name. What its messages hold is the stream's.

import type { RandomStream } from '../../core/base/random.ts';
import type {
  PublishedEffect,
  RefusedEffect,
  TensorKeptEffect,
  TensorReleasedEffect,
} from '../../core/bus/topics/topic-protocol.ts';
import { eventPriority } from '../engine/priority.ts';
import type { Simulation } from '../engine/simulation.ts';
import { TopicBits } from '../oracle/topic-bits.ts';
import type { Network } from './network.ts';
import { TopicStream, type TopicStreamSpec } from './topic-stream.ts';

export interface TopicProducerSpec {
  readonly name: string;
  readonly stream: TopicStreamSpec;
  /** Sent and not confirmed, at most. */
  readonly window: number;
  readonly retryMicros: number;
  /** Share of sendings that are made twice, or repeat what is confirmed. */
  readonly repeatShare: number;
  /** Says which sequences it will never send again. */
  readonly settles: boolean;
  /** A crash takes all that it knows, its name too. */
  readonly forgets: boolean;
}

/** What goes to the broker: these sequences of a stream. */
export interface Publications {
  readonly stream: TopicStream;
  readonly sequences: readonly number[];
  /** Those of them whose tensor is announced, and which are not published yet. */
  readonly announced: ReadonlySet<number> | undefined;
  /** Those are published as well: their tensors may be known, or gone. */
  readonly isRepeat: boolean;
  readonly settledSequence: number | undefined;
}

export type ProducerNews = PublishedEffect | RefusedEffect | TensorKeptEffect | TensorReleasedEffect;

export interface TopicProducerOptions {
  readonly index: number;
  readonly spec: TopicProducerSpec;
  readonly seed: number;
  readonly simulation: Simulation;
  readonly network: Network;
  readonly random: RandomStream;
  /** Takes what arrives at the broker. */
  readonly publishHandler: number;
  readonly releasedHandler: number;
  /** A stream under this name begins. */
  readonly begins: (stream: TopicStream) => void;
}

const sequencesMax = 512;
/** About that many bytes of a message are not payload. */
const headBytes = 40;

export class TopicProducer {
  readonly spec: TopicProducerSpec;
  stream: TopicStream;
  /** Publications of the present stream that the broker has confirmed, from 1. */
  confirmed = new TopicBits(1);
  private readonly options: TopicProducerOptions;
  private next = 1;
  private incarnation = 1;
  private isDown = false;
  private progressMicros = 0;
  private needsTensor = new Set<number>();
  private readonly tickHandler: number;
  private life = 0;
  refusals = 0;
  repeats = 0;
  /** Of former streams: sequences that were confirmed. */
  formerConfirmed = 0;

  constructor(options: TopicProducerOptions) {
    this.options = options;
    this.spec = options.spec;
    this.stream = this.begin(options.spec.stream);
    this.tickHandler = options.simulation.defineHandler('producer ticks', (life) => {
      if (life === this.life) this.tick();
    });
    this.schedule(this.stream.dueMicros(1));
  }

  get index(): number {
    return this.options.index;
  }

  /** Everything that it means to publish is confirmed. */
  get isDone(): boolean {
    return this.confirmed.floor > this.stream.spec.messages;
  }

  /** News of one instant. */
  receive(news: readonly ProducerNews[]): void {
    if (this.isDown) return;
    const { options, stream } = this;
    const { nowMicros } = options.simulation;
    for (const effect of news) {
      if (effect.kind === 'published') {
        if (effect.producer === stream.producer && this.confirmed.add(effect.sequence)) this.progressMicros = nowMicros;
      } else if (effect.kind === 'refused') {
        this.refusals++;
        if (effect.input === 'publish' && effect.client === stream.producer && stream.hasTensor(effect.sequence))
          this.needsTensor.add(effect.sequence);
      } else if (effect.kind === 'tensorKept') {
        if (effect.owner !== stream.producer) continue;
        const sequence = stream.sequenceOf(effect.tensor);
        this.needsTensor.delete(sequence);
        if (!this.confirmed.has(sequence)) this.send([sequence], false);
      } else {
        options.network.send(options.index, options.releasedHandler, 0, effect.tensor, headBytes);
      }
    }
    this.sendDue();
  }

  crash(): void {
    this.isDown = true;
    this.life++;
  }

  restart(): void {
    if (!this.isDown) return;
    this.isDown = false;
    const { nowMicros } = this.options.simulation;
    if (this.spec.forgets && !this.isDone) {
      const { spec } = this.stream;
      const done = this.confirmed.floor - 1;
      this.formerConfirmed += done;
      this.incarnation++;
      this.stream = this.begin({ ...spec, messages: spec.messages - done, startMicros: nowMicros + 1 });
      this.confirmed = new TopicBits(1);
      this.needsTensor = new Set();
    }
    this.next = this.confirmed.floor;
    this.schedule(nowMicros + 1);
  }

  private begin(spec: TopicStreamSpec): TopicStream {
    const { index, seed } = this.options;
    const name = this.incarnation === 1 ? this.spec.name : `${this.spec.name}#${this.incarnation}`;
    const stream = new TopicStream(index * 64 + this.incarnation, name, spec, seed);
    this.options.begins(stream);
    return stream;
  }

  private schedule(atMicros: number): void {
    const { simulation } = this.options;
    simulation.schedule(
      Math.max(atMicros, simulation.nowMicros + 1),
      eventPriority.arrival,
      this.tickHandler,
      this.life,
      undefined,
    );
  }

  /** At each burst, and once in a while when all is sent. */
  private tick(): void {
    const { stream, spec, options } = this;
    const { nowMicros } = options.simulation;
    if (this.isDone) return;
    this.sendDue();
    if (this.confirmed.floor < this.next && nowMicros - this.progressMicros >= spec.retryMicros) this.sendMissing();
    const dueMicros = this.next <= stream.spec.messages ? stream.dueMicros(this.next) : Number.POSITIVE_INFINITY;
    const blocked = dueMicros <= nowMicros;
    this.schedule(blocked ? nowMicros + spec.retryMicros : Math.min(dueMicros, nowMicros + spec.retryMicros));
  }

  private sendDue(): void {
    const { stream, spec, options } = this;
    const through = Math.min(stream.dueThrough(options.simulation.nowMicros), this.confirmed.floor - 1 + spec.window);
    while (this.next <= through) {
      const end = Math.min(through, this.next + sequencesMax - 1);
      const sequences: number[] = [];
      for (; this.next <= end; this.next++) if (!this.confirmed.has(this.next)) sequences.push(this.next);
      if (sequences.length > 0) this.send(sequences, true);
    }
  }

  private sendMissing(): void {
    this.progressMicros = this.options.simulation.nowMicros;
    const sequences: number[] = [];
    for (let sequence = this.confirmed.floor; sequence < this.next && sequences.length < sequencesMax; sequence++)
      if (!this.confirmed.has(sequence)) sequences.push(sequence);
    this.repeats += sequences.length;
    this.send(sequences, false);
  }

  private send(sequences: readonly number[], isFirst: boolean): void {
    const { stream, spec, options } = this;
    const { network, index, random, publishHandler } = options;
    let announced: Set<number> | undefined;
    if (stream.spec.tensorEvery > 0) {
      announced = new Set(
        sequences.filter((sequence) => stream.hasTensor(sequence) && (isFirst || this.needsTensor.has(sequence))),
      );
    }
    const settledSequence = spec.settles ? this.confirmed.floor - 1 : undefined;
    const bytes = sequences.length * (headBytes + stream.spec.payloadBytesMax / 2);
    network.send(
      index,
      publishHandler,
      index,
      { stream, sequences, announced, settledSequence, isRepeat: !isFirst },
      bytes,
    );
    if (spec.repeatShare === 0 || random.nextFloat() >= spec.repeatShare) return;
    // What is confirmed long since as well, but nothing that it has said it would never send again.
    const from = spec.settles ? this.confirmed.floor : Math.max(1, sequences[0]! - random.nextBelow(64));
    const again: number[] = [];
    for (let sequence = from; sequence < this.next && again.length < 64; sequence++) again.push(sequence);
    if (again.length === 0) return;
    this.repeats += again.length;
    const repeated: Publications = { stream, sequences: again, announced: undefined, settledSequence, isRepeat: true };
    network.send(index, publishHandler, index, repeated, again.length * headBytes);
  }
}
