// The commands that the live shell declares, and the documents that it reads. The doctor is not among them: it is made in sira.ts, with the checks of the parts above.

import type { DocumentKind } from '../documents/check-command.ts';
import type { Command } from '../ports/command.ts';
import { certsCommand } from './certs-command.ts';
import { configCommand } from './config-command.ts';
import { type PluginsOf, startCommand } from './start.ts';
import { startDocument } from './start-document.ts';
import { telemetryCommand } from './telemetry/telemetry-command.ts';

/** `pluginsOf`: what higher layers add to a kernel that is started. */
export const liveCommands = (pluginsOf: PluginsOf): readonly Command[] => [
  startCommand(pluginsOf),
  configCommand,
  certsCommand,
  telemetryCommand,
];

/** What `sira check` looks at. */
export const liveDocuments: readonly DocumentKind[] = [startDocument];
