// The commands that the learning loop declares, and the documents that it reads.

import type { DocumentKind } from '../core/documents/check-command.ts';
import type { PluginsOf } from '../core/live/start.ts';
import type { Command } from '../core/ports/command.ts';
import { datasetCommand } from './dataset/dataset-command.ts';
import { chaosCommand } from './demo/chaos-command.ts';
import { demoCommand } from './demo/demo-command.ts';
import { environmentCommand } from './env/environment-command.ts';
import { forecastCommand } from './forecast/export-command.ts';
import { loopCommand } from './loop/loop-command.ts';
import { policyCommand } from './promote/policy-command.ts';
import { recommendCommand } from './recommend/recommend-command.ts';
import { trainCommand } from './rl/train-command.ts';
import { trainingDocument } from './rl/training-spec.ts';

export const learningCommands: readonly Command[] = [
  demoCommand,
  chaosCommand,
  datasetCommand,
  forecastCommand,
  trainCommand,
  policyCommand,
  recommendCommand,
  loopCommand,
  environmentCommand,
];

/** What a kernel that is started gets from here, loaded only if its settings ask for it. */
export const livePlugins: PluginsOf = async ({ recommendations }) => {
  if (recommendations === undefined) return [];
  const { recommendationPlugin } = await import('./recommend/recommendation-plugin.ts');
  return [recommendationPlugin(recommendations)];
};

/** What `sira check` looks at. */
export const learningDocuments: readonly DocumentKind[] = [trainingDocument];
