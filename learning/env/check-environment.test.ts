import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { projectRoot } from '../../sim/experiment/project-root.ts';
import { readAnyTraining, readTraining } from '../rl/training-spec.ts';
import { CartPole } from './cart-pole.ts';
import { openEnvironment } from './catalogue.ts';
import { checkEnvironment } from './check-environment.ts';
import { openStepped } from './whole-runs-catalogue.ts';

const sizes = { episodes: 3, stepsMax: 2000 };

test.each(['lublin', 'lublin-backfill', 'deep-rm', 'cart-pole'])('%s keeps its word', (name) => {
  const { environment, folder } = readTraining(join(projectRoot(), 'scenarios', 'training', `${name}.yaml`));
  const { create } = openEnvironment(environment, folder);
  expect(checkEnvironment(create(), create(), sizes)).toEqual([]);
});

test('packing keeps its word', () => {
  const spec = readAnyTraining(join(projectRoot(), 'scenarios', 'training', 'openb.yaml'));
  if (!('runs' in spec)) throw new TypeError('it is played as a whole');
  const runs = { ...spec.runs, machineShare: 0.02 };
  const create = () => openStepped(runs, spec.folder);
  expect(checkEnvironment(create(), create(), sizes)).toEqual([]);
});

describe('what does not is found', () => {
  class Broken extends CartPole {}
  const problemsOf = (change: (environment: Broken) => void): string[] => {
    const [first, second] = [new Broken(), new Broken()];
    change(first);
    return checkEnvironment(first, second, sizes);
  };

  test('state left over from another episode', () => {
    const problems = problemsOf((environment) => {
      let calls = 0;
      const { observe } = environment;
      environment.observe = (out, at) => {
        observe.call(environment, out, at);
        out[at]! += calls++;
      };
    });
    expect(problems).toContain('the same seed and choices gave two observations');
    expect(problems).toContain('looking changes what is seen');
  });

  test('numbers that are none, and numbers out of place', () => {
    expect(
      problemsOf((environment) => {
        environment.step = () => Number.NaN;
      }),
    ).toEqual(expect.arrayContaining(['a reward of NaN', 'an episode of more than 2000 steps']));
    expect(
      problemsOf((environment) => {
        environment.observe = (out) => {
          out.fill(0);
        };
      }),
    ).toContain('an observation is written beyond its rows');
  });

  test('a teacher that chooses what is not there', () => {
    expect(
      problemsOf((environment) => {
        environment.choiceOf = () => 2 as 0;
      }),
    ).toEqual(['lean chooses 2 of 2']);
  });
});

test('CartPole moves as the equations say', () => {
  // By hand from the state (0, 0, 0.05, 0), pushed right: cosine 0.99875, sine 0.04998; share = 10/1.1 = 9.0909.
  const pole = new CartPole();
  pole.resetTo(0, 0, 0.05, 0);
  pole.step(1);
  const seen = new Float64Array(10);
  pole.observe(seen, 0);
  const share = 10 / 1.1;
  const angular = (9.8 * Math.sin(0.05) - Math.cos(0.05) * share) / (0.5 * (4 / 3 - (0.1 * Math.cos(0.05) ** 2) / 1.1));
  const linear = share - (0.05 * angular * Math.cos(0.05)) / 1.1;
  expect([...seen.subarray(0, 5)]).toEqual([0, 0.02 * linear, 0.05, 0.02 * angular, -1]);
  expect([...seen.subarray(5)]).toEqual([0, 0.02 * linear, 0.05, 0.02 * angular, 1]);
  pole.resetTo(2.39, 3, 0, 0);
  pole.step(0);
  expect([pole.done, pole.truncated]).toEqual([true, false]);
});
