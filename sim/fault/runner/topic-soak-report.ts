// What a soak of the durable topics says of itself: the last line, the page, and the same for programs.

import { formatDuration } from '../../../core/base/time.ts';
import { coverageText } from './swarm-report.ts';
import type { SwarmState } from './swarm-state.ts';

export interface SoakFigures {
  readonly cases: number;
  readonly published: number;
  readonly deliveries: number;
  readonly acknowledged: number;
  readonly crashes: number;
  readonly events: number;
  readonly simulatedMicros: number;
  readonly seconds: number;
  readonly messagesPerSecond: number;
  /** Of one core, in the last run: what other work on the machine takes does not count. */
  readonly messagesPerProcessorSecond: number;
  /** Seeds in which an oracle found what its promise forbids. */
  readonly acknowledgedLost: number;
  readonly outOfKeyOrder: number;
  readonly duplicates: number;
  readonly otherFailures: number;
}

const lossOracles = ['topic content', 'topic durability', 'topic cursor', 'topic liveness'];

/** `seconds`: those of this run; earlier ones are in the state. `perProcessorSecond`: of this run. */
export function soakFigures(state: SwarmState, seconds: number, perProcessorSecond = 0): SoakFigures {
  const times = (name: string): number => state.counts.byName.get(name)?.times ?? 0;
  const failed = (oracles: readonly string[]): number =>
    state.failures.filter(({ oracle }) => oracles.includes(oracle)).length;
  const published = times('messages: published');
  const all = state.formerSeconds + seconds;
  const acknowledgedLost = failed(lossOracles);
  const outOfKeyOrder = failed(['topic order']);
  const duplicates = failed(['topic once']);
  return {
    cases: state.cases,
    published,
    deliveries: times('messages: delivered'),
    acknowledged: times('messages: acknowledged'),
    crashes: times('fault begun while the broker was busy: brokerCrash'),
    events: state.eventCount,
    simulatedMicros: state.simulatedMicros,
    seconds: all,
    messagesPerSecond: Math.round(published / Math.max(all, 0.001)),
    messagesPerProcessorSecond: Math.round(perProcessorSecond),
    acknowledgedLost,
    outOfKeyOrder,
    duplicates,
    otherFailures: state.failures.length - acknowledgedLost - outOfKeyOrder - duplicates,
  };
}

export function soakLine(figures: SoakFigures): string {
  const { published, messagesPerSecond, acknowledgedLost, outOfKeyOrder, duplicates, otherFailures } = figures;
  return (
    `${grouped(published)} messages, ${grouped(messagesPerSecond)} a second, acknowledged lost ${acknowledgedLost}, ` +
    `out of key order ${outOfKeyOrder}, duplicates to an idempotent consumer ${duplicates}, other promises broken ${otherFailures}`
  );
}

export function soakMarkdown(state: SwarmState, figures: SoakFigures, goal: number): string {
  const rows: [string, string][] = [
    ['messages published', grouped(figures.published)],
    ['deliveries', grouped(figures.deliveries)],
    ['acknowledgements', grouped(figures.acknowledged)],
    ['cases, one seed each', grouped(figures.cases)],
    ['crashes of the broker while it was busy', grouped(figures.crashes)],
    ['events of the simulation', grouped(figures.events)],
    ['simulated time', formatDuration(figures.simulatedMicros)],
    ['wall time of the runs', formatDuration(Math.round(figures.seconds) * 1_000_000)],
    ['messages a second, of wall time', grouped(figures.messagesPerSecond)],
    ['messages a second of processor time, in the last run', grouped(figures.messagesPerProcessorSecond)],
    ['**acknowledged messages lost**', `**${figures.acknowledgedLost}**`],
    ['**out of key order**', `**${figures.outOfKeyOrder}**`],
    ['**duplicates to an idempotent consumer**', `**${figures.duplicates}**`],
    ['other promises broken', `${figures.otherFailures}`],
  ];
  const share = (100 * figures.published) / goal;
  return [
    '# Soak of the durable topics',
    '',
    `Made by \`npm run soak:broker -- --output reports/soak\`. Each seed draws a world of durable topics with its faults (crashes of the`,
    'broker, bad disks, partitions, subscribers that crash, hang and are slow, producers that repeat and forget); every message is',
    `watched by every oracle until all is delivered and settled. The goal is ${grouped(goal)} messages; this page shows ${share.toFixed(1)}% of it.`,
    'The run may be stopped and goes on from its state file.',
    '',
    '| what | how much |',
    '|---|---:|',
    ...rows.map(([what, much]) => `| ${what} | ${much} |`),
    '',
    state.failures.length === 0
      ? 'Every promise was kept in every case.'
      : `Failed: ${state.failures.map(({ seed, oracle, what }) => `seed ${seed} (${oracle}: ${what})`).join('; ')}.`,
    '',
    '## What the cases reached',
    '',
    '```',
    coverageText(state).trim(),
    '```',
    '',
  ].join('\n');
}

export function soakDocument(state: SwarmState, figures: SoakFigures, goal: number): object {
  return {
    madeBy: 'npm run soak:broker',
    goal,
    ...figures,
    failures: state.failures.map(({ seed, oracle, what }) => ({ seed, oracle, what })),
    reached: Object.fromEntries([...state.counts.byName].sort(([one], [other]) => (one < other ? -1 : 1))),
    unreached: state.counts.unreached(),
  };
}

/** `1,234,567`. */
function grouped(count: number): string {
  return String(Math.round(count)).replace(/\B(?=(\d{3})+$)/g, ',');
}
