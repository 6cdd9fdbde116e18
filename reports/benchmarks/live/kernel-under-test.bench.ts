// A kernel as people start it, `sira start` in a process of its own, and what it says of itself: processor time and memory from
// its own /metrics.

import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Durability } from '../../../core/live/live-kernel.ts';
import { projectRoot } from '../../../sim/experiment/project-root.ts';

export interface KernelUse {
  readonly atMillis: number;
  /** User and system time since it began. */
  readonly cpuSeconds: number;
  readonly residentBytes: number;
}

export class KernelUnderTest {
  readonly address: string;
  readonly httpAddress: string;
  readonly folder: string;
  private readonly process: ChildProcess;

  private constructor(process: ChildProcess, folder: string, address: string, httpAddress: string) {
    this.process = process;
    this.folder = folder;
    this.address = address;
    this.httpAddress = httpAddress;
  }

  static async start(options: {
    readonly durability: Durability;
    readonly settings?: Readonly<Record<string, number>>;
    readonly words?: readonly string[];
  }): Promise<KernelUnderTest> {
    const folder = mkdtempSync(join(tmpdir(), 'sira-bench-'));
    const [address, httpAddress] = [`127.0.0.1:${await freePort()}`, `127.0.0.1:${await freePort()}`];
    const config = join(folder, 'sira.yaml');
    writeFileSync(config, JSON.stringify({ settings: options.settings ?? {} }));
    const words = ['start', '--config', config, '--data', join(folder, 'data'), '--durability', options.durability];
    const child = spawn(
      process.execPath,
      [
        ...(process.env.SIRA_BENCH_NODE_OPTIONS?.split(' ') ?? []),
        join(projectRoot(), 'dist', 'sira.js'),
        ...[...words, '--grpc', address, '--http', httpAddress, '--log-level', 'warn'],
        ...(options.words ?? []),
      ],
      { cwd: folder, stdio: ['ignore', 'pipe', 'inherit'] },
    );
    await new Promise<void>((resolve, reject) => {
      let said = '';
      child.stdout?.on('data', (text) => {
        said += text;
        if (said.includes('durability')) resolve();
      });
      child.once('exit', (code) => reject(new Error(`the kernel ended with ${code}`)));
    });
    return new KernelUnderTest(child, folder, address, httpAddress);
  }

  async use(): Promise<KernelUse> {
    const text = await (await fetch(`http://${this.httpAddress}/metrics`)).text();
    const value = (name: string): number => {
      const found = new RegExp(`^${name} (\\S+)`, 'm').exec(text);
      if (found === null) throw new Error(`/metrics has no ${name}`);
      return Number(found[1]);
    };
    return {
      atMillis: performance.now(),
      cpuSeconds: value('process_cpu_seconds_total'),
      residentBytes: value('process_resident_memory_bytes'),
    };
  }

  /** The sum of a metric's samples that have this label. */
  async metric(name: string, label = ''): Promise<number> {
    const text = await (await fetch(`http://${this.httpAddress}/metrics`)).text();
    return [...text.matchAll(new RegExp(`^${name}(?:\\{[^}]*${label}[^}]*\\})? (\\S+)`, 'gm'))].reduce(
      (sum, [, value]) => sum + Number(value),
      0,
    );
  }

  async stop(): Promise<void> {
    const ended = new Promise((resolve) => this.process.once('exit', resolve));
    if (this.process.exitCode === null) {
      this.process.kill('SIGTERM');
      const force = setTimeout(() => this.process.kill('SIGKILL'), 15_000);
      await ended;
      clearTimeout(force);
    }
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** Of one core, 0 to 1 and above. */
export function coreShare(before: KernelUse, after: KernelUse): number {
  return ((after.cpuSeconds - before.cpuSeconds) * 1000) / (after.atMillis - before.atMillis);
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer();
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}
