// The commands that the live shell declares.

import type { Command } from '../ports/command.ts';
import { doctorCommand } from './doctor.ts';
import { startCommand } from './start.ts';

export const liveCommands: readonly Command[] = [startCommand, doctorCommand];
