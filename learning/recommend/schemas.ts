// The shapes of recommendations over HTTP, as JSON Schema: the same as recommendation.ts says in types.

import { answers, flag, integer, list, number, object, orNull, text } from '../../core/live/http/schemas.ts';
import { applyMeans, recommendationKinds, recommendationStates, riskLevels } from './recommendation.ts';

const micros = (description: string) => integer(description);
const nullable = (schema: Readonly<Record<string, unknown>>) => ({ anyOf: [schema, { type: 'null' }] });

const agentNames = {
  ...list(text('Agent.', { minLength: 1, maxLength: 200 })),
  minItems: 1,
  maxItems: 1000,
  uniqueItems: true,
};

export const changeSchema = object(
  {
    policy: {
      ...object(
        {
          order: text('Queue order by name.', { maxLength: 100 }),
          place: text('Placement by name.', { maxLength: 100 }),
          unplaced: text('What happens to a task that cannot be placed.', {
            enum: ['block', 'skip', 'backoff', 'drop'],
          }),
          backfill: text('Backfilling.', { enum: ['none', 'never', 'avoidReserved', 'conservative'] }),
          overtakeMax: integer('Bound on overtaking; 0 is none.', { minimum: 0, maximum: 1_000_000_000 }),
          preempt: text('Whether tasks evict others.', { enum: ['never', 'lowerPriority'] }),
          tenantWeights: {
            type: 'object',
            maxProperties: 100,
            additionalProperties: { type: 'number', exclusiveMinimum: 0 },
            description: 'Order drf: what the share of a tenant is divided by.',
          },
        },
        'Fields of the scheduling policy that differ.',
        ['order', 'place', 'unplaced', 'backfill', 'overtakeMax', 'preempt', 'tenantWeights'],
      ),
      minProperties: 1,
    },
    settings: {
      type: 'object',
      minProperties: 1,
      maxProperties: 100,
      additionalProperties: { type: 'number' },
      description: 'Kernel settings by dotted name; durations in microseconds.',
    },
    machines: {
      ...object(
        {
          add: integer('So many more machines like the most frequent one.', { minimum: 1, maximum: 1000 }),
          remove: { ...agentNames, description: 'Agents that go.' },
          resize: object(
            {
              agents: agentNames,
              factor: number('Times their cores and memory.', { exclusiveMinimum: 0, maximum: 100 }),
            },
            'Agents that become larger or smaller.',
          ),
        },
        'Other machines.',
        ['add', 'remove', 'resize'],
      ),
      minProperties: 1,
    },
    sleep: object(
      { afterMicros: integer('Time without work.', { minimum: 1, maximum: 86_400_000_000 }) },
      'Machines without work sleep after a while.',
    ),
    retrain: text('What is fitted anew to the latest telemetry.', { enum: ['durations'] }),
  },
  'What is changed; what is left out stays.',
  ['policy', 'settings', 'machines', 'sleep', 'retrain'],
);

const interval = (description: string) =>
  object({ mean: number('Middle.'), low: number('Lower end.'), high: number('Upper end.') }, description);

const effect = object(
  {
    metric: text('Name of the metric; `sira metrics` explains it.'),
    title: text('For people.'),
    unit: text('Of present and changed.'),
    present: number('As settings are, mean over seeds.'),
    changed: number('With the change, mean over seeds.'),
    change: interval(
      'Relative change, −0.2 is a fifth less: 95% interval of its mean, paired by seed, corrected for the number of candidates.',
    ),
    expected: interval('Where the relative change of one window will lie with 95%.'),
    role: text('What it is for.', { enum: ['objective', 'guard'] }),
    atMost: orNull(number('Guards: more than this, beyond doubt, speaks against it.')),
  },
  'What the change does to one metric.',
);

const evidence = object(
  {
    run: text('Telemetry that the simulated world is made of.'),
    fromMicros: micros('Its window.'),
    untilMicros: micros('Its window.'),
    tasks: integer('Tasks in it.'),
    measured: { type: 'object', additionalProperties: { type: 'number' }, description: 'As measured, by metric.' },
    fidelity: number('Simulated over measured objective of the present settings, less 1.'),
    seeds: list(integer('Seed.')),
    files: list(object({ file: text('Path.'), sha256: text('Of its content.') }), 'Scenarios and traces.'),
    present: text('SHA-256 of the policy and the settings that were simulated as the present.'),
    digest: text('Over the digests of all simulated runs.'),
    commands: list(text('Command.'), 'They run the simulation again.'),
    assumptions: list(text('Sentence.'), 'What the simulated world leaves out.'),
  },
  'How anyone can run it again.',
);

const realized = object(
  {
    metric: text('The objective.'),
    fromMicros: micros('Begin of the window.'),
    untilMicros: micros('End of the window.'),
    tasks: integer('Tasks that ended in it.'),
    before: number('As measured in a window before.'),
    after: number('As measured in the window.'),
    without: number('What it would have been without the change, by the simulator.'),
    change: number('After over without, less 1.'),
    low: number('Lower end of its interval, by the ups and downs of the window.'),
    high: number('Upper end.'),
    verdict: text('Against the expected interval.', { enum: ['inside', 'better', 'worse', 'cannotTell'] }),
    reason: text('Why.'),
  },
  'What became of the objective.',
);

const kind = text('What it is about.', { enum: [...recommendationKinds] });
const state = text('How it stands.', { enum: [...recommendationStates] });

export const recommendationSchema = object(
  {
    id: integer('Number.', { minimum: 1 }),
    version: integer('Counts its changes: the entity tag is "ID-VERSION".', { minimum: 1 }),
    kind,
    state,
    progress: number('Of the simulation, 0 to 1.'),
    title: text('What to do, in a few words.'),
    finding: text('What the analysis found.'),
    reasons: list(text('Sentence.'), 'Why it is recommended, or not.'),
    isWhatIf: flag('Whether a person asked.'),
    change: changeSchema,
    effects: list(effect, 'The objective first.'),
    evidence: nullable(evidence),
    risk: nullable(object({ level: text('How risky.', { enum: [...riskLevels] }), rule: text('Why.') }, 'Risk.')),
    means: text('How it is applied.', { enum: [...applyMeans] }),
    steps: list(text('Step.'), 'What a person must do, in order.'),
    createdMicros: micros('When.'),
    updatedMicros: micros('When it changed last.'),
    expiresMicros: micros('After this it says nothing of the present.'),
    applied: nullable(
      object(
        {
          atMicros: micros('When it was in force.'),
          measureUntilMicros: micros('End of the window in which its effect is measured.'),
          who: text('Who.'),
          why: text('Why.'),
          previous: {
            type: 'object',
            additionalProperties: { type: 'number' },
            description: 'Values of the settings before it.',
          },
          rollout: orNull(integer('Rollout of the policy.')),
        },
        'Who applied it.',
      ),
    ),
    realized: nullable(realized),
    history: list(
      object({ atMicros: micros('When.'), state, who: text('Who.'), why: text('Why.') }),
      'Every step, oldest first.',
    ),
  },
  'A recommendation.',
);

const summary = object({
  kind: text('A kind, or all.'),
  count: integer('Pieces of advice that were followed and measured.'),
  coverage: number('Share of realized effects within the expected interval.'),
  meanError: number('Realized less expected relative change.'),
  meanAbsoluteError: number('The same, whichever way.'),
  widening: number('By which new intervals are widened.'),
});

export const ledgerSchema = object(
  {
    entries: list(
      object({
        id: integer('Recommendation.'),
        kind,
        title: text('What was done.'),
        metric: text('The objective.'),
        atMicros: micros('When it was measured.'),
        expected: interval('Where it was to lie.'),
        realized: number('Relative change as measured.'),
        covered: flag('Whether it lay there.'),
        verdict: text('Verdict.', { enum: ['inside', 'better', 'worse', 'cannotTell'] }),
        outcome: state,
      }),
      'Newest first.',
    ),
    summaries: list(summary, 'Over all, and by kind.'),
  },
  'How good past advice was.',
);

export const analysisSchema = object(
  {
    state: text('The latest analysis.', { enum: ['none', 'running', 'done', 'failed'] }),
    atMicros: micros('When it began; 0 if there was none.'),
    sentence: text('What limits, or why nobody can tell.'),
  },
  'The latest analysis.',
);

export const said = {
  who: text('Who asks for it.', { minLength: 1, maxLength: 200 }),
  why: text('Why.', { maxLength: 1000 }),
};

const problem = (description: string) => {
  const { content } = answers({})[400] as unknown as { readonly content: unknown };
  return { description, content };
};

/** Answers of a route with its problems: not modified has no body, and a precondition that fails is a problem. */
export function answersOf(status: 200 | 202, schema: Readonly<Record<string, unknown>>, ...problems: number[]) {
  const { 200: good, ...rest } = answers(schema, ...problems.filter((each) => each !== 304 && each !== 412));
  return {
    ...rest,
    [status]: good,
    ...(problems.includes(304) ? { 304: { type: 'null', description: 'It is as the entity tag says.' } } : {}),
    ...(problems.includes(412) ? { 412: problem('It has changed since the entity tag.') } : {}),
  };
}
