// The shapes of the HTTP interface as JSON Schema, from which answers are written, requests are checked and /openapi.json is
// made. Times are microseconds since 1970 and durations microseconds, by the names' last word.

type Schema = Readonly<Record<string, unknown>>;

export const text = (description: string, more: Schema = {}): Schema => ({ type: 'string', description, ...more });
export const integer = (description: string, more: Schema = {}): Schema => ({ type: 'integer', description, ...more });
export const number = (description: string, more: Schema = {}): Schema => ({ type: 'number', description, ...more });
export const flag = (description: string): Schema => ({ type: 'boolean', description });
export const list = (items: Schema, description = ''): Schema => ({
  type: 'array',
  items,
  ...(description === '' ? {} : { description }),
});
export const orNull = (schema: Schema): Schema => ({ ...schema, type: [schema.type, 'null'] });

/** All properties are there. */
export function object(
  properties: Readonly<Record<string, Schema>>,
  description = '',
  optional: readonly string[] = [],
): Schema {
  return {
    type: 'object',
    properties,
    required: Object.keys(properties).filter((name) => !optional.includes(name)),
    additionalProperties: false,
    ...(description === '' ? {} : { description }),
  };
}

export const counts = (description: string): Schema => ({
  type: 'object',
  additionalProperties: { type: 'integer' },
  description,
});

export const limit = (most: number): Schema =>
  integer('How many to list at most.', { minimum: 1, maximum: most, default: Math.min(100, most) });

export const problem = object(
  {
    type: text('Names the kind of problem: a URI.', { format: 'uri' }),
    title: text('What went wrong.'),
    status: integer('HTTP status.'),
    detail: text('What exactly was wrong.'),
    code: text('Code of the one error table.', { pattern: '^SIRA_[A-Z_]+$' }),
    remedy: text('What to do about it.'),
  },
  'Problem details (RFC 9457).',
);

/** The answers of a route: what it gives, and its problems by status. */
export function answers(schema: Schema, ...problems: readonly number[]): Readonly<Record<string, Schema>> {
  const entries = [400, 414, ...problems].map((status) => [
    status,
    { description: problemTitles[status] ?? 'Problem.', content: { 'application/problem+json': { schema: problem } } },
  ]);
  const description = typeof schema.description === 'string' ? schema.description : 'The answer.';
  return { 200: { description, ...schema }, ...Object.fromEntries(entries) };
}

const problemTitles: Readonly<Record<number, string>> = {
  400: 'The request does not fit.',
  404: 'There is nothing of this name or number.',
  409: 'The settings have changed since.',
  410: 'It is no longer kept.',
  413: 'The request is too large.',
  414: 'The address is too long.',
  429: 'Too many at once.',
  503: 'The kernel takes nothing now.',
  507: 'The disk is full.',
};

const resources = object({
  cpuMilli: number('Thousandths of a core.'),
  memoryMib: number('MiB.'),
  gpuCount: integer('Devices.'),
  gpuModel: text('Empty if there is none.'),
  cpuFreeMilli: number('Not in use.'),
  memoryFreeMib: number('Not in use.'),
  gpuFreeMilli: list(integer('Thousandths free.'), 'By device.'),
});

export const agent = object(
  {
    agent: integer('Its number.'),
    name: text('Its name.'),
    state: text('Its state.', { enum: ['starting', 'ready', 'busy', 'draining', 'suspect', 'dead'] }),
    incarnation: integer('Grows with each restart of the agent.'),
    connected: flag('Whether it has a stream here.'),
    load: orNull(number('Share of its processors in use, as last told.')),
    takesWork: flag('Whether new work may go to it.'),
    holds: list(text('Why none goes to it though it is ready.')),
    suspicion: orNull(number('Phi: how implausible its silence is.')),
    leaseExpiryMicros: integer('It is dead if nothing is heard until then.'),
    tasks: integer('Tasks on its machine.'),
    resources,
  },
  'An agent.',
);

export const skill = object({
  taskClass: text('Class of tasks.'),
  success: number('Chance that a task completes.'),
  samples: number('Its completed tasks, older ones counting less.'),
  outcomeCount: integer('Outcomes ever.'),
  seconds: orNull(number('Believed time of a unit of work.')),
  secondsLow: orNull(number('With 95% it is more than this.')),
  secondsHigh: orNull(number('With 95% it is less than this.')),
  declaredSeconds: orNull(number('As the agent declares.')),
  measuredSeconds: orNull(number('Mean of its own tasks.')),
  ageMicros: orNull(integer('Since its latest outcome.')),
  joules: orNull(number('Energy of a unit of work.')),
});

const taskCore = {
  task: integer("The kernel's number."),
  submitter: integer("The submitter's number."),
  submission: integer("The submitter's number for it."),
  tenant: text('Who it is for.'),
  state: text('Where it is.', { enum: ['waiting', 'placed', 'running', 'ended'] }),
  outcome: orNull(text('How it ended.')),
  priority: integer('Larger goes first.'),
  submittedMicros: integer('When the kernel had it.'),
  attempts: integer('Attempts begun.'),
  cancelled: flag('Its submitter wants it no longer.'),
  attempt: integer('Number of the latest placement, 0 before any.'),
  agents: list(text('Agent.'), 'Where it is or was, the leading one first.'),
  placedMicros: orNull(integer('When.')),
  startedMicros: orNull(integer('When its agent said that it began.')),
  endedMicros: orNull(integer('When its end was durable.')),
  serviceMicros: orNull(integer('Time of the work.')),
  joules: orNull(number('Energy of the work.')),
};
const taskMore = {
  estimateMicros: integer('Expected time of the work.'),
  preemptions: integer('Attempts evicted for others.'),
  progressMicros: integer('Service that its latest checkpoint holds.'),
  request: object({
    cpuMilli: number('On each machine.'),
    memoryMib: number('On each machine.'),
    gpuCount: integer('On each machine.'),
    gpuMilli: integer('Thousandths of each device.'),
    gpuModels: list(text('Model.'), 'That will do; none means any.'),
    machineCount: integer('Machines at once.'),
    skill: text('That its agents must declare.'),
  }),
};

export const task = object(
  { ...taskCore, ...taskMore },
  'A task; what only a task has that has not ended is left out later.',
  Object.keys(taskMore),
);

const decisionCore = {
  decision: integer("Counts from 1 over the kernel's life."),
  sequence: integer('Number of the input in the journal.'),
  timeMicros: integer('When.'),
  task: integer('Of which task.'),
  submission: integer("The submitter's number for it."),
  attempt: integer('The attempt that it began, 0 for none.'),
  outcome: text('What was decided.', { enum: ['placed', 'waits', 'dropped', 'backs off', 'evicts'] }),
  rule: text("Why the task was tried out of the queue's order, if it was."),
  agents: list(text('Agent.'), 'Chosen, the leading one first.'),
  feasibleCount: integer('Agents that could take it.'),
  queueLength: integer('Waiting tasks at that moment, this one included.'),
  propensity: number('Probability of this choice under the policy.'),
  why: text('In words.'),
};

export const decision = object(decisionCore, 'A decision.');

export const explainedDecision = object(
  {
    ...decisionCore,
    tieCount: integer('Agents at the best score.'),
    policyVersion: integer('Of the policy that decided.'),
    shadowMicros: orNull(integer('When the blocked head could start, for tasks that went before it.')),
    deviceMasks: list(integer('A bit a device.'), 'On each agent.'),
    victims: list(integer('Attempt.'), 'Stopped for it.'),
    filtered: list(object({ reason: text('Why.'), count: integer('Agents.') }), 'Agents ruled out.'),
    ranked: list(
      object({
        agent: text('Agent.'),
        score: orNull(number('Weighted total.')),
        scores: list(object({ plugin: text('Score plug-in.'), value: orNull(number('Its value.')) })),
      }),
      'The winner and the runners-up, best first.',
    ),
  },
  'A decision with all that speaks for it.',
);

const totals = object({
  cpuMilli: number('Of living agents.'),
  cpuFreeMilli: number('Not in use.'),
  memoryMib: number('Of living agents.'),
  memoryFreeMib: number('Not in use.'),
  gpuMilli: number('Of living agents.'),
  gpuFreeMilli: number('Not in use.'),
});

export const cluster = object(
  {
    version: text('Of Sira.'),
    codeHash: text('Of the deterministic code.'),
    startedMicros: integer('When this process began.'),
    nowMicros: integer("The kernel's clock."),
    durability: text('What an acknowledgement outlives.', { enum: ['powerFailure', 'processCrash'] }),
    policy: object({ name: text('Name.'), order: text('Queue order.'), place: text('Placement.') }),
    agents: object({
      total: integer('Ever registered.'),
      connections: integer('Streams.'),
      states: counts('By state.'),
    }),
    tasks: object({ waiting: integer('Waiting.'), placed: integer('Holding resources.'), known: integer('Both.') }),
    resources: totals,
    counts: object({
      inputs: integer("Over the kernel's life."),
      timers: integer('Timers that fired.'),
      effects: integer('Effects.'),
      placements: integer('Attempts begun.'),
    }),
    journal: object({
      sequence: integer('Of the latest input.'),
      durableSequence: integer('Of the latest durable one.'),
      held: integer('Inputs that wait for the disk.'),
      digest: text('Over all effects.', { pattern: '^[0-9a-f]{16}$' }),
      refusal: text('Why inputs are refused now; empty if they are taken.'),
    }),
    settingsVersion: integer('Version of the settings.'),
    gpuModels: list(text('Model.')),
    skills: list(text('Class of tasks that agents are measured at.')),
  },
  'The cluster.',
);

export const sample = object({
  timeMicros: integer('When.'),
  waiting: integer('Waiting tasks.'),
  placed: integer('Placed tasks.'),
  agentsReady: integer('Agents that take work.'),
  agentsAlive: integer('Agents alive.'),
  cpuUsed: number('Share, 0 to 1.'),
  memoryUsed: number('Share, 0 to 1.'),
  gpuUsed: number('Share, 0 to 1.'),
  decisions: integer('Since the sample before.'),
  completed: integer('Since the sample before.'),
  lost: integer('Failed, dropped and cancelled since the sample before.'),
});

export const fleet = object({
  names: list(text('Name.')),
  states: list(text('State.')),
  used: list(number('Share of its scarcest resource in use, 0 to 1.')),
  tasks: list(integer('Tasks on its machine.')),
  connected: list(flag('Whether it has a stream here.')),
  total: integer('Agents ever registered; the columns hold the first of them.'),
});
