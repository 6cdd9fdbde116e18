// The commands that the simulator declares.

import type { Command } from '../core/ports/command.ts';
import { checkCommand } from './experiment/check-command.ts';
import { metricsCommand } from './experiment/metrics-command.ts';
import { policiesCommand } from './experiment/policies-command.ts';

export const simCommands: readonly Command[] = [checkCommand, policiesCommand, metricsCommand];
