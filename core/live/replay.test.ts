// The proof, on real processes: what a live kernel did is what its journal replays to, in another process, from files alone.

import { spawnSync } from 'node:child_process';
import { cpSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, onTestFailed, test } from 'vitest';
import { Cable } from './cable.ts';
import { Submitter, type TaskEnd, tensorFrom } from './client.ts';
import { built, killed, LiveProcesses } from './live-processes.contract.ts';

let processes: LiveProcesses;
beforeEach(() => {
  processes = new LiveProcesses();
  onTestFailed(() => void process.stderr.write(processes.errors.join('')));
});
afterEach(() => processes.end());

function replay(folder: string, ...options: string[]) {
  const words = [join(built, 'sira.js'), 'replay', folder, ...options];
  const { status, stdout, stderr } = spawnSync(process.execPath, words, { encoding: 'utf8' });
  return { status, stdout, stderr };
}

const ones = tensorFrom(new Float64Array(4).fill(1), [2, 2]);
const work = { function: 'matrix-multiply', inputs: { left: ones, right: ones }, estimateMicros: 10_000 };

async function until(condition: () => boolean, millis = 60_000): Promise<void> {
  const end = performance.now() + millis;
  while (!condition()) {
    if (performance.now() > end) throw new Error('waited in vain');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

describe('sira replay', () => {
  test('thousands of tasks, a kernel killed three times, agents killed, back again and cut off: equal', async () => {
    const count = 2000;
    // Snapshots after few inputs, so that some are compared; all are kept, so that the record has its beginning.
    const config = join(processes.folder, 'sira.yaml');
    writeFileSync(config, 'durability: processCrash\nsnapshot:\n  inputs: 1000\n  kept: 1000\n');
    const options = ['--config', config];
    let kernel = await processes.startKernel(...options);
    const cable = await Cable.lay(Number(processes.address.split(':')[1]));
    const program = join(built, 'core', 'live', 'examples', 'matrix-agent.js');
    const behindCable = (name: string) => processes.spawn(process.execPath, [program, cable.address, name]);
    const agents = ['a', 'b'].map((name) => processes.startAgent(name));
    behindCable('c');
    const told: TaskEnd[] = [];
    const { address } = processes;
    const submitter = await Submitter.connect({ address, name: 'tester', ended: (end) => void told.push(end) });
    let next = 0;
    const submitting = Promise.all(
      Array.from({ length: 20 }, async () => {
        while (next++ < count) await submitter.submit(work);
      }),
    );
    const plan: readonly (readonly [number, () => unknown])[] = [
      [200, () => killed(kernel, 'SIGKILL')],
      [500, () => killed(agents[0]!, 'SIGKILL')],
      [700, () => cable.cut()],
      [900, () => killed(kernel, 'SIGKILL')],
      [1100, () => processes.startAgent('a')],
      [1300, () => cable.mend()],
      [1500, () => killed(kernel, 'SIGKILL')],
    ];
    for (const [at, act] of plan) {
      await until(() => told.length >= at);
      await act();
      if (kernel.signalCode === null) continue;
      kernel = await processes.startKernel(...options);
    }
    // While the kernel runs: up to what is on the disk.
    const running = replay(processes.data, '--json');
    expect(running.status, running.stderr + running.stdout).toBe(0);
    await submitting;
    await until(() => told.length >= count);
    cable.remove();
    await submitter.close();
    expect(await killed(kernel, 'SIGTERM')).toBe(0);

    const { status, stdout, stderr } = replay(processes.data, '--json');
    expect(status, stderr + stdout).toBe(0);
    const verdict = JSON.parse(stdout);
    expect(verdict.verdict).toBe('equal');
    expect(verdict.replayedDigest).toBe(verdict.recordedDigest);
    expect(verdict.firstSequence).toBe(1);
    expect(verdict.counts.marked).toBe(verdict.counts.inputs);
    expect(verdict.counts.decisions).toBeGreaterThanOrEqual(count);
    expect(verdict.counts.resumptions).toBeGreaterThanOrEqual(3);
    expect(verdict.snapshotsCompared).toBeGreaterThanOrEqual(2);
    expect(new Set(told.map((end) => end.submission)).size).toBe(count);

    // The same arrivals and durations under another policy: every task ends there as well.
    const whatIf = replay(processes.data, '--policy', 'sjf', '--json');
    expect(whatIf.status, whatIf.stderr).toBe(0);
    const { runs, assumptions } = JSON.parse(whatIf.stdout);
    for (const { summary } of runs) expect(summary.completed).toBe(count);
    expect(assumptions.join('; ')).toContain('the kernel never stands still');

    // And what is nobody's journal, or other code's, is said.
    expect(replay(processes.folder).status).toBe(2);
    expect(replay(processes.data, '--any-code').stdout).toContain('equal');
  }, 120_000);

  test('what was on the disk when the kernel was killed is enough, and the replay leaves it as it is', async () => {
    const kernel = await processes.startKernel();
    processes.startAgent('a');
    const told: TaskEnd[] = [];
    const submitter = await Submitter.connect({
      address: processes.address,
      name: 'tester',
      ended: (end) => void told.push(end),
    });
    for (let task = 0; task < 20; task++) await submitter.submit(work);
    await until(() => told.length >= 10);
    await killed(kernel, 'SIGKILL');
    await submitter.close();
    cpSync(processes.data, `${processes.data}-copy`, { recursive: true });
    const first = replay(processes.data);
    expect(first.stdout).toMatch(/^equal: /);
    expect(first.status, first.stderr).toBe(0);
    const compared = spawnSync('diff', ['-r', processes.data, `${processes.data}-copy`], { encoding: 'utf8' });
    expect(compared.stdout).toBe('');
  }, 120_000);
});
