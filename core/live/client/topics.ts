// Durable topics for programs: publish, and handle what a group gets. A publication is repeated until it is on the kernel's disk and
// stored once; a message is acknowledged when its handler is done, and rejected with the reason when that throws.

import { type ChannelCredentials, credentials as grpcCredentials, type status } from '@grpc/grpc-js';
import { SiraError } from '../../base/errors.ts';
import {
  GroupMode,
  type JoinRequest,
  type JoinResponse,
  type Publication,
  TopicServiceClient,
} from '../../proto/generated/sira/v1/topic_service.ts';
import { ReconnectingStream } from './reconnecting-stream.ts';

export interface TopicsOptions {
  /** `host:port` of the kernel. */
  readonly address: string;
  /** Names the subscriber across restarts; one process at a time. */
  readonly name: string;
  readonly credentials?: ChannelCredentials | undefined;
}

export interface PublishOptions {
  /** Messages of one key are handled in order by key-ordered groups. */
  readonly key?: string;
  /** 0 (least) to 9. */
  readonly priority?: number;
}

export interface ReceivedMessage {
  readonly topic: string;
  readonly offset: number;
  /** 1 at the first delivery to the group. */
  readonly attempt: number;
  readonly publishMicros: number;
  readonly key: string;
  readonly payload: Uint8Array;
}

export interface SubscribeOptions {
  readonly topic: string;
  /** Its cursor outlives its members. */
  readonly group: string;
  readonly mode: 'exclusive' | 'shared' | 'keyOrdered';
  /** Where a new group begins; `earliest` if left out. */
  readonly start?: 'earliest' | 'latest' | { readonly offset: number };
  /** Messages handled at once. */
  readonly inFlightMax?: number;
  readonly handle: (message: ReceivedMessage) => void | Promise<void>;
}

interface Waiting {
  readonly publication: Publication;
  resolve(offset: number): void;
  reject(error: Error): void;
}

interface Group extends SubscribeOptions {
  /** Credit given on this stream, in messages. */
  granted: number;
}

const messageBytesMax = 20 * 1024 ** 2;
const bytesGranted = 2 ** 50;
const modes = { exclusive: GroupMode.EXCLUSIVE, shared: GroupMode.SHARED, keyOrdered: GroupMode.KEY_ORDERED } as const;

export class Topics {
  private readonly options: TopicsOptions;
  /** Of this process: sequences count from 1. */
  private readonly producer: string;
  private readonly client: TopicServiceClient;
  private readonly stream: ReconnectingStream<JoinRequest, JoinResponse>;
  private readonly sequences = new Map<string, number>();
  private readonly unpublished = new Map<string, Waiting>();
  private readonly creating = new Map<string, { resolve(): void; reject(error: Error): void }>();
  private readonly groups = new Map<string, Group>();
  private whenWelcome: (error: Error | undefined) => void = () => {};

  private constructor(options: TopicsOptions) {
    this.options = options;
    this.producer = `${options.name}#${Date.now()}-${process.pid}`;
    this.client = new TopicServiceClient(options.address, options.credentials ?? grpcCredentials.createInsecure(), {
      'grpc.max_receive_message_length': messageBytesMax,
      'grpc.max_send_message_length': messageBytesMax,
      'grpc.use_local_subchannel_pool': 1,
      'grpc.initial_reconnect_backoff_ms': 50,
      'grpc.min_reconnect_backoff_ms': 50,
      'grpc.max_reconnect_backoff_ms': 500,
    });
    this.stream = new ReconnectingStream<JoinRequest, JoinResponse>(() => this.client.join(), {
      opened: () => this.opened(),
      received: ({ message }) => {
        if (message !== undefined) this.receive(message);
      },
      closed: () => {},
      rejected: (code, reason) => this.rejected(code, reason),
    });
  }

  /** Connects, for as long as it takes. */
  static connect(options: TopicsOptions): Promise<Topics> {
    const topics = new Topics(options);
    return new Promise((resolve, reject) => {
      topics.whenWelcome = (error) => (error === undefined ? resolve(topics) : reject(error));
      topics.stream.start();
    });
  }

  /** Makes a topic if it is not there. */
  create(
    topic: string,
    terms: { readonly attemptsMax?: number; readonly deadLetterTopic?: string } = {},
  ): Promise<void> {
    const { attemptsMax = 0, deadLetterTopic = '' } = terms;
    return new Promise((resolve, reject) => {
      this.creating.set(topic, { resolve, reject });
      const value = { topic, attemptsMax, deadLetterTopic, retainMicros: 0, acknowledgeWaitMicros: 0 };
      this.stream.send({ message: { $case: 'create', value } });
    });
  }

  /** Resolves with the message's offset when it is on the disk, −1 if an earlier try had stored it. SIRA_MESSAGE_REFUSED. */
  async publish(topic: string, payload: Uint8Array, options: PublishOptions = {}): Promise<number> {
    await this.stream.drained();
    const sequence = (this.sequences.get(topic) ?? 0) + 1;
    this.sequences.set(topic, sequence);
    const { key = '', priority = 0 } = options;
    const publication = { topic, sequence, key, priority, deadlineMicros: 0, deliverAtMicros: 0, payload };
    return new Promise((resolve, reject) => {
      this.unpublished.set(nameOf(topic, sequence), { publication, resolve, reject });
      this.stream.send({ message: { $case: 'publish', value: publication } });
    });
  }

  /** Handles what the group gets, through losses of the connection. */
  subscribe(options: SubscribeOptions): void {
    const group = { ...options, granted: 0 };
    this.groups.set(options.group, group);
    this.join(group);
  }

  /** Breaks the connection as a lost network would; it comes back. */
  break(): void {
    this.stream.break();
  }

  close(): void {
    this.stream.close();
    this.client.close();
  }

  private opened(): void {
    const { name } = this.options;
    this.stream.send({ message: { $case: 'hello', value: { client: name, producer: this.producer } } });
    for (const group of this.groups.values()) this.join(group);
    for (const { publication } of this.unpublished.values())
      this.stream.send({ message: { $case: 'publish', value: publication } });
  }

  private join(group: Group): void {
    group.granted = 0;
    const { topic, mode, start = 'earliest' } = group;
    const value = {
      group: group.group,
      topic,
      mode: modes[mode],
      start:
        typeof start === 'object'
          ? ({ $case: 'offset', value: start.offset } as const)
          : ({ $case: start, value: true } as const),
    };
    this.stream.send({ message: { $case: 'subscribe', value } });
  }

  private receive(message: NonNullable<JoinResponse['message']>): void {
    switch (message.$case) {
      case 'welcome':
        this.whenWelcome(undefined);
        return;
      case 'created':
        this.creating.get(message.value.topic)?.resolve();
        this.creating.delete(message.value.topic);
        return;
      case 'published': {
        const { topic, sequence, duplicate, offset } = message.value;
        const name = nameOf(topic, sequence);
        this.unpublished.get(name)?.resolve(duplicate ? -1 : offset);
        this.unpublished.delete(name);
        return;
      }
      case 'subscribed': {
        const group = this.groups.get(message.value.group);
        if (group !== undefined) this.grant(group, group.inFlightMax ?? 16);
        return;
      }
      case 'delivery': {
        const { group: name, ...received } = message.value;
        const group = this.groups.get(name);
        if (group !== undefined) void this.handle(group, received);
        return;
      }
      case 'refused': {
        const { input, subject, sequence, reason } = message.value;
        const error = new SiraError('SIRA_MESSAGE_REFUSED', `${subject}: ${reason}`);
        if (input === 'publish') {
          // A full topic is tried again with the next connection or publication of the same sequence.
          this.unpublished.get(nameOf(subject, sequence))?.reject(error);
          this.unpublished.delete(nameOf(subject, sequence));
        } else if (input === 'create') {
          this.creating.get(subject)?.reject(error);
          this.creating.delete(subject);
        }
        return;
      }
      case 'ping':
        this.stream.send({ message: { $case: 'echo', value: message.value } });
        return;
      case 'revoked':
        return;
    }
  }

  private async handle(group: Group, message: ReceivedMessage): Promise<void> {
    const { offset } = message;
    const isLast = group.granted;
    try {
      await group.handle(message);
      const value = { group: group.group, offset, cumulative: false };
      this.stream.send({ message: { $case: 'acknowledge', value } });
    } catch (error) {
      const reason = (error instanceof Error ? error.message : String(error)).slice(0, 1000);
      this.stream.send({ message: { $case: 'reject', value: { group: group.group, offset, reason } } });
    }
    // On a new stream the credit counts from nothing.
    if (group.granted >= isLast) this.grant(group, 1);
  }

  private grant(group: Group, more: number): void {
    group.granted += more;
    const value = { group: group.group, messages: group.granted, bytes: bytesGranted };
    this.stream.send({ message: { $case: 'grant', value } });
  }

  private rejected(code: status, reason: string): void {
    const error = new SiraError('SIRA_MESSAGE_REFUSED', `the kernel refused the connection: ${reason} (${code})`);
    this.whenWelcome(error);
    for (const { reject } of [...this.unpublished.values(), ...this.creating.values()]) reject(error);
    this.unpublished.clear();
    this.creating.clear();
  }
}

function nameOf(topic: string, sequence: number): string {
  return `${sequence} ${topic}`;
}
