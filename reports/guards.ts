// Guards in words: the bound that the scenario set, and who broke it.

import type { GuardResult, ResultDocument } from '../sim/experiment/results.ts';
import { formatQuantity, joinWords, scaleOf, scaleOfValues } from './format.ts';
import { lowerFirst } from './headline.ts';

/** `starved tasks at most 40 tasks`. */
export function guardBound(document: ResultDocument, guard: GuardResult): string {
  const metric = document.metrics.find(({ name }) => name === guard.metric);
  const unit = metric?.unit ?? '1';
  const show = (value: number) => formatQuantity(value, scaleOfValues(unit, value === 0 ? [] : [Math.abs(value)], []));
  const bounds = [
    ...(guard.atLeast === null ? [] : [`at least ${show(guard.atLeast)}`]),
    ...(guard.atMost === null ? [] : [`at most ${show(guard.atMost)}`]),
  ];
  return `${lowerFirst(metric?.title ?? guard.metric)} ${joinWords(bounds)}`;
}

/** `Guard broken: starved tasks at most 40 tasks: random (58.2 tasks), spread (51.0 tasks).` */
export function guardSentence(document: ResultDocument, guard: GuardResult): string {
  if (guard.violations.length === 0) return `Guard kept by every policy: ${guardBound(document, guard)}.`;
  const unit = document.metrics.find(({ name }) => name === guard.metric)?.unit ?? '1';
  const scale = scaleOf(
    { unit },
    document.policies.flatMap((policy) => policy.metrics[guard.metric] ?? []),
  );
  const offenders = guard.violations.map(({ policy, value }) => `${policy} (${formatQuantity(value, scale)})`);
  return `Guard broken: ${guardBound(document, guard)}: ${joinWords(offenders)}.`;
}
