// `sira metrics`: what a run measures, for the objective and the guards of a scenario.

import { createColors } from 'picocolors';
import type { Command } from '../../core/ports/command.ts';
import { allMetrics } from './metrics.ts';

export const metricsCommand: Command = {
  name: 'metrics',
  summary: 'list what a run measures',
  description: 'Lists the metrics that a scenario may name as its objective and in its guards.',
  arguments: [],
  options: [{ flags: '--json', description: 'print JSON' }],
  examples: [{ line: 'sira metrics', meaning: 'what a run measures' }],
  run(call, context) {
    if (call.options.json === true) {
      context.terminal.write(`${JSON.stringify(allMetrics, null, 2)}\n`);
      return 0;
    }
    const colours = createColors(context.terminal.colour);
    const width = Math.max(...allMetrics.map((metric) => metric.name.length));
    for (const metric of allMetrics) {
      context.terminal.write(`${colours.cyan(metric.name.padEnd(width))}  ${metric.description}\n`);
    }
    return 0;
  },
};
