// The commands that the simulator declares, and the documents that it reads.

import type { DocumentKind } from '../core/documents/check-command.ts';
import type { Command } from '../core/ports/command.ts';
import { scenarioDocument } from './experiment/check-command.ts';
import { metricsCommand } from './experiment/metrics-command.ts';
import { policiesCommand } from './experiment/policies-command.ts';

export const simCommands: readonly Command[] = [policiesCommand, metricsCommand];

/** What `sira check` looks at. */
export const simDocuments: readonly DocumentKind[] = [scenarioDocument];
