// The durable topics over HTTP: what each keeps, which groups read it, and how far behind they are.

import type { FastifyInstance } from 'fastify';
import { SiraError } from '../../base/errors.ts';
import type { TopicDescription } from '../../bus/topics/describe-topics.ts';
import { answers, integer, limit, list, object, orNull, text } from './schemas.ts';
import type { HttpSources } from './views.ts';

const topic = object(
  {
    name: text('Its name.'),
    startOffset: integer('Messages from here on are kept.'),
    endOffset: integer('Of the next message.'),
    backlogMessagesMax: orNull(integer('Messages between the slowest group and the end, at most; null for no bound.')),
    groups: list(
      object({
        name: text('Its name.'),
        mode: text('How messages go to its members.', { enum: ['exclusive', 'shared', 'keyOrdered'] }),
        members: integer('Members that are connected.'),
        offset: integer('Everything before is settled.'),
        lag: integer('Messages from there to the end; some of them may be settled.'),
      }),
      'Who reads it.',
    ),
  },
  'A durable topic.',
);

/** A bound that is none is null: JSON knows no infinity. */
function view({ backlogMessagesMax: most, ...rest }: TopicDescription) {
  return { ...rest, backlogMessagesMax: Number.isFinite(most) ? most : null };
}

export function topicRoutes(server: FastifyInstance, { topics }: HttpSources): void {
  const tags = ['topics'];
  server.get<{ Querystring: { after: number; limit: number } }>(
    '/v1/topics',
    {
      schema: {
        operationId: 'listTopics',
        tags,
        summary: 'Durable topics with their groups, in order of creation',
        querystring: object(
          {
            after: integer('Begin after so many: `next` of the page before.', {
              minimum: 0,
              maximum: Number.MAX_SAFE_INTEGER,
              default: 0,
            }),
            limit: limit(1000),
          },
          '',
          ['after', 'limit'],
        ),
        response: answers(
          object({
            topics: list(topic),
            next: orNull(integer('Give this as `after` for the next page; null at the end.')),
          }),
        ),
      },
    },
    ({ query: { after, limit: most } }) => {
      const all = topics.describe();
      return {
        topics: all.slice(after, after + most).map(view),
        next: after + most < all.length ? after + most : null,
      };
    },
  );
  server.get<{ Params: { name: string } }>(
    '/v1/topics/:name',
    {
      schema: {
        operationId: 'getTopic',
        tags,
        summary: 'One durable topic with its groups',
        params: object({ name: text('Its name.', { minLength: 1, maxLength: 300 }) }),
        response: answers(topic, 404),
      },
    },
    ({ params: { name } }) => {
      const found = topics.describe().find((one) => one.name === name);
      if (found === undefined) throw new SiraError('SIRA_NOT_FOUND', `no topic is called "${name}"`);
      return view(found);
    },
  );
}
