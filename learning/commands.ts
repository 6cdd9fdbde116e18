// The commands that the learning loop declares.

import type { Command } from '../core/ports/command.ts';

export const learningCommands: readonly Command[] = [];
