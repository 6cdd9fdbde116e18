// `sira environment`: serves the environment of a training over standard input and output, so that trainers in other languages can
// step it.

import { createInterface } from 'node:readline';
import type { Command } from '../../core/ports/command.ts';

export const environmentCommand: Command = {
  name: 'environment',
  summary: 'serve the environment of a training to another process, over standard input and output',
  description:
    'One JSON object a line: {"reset": seed} or {"step": choice} in, the candidates\' features, reward and end out. learning/env/gymnasium/sira_gymnasium.py makes a Gymnasium environment of it.',
  arguments: [{ name: 'training', description: 'YAML file, as for `sira train`', required: true, many: false }],
  options: [],
  examples: [{ line: 'sira environment scenarios/training/lublin.yaml', meaning: 'serve it until the input ends' }],
  async run(call, { terminal }) {
    const { readAnyTraining } = await import('../rl/training-spec.ts');
    const { openEnvironment } = await import('./catalogue.ts');
    const { openStepped } = await import('./whole-runs-catalogue.ts');
    const { answerLine, greetingOf } = await import('./serve-environment.ts');
    const spec = readAnyTraining(call.arguments[0] as string);
    const environment =
      'runs' in spec ? openStepped(spec.runs, spec.folder) : openEnvironment(spec.environment, spec.folder).create();
    terminal.write(`${JSON.stringify(greetingOf(environment))}\n`);
    for await (const line of createInterface({ input: process.stdin })) {
      terminal.write(`${answerLine(environment, line)}\n`);
    }
    return 0;
  },
};
