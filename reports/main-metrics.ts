// Which metrics a reader sees first. The objective always leads; then those that most people ask about; then the rest in the
// document's order. A metric that is the same for every policy and seed (no task was dropped, none retried) tells nothing here.

import type { MetricSpec, ResultDocument } from '../sim/experiment/results.ts';
import { objectiveOf } from './ranking.ts';

const askedFirst = [
  'gpuUtilizationPercent',
  'waitMeanSeconds',
  'waitP99Seconds',
  'slowdownMean',
  'fragmentationPercent',
  'completionMeanSeconds',
  'starvedTasks',
  'energyKilowattHours',
  'cpuUtilizationPercent',
];

/** All metrics but the objective that have a better direction and differ somewhere, most asked for first. */
export function mainMetrics(document: ResultDocument): MetricSpec[] {
  const objective = objectiveOf(document);
  const place = (metric: MetricSpec) => {
    const index = askedFirst.indexOf(metric.name);
    return index === -1 ? askedFirst.length : index;
  };
  // Array sorts are stable, so that what is not in the list keeps the document's order.
  return document.metrics
    .filter((metric) => metric !== objective && metric.better !== 'neither' && varies(document, metric))
    .sort((a, b) => place(a) - place(b));
}

function varies(document: ResultDocument, metric: MetricSpec): boolean {
  const values = document.policies
    .flatMap((policy) => policy.metrics[metric.name]?.perSeed ?? [])
    .filter((value) => value !== null);
  // With one policy and one seed nothing can vary; what is not zero is worth showing then.
  return values.some((value) => value !== values[0]) || (values.length === 1 && values[0] !== 0);
}
