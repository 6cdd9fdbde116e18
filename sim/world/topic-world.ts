// A world of durable topics in a simulation: one broker on its disk, producers behind a bad network, subscribers on connections
// that break, and the faults of a plan. It carries what the broker hears and says; whether that is right is for the observers.
// A safety phase until the horizon, then a liveness phase, in which nothing goes wrong any more.

import { RandomStream } from '../../core/base/random.ts';
import type { TopicEffect, TopicInput, TopicMachine } from '../../core/bus/topics/topic-protocol.ts';
import { eventPriority } from '../engine/priority.ts';
import { defaultSimulationLimits, Simulation } from '../engine/simulation.ts';
import type { NetworkSpec } from '../experiment/scenario.ts';
import { Disk } from './disk.ts';
import { type DiskSpec, soundDisk } from './disk-spec.ts';
import { Network } from './network.ts';
import type { TopicCase } from './topic-case.ts';
import { TopicFaults } from './topic-faults.ts';
import { TopicHost } from './topic-host.ts';
import { TopicLink } from './topic-link.ts';
import { type MemberLink, type MemberWords, TopicMember } from './topic-member.ts';
import type { TopicObserver } from './topic-observer.ts';
import { type ProducerNews, type Publications, TopicProducer } from './topic-producer.ts';
import type { TopicStream } from './topic-stream.ts';

export interface TopicWorldOptions {
  readonly case: TopicCase;
  readonly create: (drawn: TopicCase) => TopicMachine;
  readonly observers: readonly TopicObserver[];
  /** A stream of publications begins; told before anything of it is published. */
  readonly streamBegins: (stream: TopicStream) => void;
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

const createRetryMicros = 50_000;
/** Bytes of a message between broker and producer, about. */
const newsBytes = 24;

export class TopicWorld {
  readonly simulation = new Simulation(defaultSimulationLimits);
  readonly case: TopicCase;
  readonly host: TopicHost;
  readonly disk: Disk;
  readonly network: Network;
  readonly producers: readonly TopicProducer[];
  readonly members: readonly TopicMember[];
  readonly links: readonly MemberLink[];
  private readonly producerOf = new Map<string, TopicProducer>();
  private readonly memberOf = new Map<string, number>();
  private readonly options: TopicWorldOptions;
  private readonly networkSpec: Mutable<NetworkSpec>;
  private readonly diskSpec: Mutable<DiskSpec>;
  private readonly linkSpec: Mutable<TopicCase['link']>;
  private producerNews: ProducerNews[][];
  private memberNews: TopicEffect[][];
  private readonly newsHandler: number;
  private readonly uncreated = new Set<string>();

  constructor(options: TopicWorldOptions) {
    const { simulation } = this;
    const drawn = options.case;
    const { seed } = drawn;
    this.options = options;
    this.case = drawn;
    this.networkSpec = { ...drawn.network };
    this.diskSpec = { ...drawn.disk };
    this.linkSpec = { ...drawn.link };
    this.disk = new Disk(simulation, this.diskSpec, new RandomStream(seed, 'topics.disk'));
    const nodes = drawn.producers.length;
    this.network = new Network(simulation, this.networkSpec, nodes, new RandomStream(seed, 'topics.network'));
    this.host = new TopicHost(
      {
        simulation,
        disk: this.disk,
        create: () => options.create(drawn),
        observers: options.observers,
        tell: (effect) => this.tell(effect),
        instantEnds: () => this.sendNews(),
        changed: (isUp) => {
          if (!isUp) for (const link of this.links) link.break(link.connection, true, false);
        },
      },
      drawn.maintainMicros,
    );
    const publishHandler = simulation.defineHandler('publications arrive', (_, payload) =>
      this.publish(payload as Publications),
    );
    const releasedHandler = simulation.defineHandler('a tensor is freed', (_, tensor) =>
      this.give({ kind: 'tensorReleased', timeMicros: 0, tensor: tensor as string }),
    );
    this.newsHandler = simulation.defineHandler('producer is told', (index, news) =>
      this.producers[index]!.receive(news as ProducerNews[]),
    );
    this.producers = drawn.producers.map(
      (spec, index) =>
        new TopicProducer({
          index,
          spec,
          seed,
          simulation,
          network: this.network,
          random: new RandomStream(seed, `topics.producer.${index}`),
          publishHandler,
          releasedHandler,
          begins: (stream) => {
            options.streamBegins(stream);
            this.streamBegins(stream, index);
          },
        }),
    );
    for (const producer of this.producers) this.producerOf.set(producer.stream.producer, producer);
    this.members = drawn.members.map((spec, index) => {
      const random = new RandomStream(seed, `topics.member.${index}`);
      this.memberOf.set(spec.name, index);
      return new TopicMember(spec, simulation, random, seed * 31 + groupSalt(spec.group.name), drawn.reconnectMicros);
    });
    this.links = this.members.map((member, index) => this.linkOf(member, index));
    this.producerNews = drawn.producers.map(() => []);
    this.memberNews = drawn.members.map(() => []);
    new TopicFaults(this, drawn.faults);
    this.scheduleRequests();
    this.host.start();
  }

  /** Faults of the plan have ended by now; what goes wrong by itself ends too. */
  calm(): void {
    Object.assign(this.networkSpec, { loss: 0, reordering: 0, duplication: 0 });
    const { bitRotMeanMicros } = soundDisk;
    Object.assign(this.diskSpec, { syncFailure: 0, readFailure: 0, writeFailure: 0, bitRotMeanMicros });
    this.linkSpec.breakShare = 0;
    this.disk.capacityBytes = Math.max(this.disk.capacityBytes, 2 ** 34);
    for (const member of this.members) member.isCalm = true;
  }

  /** One input from nowhere in particular. */
  give(input: TopicInput): void {
    this.host.give({ ...input, timeMicros: this.simulation.nowMicros });
  }

  partition(who: string, isCut: boolean): void {
    const member = this.memberOf.get(who);
    if (member !== undefined) this.links[member]!.cut(isCut);
    const producer = this.case.producers.findIndex(({ name }) => name === who);
    if (producer >= 0) this.network.cut(producer, isCut);
  }

  memberNamed(who: string): TopicMember | undefined {
    const index = this.memberOf.get(who);
    return index === undefined ? undefined : this.members[index];
  }

  producerNamed(who: string): TopicProducer | undefined {
    return this.producers.find(({ spec }) => spec.name === who);
  }

  breakLink(who: string): void {
    const index = this.memberOf.get(who);
    if (index !== undefined) this.links[index]!.break(this.links[index]!.connection, true, true);
  }

  faultChanged(fault: string, active: boolean): void {
    for (const observer of this.options.observers) observer.faultChanged?.(fault, active, this.simulation.nowMicros);
  }

  private streamBegins(stream: TopicStream, index: number): void {
    // The first ones begin while their producers are being made.
    const producer = this.producers?.[index];
    if (producer !== undefined) this.producerOf.set(stream.producer, producer);
  }

  private linkOf(member: TopicMember, index: number): MemberLink {
    const { simulation, linkSpec, host } = this;
    const { name, group } = member.spec;
    const random = new RandomStream(this.case.seed, `topics.link.${index}`);
    const link: MemberLink = new TopicLink(simulation, linkSpec, random, member, {
      received: ({ acknowledged, cumulative, others }: MemberWords) => {
        const { nowMicros: timeMicros } = simulation;
        for (const offset of acknowledged)
          host.give({ kind: 'acknowledge', timeMicros, subscriber: name, group: group.name, offset, cumulative });
        for (const input of others) host.give({ ...input, timeMicros });
      },
      broken: (connection) =>
        this.give({ kind: 'subscriberDisconnected', timeMicros: 0, subscriber: name, connection }),
    });
    member.link = link;
    member.canConnect = () => host.isUp;
    return link;
  }

  private publish({ stream, sequences, announced, settledSequence, isRepeat }: Publications): void {
    const { host, simulation } = this;
    const { nowMicros } = simulation;
    for (const sequence of sequences) {
      const isAnnounced = announced?.has(sequence) === true;
      if (isAnnounced) host.give(stream.announcement(sequence, nowMicros));
      if (!isAnnounced || isRepeat) host.give(stream.publication(sequence, nowMicros, settledSequence));
    }
  }

  private tell(effect: TopicEffect): void {
    switch (effect.kind) {
      case 'published':
        this.tellProducer(effect.producer, effect);
        return;
      case 'tensorKept':
      case 'tensorReleased':
        this.tellProducer(effect.owner, effect);
        return;
      case 'deliver':
      case 'subscribed':
      case 'revoked':
      case 'committed':
        this.tellMember(effect.subscriber, effect);
        return;
      case 'tensorLost':
        if (effect.subscriber !== undefined) this.tellMember(effect.subscriber, effect);
        return;
      case 'topicCreated':
        this.uncreated.delete(effect.topic);
        return;
      case 'refused':
        if (effect.input === 'publish') this.tellProducer(effect.client, effect);
        else if (this.memberOf.has(effect.client)) this.tellMember(effect.client, effect);
        return;
      default:
        return;
    }
  }

  private tellProducer(name: string, effect: ProducerNews): void {
    const producer = this.producerOf.get(name);
    if (producer !== undefined) this.producerNews[producer.index]!.push(effect);
  }

  private tellMember(name: string, effect: TopicEffect): void {
    const index = this.memberOf.get(name);
    if (index !== undefined) this.memberNews[index]!.push(effect);
  }

  private sendNews(): void {
    for (let index = 0; index < this.producerNews.length; index++) {
      const news = this.producerNews[index]!;
      if (news.length === 0) continue;
      this.producerNews[index] = [];
      this.network.send(index, this.newsHandler, index, news, news.length * newsBytes);
    }
    for (let index = 0; index < this.memberNews.length; index++) {
      const news = this.memberNews[index]!;
      if (news.length === 0) continue;
      this.memberNews[index] = [];
      const link = this.links[index]!;
      link.toClient(link.connection, news, 1);
    }
  }

  private scheduleRequests(): void {
    const { simulation } = this;
    for (const { name } of this.case.topics) this.uncreated.add(name);
    const create = simulation.defineHandler('topics are created', () => {
      for (const { name: topic, terms } of this.case.topics)
        if (this.uncreated.has(topic)) this.give({ kind: 'createTopic', timeMicros: 0, topic, terms });
      if (this.uncreated.size > 0)
        simulation.schedule(simulation.nowMicros + createRetryMicros, eventPriority.arrival, create, 0, undefined);
    });
    simulation.schedule(1, eventPriority.arrival, create, 0, undefined);
    const seek = simulation.defineHandler('a group is sent elsewhere', (index) => {
      const { group, position } = this.case.seeks[index]!;
      this.give({ kind: 'seek', timeMicros: 0, client: 'operator', group, position });
    });
    this.case.seeks.forEach(({ atMicros }, index) => {
      simulation.schedule(atMicros, eventPriority.arrival, seek, index, undefined);
    });
    const leaves = this.case.leaves ?? [];
    const leave = simulation.defineHandler('a subscriber unsubscribes', (index) => {
      const { member, endsGroup, forMicros } = leaves[index]!;
      this.memberNamed(member)?.leave(endsGroup, forMicros);
    });
    leaves.forEach(({ atMicros }, index) => {
      simulation.schedule(atMicros, eventPriority.arrival, leave, index, undefined);
    });
    const lose = simulation.defineHandler('a tensor is lost', (index) => {
      const { producer, sequence } = this.case.tensorLosses[index]!;
      const tensor = this.producerNamed(producer)?.stream.tensorName(sequence);
      if (tensor !== undefined) this.give({ kind: 'tensorLost', timeMicros: 0, tensor, reason: 'its machine is gone' });
    });
    this.case.tensorLosses.forEach(({ atMicros }, index) => {
      simulation.schedule(atMicros, eventPriority.arrival, lose, index, undefined);
    });
  }
}

/** Members of one group find the same messages indigestible. */
export function groupSalt(name: string): number {
  let salt = 17;
  for (let index = 0; index < name.length; index++) salt = (Math.imul(salt, 131) + name.charCodeAt(index)) | 0;
  return salt;
}
