// Where a live demo takes orders from `sira chaos`: a socket that only the demo's user can open, named in a file of the data
// folder. One line of JSON asks, one answers.

import { chmodSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { SiraError } from '../../core/base/errors.ts';
import { type AgentFault, agentFaults, type Fleet } from './fleet.ts';
import type { PlayerAccount, TracePlayer } from './trace-player.ts';

export type DeskRequest =
  | { readonly ask: 'strike'; readonly fault: AgentFault }
  | { readonly ask: 'killKernel' }
  | { readonly ask: 'mend'; readonly agent: string }
  /** Stops the trace and waits for all that was submitted. */
  | { readonly ask: 'drain'; readonly longestMillis: number }
  | { readonly ask: 'goOn' };

export interface DeskAnswer {
  readonly error?: string;
  /** Microseconds since 1970 at which the fault struck. */
  readonly atMicros?: number;
  readonly agent?: string;
  readonly drained?: boolean;
  readonly account?: PlayerAccount;
}

export interface DemoFile {
  readonly pid: number;
  readonly socket: string;
  readonly url: string;
}

const busyMillis = 20_000;

/** Where a demo in `folder` says how to reach it. */
export function demoFile(folder: string): string {
  return join(folder, 'demo.json');
}

export async function openDesk(folder: string, fleet: Fleet, player: TracePlayer): Promise<() => void> {
  const socket =
    process.platform === 'win32'
      ? `\\\\.\\pipe\\sira-demo-${process.pid}`
      : join(tmpdir(), `sira-demo-${process.pid}.sock`);
  rmSync(socket, { force: true });
  const server: Server = createServer((connection) => {
    connection.on('error', () => {});
    createInterface({ input: connection }).on('line', (line) => {
      void answer(line, fleet, player).then((told) => connection.write(`${JSON.stringify(told)}\n`));
    });
  });
  const mask = process.umask(0o077);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(socket, resolve);
  }).finally(() => process.umask(mask));
  if (process.platform !== 'win32') chmodSync(socket, 0o600);
  const content: DemoFile = { pid: process.pid, socket, url: fleet.url };
  writeFileSync(demoFile(folder), `${JSON.stringify(content)}\n`);
  return () => {
    server.close();
    rmSync(socket, { force: true });
  };
}

async function answer(line: string, fleet: Fleet, player: TracePlayer): Promise<DeskAnswer> {
  try {
    const request = JSON.parse(line) as DeskRequest;
    switch (request.ask) {
      case 'strike': {
        if (!agentFaults.includes(request.fault)) return { error: `no fault is called "${request.fault}"` };
        const agent = await fleet.busyAgent(busyMillis);
        if (agent === undefined) return { error: 'no agent had work to be disturbed in' };
        return { agent, atMicros: fleet.injectAgent(request.fault, agent) };
      }
      case 'killKernel':
        return { atMicros: fleet.killKernel() };
      case 'mend':
        fleet.mend(request.agent);
        return {};
      case 'drain':
        return { drained: await player.drain(request.longestMillis), account: player.account };
      case 'goOn':
        player.goOn();
        return {};
    }
  } catch (error) {
    return { error: (error as Error).message };
  }
}

export class DeskClient {
  /** Of the kernel's HTTP server. */
  readonly url: string;
  private readonly socket: string;

  private constructor({ socket, url }: DemoFile) {
    this.socket = socket;
    this.url = url;
  }

  /** SIRA_KERNEL_UNREACHABLE if no demo runs there. */
  static open(folder: string): DeskClient {
    const file = demoFile(folder);
    if (!existsSync(file))
      throw new SiraError('SIRA_KERNEL_UNREACHABLE', `no demo runs in ${folder}`, { file }, 'sira demo starts one.');
    return new DeskClient(JSON.parse(readFileSync(file, 'utf8')) as DemoFile);
  }

  async ask(request: DeskRequest): Promise<DeskAnswer> {
    const told = await new Promise<DeskAnswer>((resolve, reject) => {
      const fail = (why: string): void =>
        reject(new SiraError('SIRA_KERNEL_UNREACHABLE', `the demo does not answer: ${why}`));
      const connection = connect(this.socket, () => connection.write(`${JSON.stringify(request)}\n`));
      connection.once('error', (error) => fail(error.message));
      connection.once('close', () => fail('it has ended'));
      createInterface({ input: connection })
        .on('error', () => {})
        .once('line', (line) => {
          resolve(JSON.parse(line) as DeskAnswer);
          connection.end();
        });
    });
    if (told.error !== undefined) throw new SiraError('SIRA_REQUEST_INVALID', told.error);
    return told;
  }
}
