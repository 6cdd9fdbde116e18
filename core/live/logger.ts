// Structured logs of the live kernel: one JSON object a line, to standard error, through pino. What the others need of it is
// the small interface, so that tests can listen.

import { type DestinationStream, pino } from 'pino';
import type { LogLevel } from './log-level.ts';

export interface Logger {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

/** Writes to standard error, or to `destination`. */
export function createLogger(
  level: LogLevel,
  destination: DestinationStream = pino.destination({ fd: 2, sync: true }),
): Logger {
  return pino({ level, base: { service: 'sira' }, timestamp: pino.stdTimeFunctions.isoTime }, destination);
}

export const silentLogger: Logger = { debug() {}, info() {}, warn() {}, error() {} };
