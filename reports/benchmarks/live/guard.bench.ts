// What the guard at the gRPC door costs: a server that does nothing, with the kernel's interceptor and without, in the clear and with mutual
// TLS. Processor time of the server's process for a unary call and for a message on a stream; the cases take turns.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { median } from 'simple-statistics';
import { DevelopmentAuthority } from '../../../core/live/security/authority.ts';
import { BenchChild, childFile } from './bench-child.bench.ts';
import type { EchoOptions } from './echo-process.bench.ts';
import type { GuardCalls } from './guard-process.bench.ts';
import { type Surroundings, watchMachine } from './surroundings.bench.ts';

export interface GuardRow {
  readonly guarded: boolean;
  readonly encrypted: boolean;
  /** Processor time of the server, medians of the turns. */
  readonly callMicros: number;
  readonly messageMicros: number;
}

export interface GuardBench {
  readonly rows: readonly GuardRow[];
  readonly surroundings: Surroundings;
}

export interface GuardBenchOptions {
  readonly turns: number;
  readonly calls: number;
}

const underWay = 16;
const kinds = ['call', 'message'] as const;

export async function benchGuard(
  { turns, calls }: GuardBenchOptions,
  told: (what: string) => void,
): Promise<GuardBench> {
  const folder = mkdtempSync(join(tmpdir(), 'sira-guard-bench-'));
  const client = new BenchChild(childFile('guard'));
  const servers: BenchChild[] = [];
  try {
    const authority = await DevelopmentAuthority.open(folder);
    await authority.issueServer(['127.0.0.1', 'localhost'], 1);
    await authority.issueClient('bench', ['register'], 1);
    const cases = [];
    for (const encrypted of [false, true])
      for (const guarded of [false, true]) {
        const server = new BenchChild(childFile('echo'));
        servers.push(server);
        const options: EchoOptions = { guarded, folder: encrypted ? folder : '' };
        const address = await server.ask<string>('start', options);
        cases.push({ guarded, encrypted, server, address, call: [] as number[], message: [] as number[] });
      }
    const watched = watchMachine();
    for (let turn = -1; turn < turns; turn++) {
      told(turn < 0 ? 'the guard, warming up' : `the guard, turn ${turn + 1} of ${turns}`);
      for (const each of cases)
        for (const kind of kinds) {
          const asked: GuardCalls = {
            ...{ address: each.address, folder: each.encrypted ? folder : '', kind, count: calls, underWay },
          };
          const before = await each.server.ask<number>('cpuMicros');
          await client.ask('run', asked);
          const after = await each.server.ask<number>('cpuMicros');
          if (turn >= 0) each[kind].push((after - before) / calls);
        }
    }
    return {
      rows: cases.map(({ guarded, encrypted, call, message }) => ({
        ...{ guarded, encrypted, callMicros: median(call), messageMicros: median(message) },
      })),
      surroundings: watched(),
    };
  } finally {
    await Promise.all([client, ...servers].map((child) => child.end()));
    rmSync(folder, { recursive: true, force: true });
  }
}
