// The commands that the report builder declares.

import type { Command } from '../core/ports/command.ts';
import { bottlenecksCommand } from './bottlenecks/bottlenecks-command.ts';
import { explainCommand } from './explain-command.ts';
import { fidelityCommand } from './fidelity/fidelity-command.ts';
import { runCommand } from './run-command.ts';

export const reportCommands: readonly Command[] = [runCommand, explainCommand, bottlenecksCommand, fidelityCommand];
