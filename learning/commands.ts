// The commands that the learning loop declares.

import type { Command } from '../core/ports/command.ts';
import { datasetCommand } from './dataset/dataset-command.ts';
import { chaosCommand } from './demo/chaos-command.ts';
import { demoCommand } from './demo/demo-command.ts';
import { forecastCommand } from './forecast/export-command.ts';

export const learningCommands: readonly Command[] = [demoCommand, chaosCommand, datasetCommand, forecastCommand];
