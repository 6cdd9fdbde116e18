// The parameters of a piece of work, as programs write them and as messages carry them.

import type { Parameter } from '../../proto/generated/sira/v1/work.ts';

export type ParameterValue = boolean | number | string;
export type Parameters = Readonly<Record<string, ParameterValue>>;

export function parametersToMessages(parameters: Parameters): Map<string, Parameter> {
  const messages = new Map<string, Parameter>();
  for (const [name, value] of Object.entries(parameters)) messages.set(name, { value: parameterOf(value) });
  return messages;
}

export function parametersOfMessages(messages: ReadonlyMap<string, Parameter>): Parameters {
  const parameters: [string, ParameterValue][] = [];
  for (const [name, { value }] of messages) if (value !== undefined) parameters.push([name, value.value]);
  return Object.fromEntries(parameters);
}

function parameterOf(value: ParameterValue): NonNullable<Parameter['value']> {
  if (typeof value === 'boolean') return { $case: 'boolValue', value };
  if (typeof value === 'string') return { $case: 'textValue', value };
  return Number.isSafeInteger(value) ? { $case: 'integerValue', value } : { $case: 'numberValue', value };
}
