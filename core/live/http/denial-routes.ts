// What was refused to whom, lately, for operators.

import type { FastifyInstance } from 'fastify';
import type { Denials } from '../security/denials.ts';
import { answers, integer, limit, list, object, text } from './schemas.ts';

const denial = object({
  number: integer('Counts from 1 since the process began.'),
  atMillis: integer('When, time of day.'),
  reason: text('Why.', { enum: ['unauthenticated', 'forbidden', 'rate', 'size', 'silence'] }),
  over: text('By which door.', { enum: ['grpc', 'http'] }),
  identity: text('Who, empty where nobody is known.'),
  address: text('From where.'),
  what: text('What was asked for.'),
  detail: text('What it was told.'),
});

export function denialRoutes(server: FastifyInstance, denials: Denials): void {
  server.get<{ Querystring: { limit: number } }>(
    '/v1/denials',
    {
      schema: {
        operationId: 'listDenials',
        tags: ['security'],
        summary: 'What was refused to whom, newest first; takes the role administer',
        querystring: object({ limit: limit(1000) }, '', ['limit']),
        response: answers(object({ count: integer('Since the process began.'), denials: list(denial) })),
      },
    },
    ({ query }) => ({ count: denials.count, denials: denials.latest(query.limit) }),
  );
}
