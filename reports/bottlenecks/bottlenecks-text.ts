// Where the time of tasks went, as the terminal shows it: parts with bars, reasons, resources, the heaviest groups.

import { createColors } from 'picocolors';
import type { Bottlenecks } from '../../core/telemetry/bottlenecks.ts';
import { partMeanings, type TimePart } from '../../core/telemetry/bottlenecks.ts';

const barWidth = 24;
const shownMax = 8;

export function percentText(share: number): string {
  return `${(share * 100).toFixed(1)}%`;
}

/** Seconds with three digits, or in larger units. */
export function secondsText(seconds: number): string {
  if (seconds >= 7200) return `${(seconds / 3600).toPrecision(3)} h`;
  if (seconds >= 120) return `${(seconds / 60).toPrecision(3)} min`;
  if (seconds >= 1 || seconds === 0) return `${Number(seconds.toPrecision(3))} s`;
  return `${Number((seconds * 1000).toPrecision(3))} ms`;
}

export function bottlenecksText(run: string, found: Bottlenecks, colour: boolean): string {
  const colours = createColors(colour);
  const bar = (share: number): string => {
    const full = Math.round(share * barWidth);
    return `${'█'.repeat(full)}${'·'.repeat(barWidth - full)}`;
  };
  const lines = [
    `${colours.bold(run)}  ${found.tasks} tasks (${Object.entries(found.outcomes)
      .map(([outcome, count]) => `${count} ${outcome}`)
      .join(', ')})`,
    `  ${found.limit.sentence}`,
    '',
  ];
  for (const { name, seconds, share } of found.parts) {
    const mean = secondsText(seconds / found.tasks);
    lines.push(
      `  ${name.padEnd(9)} ${bar(share)} ${percentText(share).padStart(6)}  ${mean.padStart(9)} a task  ${colours.dim(partMeanings[name as TimePart])}`,
    );
  }
  if (found.reasons.length > 0) {
    lines.push('', '  waiting, by what kept them');
    for (const { name, share } of found.reasons.slice(0, shownMax))
      lines.push(`  ${name.padEnd(22)} ${percentText(share).padStart(6)}`);
  }
  const used = found.resources.filter((resource) => resource.used !== undefined);
  if (used.length > 0) {
    lines.push('', '  in use            all the time   while tasks waited');
    for (const { name, used: all, usedWhileWaiting } of used)
      lines.push(
        `  ${name.padEnd(14)} ${percentText(all as number).padStart(12)}   ${(usedWhileWaiting === undefined ? 'none waited' : percentText(usedWhileWaiting)).padStart(18)}`,
      );
  }
  if (found.groups.length > 1) {
    lines.push('', '  tenant, class            tasks      mean      queue    service');
    for (const { tenant, taskClass, tasks, totalMeanSeconds, meanSeconds } of found.groups.slice(0, shownMax)) {
      const name = [tenant, taskClass].filter((part) => part !== '').join(', ') || '(none)';
      const columns = [totalMeanSeconds, meanSeconds.queue + meanSeconds.retry, meanSeconds.service];
      lines.push(
        `  ${name.slice(0, 20).padEnd(20)} ${String(tasks).padStart(9)} ${columns.map((value) => secondsText(value).padStart(10)).join('')}`,
      );
    }
  }
  return `${lines.join('\n')}\n`;
}
