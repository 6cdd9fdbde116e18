// Scheduling policies over HTTP: which one serves, how the rollout of a candidate stands, who decided what when, and the words that
// move it. Each is one journaled input, answered when it is on the disk; what a word does is the kernel's to say.

import { createHash } from 'node:crypto';
import type { FastifyInstance } from 'fastify';
import { SiraError } from '../../base/errors.ts';
import type { PolicyCommanded } from '../../kernel/inputs.ts';
import type { PolicyVersion, RolloutCommand, WitnessVerdict } from '../../policy/rollout.ts';
import { completePlan, driftResponses, guardMetrics, rolloutStages } from '../../policy/rollout-plan.ts';
import type { ShieldCounts } from '../../policy/shield.ts';
import type { Profile, ScalingRule } from '../../scheduler/framework.ts';
import { answers, integer, list, number, object, orNull, text } from './schemas.ts';
import type { HttpSources } from './views.ts';

const tags = ['policies'];
const open = (description: string) => ({ type: 'object', additionalProperties: true, description });
const said = {
  who: text('Who asks for it.', { minLength: 1, maxLength: 200 }),
  why: text('Why.', { maxLength: 1000 }),
};
const rolloutPath = object({ rollout: integer('Number of the rollout.', { minimum: 1 }) });
const answered = object({ rollout: integer('The rollout that it was about, 0 if none.') });
const micros = (description: string) => integer(description, { minimum: 1 });
const policy = object(
  {
    order: text('Queue order by name.'),
    place: text('Placement by name.'),
    unplaced: text('What happens to a task that cannot be placed.', { enum: ['block', 'skip', 'backoff', 'drop'] }),
    backfill: text('Backfilling.', { enum: ['none', 'never', 'avoidReserved', 'conservative'] }),
    overtakeMax: integer('Bound on overtaking; 0 is none.', { minimum: 0 }),
    preempt: text('Whether tasks evict others.', { enum: ['never', 'lowerPriority'] }),
    tenantWeights: { type: 'object', additionalProperties: { type: 'number', exclusiveMinimum: 0 } },
    ties: text('Machines of equal score: the first, or one drawn.', { enum: ['first', 'random'] }),
    tieSeed: integer('Seed of a stream of its own for ties.'),
    artifact: text('A learned policy, in base64.', { maxLength: 16_000_000 }),
  },
  'A scheduling policy; what is left out is as in the policy that was good last.',
  ['order', 'place', 'unplaced', 'backfill', 'overtakeMax', 'preempt', 'tenantWeights', 'ties', 'tieSeed', 'artifact'],
);
const canaryFields = {
  blockTasks: integer('Tasks in one block of time.', { minimum: 2 }),
  washoutTasks: integer('Of those, the first that are not counted.', { minimum: 0 }),
  tasksMax: integer('Tasks after which it ends.', { minimum: 4 }),
  settleMicros: micros('How long after its block a task may take.'),
  alpha: number('Probability of a wrong verdict.', { exclusiveMinimum: 0, maximum: 0.5 }),
  harmTasksMax: number('Bound on the total harm, tasks.', { exclusiveMinimum: 0 }),
  slowdownFloorMicros: micros('Estimates below count as this.'),
};
const guard = object(
  {
    metric: text('What is watched.', { enum: [...guardMetrics] }),
    atMost: number('Breached above this.'),
    windowTasks: integer('Tasks over which it is taken.', { minimum: 1, maximum: 10_000 }),
  },
  '',
  ['windowTasks'],
);
const guardReading = object(
  {
    metric: text('What is watched.', { enum: [...guardMetrics] }),
    atMost: number('Breached above this.'),
    windowTasks: integer('Tasks over which it is taken, where it is one of tasks.'),
    value: orNull(number('Now; null while too few tasks have ended.')),
  },
  'A guard and what it sees.',
);
const driftFields = {
  response: text('What follows.', { enum: [...driftResponses] }),
  windowTasks: integer('Tasks of a window that is held against the trial.', { minimum: 10, maximum: 10_000 }),
  stabilityMax: number('Population stability index of an input up to which a window is never strange.', {
    minimum: 0.05,
    maximum: 10,
  }),
  slowdownRiseMax: number('Rise of the mean slowdown up to which it is not, as a share.', { minimum: 0 }),
  falseAlarmWindows: number('Windows between two false alarms, on average, at least.', { minimum: 100 }),
};
const planFields = {
  shadowDecisions: integer('Decisions in the shadow.', { minimum: 0 }),
  canary: object(canaryFields, 'What the canary may do.', Object.keys(canaryFields)),
  guards: list(guard),
  lookMicros: integer('Time between two looks at guards.', { minimum: 1000, maximum: 1_000_000 }),
  approvals: list(text('Stage that waits for approval.', { enum: [...rolloutStages] })),
  offPolicy: text('What the off-policy witness must say.', { enum: ['mustPass', 'mayNotFail'] }),
  drift: object(driftFields, 'What is watched once it is promoted.', Object.keys(driftFields)),
};
const plan = object(planFields, 'How it is tried; what is left out is by default.', Object.keys(planFields));

interface Said {
  readonly who: string;
  readonly why: string;
}

interface Proposal extends Said {
  readonly name: string;
  readonly policy: Partial<Profile>;
  readonly artifact?: string;
  readonly plan?: Parameters<typeof completePlan>[0];
}

export function policyRoutes(server: FastifyInstance, sources: HttpSources): void {
  const machine = () => sources.live.kernel.control.rollouts.machine;
  server.get(
    '/v1/policies',
    {
      schema: {
        operationId: 'listPolicies',
        tags,
        summary: 'Who serves, who was trusted before, and how rollouts stand',
        response: answers(
          object({
            serves: open('The policy that decides now.'),
            good: list(open('Trusted with everything, the one that is now last.')),
            rollouts: list(open('Oldest first.')),
            guards: list(guardReading, 'Of the canary that runs, else of what was promoted last; empty without one.'),
            networks: open(
              'Of the policy that serves, by what a network decides (order, placement): decisions since it took over, and those left to the fallback by why; empty without a network.',
            ),
            watch: open('What is seen of the policy that was promoted last; empty if nobody looks.'),
          }),
        ),
      },
    },
    () => ({
      serves: versionView(machine().serves),
      good: machine().good.map(versionView),
      rollouts: machine().rollouts.map((rollout) => ({ ...rollout, candidate: versionView(rollout.candidate) })),
      guards: sources.live.kernel.control.rollouts
        .guardReadings(sources.live.now())
        .map((reading) => ({ ...reading, value: reading.value ?? null })),
      networks: networkCounts(sources),
      watch: machine().watch ?? {},
    }),
  );
  server.get(
    '/v1/policies/history',
    {
      schema: {
        operationId: 'policyHistory',
        tags,
        summary: 'Every step of every rollout that is kept: who decided what, when and why',
        response: answers(object({ events: list(open('A step, oldest first.')) })),
      },
    },
    () => ({ events: machine().events.map((event) => ({ ...event })) }),
  );
  server.post<{ Body: Proposal }>(
    '/v1/policies/rollouts',
    {
      schema: {
        operationId: 'proposePolicy',
        tags,
        summary: 'Propose a candidate; the gates have the word first',
        body: object(
          {
            name: text('Its name.', { minLength: 1, maxLength: 200 }),
            policy,
            artifact: text('Hash of the signed artifact that it comes from.', { maxLength: 200 }),
            plan,
            ...said,
          },
          '',
          ['artifact', 'plan'],
        ),
        response: answers(answered, 409, 503),
      },
    },
    ({ body }) => {
      const good = machine().good.at(-1) as PolicyVersion<Profile>;
      return commandPolicy(sources, body, {
        command: 'propose',
        name: body.name,
        policy: { ...good.policy, ...body.policy, name: body.name },
        artifact: body.artifact ?? '',
        plan: completePlan(body.plan ?? {}),
      });
    },
  );
  for (const word of ['approve', 'pause', 'resume', 'reject', 'rollback'] as const)
    server.post<{ Params: { readonly rollout: number }; Body: Said }>(
      `/v1/policies/rollouts/:rollout/${word}`,
      {
        schema: {
          operationId: `${word}Rollout`,
          tags,
          summary: `${word[0]?.toUpperCase()}${word.slice(1)} a rollout`,
          params: rolloutPath,
          body: object(said),
          response: answers(answered, 404, 409, 503),
        },
      },
      ({ params, body }) => commandPolicy(sources, body, { command: word, rollout: params.rollout }),
    );
  server.post<{
    Params: { readonly rollout: number };
    Body: Said & {
      readonly witness: 'simulation' | 'replay' | 'offPolicy';
      readonly verdict: WitnessVerdict;
      readonly evidence: string;
    };
  }>(
    '/v1/policies/rollouts/:rollout/witness',
    {
      schema: {
        operationId: 'witnessRollout',
        tags,
        summary: 'What a gate outside the kernel has found',
        params: rolloutPath,
        body: object({
          witness: text('Which.', { enum: ['simulation', 'replay', 'offPolicy'] }),
          verdict: text('What it says.', { enum: ['pass', 'fail', 'cannotTell'] }),
          evidence: text('Where it can be looked at, or run again.', { maxLength: 2000 }),
          ...said,
        }),
        response: answers(answered, 404, 409, 503),
      },
    },
    ({ params, body: { witness, verdict, evidence, ...speaker } }) =>
      commandPolicy(sources, speaker, { command: 'witness', rollout: params.rollout, witness, verdict, evidence }),
  );
  server.post<{ Body: Said }>(
    '/v1/policies/rollback',
    {
      schema: {
        operationId: 'rollBackPolicy',
        tags,
        summary: 'Whatever serves gives way to the last good policy before it',
        body: object(said),
        response: answers(answered, 409, 503),
      },
    },
    ({ body }) => commandPolicy(sources, body, { command: 'rollback' }),
  );
}

function networkCounts({ live }: HttpSources): Readonly<Record<string, ShieldCounts>> {
  const { parts, placement } = live.kernel.control.scheduler;
  const { order, place } = { order: parts.order.shieldCounts, place: placement.shieldCounts };
  return {
    ...(order === undefined ? {} : { order: { ...order } }),
    ...(place === undefined ? {} : { placement: { ...place } }),
  };
}

/** One input; resolves when it is on the disk. */
export async function commandPolicy(
  { live, activity }: HttpSources,
  { who, why }: Said,
  asked: RolloutCommand<Profile>,
): Promise<{ readonly rollout: number }> {
  const { rollouts } = live.kernel.control.rollouts.machine;
  if ('rollout' in asked && !rollouts.some(({ rollout }) => rollout === asked.rollout))
    throw new SiraError('SIRA_NOT_FOUND', `there is no rollout ${asked.rollout}`);
  const body: PolicyCommanded = { kind: 'policyCommanded', command: asked, who, why };
  let answer: { readonly rollout: number; readonly refusal: string } | undefined;
  const stop = live.listen({
    released: (input) => {
      if (input.body !== body) return;
      for (const effect of input.effects) if (effect.kind === 'policyAnswered') answer = effect;
    },
  });
  try {
    const status = live.give(body);
    if (!status.ok) throw new SiraError(status.code, status.reason);
    if (!(await activity.durable(live.kernel.lastSequence, 30_000)) || answer === undefined)
      throw new SiraError('SIRA_REQUEST_TIMED_OUT', 'the command is taken, but not on the disk yet');
    if (answer.refusal !== '') throw new SiraError('SIRA_ROLLOUT_REFUSED', answer.refusal);
    return { rollout: answer.rollout };
  } finally {
    stop();
  }
}

/** What a policy has learned is told by its hash. */
function versionView({ policy: served, ...version }: PolicyVersion<Profile>): object {
  const { artifact, durations, scaling, ...shown } = served;
  const hashes = { ...hashOf('artifact', artifact), ...hashOf('durations', durations) };
  return {
    ...version,
    policy: { ...shown, ...hashes, ...(scaling === undefined ? {} : { scaling: ruleView(scaling) }) },
  };
}

function ruleView({ forecast, ...rule }: ScalingRule): object {
  if (forecast === undefined) return rule;
  const { artifact, ...shown } = forecast;
  return { ...rule, forecast: { ...shown, ...hashOf('artifact', artifact) } };
}

function hashOf(name: string, base64: string | undefined): object {
  if (base64 === undefined) return {};
  return { [`${name}Sha256`]: createHash('sha256').update(base64, 'base64').digest('hex') };
}
