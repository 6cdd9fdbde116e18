// The page of looking ahead: what energy-aware and predictive placement and predictive scaling come to, beside what reacts only.

import type { PolicyResult, ResultDocument } from '../../sim/experiment/results.ts';
import { markdownTable } from '../tables/markdown.ts';
import { type Check, checkList } from '../tables/table.ts';

export interface PredictiveResults {
  readonly energy: ResultDocument;
  readonly scaling: ResultDocument;
  readonly azure: ResultDocument;
  readonly placement: ResultDocument;
}

export function predictiveChecks({ energy, scaling, azure, placement }: PredictiveResults): Check[] {
  const reactive = policyOf(scaling, 'reactive');
  const frugal = policyOf(scaling, 'predictive-50');
  const swift = policyOf(scaling, 'predictive-90');
  const spare = policyOf(scaling, 'reactive-50');
  const saved =
    meanOf(policyOf(energy, 'spread'), 'energyKilowattHours') -
    meanOf(policyOf(energy, 'energy-aware'), 'energyKilowattHours');
  const better = energy.comparisons.find(
    (one) => one.policy === 'energy-aware' && one.metric === 'energyKilowattHours',
  );
  return [
    {
      requirement: 'Energy-aware placement takes less energy than spreading, by more than chance',
      found: `${saved.toFixed(0)} kWh less, ${better?.verdict ?? '–'}`,
      holds: better?.verdict === 'better',
    },
    {
      requirement: 'Predictive scaling at the median: less energy and less wait than reactive scaling',
      found: `${kilowattHours(frugal)} kWh and ${wait(frugal)} s against ${kilowattHours(reactive)} kWh and ${wait(reactive)} s`,
      holds:
        meanOf(frugal, 'energyKilowattHours') < meanOf(reactive, 'energyKilowattHours') &&
        meanOf(frugal, 'waitMeanSeconds') < meanOf(reactive, 'waitMeanSeconds'),
    },
    {
      requirement:
        'Predictive scaling at 90%: a tenth of the wait of reactive scaling with half as much again to spare, and less energy',
      found: `${kilowattHours(swift)} kWh and ${wait(swift)} s against ${kilowattHours(spare)} kWh and ${wait(spare)} s`,
      holds:
        meanOf(swift, 'energyKilowattHours') < meanOf(spare, 'energyKilowattHours') &&
        meanOf(swift, 'waitMeanSeconds') < meanOf(spare, 'waitMeanSeconds') / 10,
    },
    {
      requirement: 'Predictive scaling at 80% of real bursty arrivals: less energy and less wait than reactive scaling',
      found: `${joined(policyOf(azure, 'predictive-80'))} against ${joined(policyOf(azure, 'reactive'))}`,
      holds:
        meanOf(policyOf(azure, 'predictive-80'), 'energyKilowattHours') <
          meanOf(policyOf(azure, 'reactive'), 'energyKilowattHours') &&
        meanOf(policyOf(azure, 'predictive-80'), 'waitMeanSeconds') <
          meanOf(policyOf(azure, 'reactive'), 'waitMeanSeconds'),
    },
    {
      requirement: 'Predictive placement takes no more energy than best fit',
      found: `${kilowattHours(policyOf(placement, 'predictive'))} kWh against ${kilowattHours(policyOf(placement, 'best-fit'))} kWh`,
      holds:
        meanOf(policyOf(placement, 'predictive'), 'energyKilowattHours') <=
        meanOf(policyOf(placement, 'best-fit'), 'energyKilowattHours'),
    },
  ];
}

export function predictivePage(results: PredictiveResults, checks: readonly Check[]): string {
  const { energy, scaling, azure, placement } = results;
  return `${[
    '# Energy, and looking ahead',
    'Made by `npm run tables:predictive`; what it writes depends on the code and the data alone. Power is a model: what a task was given it ' +
      'is taken to keep busy, and cooling is not counted (`sim/world/power` has the figures and their sources). Intervals are halves of 95% ' +
      'over seeds.',
    '## What must hold',
    checkList(checks),
    '## Energy-aware placement',
    `\`${energy.scenario.file}\`. ${energy.scenario.description}`,
    table(energy, ['energyKilowattHours', 'workEnergyPercent', 'asleepPercent', 'waitMeanSeconds', 'waitP99Seconds']),
    '## Predictive scaling',
    `\`${scaling.scenario.file}\`. ${scaling.scenario.description}`,
    table(scaling, ['energyKilowattHours', 'asleepPercent', 'wakeUps', 'waitMeanSeconds', 'waitP99Seconds']),
    'Both kinds run the same code in the kernel and differ in what they take the next minutes to want: `reactive` what the last minute ' +
      'wanted, and a share to spare; `predictive` the quantile of a forecaster that was fitted to four earlier weeks (persistence, last ' +
      'season, linear on lags, exponential smoothing, weighted by their errors), exported, and run by the kernel in plain arithmetic. To ' +
      'spare costs energy at night as by day; the forecaster asks for machines before the morning and lets go of them before the evening ends.',
    `\`${azure.scenario.file}\`. ${azure.scenario.description}`,
    table(azure, ['energyKilowattHours', 'asleepPercent', 'wakeUps', 'waitMeanSeconds', 'waitP99Seconds']),
    'Here nothing tells the next burst but that there will be one. Scaling by the last interval chases bursts that are over; keeping machines ' +
      'awake for five minutes, which no forecaster is needed for, does about as well as the quantile of 80%.',
    '## Predictive placement',
    `\`${placement.scenario.file}\`. ${placement.scenario.description}`,
    table(placement, ['energyKilowattHours', 'asleepPercent', 'wakeUps', 'waitMeanSeconds', 'waitP99Seconds']),
    placementRemark(placement),
  ].join('\n\n')}\n`;
}

function placementRemark(document: ResultDocument): string {
  const found = document.comparisons.find((one) => one.policy === 'predictive' && one.metric === 'energyKilowattHours');
  const mean = found?.difference.mean ?? 0;
  const share = (100 * mean) / meanOf(policyOf(document, document.baseline), 'energyKilowattHours');
  const verdict =
    found?.verdict === 'cannot tell'
      ? 'which chance could have done'
      : `which is ${found?.verdict} by more than chance`;
  const waits = ['predictive', document.baseline].map((name) => meanOf(policyOf(document, name), 'waitMeanSeconds'));
  return (
    `Against best fit the forecast changes energy by ${share.toFixed(2)}%, ${verdict}, and the mean wait by ${(waits[0]! - waits[1]!).toFixed(2)} s ` +
    `(machines that sleep more must be waited for more): whoever packs tightly has little left to win where short ` +
    'tasks fill every gap. On Philly’s week, with its wide spread of durations within a class, no difference was to be seen (0.2% either ' +
    'way, at loads of 0.25 to 0.7).'
  );
}

function table(document: ResultDocument, metrics: readonly string[]): string {
  const specs = metrics.map((name) => document.metrics.find((metric) => metric.name === name)!);
  return markdownTable(
    ['policy', ...specs.map(({ title, unit }) => `${title} [${unit}]`)],
    document.policies.map((policy) => [
      policy.name,
      ...metrics.map((name) => {
        const { mean, low, high } = policy.metrics[name]!;
        if (mean === null) return '–';
        const half = low === null || high === null ? '' : ` ± ${((high - low) / 2).toFixed(2)}`;
        return `${mean.toFixed(2)}${half}`;
      }),
    ]),
  );
}

function policyOf(document: ResultDocument, name: string): PolicyResult {
  const policy = document.policies.find((one) => one.name === name);
  if (policy === undefined) throw new Error(`the results have no policy ${name}`);
  return policy;
}

function meanOf(policy: PolicyResult, metric: string): number {
  return policy.metrics[metric]?.mean ?? Number.NaN;
}

const joined = (policy: PolicyResult): string =>
  `${meanOf(policy, 'energyKilowattHours').toFixed(2)} kWh and ${meanOf(policy, 'waitMeanSeconds').toFixed(2)} s`;
const kilowattHours = (policy: PolicyResult): string => meanOf(policy, 'energyKilowattHours').toFixed(1);
const wait = (policy: PolicyResult): string => meanOf(policy, 'waitMeanSeconds').toFixed(2);
