// The live side of the loop: a kernel and agents as processes, and the store of their telemetry. Faults are brought about here
// alone, so that a signal only ever reaches a child that this process holds; and whatever was started here is ended here.

import type { ChildProcess } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { SiraError } from '../../core/base/errors.ts';
import { questdb, startQuestDb } from '../../core/live/services/questdb.ts';
import type { StartFields } from '../../core/live/start-settings.ts';
import { telemetryStoreAt } from '../../core/stores/telemetry-address.ts';
import type { TelemetryStore } from '../../core/telemetry/telemetry-store.ts';
import { startProgram } from '../demo/child-program.ts';
import { ended, isUp, pause, ready } from '../demo/fleet.ts';

export interface ClusterOptions {
  /** Data, logs, and the store if it is not elsewhere. */
  readonly folder: string;
  /** `questdb`: a server of its own; `duckdb`: a file of its own; or an address. */
  readonly store: string;
  readonly seed: number;
  readonly version: string;
  /** Names of the agents, by process. */
  readonly agents: readonly (readonly string[])[];
  readonly classes: readonly string[];
  /** Of each agent. */
  readonly cpuMilli: number;
  readonly memoryMib: number;
}

/** The column `run` of the rows. */
export const loopRun = 'loop';
const flushMillisMax = 40_000;

export class LiveCluster {
  private readonly options: ClusterOptions;
  private kernel: ChildProcess | undefined;
  private readonly agents: (ChildProcess | undefined)[] = [];
  private database: { readonly url: string; stop(): Promise<void> } | undefined;
  /** Of the kernel, gRPC and HTTP. */
  address = '127.0.0.1:0';
  url = 'http://127.0.0.1:0';
  /** Where the rows are. */
  storeAddress = '';

  private constructor(options: ClusterOptions) {
    this.options = options;
  }

  /** Resolves when every agent is registered. What had begun is ended if something fails. `begun` gets the cluster as soon as there is
   *  anything that would have to be ended. */
  static async start(options: ClusterOptions, begun: (cluster: LiveCluster) => void): Promise<LiveCluster> {
    const cluster = new LiveCluster(options);
    begun(cluster);
    mkdirSync(options.folder, { recursive: true });
    cluster.storeAddress = await cluster.openStore();
    await cluster.startKernel();
    await Promise.all(options.agents.map((_, index) => cluster.startAgents(index)));
    const pids = { kernel: cluster.kernel?.pid, agents: cluster.agents.map((child) => child?.pid) };
    writeFileSync(join(options.folder, 'processes.json'), `${JSON.stringify(pids)}\n`);
    return cluster;
  }

  get journal(): string {
    return join(this.options.folder, 'kernel');
  }

  /** Hands the store to `use` once all rows so far are in it. A DuckDB file belongs to one process at a time: for as long as it takes
   *  there is no kernel then. */
  async withRows<Result>(use: (store: TelemetryStore) => Promise<Result>): Promise<Result> {
    await this.flush();
    const isFile = !/^https?:/.test(this.storeAddress);
    if (isFile && this.kernel !== undefined) await ended(this.kernel, 20_000);
    const store = await telemetryStoreAt(this.storeAddress, { isReadOnly: true });
    try {
      await store.open();
      return await use(store);
    } finally {
      await store.close();
      if (isFile) await this.startKernel();
    }
  }

  /** SIGKILL for the agents of one process, which come back after so long. */
  async crashAgents(index: number, awayMillis: number): Promise<void> {
    const child = this.agents[index];
    if (child === undefined || !isUp(child)) return;
    const exit = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await exit;
    await pause(awayMillis);
    await this.startAgents(index);
  }

  async stop(): Promise<void> {
    await Promise.all(this.agents.map((child) => child && ended(child, 8000)));
    if (this.kernel !== undefined) await ended(this.kernel, 20_000);
    await this.database?.stop();
    this.database = undefined;
  }

  private async openStore(): Promise<string> {
    const { store, folder } = this.options;
    if (store === 'duckdb') return join(folder, 'telemetry.duckdb');
    if (store !== 'questdb') return store;
    if (questdb.find() === undefined)
      throw new SiraError(
        'SIRA_TELEMETRY_AWAY',
        'QuestDB is not installed here',
        {},
        '`npm run services` installs it; or give --store duckdb.',
      );
    this.database = await startQuestDb(join(folder, 'questdb'));
    return this.database.url;
  }

  private async startKernel(): Promise<void> {
    const { folder, seed, version } = this.options;
    const fields: StartFields = {
      data: this.journal,
      grpc: { address: this.address, heartbeatBatch: '50ms' },
      http: { address: new URL(this.url).host },
      durability: 'processCrash',
      seed,
      // The whole record, so that other policies can be tried on it.
      snapshot: { kept: 100_000, interval: '1h' },
      telemetry: { store: this.storeAddress, run: loopRun, sample: '500ms' },
      log: { level: 'warn' },
    };
    const file = join(folder, 'kernel.json');
    writeFileSync(file, `${JSON.stringify(fields, undefined, 2)}\n`);
    this.kernel = startProgram(import.meta.dirname, 'kernel-main', [file, version], join(folder, 'kernel.log'));
    await ready(this.kernel, 'the kernel', (url, address) => {
      this.url = url;
      this.address = address;
    });
  }

  private async startAgents(index: number): Promise<void> {
    const { folder, agents, classes, cpuMilli, memoryMib } = this.options;
    const words = [this.address, (agents[index] ?? []).join(','), classes.join(','), `${cpuMilli}`, `${memoryMib}`];
    const child = startProgram(import.meta.dirname, 'agents-main', words, join(folder, 'agents.log'));
    this.agents[index] = child;
    await ready(child, 'the agents');
  }

  private flush(): Promise<void> {
    const { kernel } = this;
    return new Promise((resolve, reject) => {
      if (kernel === undefined || !isUp(kernel)) {
        resolve();
        return;
      }
      const fail = (): void => reject(new SiraError('SIRA_TELEMETRY_AWAY', 'the rows of telemetry do not arrive'));
      const timer = setTimeout(fail, flushMillisMax);
      const hear = (message: { readonly kind?: string; readonly isFlushed?: boolean }): void => {
        if (message.kind !== 'flushed') return;
        clearTimeout(timer);
        kernel.off('message', hear);
        if (message.isFlushed === true) resolve();
        else fail();
      };
      kernel.on('message', hear);
      kernel.send({ ask: 'flush' });
    });
  }
}

/** QuestDB where it is installed, else DuckDB. */
export function storeThereIs(): 'questdb' | 'duckdb' {
  return questdb.find() !== undefined ? 'questdb' : 'duckdb';
}
