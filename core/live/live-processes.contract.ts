// Real processes for tests of the live kernel: the kernel and agents as they are run by people, started, killed and started
// again. Not a test itself.

import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Where the compiled project lies; another folder lets a test run beside a build. */
export const built = process.env.SIRA_TEST_BUILT ?? join(import.meta.dirname, '..', '..', 'dist');

export class LiveProcesses {
  readonly folder = mkdtempSync(join(tmpdir(), 'sira-live-'));
  readonly data = join(this.folder, 'data');
  address = '';
  httpAddress = '';
  private readonly children = new Set<ChildProcess>();
  /** Standard error of everything, for a test that fails. */
  readonly errors: string[] = [];

  async startKernel(...options: string[]): Promise<ChildProcess> {
    if (this.address === '') this.address = `127.0.0.1:${await freePort()}`;
    if (this.httpAddress === '') this.httpAddress = `127.0.0.1:${await freePort()}`;
    const addresses = ['--grpc', this.address, '--http', this.httpAddress];
    const words = ['start', '--data', this.data, ...addresses, '--log-level', 'warn', ...options];
    const child = this.spawn(process.execPath, [join(built, 'sira.js'), ...words]);
    await new Promise<void>((resolve, reject) => {
      let output = '';
      child.stdout?.on('data', (text) => {
        output += text;
        if (output.includes('durability')) resolve();
      });
      child.once('exit', (code) => reject(new Error(`the kernel ended with ${code}:\n${this.errors.join('')}`)));
    });
    return child;
  }

  startAgent(name: string): ChildProcess {
    const program = join(built, 'core', 'live', 'examples', 'matrix-agent.js');
    return this.spawn(process.execPath, [program, this.address, name]);
  }

  spawn(program: string, words: readonly string[], env: NodeJS.ProcessEnv = process.env): ChildProcess {
    const child = spawn(program, words, { cwd: this.folder, env, stdio: ['ignore', 'pipe', 'pipe'] });
    this.children.add(child);
    child.stderr?.on('data', (text) => this.errors.push(String(text)));
    child.once('exit', () => this.children.delete(child));
    return child;
  }

  /** Ends everything and removes the folder. */
  async end(): Promise<void> {
    await Promise.all([...this.children].map((child) => killed(child, 'SIGKILL')));
    if (process.env.SIRA_TEST_KEEP === undefined) rmSync(this.folder, { recursive: true, force: true });
  }
}

/** Sends the signal and waits for the end: the exit code, or −1 for one that the signal ended. */
export function killed(child: ChildProcess, signal: NodeJS.Signals): Promise<number> {
  return new Promise((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) {
      resolve(child.exitCode ?? -1);
      return;
    }
    child.once('exit', (code) => resolve(code ?? -1));
    child.kill(signal);
  });
}

export function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer();
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}
