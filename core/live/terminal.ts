// The process's own terminal: colours only where a person sees them, and no complaint when the reader of a pipe leaves.

import type { Terminal } from '../ports/command.ts';

/** Over standard output and error. NO_COLOR and FORCE_COLOR are respected (no-color.org), a pipe gets no colour. */
export function processTerminal(): Terminal {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EPIPE') process.exit(0); // `sira … | head` has had enough.
      throw error;
    });
  }
  return {
    write: (text) => void process.stdout.write(text),
    writeError: (text) => void process.stderr.write(text),
    colour: coloured(process.stdout.isTTY, process.env),
    colourError: coloured(process.stderr.isTTY, process.env),
    interactive: process.stderr.isTTY === true && process.env.TERM !== 'dumb',
    columns: process.stdout.columns ?? 100,
  };
}

/** Whether a stream may hold colours; `isTerminal` is undefined for a pipe. */
export function coloured(
  isTerminal: boolean | undefined,
  environment: Readonly<Record<string, string | undefined>>,
): boolean {
  if ((environment.NO_COLOR ?? '') !== '') return false;
  const forced = environment.FORCE_COLOR ?? '';
  if (forced !== '') return forced !== '0';
  return isTerminal === true && environment.TERM !== 'dumb';
}
