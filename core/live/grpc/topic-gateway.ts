// The side of the durable topics that clients see: one stream for each client, which publishes, and is delivered what its groups
// get. Answers for those who are not connected are dropped: clients repeat what has no answer.

import { type ServerDuplexStream, status } from '@grpc/grpc-js';
import type { DeliverEffect, GroupMode, ReplayPosition, TopicEffect } from '../../bus/topics/topic-protocol.ts';
import {
  type ClientHello,
  type JoinRequest,
  type JoinResponse,
  GroupMode as ModeMessage,
  type Publication,
  type Subscription,
  type TopicCreation,
} from '../../proto/generated/sira/v1/topic_service.ts';
import type { LiveTopics } from '../live-topics.ts';
import type { GrpcGuard } from '../security/grpc-guard.ts';
import type { Role } from '../security/identity.ts';
import type { LinkDesk } from './link-desk.ts';
import { MeasuredSession } from './measured-session.ts';
import { nameProblem } from './messages.ts';

type Stream = ServerDuplexStream<JoinRequest, JoinResponse>;
type Request = NonNullable<JoinRequest['message']>;
type Response = NonNullable<JoinResponse['message']>;

const modes: Readonly<Record<number, GroupMode>> = {
  [ModeMessage.EXCLUSIVE]: 'exclusive',
  [ModeMessage.SHARED]: 'shared',
  [ModeMessage.KEY_ORDERED]: 'keyOrdered',
};

export class TopicGateway {
  private readonly topics: LiveTopics;
  private readonly guard: GrpcGuard;
  private readonly links: LinkDesk;
  private readonly now: () => number;
  private readonly outgoingMax: number;
  private readonly sessions = new Set<ClientSession>();
  private readonly byClient = new Map<string, ClientSession>();
  private readonly byProducer = new Map<string, ClientSession>();
  private readonly stopListening: () => void;
  private connections = 0;

  constructor(topics: LiveTopics, guard: GrpcGuard, links: LinkDesk, now: () => number, outgoingMax: number) {
    this.topics = topics;
    this.guard = guard;
    this.links = links;
    this.now = now;
    this.outgoingMax = outgoingMax;
    this.stopListening = topics.listen((effect) => this.carryOut(effect));
  }

  get connectionCount(): number {
    return this.sessions.size;
  }

  /** A stream begins. */
  attach(stream: Stream): void {
    const session = new ClientSession(stream, this.outgoingMax, this.links);
    this.sessions.add(session);
    session.listen(
      (message) => this.receive(session, message),
      () => this.detach(session),
    );
  }

  /** Ends all streams: the kernel stops. */
  close(): void {
    this.stopListening();
    for (const session of [...this.sessions]) {
      session.fail(status.UNAVAILABLE, 'the kernel stops; connect again');
      this.detach(session);
    }
  }

  private detach(session: ClientSession): void {
    if (!this.sessions.delete(session)) return;
    session.outgoing.end();
    this.links.end(session);
    const { client, producer, connection } = session;
    if (this.byProducer.get(producer) === session) this.byProducer.delete(producer);
    if (this.byClient.get(client) !== session) return;
    this.byClient.delete(client);
    this.topics.give({ kind: 'subscriberDisconnected', subscriber: client, connection });
  }

  private receive(session: ClientSession, message: Request): void {
    const { client: subscriber, connection } = session;
    if (message.$case === 'hello') {
      this.hello(session, message.value);
      return;
    }
    if (this.byClient.get(subscriber) !== session) {
      if (connection === 0) session.fail(status.FAILED_PRECONDITION, 'a stream begins with a hello');
      return;
    }
    if (message.$case === 'echo') {
      this.links.answered(session, message.value.id);
      return;
    }
    const denied = this.guard.refusalOf(session.stream, rolesOf[message.$case], undefined, message.$case);
    if (denied !== undefined) {
      session.fail(status.PERMISSION_DENIED, denied);
      return;
    }
    switch (message.$case) {
      case 'create':
        this.create(session, message.value);
        return;
      case 'publish':
        this.publish(session, message.value);
        return;
      case 'subscribe':
        this.subscribe(session, message.value);
        return;
      case 'unsubscribe': {
        const { group, endsGroup } = message.value;
        this.topics.give({ kind: 'unsubscribe', subscriber, group, endsGroup });
        return;
      }
      case 'grant':
        this.topics.give({ kind: 'grant', subscriber, connection, ...message.value });
        return;
      case 'acknowledge':
        this.topics.give({ kind: 'acknowledge', subscriber, ...message.value });
        return;
      case 'reject':
        this.topics.give({ kind: 'reject', subscriber, ...message.value });
        return;
    }
  }

  private hello(session: ClientSession, { client, producer }: ClientHello): void {
    const problem =
      nameProblem('a client', client) ??
      nameProblem('a producer', producer) ??
      (client.startsWith('~') || producer.startsWith('~') ? 'a name does not begin with ~' : undefined) ??
      (session.connection === 0 ? undefined : 'a stream has one hello');
    if (problem !== undefined) {
      session.fail(status.INVALID_ARGUMENT, problem);
      return;
    }
    // Whoever may do either may say hello; what each message takes is looked at as it comes.
    for (const name of [client, producer]) {
      const role = session.mayPublish(this.guard) ? 'publish' : 'subscribe';
      const denied = this.guard.refusalOf(session.stream, role, name, `join as ${name}`);
      if (denied === undefined) continue;
      session.fail(status.PERMISSION_DENIED, denied);
      return;
    }
    const earlier = this.byClient.get(client);
    // Rising across restarts as well.
    this.connections = Math.max(this.connections + 1, this.now());
    session.client = client;
    session.producer = producer;
    session.connection = this.connections;
    this.byClient.set(client, session);
    this.byProducer.set(producer, session);
    earlier?.fail(status.ABORTED, `another stream of ${client} has taken over`);
    this.topics.give({ kind: 'subscriberConnected', subscriber: client, connection: session.connection });
    session.send({ $case: 'welcome', value: {} });
    this.links.begin('topicClient', client, session);
  }

  /** Whether the client may use a topic; told, audited and not carried out if not. Other topics go on. */
  private isDenied(session: ClientSession, input: 'create' | 'publish' | 'subscribe', topic: string, sequence = 0) {
    const role = input === 'subscribe' ? 'subscribe' : 'publish';
    const reason = this.guard.topicRefusalOf(session.stream, role, topic);
    if (reason === undefined) return false;
    session.send({ $case: 'refused', value: { input, subject: topic, sequence, code: 'SIRA_FORBIDDEN', reason } });
    return true;
  }

  private create(session: ClientSession, creation: TopicCreation): void {
    const { topic, attemptsMax, deadLetterTopic, retainMicros, acknowledgeWaitMicros } = creation;
    if (this.isDenied(session, 'create', topic)) return;
    // What is rejected is published there.
    const letters =
      deadLetterTopic === '' ? undefined : this.guard.topicRefusalOf(session.stream, 'publish', deadLetterTopic);
    if (letters !== undefined) {
      const value = { input: 'create', subject: topic, sequence: 0, code: 'SIRA_FORBIDDEN', reason: letters };
      session.send({ $case: 'refused', value });
      return;
    }
    session.creating.add(topic);
    const terms = {
      ...(attemptsMax > 0 ? { attemptsMax } : {}),
      ...(deadLetterTopic === '' ? {} : { deadLetterTopic }),
      ...(retainMicros > 0 ? { retainMicros } : {}),
      ...(acknowledgeWaitMicros > 0 ? { acknowledgeWaitMicros } : {}),
    };
    this.topics.give({ kind: 'createTopic', topic, terms });
  }

  private publish(session: ClientSession, publication: Publication): void {
    const { producer } = session;
    const { topic, sequence, key, priority, deadlineMicros, deliverAtMicros, payload } = publication;
    if (this.isDenied(session, 'publish', topic, sequence)) return;
    this.topics.give({
      kind: 'publish',
      topic,
      producer,
      sequence,
      ...(key === '' ? {} : { key }),
      ...(priority === 0 ? {} : { priority }),
      ...(deadlineMicros === 0 ? {} : { deadlineMicros }),
      ...(deliverAtMicros === 0 ? {} : { deliverAtMicros }),
      payload,
    });
  }

  private subscribe(session: ClientSession, subscription: Subscription): void {
    const { client: subscriber, connection } = session;
    const { group, topic } = subscription;
    if (this.isDenied(session, 'subscribe', topic)) return;
    const mode = modes[subscription.mode] ?? 'shared';
    const start = positionOf(subscription.start);
    this.topics.give({ kind: 'subscribe', subscriber, connection, group, topic, mode, start, speed: 'full' });
  }

  private carryOut(effect: TopicEffect): void {
    switch (effect.kind) {
      case 'topicCreated': {
        const { topic, existed } = effect;
        for (const session of this.sessions)
          if (session.creating.delete(topic)) session.send({ $case: 'created', value: { topic, existed } });
        return;
      }
      case 'published': {
        const { topic, sequence, duplicate, offset } = effect;
        const value = { topic, sequence, duplicate, offset: Math.max(0, offset) };
        this.byProducer.get(effect.producer)?.send({ $case: 'published', value });
        return;
      }
      case 'subscribed': {
        const { group, topic, resumed, offset } = effect;
        this.connected(effect)?.send({ $case: 'subscribed', value: { group, topic, resumed, offset } });
        return;
      }
      case 'deliver':
        this.connected(effect)?.send({ $case: 'delivery', value: deliveryOf(effect) });
        return;
      case 'revoked': {
        const { group, offset } = effect;
        this.connected(effect)?.send({ $case: 'revoked', value: { group, offset } });
        return;
      }
      case 'refused': {
        const { client, subject, code, reason } = effect;
        const input = requestNames[effect.input] ?? effect.input;
        const value = {
          input,
          subject: subject === '' ? client : subject,
          sequence: Math.max(0, effect.sequence),
          code,
          reason,
        };
        if (effect.input === 'publish') this.byProducer.get(client)?.send({ $case: 'refused', value });
        else if (effect.input !== 'createTopic') this.byClient.get(client)?.send({ $case: 'refused', value });
        else
          for (const session of this.sessions)
            if (session.creating.delete(client)) session.send({ $case: 'refused', value });
        return;
      }
    }
  }

  /** The session of the connection that the broker speaks of. */
  private connected(to: { readonly subscriber: string; readonly connection: number }): ClientSession | undefined {
    const session = this.byClient.get(to.subscriber);
    return session?.connection === to.connection ? session : undefined;
  }
}

/** What each message after the hello takes. */
const rolesOf: Readonly<Record<Exclude<Request['$case'], 'hello' | 'echo'>, Role>> = {
  create: 'publish',
  publish: 'publish',
  subscribe: 'subscribe',
  unsubscribe: 'subscribe',
  grant: 'subscribe',
  acknowledge: 'subscribe',
  reject: 'subscribe',
};

const requestNames: Readonly<Record<string, string>> = { createTopic: 'create' };

class ClientSession extends MeasuredSession<Request, Response> {
  client = '';
  producer = '';
  /** 0 before the hello. */
  connection = 0;
  /** Topics that it asked for and has no answer about. */
  readonly creating = new Set<string>();

  mayPublish(guard: GrpcGuard): boolean {
    const identity = guard.identityOf(this.stream);
    return typeof identity !== 'string' && identity.roles.has('publish');
  }
}

function positionOf(start: Subscription['start']): ReplayPosition {
  if (start?.$case === 'offset') return { offset: start.value };
  if (start?.$case === 'timeMicros') return { timeMicros: start.value };
  return start?.$case === 'latest' ? 'latest' : 'earliest';
}

function deliveryOf({ group, topic, attempt, deadlineMicros, message }: DeliverEffect) {
  const { offset, publishMicros, producer, sequence, key = '', priority, payload } = message;
  return { group, topic, offset, attempt, deadlineMicros, publishMicros, producer, sequence, key, priority, payload };
}
