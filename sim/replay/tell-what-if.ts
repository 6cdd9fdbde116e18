// What was asked of a counterfactual, read from the command line, and its answer for people.

import Table from 'cli-table3';
import { createColors } from 'picocolors';
import { SiraError } from '../../core/base/errors.ts';
import { nearestName } from '../../core/base/nearest-name.ts';
import { formatDuration } from '../../core/base/time.ts';
import { kernelSettingTable } from '../../core/config/kernel-setting-table.ts';
import { placements, queueOrders } from '../../core/scheduler/catalogue.ts';
import type { Profile } from '../../core/scheduler/framework.ts';
import { backfillRules, preemptRules, unplacedRules } from '../experiment/policies-command.ts';
import type { TimesSummary } from './task-times.ts';
import type { Change, WhatIf } from './what-if.ts';

const choices: Readonly<Record<string, readonly string[]>> = {
  order: Object.keys(queueOrders),
  place: Object.keys(placements),
  unplaced: Object.keys(unplacedRules),
  backfill: Object.keys(backfillRules),
  preempt: Object.keys(preemptRules),
};

type Option = string | boolean | readonly string[] | undefined;

/** `policy`: a queue order, a placement, or `field=value` pairs with commas between. `set`: `name=value` each. Throws
 *  SIRA_POLICY_UNKNOWN, SIRA_SETTING_INVALID. */
export function readChange(policy: Option, set: Option): Change {
  const fields: Record<string, string> = {};
  for (const part of typeof policy === 'string' ? policy.split(',') : []) {
    const [field, value] = part.includes('=') ? part.split('=', 2) : [undefined, part.trim()];
    const known = Object.keys(choices).filter((name) => field === undefined || name === field.trim());
    const found = known.find((name) => choices[name]?.includes((value as string).trim()));
    if (found === undefined) {
      const near = nearestName(
        value as string,
        known.flatMap((name) => choices[name] as readonly string[]),
      );
      throw new SiraError(
        'SIRA_POLICY_UNKNOWN',
        `"${part}" is no part of a policy`,
        {},
        near && `Did you mean "${near}"?`,
      );
    }
    fields[found] = (value as string).trim();
  }
  const settings: Record<string, number> = {};
  for (const assignment of typeof set === 'string' ? [set] : Array.isArray(set) ? (set as readonly string[]) : []) {
    const [name = '', value = ''] = assignment.split('=', 2);
    if (!Object.hasOwn(kernelSettingTable, name))
      throw new SiraError('SIRA_SETTING_INVALID', `there is no setting "${name}"`);
    if (value.trim() === '' || !Number.isFinite(Number(value)))
      throw new SiraError('SIRA_SETTING_INVALID', `"${assignment}" is not name=number`);
    settings[name] = Number(value);
  }
  return { policy: fields as Partial<Profile>, settings };
}

const rows: readonly (readonly [string, (summary: TimesSummary) => string])[] = [
  ['completed tasks', ({ completed }) => String(completed)],
  ['not ended', ({ unfinished }) => String(unfinished)],
  ['wait, mean', ({ waitMeanMicros }) => formatDuration(waitMeanMicros)],
  ['wait, p95', ({ waitP95Micros }) => formatDuration(waitP95Micros)],
  ['completion, mean', ({ completionMeanMicros }) => formatDuration(completionMeanMicros)],
  ['completion, p50', ({ completionP50Micros }) => formatDuration(completionP50Micros)],
  ['completion, p95', ({ completionP95Micros }) => formatDuration(completionP95Micros)],
  ['slowdown, mean', ({ slowdownMean }) => slowdownMean.toFixed(2)],
  ['slowdown, p95', ({ slowdownP95 }) => slowdownP95.toFixed(2)],
  ['CPU utilization', ({ utilization }) => `${(100 * utilization).toFixed(1)}%`],
  ['makespan', ({ makespanMicros }) => formatDuration(makespanMicros)],
];

/** Beyond this the simulator does not explain the record. */
const errorMax = 0.2;

export function describeWhatIf({ runs, assumptions, errorP50, errorP95 }: WhatIf, colour: boolean): string {
  const colours = createColors(colour);
  const table = new Table({ head: ['', ...runs.map(({ name }) => name)], style: { head: [], border: [] } });
  for (const [title, show] of rows) table.push([title, ...runs.map(({ summary }) => show(summary))]);
  const lines = [
    table.toString(),
    `${colours.bold('live')} is what was, ${colours.bold('simulated')} what the simulator makes of the same policy: it is off by ${percent(errorP50)} in`,
    `completion's p50 and ${percent(errorP95)} in p95. ${colours.bold('changed')} is to be compared with simulated.`,
    ...(Math.max(Math.abs(errorP50), Math.abs(errorP95)) > errorMax
      ? [
          colours.yellow(
            'The simulator does not explain this record: what it says of another policy is not to be relied on.',
          ),
        ]
      : []),
    colours.bold('Assumed:'),
    ...assumptions.map((each) => `  - ${each}`),
  ];
  return `${lines.join('\n')}\n`;
}

function percent(share: number): string {
  return `${share < 0 ? '−' : '+'}${Math.abs(100 * share).toFixed(1)}%`;
}
