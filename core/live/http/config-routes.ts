// The kernel's settings over HTTP: what there is, who changed what when and why, what differs between versions, and changes. A
// change is one journaled input, all of it or nothing, answered when it is on the disk; the history is kernel state and survives
// every restart. Who gives the version that a change was thought for is told if somebody was faster.

import type { FastifyInstance } from 'fastify';
import { SiraError } from '../../base/errors.ts';
import { type KernelSettingName, kernelSettingTable } from '../../config/kernel-setting-table.ts';
import { checkSettingValue, type SettingDefinition, type SettingValue, unknownSetting } from '../../config/setting.ts';
import type { ChangeSet } from '../../config/settings.ts';
import type { SettingsAssigned } from '../../kernel/inputs.ts';
import { answers, integer, limit, list, object, orNull, text } from './schemas.ts';
import type { HttpSources } from './views.ts';

const value = { type: ['number', 'string', 'boolean'], description: 'A value; durations may be texts such as 40s.' };
const version = (description: string) => integer(description, { minimum: 0, maximum: Number.MAX_SAFE_INTEGER });
const setting = object({
  name: text('Dotted name.'),
  value,
  default: value,
  type: text('Type.', { enum: ['integer', 'number', 'boolean', 'choice'] }),
  unit: text('Unit, empty for a plain number.'),
  minimum: orNull({ type: 'number', description: 'Least value.' }),
  maximum: orNull({ type: 'number', description: 'Largest value.' }),
  choices: list(text('Choice.')),
  description: text('What it does and what to weigh.'),
  changedVersion: orNull(integer('Version of its latest change that is kept.')),
});
const change = object({ name: text('Setting.'), from: value, to: value });
const changeSet = object({
  version: integer('Version that it made.'),
  atMicros: integer('When.'),
  who: text('Who asked for it.'),
  why: text('Why.'),
  changes: list(change),
});
const reason = {
  who: text('Who asks for it.', { minLength: 1, maxLength: 200 }),
  why: text('Why.', { maxLength: 1000 }),
  expectedVersion: version('Version of the settings that the change was thought for; refused if they are at another.'),
};
const changed = object({ version: integer('Version of the settings now.'), changes: list(change) });

interface Reason {
  readonly who: string;
  readonly why: string;
  readonly expectedVersion?: number;
}

export function configRoutes(server: FastifyInstance, sources: HttpSources): void {
  const { settings } = sources.live.kernel;
  const tags = ['configuration'];
  server.get(
    '/v1/config',
    {
      schema: {
        operationId: 'listSettings',
        tags,
        summary: 'All settings with bounds, units and what they do',
        response: answers(
          object({
            version: integer('Of the settings.'),
            oldestVersion: integer('That can be reached.'),
            settings: list(setting),
          }),
        ),
      },
    },
    () => ({
      version: settings.version,
      oldestVersion: settings.oldestVersion,
      settings: Object.keys(kernelSettingTable).map((name) => view(sources, name)),
    }),
  );
  server.get<{ Querystring: { before?: number; limit: number } }>(
    '/v1/config/history',
    {
      schema: {
        operationId: 'listSettingChanges',
        tags,
        summary: 'Who changed what, when and why, newest first',
        querystring: object(
          { before: version('Only earlier versions: `next` of the page before.'), limit: limit(1000) },
          '',
          ['before', 'limit'],
        ),
        response: answers(
          object({
            version: integer('Of the settings.'),
            history: list(changeSet),
            next: orNull(integer('Give this as `before` for the next page.')),
          }),
        ),
      },
    },
    ({ query: { before = Number.POSITIVE_INFINITY, limit: most } }) => {
      const all = settings.history().filter((one) => one.version < before);
      const history = all.slice(-most).reverse();
      const next = all.length > history.length ? (history.at(-1)?.version ?? null) : null;
      return { version: settings.version, history: history.map(changeView), next };
    },
  );
  server.get<{ Querystring: { from?: number; to?: number } }>(
    '/v1/config/diff',
    {
      schema: {
        operationId: 'diffSettings',
        tags,
        summary: 'What differs between two versions',
        querystring: object(
          { from: version('Default: the version before the latest.'), to: version('Default: the latest.') },
          '',
          ['from', 'to'],
        ),
        response: answers(object({ from: integer('Version.'), to: integer('Version.'), changes: list(change) }), 404),
      },
    },
    ({ query: { to = settings.version, from = Math.max(0, to - 1) } }) => ({
      from,
      to,
      changes: difference(sources, from, to),
    }),
  );
  server.get<{ Params: { name: string } }>(
    '/v1/config/:name',
    {
      schema: {
        operationId: 'getSetting',
        tags,
        summary: 'One setting with the changes to it that are kept, newest first',
        params: object({ name: text('Dotted name.', { minLength: 1, maxLength: 100 }) }),
        response: answers(object({ version: integer('Of the settings.'), setting, history: list(changeSet) }), 404),
      },
    },
    ({ params: { name } }) => {
      require(name);
      const history = settings.history().filter(({ changes }) => changes.some((one) => one.name === name));
      return { version: settings.version, setting: view(sources, name), history: history.reverse().map(changeView) };
    },
  );
  server.put<{ Params: { name: string }; Body: Reason & { readonly value: SettingValue } }>(
    '/v1/config/:name',
    {
      schema: {
        operationId: 'changeSetting',
        tags,
        summary: 'Change one setting',
        params: object({ name: text('Dotted name.', { minLength: 1, maxLength: 100 }) }),
        body: object({ value, ...reason }, '', ['expectedVersion']),
        response: answers(changed, 404, 409, 503),
      },
    },
    ({ params: { name }, body }) => {
      require(name);
      return assignSettings(sources, { [name]: body.value }, body);
    },
  );
  server.patch<{ Body: Reason & { readonly values: Readonly<Record<string, SettingValue>> } }>(
    '/v1/config',
    {
      schema: {
        operationId: 'changeSettings',
        tags,
        summary: 'Change several settings as one version, all of them or none',
        body: object(
          {
            values: {
              type: 'object',
              minProperties: 1,
              maxProperties: 100,
              additionalProperties: value,
              description: 'By dotted name.',
            },
            ...reason,
          },
          '',
          ['expectedVersion'],
        ),
        response: answers(changed, 409, 503),
      },
    },
    ({ body }) => assignSettings(sources, body.values, body),
  );
  server.post<{ Body: Reason & { readonly version: number } }>(
    '/v1/config/rollback',
    {
      schema: {
        operationId: 'rollBackSettings',
        tags,
        summary: 'Bring back the values of an earlier version, as a new version',
        body: object({ version: version('The version whose values to bring back.'), ...reason }, '', [
          'expectedVersion',
        ]),
        response: answers(changed, 404, 409, 503),
      },
    },
    ({ body }) => {
      const changes = difference(sources, settings.version, body.version);
      const values = Object.fromEntries(changes.map(({ name, to }) => [name, to]));
      if (changes.length === 0) return { version: settings.version, changes: [] };
      const why = `back to version ${body.version}${body.why === '' ? '' : `: ${body.why}`}`.slice(0, 1000);
      return assignSettings(sources, values, { ...body, why });
    },
  );
}

/** One input; resolves when it is on the disk. */
export async function assignSettings(
  { live, activity }: HttpSources,
  given: Readonly<Record<string, SettingValue>>,
  { who, why, expectedVersion }: Reason,
): Promise<object> {
  const { settings } = live.kernel;
  const before = settings.version;
  if (expectedVersion !== undefined && expectedVersion !== before)
    throw new SiraError('SIRA_VERSION_CONFLICT', `the settings are at version ${before}, not ${expectedVersion}`);
  const body: SettingsAssigned = { kind: 'settingsAssigned', values: checkedValues(given), who, why };
  let refusal: string | undefined;
  const stop = live.listen({
    released: (input) => {
      if (input.body !== body) return;
      for (const effect of input.effects) if (effect.kind === 'settingAnswered') refusal = effect.refusal;
    },
  });
  try {
    const status = live.give(body);
    if (!status.ok) throw new SiraError(status.code, status.reason);
    // The kernel has answered already; what it answered is told when it is durable.
    const { version } = settings;
    const latest = settings.history().at(-1);
    const changes = version > before ? (latest?.changes ?? []) : [];
    if (!(await activity.durable(live.kernel.lastSequence, 30_000)))
      throw new SiraError('SIRA_REQUEST_TIMED_OUT', 'the change is taken, but not on the disk yet');
    if (refusal !== undefined && refusal !== '') throw new SiraError('SIRA_SETTING_INVALID', refusal);
    return { version, changes: changes.map((one) => ({ ...one })) };
  } finally {
    stop();
  }
}

/** Each by its own definition, durations in microseconds. What holds between settings the kernel says. */
function checkedValues(given: Readonly<Record<string, SettingValue>>): Readonly<Record<string, SettingValue>> {
  const values: Record<string, SettingValue> = {};
  for (const [name, one] of Object.entries(given)) {
    if (!Object.hasOwn(kernelSettingTable, name))
      throw new SiraError('SIRA_SETTING_INVALID', unknownSetting(name, kernelSettingTable).reason, { field: name });
    const checked = checkSettingValue(name, kernelSettingTable[name as KernelSettingName], one);
    if (!checked.ok) throw new SiraError(checked.code, checked.reason, { field: name });
    values[name] = checked.value;
  }
  return values;
}

function difference({ live }: HttpSources, from: number, to: number) {
  const result = live.kernel.settings.difference(from, to);
  if (!result.ok) throw new SiraError('SIRA_NOT_FOUND', result.reason);
  return result.value.map((one) => ({ ...one }));
}

function require(name: string): void {
  if (!Object.hasOwn(kernelSettingTable, name))
    throw new SiraError('SIRA_NOT_FOUND', unknownSetting(name, kernelSettingTable).reason);
}

function changeView({ version: made, atMicros, who, why, changes }: ChangeSet) {
  return { version: made, atMicros, who, why, changes: changes.map((one) => ({ ...one })) };
}

function view({ live }: HttpSources, name: string) {
  const { settings } = live.kernel;
  const definition = kernelSettingTable[name as KernelSettingName] as SettingDefinition;
  const { type, description } = definition;
  const isNumber = definition.type === 'integer' || definition.type === 'number';
  let changedVersion: number | null = null;
  for (const one of settings.history())
    if (one.changes.some((part) => part.name === name)) changedVersion = one.version;
  return {
    ...{ name, type, description, default: definition.default, changedVersion },
    value: settings.get(name as KernelSettingName),
    unit: isNumber ? (definition.unit ?? '') : '',
    minimum: isNumber ? definition.min : null,
    maximum: isNumber ? definition.max : null,
    choices: definition.type === 'choice' ? [...definition.choices] : [],
  };
}
