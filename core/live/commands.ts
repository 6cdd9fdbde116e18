// The commands that the live shell declares, and the documents that it reads. The doctor is not among them: it is made in sira.ts, with the checks of the parts above.

import type { DocumentKind } from '../documents/check-command.ts';
import type { Command } from '../ports/command.ts';
import { certsCommand } from './certs-command.ts';
import { configCommand } from './config-command.ts';
import { startCommand } from './start.ts';
import { startDocument } from './start-document.ts';
import { telemetryCommand } from './telemetry/telemetry-command.ts';

export const liveCommands: readonly Command[] = [startCommand, configCommand, certsCommand, telemetryCommand];

/** What `sira check` looks at. */
export const liveDocuments: readonly DocumentKind[] = [startDocument];
