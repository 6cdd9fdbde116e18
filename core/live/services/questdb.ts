// QuestDB, for tests and for whoever has none: one jar of Maven Central, which `npm run provision:questdb` puts into the ignored folder
// .services, on a Java of Debian. It listens on loopback alone, on ports that nobody uses; it can be killed and started again on
// its folder and its port.

import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { SiraError } from '../../base/errors.ts';
import { projectFolder } from './project-folder.ts';
import { findProgram, type RunningService, type Service, unusedPort } from './service.ts';

export const questDbVersion = '9.3.4';
const sha256 = '939bc53ab22f93dbaa6545143a6e7c536d4904c07b7f2d381e8eef10436be062';
const readyMillisMax = 60_000;

export function questDbJar(): string {
  return join(projectFolder(), '.services', 'questdb', `questdb-${questDbVersion}.jar`);
}

/** Fetches the jar, unless it is there. Throws SIRA_PROVISION_FAILED. */
export async function provisionQuestDb(repository: string): Promise<'already' | 'fetched'> {
  const file = questDbJar();
  if (existsSync(file) && digestOf(readFileSync(file)) === sha256) return 'already';
  const url = `${repository.replace(/\/$/, '')}/org/questdb/questdb/${questDbVersion}/questdb-${questDbVersion}.jar`;
  const remedy = 'Give another Maven repository: SIRA_MAVEN_REPOSITORY=https://… npm run provision:questdb';
  let bytes: Buffer;
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(120_000) });
    if (!response.ok) throw new Error(`${response.status} ${response.statusText}`);
    bytes = Buffer.from(await response.arrayBuffer());
  } catch (error) {
    throw new SiraError('SIRA_PROVISION_FAILED', `${url}: ${(error as Error).message}`, {}, remedy);
  }
  if (digestOf(bytes) !== sha256)
    throw new SiraError('SIRA_PROVISION_FAILED', `${url} is not the file that it should be`, {}, remedy);
  mkdirSync(join(file, '..'), { recursive: true });
  writeFileSync(`${file}.new`, bytes);
  renameSync(`${file}.new`, file);
  return 'fetched';
}

export interface RunningQuestDb extends RunningService {
  /** As a power cut would: SIGKILL, nothing is closed. */
  kill(): Promise<void>;
  /** On the same folder and port. */
  startAgain(): Promise<void>;
}

/** Starts one with its data in `folder`; resolves when it answers queries. */
export async function startQuestDb(folder: string): Promise<RunningQuestDb> {
  const java = findProgram('java');
  if (java === undefined || !existsSync(questDbJar()))
    throw new Error('QuestDB is not installed; npm run services installs it');
  const port = await unusedPort();
  const url = `http://127.0.0.1:${port}`;
  mkdirSync(join(folder, 'conf'), { recursive: true });
  const settings = [
    `http.net.bind.to=127.0.0.1:${port}`,
    ...['http.min.enabled=false', 'pg.enabled=false', 'line.tcp.enabled=false', 'telemetry.enabled=false'],
    ...['shared.worker.count=2', 'cairo.max.uncommitted.rows=100000'],
  ];
  writeFileSync(join(folder, 'conf', 'server.conf'), `${settings.join('\n')}\n`);
  let child: ChildProcess;
  const start = async (): Promise<void> => {
    child = spawn(java, ['-Xmx512m', '-jar', questDbJar(), '-d', folder], { stdio: ['ignore', 'pipe', 'pipe'] });
    await ready(child, url);
  };
  await start();
  return {
    url,
    stop: () => ended(child, 'SIGTERM'),
    kill: () => ended(child, 'SIGKILL'),
    startAgain: start,
  };
}

export const questdb: Service = {
  name: 'questdb',
  purpose: 'telemetry; npm run provision:questdb fetches its jar',
  packages: ['default-jre-headless'],
  find: () => (findProgram('java') !== undefined && existsSync(questDbJar()) ? questDbJar() : undefined),
  start: startQuestDb,
};

async function ready(child: ChildProcess, url: string): Promise<void> {
  let output = '';
  const keep = (text: Buffer): void => {
    output = (output + String(text)).slice(-4000);
  };
  child.stdout?.on('data', keep);
  child.stderr?.on('data', keep);
  const end = Date.now() + readyMillisMax;
  for (;;) {
    if (child.exitCode !== null || child.signalCode !== null) throw new Error(`QuestDB ended:\n${output}`);
    const isReady = await fetch(`${url}/exec?query=select%201`, { signal: AbortSignal.timeout(2000) }).then(
      (response) => response.ok,
      () => false,
    );
    if (isReady) return;
    if (Date.now() > end) {
      await ended(child, 'SIGKILL');
      throw new Error(`QuestDB is not ready after ${readyMillisMax} ms:\n${output}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

function ended(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  return new Promise((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) {
      resolve();
      return;
    }
    const force = setTimeout(() => child.kill('SIGKILL'), 10_000);
    child.once('exit', () => {
      clearTimeout(force);
      resolve();
    });
    child.kill(signal);
  });
}

function digestOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
