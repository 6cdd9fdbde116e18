// The commands that the report builder declares.

import type { Command } from '../core/ports/command.ts';

export const reportCommands: readonly Command[] = [];
