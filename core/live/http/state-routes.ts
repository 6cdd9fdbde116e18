// Reads of the kernel's state over HTTP: cluster, agents, tasks, decisions. Lists are read in pages by number, bounded each. And
// two things an operator may do here: drain an agent, cancel a task; both are inputs, answered when they are on the disk.

import type { FastifyInstance } from 'fastify';
import { SiraError } from '../../base/errors.ts';
import type { InputBody } from '../../kernel/inputs.ts';
import { type AgentState, agentStates } from '../../registry/agent-state.ts';
import type { KeptDecision } from './activity.ts';
import type { Samples } from './samples.ts';
import {
  agent,
  answers,
  cluster,
  decision,
  explainedDecision,
  fleet,
  integer,
  limit,
  list,
  object,
  orNull,
  sample,
  skill,
  task,
  text,
} from './schemas.ts';
import {
  agentView,
  clusterView,
  decisionExplanation,
  decisionView,
  endedTaskView,
  fleetView,
  type HttpSources,
  skillViews,
  taskView,
} from './views.ts';

const pageMax = 1000;
const fleetMax = 20_000;
/** Tasks looked at for one page. */
const lookMax = 200_000;

const after = integer('Only those with a larger number: `next` of the page before.', {
  minimum: -1,
  maximum: Number.MAX_SAFE_INTEGER,
  default: -1,
});
const next = orNull(integer('Give this as `after` for the next page; null at the end.'));
const number = (what: string) => object({ number: integer(what, { minimum: 0, maximum: Number.MAX_SAFE_INTEGER }) });
const query = (properties: Parameters<typeof object>[0]) => object(properties, '', Object.keys(properties));

export function stateRoutes(server: FastifyInstance, sources: HttpSources, samples: Samples): void {
  const { live, activity } = sources;
  const { control } = live.kernel;
  server.get(
    '/v1/cluster',
    {
      schema: {
        operationId: 'getCluster',
        tags: ['cluster'],
        summary: 'The cluster as a whole',
        response: answers(cluster),
      },
    },
    () => clusterView(sources),
  );
  server.get(
    '/v1/cluster/samples',
    {
      schema: {
        operationId: 'listSamples',
        tags: ['cluster'],
        summary: 'The latest quarter of an hour, a sample a second',
        response: answers(object({ samples: list(sample) })),
      },
    },
    () => ({ samples: samples.kept.toArray() }),
  );
  server.get(
    '/v1/cluster/fleet',
    {
      schema: {
        operationId: 'getFleet',
        tags: ['cluster'],
        summary: 'The agents as columns, in order of first registration: for maps',
        response: answers(fleet),
      },
    },
    () => fleetView(sources, fleetMax),
  );
  agentRoutes(server, sources);
  server.get<{ Querystring: { after: number; limit: number; state?: string } }>(
    '/v1/tasks',
    {
      schema: {
        operationId: 'listTasks',
        tags: ['tasks'],
        summary: 'Waiting and placed tasks, or those that ended lately',
        querystring: query({
          after,
          limit: limit(pageMax),
          state: text('Only these; without it all but the ended.', { enum: ['waiting', 'placed', 'ended'] }),
        }),
        response: answers(object({ tasks: list(task), next })),
      },
    },
    ({ query: { after: from, limit: most, state } }) => {
      const tasks: object[] = [];
      let last = -1;
      if (state === 'ended') {
        // The latest first: `next` counts backwards through what is kept.
        const { ended } = activity;
        const begin = from < 0 ? 0 : from;
        for (let index = begin; index < ended.length && tasks.length < most; index++)
          tasks.push(endedTaskView(sources, ended.at(ended.length - 1 - index)));
        last = begin + tasks.length;
        return { tasks, next: last < ended.length ? last : null };
      }
      let looked = 0;
      for (const one of control.tasks.values()) {
        if (one.task <= from || (state !== undefined && one.state !== state)) continue;
        if (tasks.length === most || ++looked > lookMax) return { tasks, next: last };
        tasks.push(taskView(sources, one));
        last = one.task;
      }
      return { tasks, next: null };
    },
  );
  server.get<{ Params: { number: number } }>(
    '/v1/tasks/:number',
    {
      schema: {
        operationId: 'getTask',
        tags: ['tasks'],
        summary: 'A task, with the decisions about it that are kept',
        params: number('The task.'),
        response: answers(object({ task, decisions: list(decision) }), 404),
      },
    },
    ({ params }) => {
      const known = control.tasks.get(params.number);
      const life = activity.life(params.number);
      if (known === undefined && life === undefined) throw noTask(params.number);
      const view =
        known === undefined ? endedTaskView(sources, life as NonNullable<typeof life>) : taskView(sources, known);
      const decisions = lately(sources, pageMax, ({ record }) => record.task === params.number);
      return { task: view, decisions: decisions.map((kept) => decisionView(sources, kept)) };
    },
  );
  server.post<{ Params: { number: number } }>(
    '/v1/tasks/:number/cancel',
    {
      schema: {
        operationId: 'cancelTask',
        tags: ['tasks'],
        summary: 'End a task: its submitter is told as of any other end',
        params: number('The task.'),
        response: answers(object({ sequence: integer('Number of the input.') }), 404, 503),
      },
    },
    ({ params }) => {
      const known = control.tasks.get(params.number);
      if (known === undefined) throw noTask(params.number);
      return given(sources, { kind: 'taskCancelled', submitter: known.submitter, submission: known.submission });
    },
  );
  server.get<{ Querystring: { before?: number; limit: number; task?: number; outcome?: string } }>(
    '/v1/decisions',
    {
      schema: {
        operationId: 'listDecisions',
        tags: ['decisions'],
        summary: 'The latest decisions, newest first, each with why',
        querystring: query({
          before: integer('Only those with a smaller number: `next` of the page before.', {
            minimum: 0,
            maximum: Number.MAX_SAFE_INTEGER,
          }),
          limit: limit(pageMax),
          task: integer('Only those about this task.', { minimum: 0, maximum: Number.MAX_SAFE_INTEGER }),
          outcome: text('Only these.', { enum: ['placed', 'waits', 'dropped', 'backs off', 'evicts'] }),
        }),
        response: answers(
          object({
            decisions: list(decision),
            next: orNull(integer('Give this as `before` for the next page; null at the end.')),
            oldest: integer('The oldest kept, 0 for none.'),
          }),
        ),
      },
    },
    ({ query: { before = Number.POSITIVE_INFINITY, limit: most, task: ofTask, outcome } }) => {
      const decisions = lately(
        sources,
        most,
        ({ record }) =>
          record.decision < before &&
          (ofTask === undefined || record.task === ofTask) &&
          (outcome === undefined || record.outcome === outcome),
      );
      const oldest = activity.decisions.peek()?.record.decision ?? 0;
      const last = decisions.at(-1)?.record.decision ?? 0;
      const isMore = decisions.length === most && last > oldest;
      return { decisions: decisions.map((kept) => decisionView(sources, kept)), next: isMore ? last : null, oldest };
    },
  );
  server.get<{ Params: { number: number } }>(
    '/v1/decisions/:number',
    {
      schema: {
        operationId: 'getDecision',
        tags: ['decisions'],
        summary: 'Why here: a decision with the agents ruled out, the scores and the runners-up',
        params: number('The decision.'),
        response: answers(explainedDecision, 404, 410),
      },
    },
    ({ params }) => {
      const kept = activity.decision(params.number);
      if (kept !== undefined) return decisionExplanation(sources, kept);
      const oldest = activity.decisions.peek()?.record.decision;
      if (oldest !== undefined && params.number > 0 && params.number < oldest)
        throw new SiraError('SIRA_OFFSET_GONE', `decisions are kept from number ${oldest} on`);
      throw new SiraError('SIRA_NOT_FOUND', `there is no decision ${params.number} since this process began`);
    },
  );
}

function agentRoutes(server: FastifyInstance, sources: HttpSources): void {
  const { live } = sources;
  const { registry } = live.kernel.control;
  const named = object({ name: text('Its name.', { minLength: 1, maxLength: 200 }) });
  const rowOf = (name: string): number => {
    const row = registry.rowOf(name);
    if (row < 0) throw new SiraError('SIRA_NOT_FOUND', `no agent is called "${name}"`);
    return row;
  };
  server.get<{ Querystring: { after: number; limit: number; state?: AgentState } }>(
    '/v1/agents',
    {
      schema: {
        operationId: 'listAgents',
        tags: ['agents'],
        summary: 'Agents in order of first registration',
        querystring: query({ after, limit: limit(pageMax), state: text('Only these.', { enum: [...agentStates] }) }),
        response: answers(object({ agents: list(agent), next })),
      },
    },
    ({ query: { after: from, limit: most, state } }) => {
      const agents = [];
      for (let row = from + 1; row < registry.size; row++) {
        if (state !== undefined && registry.state(row) !== state) continue;
        if (agents.length === most) return { agents, next: agents.at(-1)?.agent ?? null };
        agents.push(agentView(sources, row));
      }
      return { agents, next: null };
    },
  );
  server.get<{ Params: { name: string } }>(
    '/v1/agents/:name',
    {
      schema: {
        operationId: 'getAgent',
        tags: ['agents'],
        summary: 'An agent, what it runs, and what it is believed to be able to do',
        params: named,
        response: answers(object({ agent, tasks: list(task), skills: list(skill) }), 404),
      },
    },
    ({ params }) => {
      const row = rowOf(params.name);
      const tasks = [];
      for (const { machines, task: one } of live.kernel.control.scheduler.attempts.values())
        if (machines.includes(row) && tasks.length < pageMax) tasks.push(taskView(sources, one));
      return { agent: agentView(sources, row), tasks, skills: skillViews(sources, row) };
    },
  );
  server.post<{ Params: { name: string } }>(
    '/v1/agents/:name/drain',
    {
      schema: {
        operationId: 'drainAgent',
        tags: ['agents'],
        summary: 'Give an agent no new work until it restarts; what it runs it finishes',
        params: named,
        response: answers(object({ sequence: integer('Number of the input.') }), 404, 503),
      },
    },
    ({ params }) => {
      const row = rowOf(params.name);
      return given(sources, { kind: 'agentDraining', agent: row, incarnation: registry.incarnationOf(row) });
    },
  );
}

/** Gives the input; resolves with its number when it is durable. */
export async function given({ live, activity }: HttpSources, body: InputBody): Promise<{ readonly sequence: number }> {
  const status = live.give(body);
  if (!status.ok) throw new SiraError(status.code, status.reason);
  const sequence = live.kernel.lastSequence;
  if (!(await activity.durable(sequence, 30_000)))
    throw new SiraError('SIRA_REQUEST_TIMED_OUT', 'the input is taken, but not on the disk yet');
  return { sequence };
}

/** The newest decisions that fit, newest first. */
function lately({ activity }: HttpSources, most: number, fits: (kept: KeptDecision) => boolean): KeptDecision[] {
  const found: KeptDecision[] = [];
  const { decisions } = activity;
  for (let index = decisions.length - 1; index >= 0 && found.length < most; index--) {
    const kept = decisions.at(index);
    if (fits(kept)) found.push(kept);
  }
  return found;
}

function noTask(task: number): SiraError {
  return new SiraError('SIRA_NOT_FOUND', `task ${task} is not known, or ended long ago`);
}
