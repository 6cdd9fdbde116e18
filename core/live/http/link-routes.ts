// The links to agents, submitters and clients of topics over HTTP: how long messages take there and back, how evenly, how many are lost, how fast bytes
// go, and what is unusual about it.

import type { FastifyInstance } from 'fastify';
import { type LinkView, linkKinds } from '../grpc/link-desk.ts';
import { answers, flag, integer, limit, list, number, object, orNull, text } from './schemas.ts';
import type { HttpSources } from './views.ts';

const anomalyNames = ['lossy', 'slow', 'slower'];

const link = object(
  {
    kind: text('Whose it is.', { enum: linkKinds }),
    name: text('Of the first agent of the stream, of the submitter, or of the client of topics.'),
    agents: integer('Agents that speak on it.'),
    address: text('Of the other side; of the last connection, if there is none now.'),
    connected: flag('Whether there is a stream.'),
    connections: integer('How often it has connected.'),
    sinceMicros: integer('When it did last.'),
    echoes: flag('Whether the other side answers pings; who does not is not measured.'),
    roundTripMicros: orNull(
      number('Smoothed (RFC 6298); null before the first echo. The other process is part of the way.'),
    ),
    roundTripMicrosMin: orNull(number('The least of all.')),
    jitterMicros: number('Smoothed difference of successive round trips (RFC 3550).'),
    loss: number('Share of pings without an echo within five seconds, the latest counting most.'),
    bytesPerSecond: orNull(number('Both ways together; null before it was measured.')),
    echoCount: integer('Echoes so far.'),
    lostCount: integer('Pings without one.'),
    anomalies: list(
      text('lossy: too much is lost. slow: unlike its peers. slower: unlike its own usual.', { enum: anomalyNames }),
    ),
  },
  'A link.',
);

function view({ link: _, ...report }: LinkView) {
  const isMeasured = report.echoCount > 0;
  return {
    ...report,
    roundTripMicros: isMeasured ? report.roundTripMicros : null,
    roundTripMicrosMin: isMeasured && Number.isFinite(report.roundTripMicrosMin) ? report.roundTripMicrosMin : null,
    bytesPerSecond: report.bytesPerSecond ?? null,
  };
}

export function linkRoutes(server: FastifyInstance, { links }: HttpSources): void {
  server.get<{ Querystring: { kind?: string; anomalous?: boolean; after: number; limit: number } }>(
    '/v1/links',
    {
      schema: {
        operationId: 'listLinks',
        tags: ['links'],
        summary: 'Links to agents, submitters and clients of topics, those with a stream first, by name',
        querystring: object(
          {
            kind: text('Of this kind alone.', { enum: linkKinds }),
            anomalous: flag('Those alone that are unusual, or that are not.'),
            after: integer('Begin after so many: `next` of the page before.', {
              minimum: 0,
              maximum: Number.MAX_SAFE_INTEGER,
              default: 0,
            }),
            limit: limit(1000),
          },
          '',
          ['kind', 'anomalous', 'after', 'limit'],
        ),
        response: answers(
          object({
            links: list(link),
            total: integer('Links of that kind.'),
            next: orNull(integer('Give this as `after` for the next page; null at the end.')),
          }),
        ),
      },
    },
    ({ query: { kind, anomalous, after, limit: most } }) => {
      const all = links
        .views()
        .filter(
          (one) =>
            (kind === undefined || one.kind === kind) &&
            (anomalous === undefined || one.anomalies.length > 0 === anomalous),
        );
      const next = after + most < all.length ? after + most : null;
      return { links: all.slice(after, after + most).map(view), total: all.length, next };
    },
  );
}
