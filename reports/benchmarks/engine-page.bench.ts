// The page of the engine's benchmark, from what was measured.

import type { EngineBench } from '../../sim/engine/engine.bench.ts';
import { markdownTable } from '../tables/markdown.ts';

export function enginePage(bench: EngineBench, command: string): string {
  const rows = bench.rows.flatMap((row) => {
    const own = [row.name, row.megaEventsPerSecond.toFixed(1)];
    if (row.peers.length === 0) return [[...own, '', '', '', '']];
    return row.peers.map((peer) => [
      ...own,
      peer.name,
      peer.megaEventsPerSecond.toFixed(2),
      peer.ratio.toFixed(2),
      peer.goal === undefined ? '' : `${peer.goal} ${peer.ratio >= peer.goal ? '✓' : '✗ missed'}`,
    ]);
  });
  return `# Engine
Made by \`${command}\` on ${bench.machine}.
The hold model through the simulation as runs use it, limits and checks on: take the earliest event, schedule one after a gap.
Millions of events a second, medians of interleaved repetitions; the ratio is that of neighbouring repetitions, so that a noisy
moment hurts both.

${markdownTable(['gaps, pending events', 'Sira', 'peer', 'its speed', 'Sira / peer', 'goal'], rows)}
${bench.skipped.map((reason) => `\nSkipped: ${reason}\n`).join('')}`;
}
