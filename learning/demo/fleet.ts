// The processes of the demo: a kernel, and agents that each hang on a cable of their own. What dies is started again; faults are
// brought about here and nowhere else, so that a signal only ever reaches a child that this process holds.

import type { ChildProcess } from 'node:child_process';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { SiraError } from '../../core/base/errors.ts';
import { Cable } from '../../core/live/cable.ts';
import { startProgram } from './child-program.ts';

export const agentFaults = ['kill', 'hang', 'slow', 'cut'] as const;
export type AgentFault = (typeof agentFaults)[number];

interface Member {
  readonly name: string;
  readonly cable: Cable;
  child: ChildProcess;
  running: number;
  finished: number;
  slowing: NodeJS.Timeout | undefined;
}

export interface FleetOptions {
  readonly folder: string;
  readonly agentCount: number;
  readonly version: string;
  /** Something happened that a person may want to read. */
  readonly tell: (text: string) => void;
}

const restartMillis = 1500;
/** Of a slowed agent: it is stopped for most of each period. */
const slowPeriodMillis = 200;
const slowShare = 0.8;
const startMillis = 60_000;

export class Fleet {
  private readonly options: FleetOptions;
  private readonly members: Member[] = [];
  private kernel!: ChildProcess;
  private isStopping = false;
  private httpAddress = '';
  address = '';
  url = '';

  private constructor(options: FleetOptions) {
    this.options = options;
  }

  /** Resolves when every agent is registered. SIRA_REQUEST_TIMED_OUT if that takes too long. */
  static async start(options: FleetOptions): Promise<Fleet> {
    const fleet = new Fleet(options);
    try {
      fleet.address = `127.0.0.1:${await freePort(7420)}`;
      fleet.httpAddress = `127.0.0.1:${await freePort(7421)}`;
      await ready(fleet.startKernel(), 'the kernel', (url) => {
        fleet.url = url;
      });
      for (let number = 1; number <= options.agentCount; number++) {
        const cable = await Cable.lay(Number(fleet.address.split(':')[1]));
        const name = `agent-${number}`;
        const member = { name, cable, running: 0, finished: 0, slowing: undefined } as unknown as Member;
        fleet.members.push(member);
        fleet.startAgent(member);
      }
      await Promise.all(fleet.members.map(({ child, name }) => ready(child, name)));
      return fleet;
    } catch (error) {
      await fleet.stop();
      throw error;
    }
  }

  /** Agents that have work now. */
  get busyCount(): number {
    return this.members.filter(({ running }) => running > 0).length;
  }

  get agentNames(): readonly string[] {
    return this.members.map(({ name }) => name);
  }

  /** An agent that works right now, the one that has done most lately; waits for one, at most so long. */
  async busyAgent(longestMillis: number): Promise<string | undefined> {
    const end = performance.now() + longestMillis;
    for (;;) {
      const busy = this.members.filter(({ running, slowing, child }) => running > 0 && !slowing && isUp(child));
      busy.sort((left, right) => right.running - left.running || right.finished - left.finished);
      if (busy[0] !== undefined) return busy[0].name;
      if (performance.now() > end) return undefined;
      await pause(2);
    }
  }

  /** Microseconds since 1970 at which it struck. */
  injectAgent(fault: AgentFault, name: string): number {
    const member = this.member(name);
    const { child, cable } = member;
    const atMicros = Date.now() * 1000;
    if (fault === 'kill') child.kill('SIGKILL');
    else if (fault === 'hang') child.kill('SIGSTOP');
    else if (fault === 'cut') cable.cut();
    else {
      const stop = (): void => {
        child.kill('SIGSTOP');
        setTimeout(() => child.kill('SIGCONT'), slowPeriodMillis * slowShare);
      };
      stop();
      member.slowing = setInterval(stop, slowPeriodMillis);
    }
    return atMicros;
  }

  /** The fault is over, whichever it was. */
  mend(name: string): void {
    const member = this.member(name);
    clearInterval(member.slowing);
    member.slowing = undefined;
    member.cable.mend();
    member.child.kill('SIGCONT');
  }

  killKernel(): number {
    const atMicros = Date.now() * 1000;
    this.kernel.kill('SIGKILL');
    return atMicros;
  }

  /** Agents finish what they have, then the kernel ends; who does not obey in time is killed. */
  async stop(): Promise<void> {
    this.isStopping = true;
    for (const { name } of this.members) this.mend(name);
    await Promise.all(this.members.map(({ child }) => ended(child, 8000)));
    if (this.kernel !== undefined) await ended(this.kernel, 15_000);
    for (const { cable } of this.members) cable.remove();
  }

  private member(name: string): Member {
    const member = this.members.find((each) => each.name === name);
    if (member === undefined) throw new SiraError('SIRA_NOT_FOUND', `no agent of this demo is called "${name}"`);
    return member;
  }

  private startKernel(): ChildProcess {
    const { folder, version, tell } = this.options;
    const words = [join(folder, 'kernel'), this.address, this.httpAddress, version];
    const child = startProgram(import.meta.dirname, 'kernel-main', words, join(folder, 'kernel.log'));
    this.kernel = child;
    child.once('exit', (code, signal) => {
      // One that never came up is no use to start again.
      if (this.isStopping || this.url === '') return;
      tell(`the kernel ended (${signal ?? code}); starting it again`);
      this.startKernel();
    });
    return child;
  }

  private startAgent(member: Member): void {
    const { folder, tell } = this.options;
    const words = [member.cable.address, member.name];
    member.child = startProgram(import.meta.dirname, 'agent-main', words, join(folder, 'agents.log'));
    member.running = 0;
    member.child.on('message', (message: { kind: string; running: number; finished: number }) => {
      if (message.kind !== 'work') return;
      member.running = message.running;
      member.finished = message.finished;
    });
    member.child.once('exit', (code, signal) => {
      member.running = 0;
      if (this.isStopping) return;
      tell(`${member.name} ended (${signal ?? code}); starting it again`);
      setTimeout(() => {
        if (!this.isStopping) this.startAgent(member);
      }, restartMillis);
    });
  }
}

export function isUp(child: ChildProcess): boolean {
  return child.exitCode === null && child.signalCode === null;
}

/** Resolves when the child says so; SIRA_REQUEST_TIMED_OUT if it ends before, or takes too long. */
export function ready(
  child: ChildProcess,
  what: string,
  told: (url: string, address: string) => void = () => {},
): Promise<void> {
  return new Promise((resolve, reject) => {
    const fail = (why: string): void => reject(new SiraError('SIRA_REQUEST_TIMED_OUT', `${what} ${why}`));
    const timer = setTimeout(() => fail('did not come up in time'), startMillis);
    child.on('message', (message: { kind: string; url?: string; address?: string }) => {
      if (message.kind !== 'ready') return;
      clearTimeout(timer);
      told(message.url ?? '', message.address ?? '');
      resolve();
    });
    child.once('exit', (code) => {
      clearTimeout(timer);
      fail(`ended with ${code} while it started; its log is in the data folder`);
    });
  });
}

/** SIGTERM, and SIGKILL after so long. */
export async function ended(child: ChildProcess, longestMillis: number): Promise<void> {
  if (!isUp(child)) return;
  const exit = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), longestMillis);
  await exit;
  clearTimeout(timer);
}

/** `wanted` if nobody listens there, else any. */
function freePort(wanted: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', (error) => (wanted === 0 ? reject(error) : resolve(freePort(0))));
    server.listen(wanted, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}

export function pause(millis: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, millis));
}
