// Servers that tests need, on loopback: where each is found, what installs it, and how one is started for a test and ended. The
// servers themselves are others' work; a test that needs one is skipped without it, except in continuous integration.

import { type ChildProcess, spawn } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { createServer } from 'node:net';
import { delimiter, join } from 'node:path';

export interface Service {
  readonly name: string;
  /** What it is for, a few words. */
  readonly purpose: string;
  /** Debian packages that bring it. */
  readonly packages: readonly string[];
  /** The program, absolute; undefined if it is not installed. */
  find(): string | undefined;
  /** Starts one with all that it writes in `folder`; resolves when it is healthy. */
  start(folder: string): Promise<RunningService>;
}

export interface RunningService {
  /** Where it answers. */
  readonly url: string;
  stop(): Promise<void>;
}

/** A program by name, in PATH. */
export function findProgram(name: string): string | undefined {
  for (const folder of (process.env.PATH ?? '').split(delimiter)) {
    const file = join(folder, name);
    try {
      accessSync(file, constants.X_OK);
      return file;
    } catch {}
  }
  return undefined;
}

/** Starts the program and asks `healthUrl` until it answers well. Throws with what it printed if it ends or takes too long. */
export async function startProcess(
  program: string,
  words: readonly string[],
  url: string,
  healthUrl: string,
  timeoutMillis = 30_000,
): Promise<RunningService> {
  const child = spawn(program, words, { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  const keep = (text: Buffer): void => {
    output = (output + String(text)).slice(-4000);
  };
  child.stdout?.on('data', keep);
  child.stderr?.on('data', keep);
  const end = Date.now() + timeoutMillis;
  for (;;) {
    if (child.exitCode !== null || child.signalCode !== null) throw new Error(`${program} ended:\n${output}`);
    const isHealthy = await fetch(healthUrl, { signal: AbortSignal.timeout(1000) }).then(
      (response) => response.ok,
      () => false,
    );
    if (isHealthy) break;
    if (Date.now() > end) {
      await ended(child);
      throw new Error(`${program} is not healthy after ${timeoutMillis} ms:\n${output}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return { url, stop: () => ended(child) };
}

/** A port of loopback that nobody listened on a moment ago. */
export function unusedPort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer();
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}

function ended(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) {
      resolve();
      return;
    }
    const force = setTimeout(() => child.kill('SIGKILL'), 5000);
    child.once('exit', () => {
      clearTimeout(force);
      resolve();
    });
    child.kill('SIGTERM');
  });
}
