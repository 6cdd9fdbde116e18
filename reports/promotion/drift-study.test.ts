import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { projectRoot } from '../../sim/experiment/project-root.ts';
import { type DriftOutcome, runDrift } from './drift-study.ts';

interface Published {
  readonly results: readonly {
    readonly load: number;
    readonly change: string;
    readonly outcomes: readonly DriftOutcome[];
  }[];
}

test('the published study is what its code gives, and no alarm is false', () => {
  const file = join(projectRoot(), 'reports', 'promotion', 'drift.json');
  const { results } = JSON.parse(readFileSync(file, 'utf8')) as Published;
  const world = { name: 'load 0.5', load: 0.5, slowness: 2, sigma: 1 };
  const of = (change: string) => results.find(({ load, change: name }) => load === 0.5 && name === change)?.outcomes[0];
  expect(runDrift(world, undefined, 1)).toEqual(of('none'));
  expect(runDrift(world, { demandFactor: 0.5 }, 1)).toEqual(of('tasks ask for half the CPU'));
  for (const { change, outcomes } of results)
    for (const { promoted, falseAlarm, noticedTasks } of outcomes) {
      expect(falseAlarm).toBe(false);
      if (change !== 'none' && promoted) expect(noticedTasks).not.toBeNull();
    }
});
