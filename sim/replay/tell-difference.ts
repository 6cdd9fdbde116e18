// A difference between a live run and its replay in words: the input, the effect, the decision with its reasons, and what the
// record says of the same tasks later. Agents are called by their names.

import { formatDuration } from '../../core/base/time.ts';
import type { Effect } from '../../core/kernel/effects.ts';
import type { InputBody } from '../../core/kernel/inputs.ts';
import type { Kernel } from '../../core/kernel/kernel.ts';
import { type DecisionRecord, explainFilter } from '../../core/scheduler/decision.ts';
import type { ReplayDifference } from './replay-journal.ts';

const textMax = 400;

/** Lines for a person. `firstMicros`: of the record. */
export function tellDifference(difference: ReplayDifference, kernel: Kernel, firstMicros: number): string[] {
  const { sequence, timeMicros, body, recorded, replayed, effects, from, to, decision, later } = difference;
  const at = (micros: number): string => `${formatDuration(micros - firstMicros)} into the record`;
  const lines = [`input ${sequence}, ${at(timeMicros)}: ${tellInput(body, kernel)}`];
  const counts = `live it had ${recorded.effectCount} effects, in the replay ${replayed.effectCount}`;
  const group = effects.slice(from, to + 1);
  if (recorded.fingerprints.length === 0)
    lines.push('of the live run only a digest is known here: any of the effects may differ');
  else if (from >= effects.length) lines.push(`the replay has no effect ${from + 1}: ${counts}`);
  else if (from >= recorded.effectCount) lines.push(`the live run had no effect ${from + 1}: ${counts}`);
  else
    lines.push(
      `${group.length === 1 ? `effect ${from + 1} differs` : `one of the effects ${from + 1} to ${to + 1} differs`}: ${counts}`,
    );
  for (const effect of group.slice(0, 4)) lines.push(`the replay: ${tellEffect(effect, kernel)}`);
  if (decision !== undefined && !group.some((effect) => effect.kind === 'decisionMade' && effect.record === decision))
    lines.push(`the decision with it: ${tellDecision(decision, kernel)}`);
  for (const input of later)
    lines.push(`the live run, input ${input.sequence}, ${at(input.timeMicros)}: ${tellInput(input.body, kernel)}`);
  return lines;
}

/** One sentence. */
export function tellDecision(record: DecisionRecord, kernel: Kernel): string {
  const name = (row: number): string => nameOf(kernel, row);
  const { decision, task, submission, attempt, outcome, rule, machines, ranked, reasonCounts, queueLength } = record;
  const where = machines.length === 0 ? '' : ` on ${machines.map(name).join(', ')}`;
  const parts = [
    `decision ${decision}: task ${task} (submission ${submission}) ${outcome}${where}${attempt === 0 ? '' : `, attempt ${attempt}`}, ${rule}`,
    explainFilter(reasonCounts),
    `${queueLength} waiting`,
  ];
  if (ranked.length > 0)
    parts.push(`scores ${ranked.map(({ machine, score }) => `${name(machine)} ${score}`).join(', ')}`);
  if (record.tieCount > 1) parts.push(`${record.tieCount} tied`);
  return parts.join('; ');
}

function tellEffect(effect: Effect, kernel: Kernel): string {
  if (effect.kind === 'decisionMade') return tellDecision(effect.record, kernel);
  const agent = 'agent' in effect ? ` (${nameOf(kernel, effect.agent)})` : '';
  return `${short(effect)}${agent}`;
}

function tellInput(body: InputBody, kernel: Kernel): string {
  if (body.kind === 'heartbeats') return `heartbeats of ${body.count} agents`;
  const agent = 'agent' in body ? ` (${nameOf(kernel, body.agent)})` : '';
  return `${short(body)}${agent}`;
}

function nameOf(kernel: Kernel, row: number): string {
  return kernel.control.registry.names[row] ?? `agent ${row}`;
}

function short({ kind, ...fields }: { readonly kind: string }): string {
  const text = Object.entries(fields)
    .map(([name, value]) => `${name} ${typeof value === 'object' ? JSON.stringify(value) : value}`)
    .join(', ');
  const line = text === '' ? kind : `${kind}: ${text}`;
  return line.length > textMax ? `${line.slice(0, textMax)}…` : line;
}
