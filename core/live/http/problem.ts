// Errors over HTTP: problem details (RFC 9457) with the code and the remedy of the one error table. What is not a coded error is
// a defect: the log has it, the client learns that it happened.

import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { type ErrorCode, errorTable, SiraError } from '../../base/errors.ts';
import type { Logger } from '../logger.ts';

export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly code: ErrorCode;
  readonly remedy: string;
}

/** `status` overrides that of the table where HTTP has a more precise one. */
export function problemOf(error: SiraError, status: number = errorTable[error.code].http): Problem {
  const { code, message, remedy } = error;
  return {
    type: `https://sira-kernel.dev/errors#${code.toLowerCase()}`,
    title: errorTable[code].summary,
    status,
    detail: message,
    code,
    remedy,
  };
}

export function sendProblem(reply: FastifyReply, problem: Problem): FastifyReply {
  // Already text: the schema of the route's answers is not that of its problems.
  return reply
    .code(problem.status)
    .type('application/problem+json')
    .serializer((body) => JSON.stringify(body))
    .send(problem);
}

/** Answers every error of the server and its plug-ins. To be called before any route is added. */
export function answerProblems(server: FastifyInstance, logger: Logger): void {
  const routes: Route[] = [];
  server.addHook('onRoute', ({ method, url }) => {
    // A parameter may have a pattern of its own, and two colons stand for one.
    const pattern = patternOf(url);
    for (const one of [method].flat()) routes.push({ method: one, pattern, isExact: !url.includes(':') });
  });
  // Before the body is looked at: whatever it is, nobody wants it.
  server.addHook('onRequest', (request, reply, done) => {
    if (request.is404) answerUnknown(routes, request, reply);
    else done();
  });
  server.setErrorHandler((error: FastifyError | SiraError, request, reply) =>
    answerError(error, request, reply, logger),
  );
  server.setNotFoundHandler((request, reply) => answerUnknown(routes, request, reply));
}

/** Of a route's address: `:name` is a part of a path, `:name(…)` one of that kind, `::` a colon. */
function patternOf(url: string): RegExp {
  const parts = url.split(/(::|:\w+(?:\([^)]*\))?)/);
  const patterns = parts.map((part, index) => {
    if (index % 2 === 0) return part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
    return part === '::' ? ':' : (/\(\^?(.*)\)$/.exec(part)?.[1] ?? '[^/]+');
  });
  return new RegExp(`^${patterns.join('')}$`);
}

interface Route {
  readonly method: string;
  readonly pattern: RegExp;
  readonly isExact: boolean;
}

/** Also for what the framework refuses before there is a route. */
export function answerError(
  error: FastifyError | SiraError,
  request: FastifyRequest,
  reply: FastifyReply,
  logger: Logger,
): FastifyReply {
  if (error instanceof SiraError) return sendProblem(reply, problemOf(error));
  const status = error.statusCode ?? 500;
  if (status >= 400 && status < 500) return sendProblem(reply, problemOf(requestError(error), status));
  logger.error({ method: request.method, url: request.url, error: error.stack ?? String(error) }, 'a request failed');
  return sendProblem(reply, problemOf(new SiraError('SIRA_DEFECT', 'the request could not be answered')));
}

/** No route takes the path, or none by this method. */
function answerUnknown(routes: readonly Route[], request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const path = pathOf(request);
  const matching = routes.filter(({ pattern }) => pattern.test(path));
  const isExact = matching.some((route) => route.isExact);
  const methods = matching.flatMap((route) => (route.isExact === isExact ? [route.method] : []));
  if (methods.length === 0)
    return sendProblem(reply, problemOf(new SiraError('SIRA_NOT_FOUND', `there is no ${path}`)));
  reply.header('allow', methods.join(', '));
  const detail = `${path} does not take ${request.method}, but ${methods.join(', ')}`;
  return sendProblem(reply, problemOf(new SiraError('SIRA_REQUEST_INVALID', detail), 405));
}

function requestError(error: FastifyError): SiraError {
  const first = error.validation?.[0];
  const field = first === undefined ? undefined : fieldOf(error.validationContext, first.instancePath);
  return new SiraError('SIRA_REQUEST_INVALID', error.message, field === undefined ? {} : { field });
}

function fieldOf(context: string | undefined, path: string): string {
  return `${context ?? 'request'}${path.replaceAll('/', '.')}`;
}

function pathOf(request: FastifyRequest): string {
  return request.url.split('?')[0] as string;
}
