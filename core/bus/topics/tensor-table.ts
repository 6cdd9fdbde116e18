// Tensors by reference: they stay with their owners, the topics carry name, size and digest. Promises: an owner is told to free
// a tensor once every group is durably done with every message that refers to it, or its lease has ended, never earlier; who
// would still get a tensor that is lost is told, once. Told means: again after an opening, if it may not have left before.

import { accepted, refused, type Status } from '../../base/status.ts';
import type { Ledger } from './ledger.ts';
import { decodeTensor, encodeTensor, type TensorFact, type TensorMention } from './tensor-record.ts';
import type { Topic } from './topic.ts';
import type { Timed, TopicEnvironment } from './topic-environment.ts';
import type {
  TensorLostInput,
  TensorOwnedInput,
  TensorReference,
  TensorReleasedEffect,
  TensorReleasedInput,
  TopicMessage,
} from './topic-protocol.ts';

interface Tensor extends Timed {
  readonly name: string;
  readonly fact: TensorFact;
  /** Its fact is on the disk: messages may refer to it. */
  isKept: boolean;
  /** Publications that refer to it, and mentions that some group is not done with. */
  mentioned: number;
  pending: number;
  isDirty: boolean;
}

interface PendingMention {
  readonly tensor: Tensor;
  readonly mention: TensorMention;
}

/** Ids of tensors among those who have deadlines, behind all groups. */
const firstId = 2 ** 40;
const none: readonly string[] = Object.freeze([]);

export class TensorTable {
  private readonly environment: TopicEnvironment;
  private readonly ledger: Ledger;
  private readonly topicOf: (number: number) => Topic | undefined;
  private readonly tensors = new Map<string, Tensor>();
  /** By number of the topic, in order of offset. */
  private readonly pending = new Map<number, PendingMention[]>();
  private dirty: Tensor[] = [];
  /** Facts that the ledger refused for the time being. */
  private readonly unwritten = new Map<Tensor, (() => void) | undefined>();
  /** Freed and remembered, oldest first. */
  private readonly freedNames: string[] = [];
  private nextId = firstId;
  private isOpen = false;

  constructor(environment: TopicEnvironment, ledger: Ledger, topicOf: (number: number) => Topic | undefined) {
    this.environment = environment;
    this.ledger = ledger;
    this.topicOf = topicOf;
  }

  get size(): number {
    return this.tensors.size;
  }

  own(input: TensorOwnedInput): Status {
    const { tensor: name, owner, sizeBytes, digest, publications, leaseEndMicros } = input;
    const known = this.tensors.get(name);
    if (known !== undefined) {
      if (known.fact.owner !== owner) return refused('SIRA_MESSAGE_REFUSED', 'the tensor has another owner');
      if (known.fact.state !== 'live') return refused('SIRA_MESSAGE_REFUSED', `the tensor is ${known.fact.state}`);
      if (known.fact.leaseEndMicros >= 0)
        known.fact.leaseEndMicros = leaseEndMicros < 0 ? -1 : Math.max(known.fact.leaseEndMicros, leaseEndMicros);
      this.setTimer(known);
      this.write(known, () => this.keep(known));
      return accepted;
    }
    if (this.tensors.size - this.freedNames.length >= this.environment.settings.tensorCountMax)
      return refused('SIRA_QUEUE_FULL', 'too many tensors');
    const fact: TensorFact = {
      ...{ owner, sizeBytes, digest, publications, leaseEndMicros },
      ...{ state: 'live', releaseCause: 'done', lossReason: '', isTold: false, mentions: [] },
    };
    const tensor = this.add(name, fact);
    this.setTimer(tensor);
    this.write(tensor, () => this.keep(tensor));
    return accepted;
  }

  /** Why a message with these tensors is not taken, `undefined` if it is. */
  refusalOf(tensors: readonly TensorReference[]): string | undefined {
    for (const { tensor: name, digest } of tensors) {
      const tensor = this.tensors.get(name);
      if (tensor === undefined || !tensor.isKept) return `tensor ${name} is not owned by anybody`;
      // One that is gone does not stand in the way of its message: deliveries name it.
      if (tensor.fact.state !== 'live') continue;
      if (tensor.mentioned >= tensor.fact.publications) return `tensor ${name} has had all its publications`;
      if (!isEqual(tensor.fact.digest, digest)) return `tensor ${name} has another digest`;
    }
    return undefined;
  }

  /** A message was stored, or found while opening. */
  refer(topic: Topic, { offset, producer, origin, tensors }: TopicMessage): void {
    for (const { tensor: name } of tensors) {
      const tensor = this.tensors.get(name);
      if (tensor === undefined || isOver(tensor.fact)) continue;
      const { mentions } = tensor.fact;
      const isKnown = ({ topicNumber, offset: at }: TensorMention): boolean =>
        topicNumber === topic.number && at === offset;
      if (!this.isOpen && mentions.some(isKnown)) continue;
      const mention = { topicNumber: topic.number, offset, producer, isExtra: origin !== undefined };
      mentions.push(mention);
      this.expect(tensor, mention);
      if (!tensor.isDirty) {
        tensor.isDirty = true;
        this.dirty.push(tensor);
      }
    }
  }

  /** What the groups of a topic need has changed. */
  readersMoved(topic: Topic): void {
    const waiting = this.pending.get(topic.number);
    if (waiting === undefined || !this.isOpen) return;
    const limit = doneBelow(topic);
    let done = 0;
    while (done < waiting.length && (waiting[done] as PendingMention).mention.offset < limit) done++;
    if (done === 0) return;
    for (const { tensor } of waiting.splice(0, done)) {
      tensor.pending--;
      this.releaseIfDone(tensor);
    }
    if (waiting.length === 0) this.pending.delete(topic.number);
  }

  lose(input: TensorLostInput): Status {
    const tensor = this.tensors.get(input.tensor);
    if (tensor === undefined) return refused('SIRA_MESSAGE_REFUSED', 'the tensor is not owned by anybody');
    const { fact } = tensor;
    if (fact.state !== 'live') return accepted;
    fact.state = 'lost';
    fact.lossReason = input.reason;
    this.write(tensor, () => this.tellLoss(tensor));
    return accepted;
  }

  /** The owner has freed it. */
  freed(input: TensorReleasedInput): Status {
    const tensor = this.tensors.get(input.tensor);
    if (tensor === undefined || tensor.fact.state === 'freed') return accepted;
    if (tensor.fact.state !== 'released') return refused('SIRA_MESSAGE_REFUSED', 'the tensor is still needed');
    tensor.fact.state = 'freed';
    tensor.fact.mentions.length = 0;
    this.write(tensor, undefined);
    this.rememberFreed(tensor);
    return accepted;
  }

  /** Tensors of a message that nobody can be given any more. */
  lostOf(message: TopicMessage): readonly string[] {
    if (message.tensors.length === 0) return none;
    const lost = message.tensors.filter(({ tensor }) => this.tensors.get(tensor)?.fact.state !== 'live');
    return lost.length === 0 ? none : lost.map(({ tensor }) => tensor);
  }

  /** Writes down which durable messages refer to which tensors; false if the ledger has no room for all of that now. */
  writeDirty(): boolean {
    const { dirty } = this;
    this.dirty = [];
    for (const tensor of dirty) {
      // A mention that is not durable yet is for a later checkpoint.
      tensor.isDirty = !isOver(tensor.fact) && !tensor.fact.mentions.every((mention) => this.isStored(mention));
      if (tensor.isDirty) this.dirty.push(tensor);
      if (!isOver(tensor.fact)) this.write(tensor, undefined);
    }
    return this.unwritten.size === 0;
  }

  /** What was refused is tried again. */
  maintain(): void {
    for (const [tensor, whenDurable] of [...this.unwritten]) {
      this.unwritten.delete(tensor);
      if (this.tensors.get(tensor.name) === tensor) this.write(tensor, whenDurable);
    }
  }

  /** A fact of an earlier life; false if it is damaged. */
  restore(name: string, value: Uint8Array | undefined): boolean {
    this.tensors.delete(name);
    if (value === undefined) return true;
    const fact = decodeTensor(value);
    if (fact === undefined) return false;
    this.add(name, { ...fact, digest: fact.digest.slice() }).isKept = true;
    return true;
  }

  /** All facts are restored, before the topics show their messages. */
  restored(): void {
    for (const tensor of this.tensors.values())
      for (const mention of tensor.fact.mentions) this.expect(tensor, mention);
  }

  /** All topics are read: from here on tensors are released. */
  opened(): void {
    this.isOpen = true;
    for (const waiting of this.pending.values())
      waiting.sort((left, right) => left.mention.offset - right.mention.offset);
    for (const tensor of this.tensors.values()) {
      const { fact } = tensor;
      if (fact.state === 'released') this.tellRelease(tensor);
      else if (fact.state === 'lost' && !fact.isTold) this.tellLoss(tensor);
      if (fact.state === 'freed') this.rememberFreed(tensor);
      else if (fact.state !== 'released') this.setTimer(tensor);
    }
    for (const number of [...this.pending.keys()]) {
      const topic = this.topicOf(number);
      if (topic !== undefined) this.readersMoved(topic);
    }
  }

  private add(name: string, fact: TensorFact): Tensor {
    const tensor: Tensor = {
      ...{ id: this.nextId++, heapKey: 0, heapIndex: -1, name, fact },
      ...{ isKept: false, mentioned: 0, pending: 0, isDirty: false },
      fire: () => (tensor.fact.state === 'freed' ? this.forget(tensor) : this.release(tensor, 'leaseEnd')),
    };
    this.tensors.set(name, tensor);
    return tensor;
  }

  private expect(tensor: Tensor, mention: TensorMention): void {
    if (!mention.isExtra) tensor.mentioned++;
    tensor.pending++;
    const waiting = this.pending.get(mention.topicNumber);
    if (waiting === undefined) this.pending.set(mention.topicNumber, [{ tensor, mention }]);
    else waiting.push({ tensor, mention });
  }

  private keep(tensor: Tensor): void {
    tensor.isKept = true;
    const { owner } = tensor.fact;
    this.environment.emit({ kind: 'tensorKept', tensor: tensor.name, owner });
  }

  private rememberFreed(tensor: Tensor): void {
    const { settings, nowMicros } = this.environment;
    this.environment.schedule(tensor, nowMicros + settings.tensorMemoryMicros);
    this.freedNames.push(tensor.name);
    if (this.freedNames.length > settings.tensorCountMax)
      this.forget(this.tensors.get(this.freedNames[0] as string) as Tensor);
  }

  /** Of a tensor that was freed. What the ledger has no room for now is ended at another opening. */
  private forget(tensor: Tensor): void {
    this.environment.schedule(tensor, Number.POSITIVE_INFINITY);
    this.freedNames.splice(this.freedNames.indexOf(tensor.name), 1);
    this.tensors.delete(tensor.name);
    this.unwritten.delete(tensor);
    this.ledger.append(`r${tensor.name}`, undefined);
  }

  private setTimer(tensor: Tensor): void {
    const { leaseEndMicros } = tensor.fact;
    this.environment.schedule(tensor, leaseEndMicros < 0 ? Number.POSITIVE_INFINITY : leaseEndMicros);
  }

  private releaseIfDone(tensor: Tensor): void {
    const { fact, pending, mentioned } = tensor;
    if (pending > 0) return;
    if (fact.state === 'lost' && fact.isTold) this.release(tensor, 'lost');
    else if (fact.state === 'live' && mentioned >= fact.publications) this.release(tensor, 'done');
  }

  private release(tensor: Tensor, cause: TensorReleasedEffect['cause']): void {
    const { fact } = tensor;
    if (isOver(fact)) return;
    this.environment.schedule(tensor, Number.POSITIVE_INFINITY);
    const wasTold = fact.isTold;
    fact.state = 'released';
    fact.releaseCause = cause;
    this.write(tensor, () => {
      if (cause === 'leaseEnd' && !wasTold) this.tell(tensor, 'leaseEnd', 'its lease has ended');
      this.tellRelease(tensor);
    });
  }

  private tellRelease(tensor: Tensor): void {
    const { owner, releaseCause: cause } = tensor.fact;
    this.environment.emit({ kind: 'tensorReleased', tensor: tensor.name, owner, cause });
  }

  private tellLoss(tensor: Tensor): void {
    const { fact } = tensor;
    if (fact.state !== 'lost') return;
    this.tell(tensor, 'lost', fact.lossReason);
    fact.isTold = true;
    this.write(tensor, () => this.releaseIfDone(tensor));
  }

  private tell(tensor: Tensor, cause: 'lost' | 'leaseEnd', reason: string): void {
    for (const { topicNumber, offset, producer } of tensor.fact.mentions) {
      const topic = this.topicOf(topicNumber);
      for (const group of topic?.readers ?? []) {
        if (group.isSettled(offset)) continue;
        this.environment.emit({
          kind: 'tensorLost',
          tensor: tensor.name,
          topic: (topic as Topic).name,
          ...{ offset, producer, group: group.name, subscriber: group.holderOf(offset)?.name, cause, reason },
        });
      }
    }
  }

  private isStored({ topicNumber, offset }: TensorMention): boolean {
    const topic = this.topicOf(topicNumber);
    return topic !== undefined && offset < topic.readableEnd;
  }

  private write(tensor: Tensor, whenDurable: (() => void) | undefined): void {
    const bytes = encodeTensor(tensor.fact, (mention) => this.isStored(mention));
    const waiting = this.unwritten.get(tensor);
    const action = waiting === undefined ? whenDurable : both(waiting, whenDurable);
    if (this.ledger.append(`r${tensor.name}`, bytes, action).ok) this.unwritten.delete(tensor);
    else this.unwritten.set(tensor, action);
  }
}

/** Messages of a topic below this offset concern nobody any more. */
function doneBelow(topic: Topic): number {
  return topic.readers.length === 0 ? topic.startOffset : topic.neededOffset;
}

function both(first: () => void, second: (() => void) | undefined): () => void {
  if (second === undefined) return first;
  return () => {
    first();
    second();
  };
}

function isOver({ state }: TensorFact): boolean {
  return state === 'released' || state === 'freed';
}

function isEqual(left: Uint8Array, right: Uint8Array): boolean {
  return left.length === right.length && left.every((byte, at) => byte === right[at]);
}
