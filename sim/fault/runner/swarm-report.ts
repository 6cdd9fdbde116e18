// What a swarm tells a person: what failed and how to see it again, what was reached, and what was not.

import { formatDuration } from '../../../core/base/time.ts';
import type { SwarmFailure } from './swarm-job.ts';
import type { SwarmState } from './swarm-state.ts';

/** `command`: what shows a seed again. */
export function failureText({ seed, oracle, what, chain }: SwarmFailure, command = 'npm run swarm --'): string {
  const led = chain.length === 0 ? '' : `  What led there:\n${chain.map((line) => `    ${line}\n`).join('')}`;
  return `seed ${seed} breaks a promise\n  ${oracle}: ${what}\n${led}  Again:  ${command} --seed ${seed}\n  Smaller: ${command} --seed ${seed} --shrink\n`;
}

/** Every name that the swarm knows of with the cases and times that it was reached, then what never was. */
export function coverageText(state: SwarmState): string {
  const { byName, names: reachable } = state.counts;
  const lines: string[] = [];
  for (const [group, names] of Object.entries(reachable)) {
    const known = new Set(names);
    const others = [...byName.keys()]
      .filter((name) => name.startsWith(`${group}: `))
      .map((name) => name.slice(group.length + 2))
      .filter((name) => !known.has(name))
      .sort((left, right) => (left < right ? -1 : 1));
    lines.push(`\n${group}${' '.repeat(Math.max(1, 50 - group.length))}   cases       times`);
    for (const name of [...names, ...others]) {
      const { cases, times } = byName.get(`${group}: ${name}`) ?? { cases: 0, times: 0 };
      lines.push(`  ${name.padEnd(48)} ${pad(cases, 7)} ${pad(times, 11)}`);
    }
  }
  const unreached = state.counts.unreached();
  lines.push(
    unreached.length === 0
      ? '\nnothing that the swarm knows of stayed unreached'
      : `\nnever reached (${unreached.length}):\n${unreached.map((name) => `  ${name}`).join('\n')}`,
  );
  return `${lines.join('\n')}\n`;
}

export function summaryText(state: SwarmState, seconds: number): string {
  const all = state.formerSeconds + seconds;
  const verdict =
    state.failures.length === 0
      ? 'every promise kept'
      : `${state.failures.length} failed: seeds ${state.failures.map(({ seed }) => seed).join(', ')}`;
  return (
    `${state.cases} of ${state.caseCount} cases in ${all.toFixed(0)} s (${(state.cases / Math.max(all, 0.001)).toFixed(1)} a second), ` +
    `${formatDuration(state.simulatedMicros)} simulated, ${state.eventCount} events; ${verdict}\n`
  );
}

/** `3 min 20 s`. */
export function sayLeft(seconds: number): string {
  return formatDuration(Math.round(seconds) * 1_000_000);
}

function pad(count: number, width: number): string {
  return String(count).padStart(width);
}
