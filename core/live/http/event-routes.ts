// Server-sent events (the HTML standard, 9.2): decisions, agents, tasks, settings and samples as they happen. An event's id is
// its input's number and its place in it, the same after every restart, so that a browser that reconnects goes on where it was
// as long as that is kept. A reader that does not keep up is dropped; nobody else, and the kernel least of all, waits for it.

import type { ServerResponse } from 'node:http';
import type { FastifyInstance } from 'fastify';
import { SiraError } from '../../base/errors.ts';
import { type ActivityEvent, eventKinds, type KeptDecision } from './activity.ts';
import type { Metrics } from './metrics.ts';
import type { Samples } from './samples.ts';
import { answers, object, text } from './schemas.ts';
import { decisionView, type HttpSources } from './views.ts';

export interface EventLimits {
  readonly streamsMax: number;
  /** Of one stream, written and not read: beyond it the stream ends. */
  readonly unreadBytesMax: number;
}

export const defaultEventLimits: EventLimits = { streamsMax: 256, unreadBytesMax: 1024 ** 2 };

const aliveMillis = 15_000;
const kinds = [...eventKinds, 'sample'] as const;

interface Reader {
  readonly response: ServerResponse;
  readonly kinds: ReadonlySet<string>;
  waiting: string[];
}

export class EventStreams {
  private readonly readers = new Set<Reader>();
  private readonly limits: EventLimits;
  private readonly metrics: Metrics;
  private readonly sources: HttpSources;
  private readonly timer: NodeJS.Timeout;
  private readonly stops: (() => void)[];
  private flushAsked = false;

  constructor(sources: HttpSources, samples: Samples, metrics: Metrics, limits: EventLimits) {
    this.sources = sources;
    this.metrics = metrics;
    this.limits = limits;
    this.stops = [
      sources.activity.listen((event) => {
        if (this.readers.size > 0) this.tell(event.kind, frame(this.sources, event));
      }),
      samples.listen((sample) => {
        if (this.readers.size > 0) this.tell('sample', `event: sample\ndata: ${JSON.stringify(sample)}\n\n`);
      }),
    ];
    this.timer = setInterval(() => {
      for (const reader of this.readers) this.write(reader, ': alive\n\n');
    }, aliveMillis);
  }

  get count(): number {
    return this.readers.size;
  }

  routes(server: FastifyInstance): void {
    server.get<{ Querystring: { kinds?: string }; Headers: { 'last-event-id'?: string } }>(
      '/v1/events',
      {
        schema: {
          operationId: 'streamEvents',
          tags: ['events'],
          summary: 'What happens, as it happens: server-sent events',
          querystring: object(
            {
              kinds: text(`Only these, separated by commas: ${kinds.join(', ')}. Default: all.`, {
                pattern: `^(${kinds.join('|')})(,(${kinds.join('|')}))*$`,
              }),
            },
            '',
            ['kinds'],
          ),
          headers: {
            type: 'object',
            properties: {
              'last-event-id': text(
                'The last one heard: goes on after it. Where that may not be all, an event `gap` comes first.',
              ),
            },
          },
          response: {
            ...answers({ description: 'A stream without an end.' }, 429),
            200: {
              description: 'A stream without an end.',
              content: { 'text/event-stream': { schema: { type: 'string' } } },
            },
          },
        },
      },
      (request, reply) => {
        if (this.readers.size >= this.limits.streamsMax)
          throw new SiraError('SIRA_QUEUE_FULL', `${this.readers.size} streams of events are open already`);
        reply.hijack();
        this.open(reply.raw, request.query.kinds?.split(',') ?? kinds, request.headers['last-event-id']);
        return reply;
      },
    );
  }

  close(): void {
    clearInterval(this.timer);
    for (const stop of this.stops) stop();
    for (const reader of [...this.readers]) reader.response.end();
  }

  private open(response: ServerResponse, wanted: readonly string[], lastId: string | undefined): void {
    response.writeHead(200, {
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store',
      'x-accel-buffering': 'no',
      'x-content-type-options': 'nosniff',
    });
    const reader: Reader = { response, kinds: new Set(wanted), waiting: [] };
    const end = (): void => {
      if (this.readers.delete(reader)) this.metrics.eventStreams.set(this.readers.size);
    };
    response.on('close', end);
    response.on('error', end);
    this.readers.add(reader);
    this.metrics.eventStreams.set(this.readers.size);
    this.write(reader, `retry: 1000\n\n${lastId === undefined ? '' : this.missed(reader, lastId)}`);
  }

  /** What is kept after the event of that id, behind a `gap` if that may not be all. */
  private missed(reader: Reader, id: string): string {
    const [sequence = -1, index = -1] = /^\d{1,16}-\d{1,9}$/.test(id) ? id.split('-').map(Number) : [];
    const isLater = (event: ActivityEvent): boolean =>
      event.sequence > sequence || (event.sequence === sequence && event.index > index);
    const kept = this.sources.activity.events.toArray();
    const gap = kept.length > 0 && !isLater(kept[0] as ActivityEvent) ? '' : 'event: gap\ndata: {}\n\n';
    const later = kept.filter((event) => isLater(event) && reader.kinds.has(event.kind));
    return gap + later.map((event) => frame(this.sources, event)).join('');
  }

  private tell(kind: string, text: string): void {
    for (const reader of this.readers) if (reader.kinds.has(kind)) reader.waiting.push(text);
    if (this.flushAsked) return;
    this.flushAsked = true;
    // What one turn brings goes out as one write.
    setImmediate(() => {
      this.flushAsked = false;
      for (const reader of this.readers) {
        if (reader.waiting.length === 0) continue;
        const text = reader.waiting.join('');
        reader.waiting = [];
        this.write(reader, text);
      }
    });
  }

  private write({ response }: Reader, text: string): void {
    if (response.destroyed || response.writableEnded) return;
    response.write(text);
    if (response.writableLength <= this.limits.unreadBytesMax) return;
    this.metrics.eventStreamsDropped.inc();
    response.destroy();
  }
}

function frame(sources: HttpSources, { kind, sequence, index, timeMicros, data }: ActivityEvent): string {
  const fields = kind === 'decision' ? decisionView(sources, data as KeptDecision) : { sequence, timeMicros, ...data };
  return `id: ${sequence}-${index}\nevent: ${kind}\ndata: ${JSON.stringify(fields)}\n\n`;
}
