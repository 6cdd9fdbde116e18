// Recommendations over HTTP: read them, ask for more, and act on them. Every answer about one carries an entity tag; an action that
// names the tag it was decided by (If-Match) is refused if somebody was faster. What the words do is the adviser's business.

import { createHash } from 'node:crypto';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { SiraError } from '../../core/base/errors.ts';
import { problemOf, sendProblem } from '../../core/live/http/problem.ts';
import { integer, limit, list, object, orNull, text } from '../../core/live/http/schemas.ts';
import {
  type AnalysisView,
  type Change,
  type Ledger,
  type Recommendation,
  type RecommendationKind,
  type RecommendationState,
  type RiskLevel,
  recommendationKinds,
  recommendationStates,
  riskLevels,
} from './recommendation.ts';
import { analysisSchema, answersOf, changeSchema, ledgerSchema, recommendationSchema, said } from './schemas.ts';

export interface Said {
  readonly who: string;
  readonly why: string;
}

/** What the routes need of the adviser. Actions throw SIRA_NOT_FOUND, and SIRA_ADVICE_REFUSED in a state that has no such action. */
export interface Advice {
  /** Newest first. */
  list(): readonly Recommendation[];
  get(id: number): Recommendation;
  ledger(): Ledger;
  readonly analysis: AnalysisView;
  /** Begins an analysis, if none runs. */
  analyse(): AnalysisView;
  whatIf(change: Change, said: Said): Recommendation;
  simulate(id: number, said: Said): Recommendation;
  apply(id: number, said: Said): Promise<Recommendation>;
  dismiss(id: number, said: Said): Recommendation;
  rollback(id: number, said: Said): Promise<Recommendation>;
}

interface ListQuery {
  readonly kind?: RecommendationKind;
  readonly state?: RecommendationState;
  readonly risk?: RiskLevel;
  readonly after?: number;
  readonly limit: number;
}

const tags = ['recommendations'];
const idPath = object({
  id: integer('Number of the recommendation.', { minimum: 1, maximum: Number.MAX_SAFE_INTEGER }),
});
const tagHeader = (name: string, description: string) => ({
  type: 'object',
  properties: { [name]: text(description, { maxLength: 1000 }) },
});
const ifMatch = tagHeader('if-match', 'Entity tags that the action was decided by.');
const ifNoneMatch = tagHeader('if-none-match', 'Entity tags that are known.');
const actions = [
  ['simulate', 'Simulate it again, on the latest telemetry'],
  ['apply', 'Put it in force; or say that the steps which a person must do are done'],
  ['dismiss', 'Do not do it'],
  ['rollback', 'Take it back'],
] as const;

export function recommendationRoutes(server: FastifyInstance, advice: Advice): void {
  server.get<{ Querystring: ListQuery }>(
    '/v1/recommendations',
    {
      schema: {
        operationId: 'listRecommendations',
        tags,
        summary: 'What could be better, each with its simulated effect, newest first',
        headers: ifNoneMatch,
        querystring: object(
          {
            kind: text('Of this kind alone.', { enum: [...recommendationKinds] }),
            state: text('In this state alone.', { enum: [...recommendationStates] }),
            risk: text('Of this risk alone.', { enum: [...riskLevels] }),
            after: integer('Begin after this one: `next` of the page before.', {
              minimum: 1,
              maximum: Number.MAX_SAFE_INTEGER,
            }),
            limit: limit(200),
          },
          '',
          ['kind', 'state', 'risk', 'after', 'limit'],
        ),
        response: answersOf(
          200,
          object({
            recommendations: list(recommendationSchema),
            next: orNull(integer('Give this as `after` for the next page.')),
            analysis: analysisSchema,
          }),
          304,
        ),
      },
    },
    ({ query, headers }, reply) => {
      const { kind, state, risk, after = Number.POSITIVE_INFINITY, limit: most } = query;
      const fitting = advice
        .list()
        .filter(
          (one) =>
            one.id < after &&
            (kind === undefined || one.kind === kind) &&
            (state === undefined || one.state === state) &&
            (risk === undefined || one.risk?.level === risk),
        );
      const page = fitting.slice(0, most);
      const next = fitting.length > page.length ? (page.at(-1)?.id ?? null) : null;
      return tagged(reply, headers['if-none-match'], { recommendations: page, next, analysis: advice.analysis });
    },
  );
  server.post(
    '/v1/recommendations',
    {
      schema: {
        operationId: 'analyse',
        tags,
        summary: 'Look now at what limits and what could be better; recommendations appear while it runs',
        response: answersOf(202, analysisSchema, 503),
      },
    },
    (_request, reply) => reply.code(202).send(advice.analyse()),
  );
  server.get(
    '/v1/recommendations/ledger',
    {
      schema: {
        operationId: 'adviceLedger',
        tags,
        summary: 'How good past advice was: predicted against realized',
        headers: ifNoneMatch,
        response: answersOf(200, ledgerSchema, 304),
      },
    },
    ({ headers }, reply) => tagged(reply, headers['if-none-match'], advice.ledger()),
  );
  server.get<{ Params: { id: number } }>(
    '/v1/recommendations/:id(^\\d+)',
    {
      schema: {
        operationId: 'getRecommendation',
        tags,
        summary: 'One recommendation',
        params: idPath,
        headers: ifNoneMatch,
        response: answersOf(200, recommendationSchema, 304, 404),
      },
    },
    ({ params, headers }, reply) => answer(reply, advice.get(params.id), headers['if-none-match']),
  );
  for (const [word, summary] of actions)
    server.post<{ Params: { id: number }; Body: Said }>(
      `/v1/recommendations/:id(^\\d+)::${word}`,
      {
        schema: {
          operationId: `${word}Recommendation`,
          tags,
          summary,
          params: idPath,
          headers: ifMatch,
          body: object(said),
          response: answersOf(200, recommendationSchema, 404, 409, 412, 429, 503),
        },
      },
      async ({ params, body, headers }, reply) => {
        const problem = precondition(advice.get(params.id), headers['if-match']);
        if (problem !== undefined) return sendProblem(reply, problemOf(problem, 412));
        return answer(reply, await advice[word](params.id, body));
      },
    );
  server.post<{ Body: Said & { readonly change: Change } }>(
    '/v1/what-if',
    {
      schema: {
        operationId: 'whatIf',
        tags,
        summary: 'Simulate a change of one’s own; the answer is a recommendation that is being simulated',
        body: object({ change: { ...changeSchema, minProperties: 1 }, ...said }),
        response: answersOf(202, recommendationSchema, 409, 429, 503),
      },
    },
    ({ body }, reply) => {
      const asked = advice.whatIf(body.change, body);
      reply.code(202).header('location', `/v1/recommendations/${asked.id}`);
      return answer(reply, asked);
    },
  );
}

/** Of one recommendation. */
export function entityTag({ id, version }: Recommendation): string {
  return `"${id}-${version}"`;
}

function answer(reply: FastifyReply, one: Recommendation, known?: string | string[]): FastifyReply {
  const tag = entityTag(one);
  reply.header('etag', tag);
  return isAmong(known, tag) ? reply.code(304).send() : reply.send(one);
}

/** An answer that has no version of its own is tagged by its content. */
function tagged(reply: FastifyReply, known: string | string[] | undefined, body: object): FastifyReply {
  const tag = `"${createHash('sha256').update(JSON.stringify(body)).digest('base64url').slice(0, 22)}"`;
  reply.header('etag', tag);
  return isAmong(known, tag) ? reply.code(304).send() : reply.send(body);
}

function precondition(one: Recommendation, asked: FastifyRequest['headers']['if-match']): SiraError | undefined {
  if (asked === undefined || isAmong(asked, entityTag(one))) return undefined;
  const detail = `recommendation ${one.id} is at ${entityTag(one)}, not ${asked}`;
  return new SiraError('SIRA_VERSION_CONFLICT', detail, {}, 'Read it again and decide anew.');
}

function isAmong(given: string | string[] | undefined, tag: string): boolean {
  if (given === undefined) return false;
  return [given]
    .flat()
    .flatMap((each) => each.split(','))
    .some((each) => each.trim() === '*' || each.trim().replace(/^W\//, '') === tag);
}
