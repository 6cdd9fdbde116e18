// A replay that could not tell would prove nothing. Here a clock is planted in the kernel of a live run, and other code is put
// in the place of the code that ran.

import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { projectRoot } from '../experiment/project-root.ts';
import type { Mutant } from '../fault/mutants/mutant.ts';
import { MutantTree } from '../fault/mutants/mutant-tree.ts';

const file = 'core/scheduler/placement-index.ts';
const search = 'this.winner = column.tied(this.random.nextBelow(column.tieCount));';
const clock: Mutant = {
  name: 'wall-clock',
  bug: 'a tie is broken by the time of day',
  ...{ file, search, replace: 'this.winner = column.tied(Date.now() % column.tieCount);' },
};
const otherCode: Mutant = {
  name: 'other-ties',
  bug: 'a tie goes to the last machine',
  ...{ file, search, replace: 'this.winner = column.tied(column.tieCount - 1);' },
};

let tree: MutantTree;
let folder: string;
beforeAll(() => {
  tree = new MutantTree();
  folder = mkdtempSync(join(tmpdir(), 'sira-planted-'));
});
afterAll(() => {
  tree.remove();
  rmSync(folder, { recursive: true, force: true });
});

function run(act: 'live' | 'replay', data: string, ...options: string[]) {
  const tsx = pathToFileURL(join(projectRoot(), 'node_modules', 'tsx', 'dist', 'loader.mjs')).href;
  const main = join(projectRoot(), 'sim', 'replay', 'planted-main.ts');
  const words = ['--import', tsx, main, tree.folder, act, join(folder, data), ...options];
  const { status, stdout, stderr } = spawnSync(process.execPath, words, { encoding: 'utf8' });
  if (status !== 0 && stdout === '') throw new Error(stderr);
  return { status, stdout, stderr };
}

describe('a replay', () => {
  test('is equal where nothing is planted, and tells other code by the first decision that it makes', () => {
    tree.plant(undefined);
    const { stdout: digest } = run('live', 'sound');
    const { status, stdout } = run('replay', 'sound', '--json');
    expect(status).toBe(0);
    const verdict = JSON.parse(stdout);
    expect(verdict.verdict).toBe('equal');
    expect([verdict.recordedDigest, verdict.replayedDigest]).toEqual([digest, digest]);
    expect(verdict.counts.decisions).toBeGreaterThanOrEqual(120);

    tree.plant(otherCode);
    expect(() => run('replay', 'sound')).toThrow('SIRA_LOG_VERSION');
    const other = run('replay', 'sound', '--any-code');
    expect(other.status).toBe(1);
    expect(other.stdout).toMatch(/^different: /);
    expect(other.stdout).toMatch(/decision \d+: task \d+ \(submission \d+\) placed on agent-3/);
    expect(other.stdout).toContain('a second replay does the same again');
  }, 60_000);

  test('catches a clock that was planted in the kernel: the first decision that differs, and where the task went live', () => {
    tree.plant(clock);
    run('live', 'clock');
    const { status, stdout } = run('replay', 'clock', '--json');
    expect(status).toBe(1);
    const { verdict, difference, recordedDigest, replayedDigest, repeats } = JSON.parse(stdout);
    expect(verdict).toBe('different');
    expect(recordedDigest).not.toBe(replayedDigest);
    expect(repeats).toBe(false);
    // The very first tie is drawn otherwise three times in four: it is among the first few decisions, and none before it.
    expect(difference.body.kind).toBe('instantEnded');
    expect(difference.from).toBe(difference.to);
    const effect = difference.effects[difference.from];
    expect(effect.kind).toBe('decisionMade');
    expect(effect.record).toEqual(difference.decision);
    expect(difference.decision.outcome).toBe('placed');
    expect(difference.decision.tieCount).toBeGreaterThan(1);
    // The live kernel put it elsewhere, which its agent's answer shows.
    const { task, machines } = difference.decision;
    const accepted = difference.later.find(
      ({ body }: { body: { kind: string; task: number } }) => body.kind === 'dispatchAccepted' && body.task === task,
    );
    expect(accepted.body.agent).not.toBe(machines[0]);
    expect(run('replay', 'clock').stdout).toMatch(/The first difference\n {2}input \d+, /);
  }, 60_000);
});
