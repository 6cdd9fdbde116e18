// Errors as people meet them on the command line: what, where, what to do. No stack trace reaches anyone who did not ask for
// it; the details of a defect go to a file.

import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createColors } from 'picocolors';
import { type ErrorPlace, SiraError } from '../base/errors.ts';
import type { Terminal } from '../ports/command.ts';

export interface ErrorReport {
  readonly version: string;
  /** The command line as typed. */
  readonly line: string;
  /** Print the stack trace as well (SIRA_DEBUG=1). */
  readonly debug: boolean;
}

/** Writes `error` to standard error and gives the exit code that goes with it. */
export function printError(error: unknown, terminal: Terminal, report: ErrorReport): number {
  if (!(error instanceof SiraError)) return printDefect(error, terminal, report);
  terminal.writeError(formatError(error, terminal.colourError));
  if (report.debug) terminal.writeError(`${error.stack ?? ''}\n`);
  return error.exitCode;
}

/** An operating error in up to three lines, each ended. */
export function formatError(error: SiraError, colour: boolean): string {
  const colours = createColors(colour);
  const place = formatPlace(error.place);
  return [
    `${colours.red(`error[${error.code}]`)} ${error.message}\n`,
    place === '' ? '' : `  at ${colours.bold(place)}\n`,
    `  do: ${error.remedy}\n`,
  ].join('');
}

/** `file:line:column field`, as far as known. */
export function formatPlace(place: ErrorPlace): string {
  const position = [place.file, place.line, place.line === undefined ? undefined : place.column].filter(
    (part) => part !== undefined,
  );
  return [position.join(':'), place.field].filter((part) => part !== undefined && part !== '').join(' ');
}

function printDefect(error: unknown, terminal: Terminal, report: ErrorReport): number {
  const colours = createColors(terminal.colourError);
  const message = error instanceof Error ? error.message : String(error);
  const details = error instanceof Error ? (error.stack ?? message) : message;
  const file = writeDetails(
    `sira ${report.version}, Node ${process.version}, ${process.platform} ${process.arch}\n${report.line}\n\n${details}\n`,
  );
  terminal.writeError(`${colours.red('internal error')} ${message.split('\n')[0]}\n`);
  terminal.writeError('  This is a defect of Sira, not a mistake of yours.\n');
  terminal.writeError(`  do: Report it to the project${file === undefined ? '' : ` with this file: ${file}`}\n`);
  if (report.debug) terminal.writeError(`${details}\n`);
  return 1;
}

function writeDetails(text: string): string | undefined {
  try {
    const file = join(mkdtempSync(join(tmpdir(), 'sira-error-')), 'details.txt');
    writeFileSync(file, text);
    return file;
  } catch {
    return undefined; // A full or read-only disk must not hide the error itself.
  }
}
