#!/usr/bin/env node

// The `sira` command: gathers the commands that each part of the project declares, runs the one typed, and answers every
// failure in words, with exit code 2 for the user's mistake and 1 for a failed run.

import { checkCommandOf } from './core/documents/check-command.ts';
import { codeHash } from './core/live/code-hash.ts';
import { runCommandLine } from './core/live/command-line.ts';
import { liveCommands, liveDocuments } from './core/live/commands.ts';
import { doctorCommand } from './core/live/doctor.ts';
import { printError } from './core/live/print-error.ts';
import { processTerminal } from './core/live/terminal.ts';
import type { Command } from './core/ports/command.ts';
import { learningCommands, learningDocuments, livePlugins } from './learning/commands.ts';
import { learningChecks } from './learning/doctor-checks.ts';
import { reportCommands } from './reports/commands.ts';
import { simCommands, simDocuments } from './sim/commands.ts';
import { projectRoot, projectVersion } from './sim/experiment/project-root.ts';
import { calibrateCommand } from './sim/replay/calibrate-command.ts';
import { replayCommand } from './sim/replay/replay-command.ts';

const commands: readonly Command[] = [
  ...reportCommands,
  ...simCommands,
  ...learningCommands,
  ...liveCommands(livePlugins),
  replayCommand(codeHash),
  calibrateCommand(codeHash),
  checkCommandOf([...simDocuments, ...liveDocuments, ...learningDocuments]),
  doctorCommand(learningChecks),
];
const words = process.argv.slice(2);
const line = ['sira', ...words.map((word) => (/^[\w./:=,@%+*-]+$/.test(word) ? word : JSON.stringify(word)))].join(' ');
const terminal = processTerminal();
const version = projectVersion();

function fail(error: unknown): number {
  return printError(error, terminal, { version, line, debug: process.env.SIRA_DEBUG === '1' });
}

process.once('SIGINT', () => {
  // A progress bar hides the cursor; whoever interrupts wants it back.
  terminal.writeError(terminal.interactive ? '\u001b[?25h\ninterrupted\n' : 'interrupted\n');
  process.exit(130);
});
process.on('uncaughtException', (error) => process.exit(fail(error)));
process.on('unhandledRejection', (error) => process.exit(fail(error)));

try {
  process.exitCode = await runCommandLine(
    {
      commands,
      version,
      summary: 'simulate a cluster trace under many scheduling policies, and learn which one to run',
      terminal,
      run: (command, call) =>
        command.run(call, {
          terminal,
          projectRoot: projectRoot(),
          version,
          line,
          printError: (error) => void fail(error),
        }),
    },
    words,
  );
} catch (error) {
  process.exitCode = fail(error);
}
