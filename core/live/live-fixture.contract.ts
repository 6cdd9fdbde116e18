// A live kernel with all its services in this process, over real sockets and files, for tests: started, stopped and started again,
// with agents and submitters that end with it. Not a test itself.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AgentConnection, type AgentDefinition, Submitter } from './client.ts';
import type { HttpPlugin } from './http/server.ts';
import { silentLogger } from './logger.ts';
import { type RunningKernel, runKernel } from './run-kernel.ts';
import { startSettings } from './start-settings.ts';

export class LiveFixture {
  readonly folder: string;
  running: RunningKernel;
  private readonly changes: object;
  private readonly plugins: readonly HttpPlugin[];
  private ends: (() => unknown)[] = [];

  private constructor(running: RunningKernel, folder: string, changes: object, plugins: readonly HttpPlugin[]) {
    this.running = running;
    this.folder = folder;
    this.changes = changes;
    this.plugins = plugins;
  }

  /** `changes`: fields of the configuration besides data and addresses. */
  static async start(changes: object = {}, plugins: readonly HttpPlugin[] = []): Promise<LiveFixture> {
    const folder = mkdtempSync(join(tmpdir(), 'sira-fixture-'));
    const running = await runKernel(settingsOf(folder, changes), '1.2.3', silentLogger, plugins);
    return new LiveFixture(running, folder, changes, plugins);
  }

  /** Stops the kernel and starts one on the same data, at the same addresses. */
  async restart(): Promise<void> {
    const addresses = {
      grpc: { address: this.running.grpc.address, heartbeatBatch: '20ms' },
      http: { address: new URL(this.running.http.url).host },
    };
    await this.running.stop();
    const settings = settingsOf(this.folder, { ...this.changes, ...addresses });
    this.running = await runKernel(settings, '1.2.3', silentLogger, this.plugins);
  }

  agents(...definitions: AgentDefinition[]): AgentConnection {
    const connection = AgentConnection.start({
      address: this.running.grpc.address,
      agents: definitions,
      retryMicros: 200_000,
    });
    this.ends.push(() => connection.stop());
    return connection;
  }

  async submitter(name = 'tester'): Promise<Submitter> {
    const connected = await Submitter.connect({ address: this.running.grpc.address, name, retryMicros: 200_000 });
    this.ends.push(() => connected.abandon());
    return connected;
  }

  /** To be called at the end, before the kernel stops. */
  atEnd(end: () => unknown): void {
    this.ends.push(end);
  }

  /** The parsed body of an answer; it must be a success. */
  async ask(path: string, method = 'GET', body?: object): Promise<ReturnType<typeof JSON.parse>> {
    const answer = await this.fetch(path, method, body);
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
    return answer.json();
  }

  fetch(path: string, method = 'GET', body?: object, headers: Record<string, string> = {}): Promise<Response> {
    return fetch(`${this.running.http.url}${path}`, {
      method,
      headers: { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  }

  async end(): Promise<void> {
    for (const end of this.ends.splice(0)) await end();
    await this.running.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

function settingsOf(folder: string, changes: object): ReturnType<typeof startSettings> {
  return startSettings({
    data: join(folder, 'data'),
    grpc: { address: '127.0.0.1:0', heartbeatBatch: '20ms' },
    http: { address: '127.0.0.1:0' },
    durability: 'processCrash',
    ...changes,
  });
}

export async function until(condition: () => boolean | Promise<boolean>, millis = 60_000): Promise<void> {
  const end = performance.now() + millis;
  while (!(await condition())) {
    if (performance.now() > end) throw new Error('waited in vain');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
