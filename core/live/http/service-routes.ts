// What machines ask of the service itself: whether it lives, whether it takes work, its metrics, its description.

import type { FastifyInstance } from 'fastify';
import { SiraError } from '../../base/errors.ts';
import type { Metrics } from './metrics.ts';
import { answers, object, text } from './schemas.ts';
import type { HttpSources } from './views.ts';

export function serviceRoutes(server: FastifyInstance, { live }: HttpSources, metrics: Metrics): void {
  const tags = ['health'];
  const status = object({ status: text('How it is.') });
  server.get(
    '/health/live',
    { schema: { operationId: 'isLive', tags, summary: 'Whether the process works', response: answers(status) } },
    () => ({ status: 'live' }),
  );
  server.get(
    '/health/ready',
    {
      schema: {
        operationId: 'isReady',
        tags,
        summary: 'Whether the kernel takes inputs',
        response: answers(status, 503, 507),
      },
    },
    () => {
      const { refusal } = live;
      if (refusal !== undefined) throw new SiraError(refusal.code, refusal.reason);
      return { status: 'ready' };
    },
  );
  server.get(
    '/metrics',
    {
      schema: {
        operationId: 'getMetrics',
        tags: ['metrics'],
        summary: 'For Prometheus',
        response: {
          200: { description: 'Text exposition format.', content: { 'text/plain': { schema: { type: 'string' } } } },
        },
      },
    },
    async (_request, reply) => {
      reply.type(metrics.registry.contentType);
      return reply.serializer((body) => body as string).send(await metrics.registry.metrics());
    },
  );
  server.get('/openapi.json', { schema: { hide: true } }, () => server.swagger());
}
