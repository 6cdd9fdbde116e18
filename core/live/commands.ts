// The commands that the live shell declares. The doctor is not among them: it is made in sira.ts, with the checks of the parts above.

import type { Command } from '../ports/command.ts';
import { startCommand } from './start.ts';

export const liveCommands: readonly Command[] = [startCommand];
