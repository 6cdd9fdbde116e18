// Programs of this project as child processes, whether it runs compiled or from its sources. A child has a channel to its parent
// and ends when that is gone, so that a parent that is killed leaves nobody behind.

import { type ChildProcess, fork } from 'node:child_process';
import { openSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { AgentConnection } from '../../core/live/client.ts';

/** Starts `name` (without extension) of `folder`; what it says on standard error goes to `logFile`. */
export function startProgram(folder: string, name: string, words: readonly string[], logFile: string): ChildProcess {
  const extension = fileURLToPath(import.meta.url).endsWith('.ts') ? '.ts' : '.js';
  const log = openSync(logFile, 'a');
  return fork(join(folder, name + extension), [...words], { stdio: ['ignore', log, log, 'ipc'] });
}

/** For the child: ends by `stop` when it is told to, or when the parent is gone. A terminal's Ctrl-C is the parent's affair. */
export function endWithParent(stop: () => Promise<void>): void {
  let isEnding = false;
  const end = (): void => {
    if (isEnding) return;
    isEnding = true;
    void stop().then(
      () => process.exit(0),
      () => process.exit(1),
    );
  };
  process.on('SIGINT', () => {});
  process.on('SIGTERM', end);
  process.on('disconnect', end);
}

/** For a child that is agents: tells the parent once they are connected, and drains them for a while at the end. */
export function serveAgents(connection: AgentConnection, drainMillis: number): void {
  endWithParent(async () => {
    await connection.drain(drainMillis);
    connection.stop();
  });
  const wait = setInterval(() => {
    if (!connection.isReady) return;
    clearInterval(wait);
    tellParent({ kind: 'ready' });
  }, 20);
}

/** For the child: to the parent, which may be gone. */
export function tellParent(message: object): void {
  if (process.connected) process.send?.(message, () => {});
}
