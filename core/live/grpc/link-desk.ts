// How good the link to each stream is: now and then a small message goes out and is echoed, and now and then a larger one. What the
// echoes say is core/registry/link-quality.ts's to work out; here is who is asked when, and under which name the answer is kept.
// Measuring costs a bounded number of messages a second, however many streams there are. Nobody's work depends on it.

import { LinkQuality, type LinkReport } from '../../registry/link-quality.ts';
import type { Logger } from '../logger.ts';

/** `agent`: a stream of an agent or of a gateway of several. `topicClient`: of who publishes or subscribes. */
export const linkKinds = ['agent', 'submitter', 'topicClient'] as const;
export type LinkKind = (typeof linkKinds)[number];

/** A stream that is measured. */
export interface MeasuredStream {
  /** Messages that wait to be read by the other side. */
  readonly waiting: number;
  readonly address: string;
  /** Sends it now, and tells when it went out. */
  ping(id: number, padding: Uint8Array): void;
}

export interface LinkView extends LinkReport {
  readonly kind: LinkKind;
  /** Of the stream's first agent, of the submitter, or of the client of topics. */
  readonly name: string;
  /** Agents that speak on it. */
  readonly agents: number;
  readonly address: string;
  readonly connected: boolean;
  /** How often it has connected. */
  readonly connections: number;
  /** Of the present connection, or of the last one. */
  readonly sinceMicros: number;
  /** Whether the other side answers at all. */
  readonly echoes: boolean;
}

interface Entry {
  readonly kind: LinkKind;
  readonly name: string;
  readonly link: number;
  stream: MeasuredStream | undefined;
  address: string;
  agents: number;
  connections: number;
  sinceMicros: number;
  nextMicros: number;
  /** Asked and not answered, at most one at a time. */
  asked: { readonly id: number; readonly bytes: number; sentMicros: number } | undefined;
  pings: number;
  answers: boolean;
  flagged: string;
}

export interface LinkDeskOptions {
  /** Between two messages to one stream, at least. */
  readonly intervalMicros: number;
  /** Messages a second over all streams, at most. */
  readonly pingsPerSecondMax: number;
  /** After so long without an echo a message counts as lost. */
  readonly lostMicros: number;
  /** Links that are remembered after their stream has ended. */
  readonly formerMax: number;
}

export const defaultLinkDeskOptions: LinkDeskOptions = {
  intervalMicros: 1_000_000,
  pingsPerSecondMax: 200,
  lostMicros: 5_000_000,
  formerMax: 1000,
};

/** Every so manieth message is a large one. */
const largeEvery = 16;
const largeBytes = 16 * 1024;
/** Changes of links that are written down at once, at most: when the whole machine is slow, all of them change. */
const loggedMax = 20;
const nothing = new Uint8Array(0);
const large = new Uint8Array(largeBytes);

export class LinkDesk {
  /** Told of each echo, for metrics. */
  echoed: (kind: LinkKind, seconds: number) => void = () => {};
  lost: (kind: LinkKind) => void = () => {};
  private readonly quality = new LinkQuality(0);
  private readonly options: LinkDeskOptions;
  private readonly now: () => number;
  private readonly logger: Logger;
  private readonly byKey = new Map<string, Entry>();
  private readonly byId = new Map<number, Entry>();
  private readonly timer: NodeJS.Timeout;
  private connectedCount = 0;
  private pingCount = 0;
  private judgedMicros = 0;

  constructor(now: () => number, logger: Logger, options: LinkDeskOptions = defaultLinkDeskOptions) {
    this.now = now;
    this.logger = logger;
    this.options = options;
    this.timer = setInterval(() => this.turn(), Math.max(10, options.intervalMicros / 10_000));
    this.timer.unref();
  }

  /** A stream speaks for this name from now on; one before it does no more. */
  begin(kind: LinkKind, name: string, stream: MeasuredStream, agents = 1): void {
    const key = `${kind} ${name}`;
    let entry = this.byKey.get(key);
    if (entry === undefined) {
      const link = this.quality.add();
      const rest = { agents, connections: 0, sinceMicros: 0, nextMicros: 0, pings: 0, answers: false, flagged: '' };
      entry = { kind, name, link, stream: undefined, address: '', asked: undefined, ...rest };
      this.byKey.set(key, entry);
    }
    if (entry.stream === stream) {
      entry.agents = agents;
      return;
    }
    if (entry.stream === undefined) this.connectedCount++;
    this.forgetAsked(entry);
    entry.stream = stream;
    entry.address = stream.address;
    entry.agents = agents;
    entry.connections++;
    entry.sinceMicros = this.now();
    entry.nextMicros = entry.sinceMicros;
  }

  /** The stream has ended: its links stay to be looked at, as long as there is room. */
  end(stream: MeasuredStream): void {
    for (const [key, entry] of this.byKey) {
      if (entry.stream !== stream) continue;
      this.forgetAsked(entry);
      entry.stream = undefined;
      this.connectedCount--;
      // The last one that ended is the last to be forgotten.
      this.byKey.delete(key);
      this.byKey.set(key, entry);
    }
    let former = this.byKey.size - this.connectedCount;
    for (const [key, entry] of this.byKey) {
      if (former <= this.options.formerMax) return;
      if (entry.stream !== undefined) continue;
      this.quality.remove(entry.link);
      this.byKey.delete(key);
      former--;
    }
  }

  /** A message that waited for its turn goes out now. */
  sent(id: number): void {
    const asked = this.byId.get(id)?.asked;
    if (asked?.id === id) asked.sentMicros = this.now();
  }

  /** An echo came on `stream`. */
  answered(stream: MeasuredStream, id: number): void {
    const entry = this.byId.get(id);
    if (entry?.asked?.id !== id || entry.stream !== stream) return;
    const { bytes, sentMicros } = entry.asked;
    this.byId.delete(id);
    entry.asked = undefined;
    entry.answers = true;
    const micros = Math.max(0, this.now() - sentMicros);
    // Padding goes there and back.
    this.quality.echoed(entry.link, micros, 2 * bytes);
    if (bytes === 0) this.echoed(entry.kind, micros / 1_000_000);
  }

  /** All links, connected ones first, by name. */
  views(): LinkView[] {
    const views = [...this.byKey.values()].map((entry): LinkView => {
      const { kind, name, agents, address, connections, sinceMicros, answers: echoes } = entry;
      const connected = entry.stream !== undefined;
      return {
        ...this.quality.report(entry.link),
        kind,
        name,
        agents,
        address,
        connected,
        connections,
        sinceMicros,
        echoes,
      };
    });
    return views.sort(
      (left, right) =>
        Number(right.connected) - Number(left.connected) ||
        (left.kind < right.kind ? -1 : left.kind > right.kind ? 1 : 0) ||
        (left.name < right.name ? -1 : 1),
    );
  }

  close(): void {
    clearInterval(this.timer);
  }

  private turn(): void {
    const now = this.now();
    const { intervalMicros, pingsPerSecondMax, lostMicros } = this.options;
    const spacing = Math.max(intervalMicros, (this.connectedCount / pingsPerSecondMax) * 1_000_000);
    let left = Math.max(1, Math.ceil((pingsPerSecondMax * intervalMicros) / 10_000_000));
    for (const entry of this.byKey.values()) {
      if (entry.stream === undefined) continue;
      if (entry.asked !== undefined && now - entry.asked.sentMicros > lostMicros) this.giveUp(entry);
      if (left === 0 || now < entry.nextMicros || entry.asked !== undefined) continue;
      left--;
      entry.nextMicros = now + spacing;
      this.ask(entry, entry.stream, now);
    }
    if (now - this.judgedMicros < spacing) return;
    this.judgedMicros = now;
    this.judge();
  }

  private ask(entry: Entry, stream: MeasuredStream, now: number): void {
    // Who does not read gets no more to read.
    if (stream.waiting > 0) return;
    const id = ++this.pingCount;
    const bytes = entry.answers && ++entry.pings % largeEvery === 0 ? largeBytes : 0;
    entry.asked = { id, bytes, sentMicros: now };
    this.byId.set(id, entry);
    stream.ping(id, bytes === 0 ? nothing : large);
  }

  private giveUp(entry: Entry): void {
    this.forgetAsked(entry);
    // Who never answered does not know the question.
    if (!entry.answers) return;
    this.quality.lost(entry.link);
    this.lost(entry.kind);
  }

  private forgetAsked(entry: Entry): void {
    if (entry.asked !== undefined) this.byId.delete(entry.asked.id);
    entry.asked = undefined;
  }

  private judge(): void {
    const entries = [...this.byKey.values()];
    const connected = entries.filter(({ stream }) => stream !== undefined);
    this.quality.judge(connected.map(({ link }) => link));
    let unlogged = 0;
    let logged = 0;
    for (const entry of connected) {
      const { anomalies, roundTripMicros, loss } = this.quality.report(entry.link);
      const flagged = anomalies.join(' ');
      if (flagged === entry.flagged) continue;
      entry.flagged = flagged;
      if (logged === loggedMax) {
        unlogged++;
        continue;
      }
      logged++;
      const { kind, name } = entry;
      const facts = { kind, name, anomalies: flagged, roundTripMicros: Math.round(roundTripMicros), loss };
      if (flagged === '') this.logger.info(facts, 'a link is as it should be again');
      else this.logger.warn(facts, 'a link is not as it should be');
    }
    if (unlogged > 0) this.logger.warn({ links: unlogged }, 'more links have changed');
  }
}
