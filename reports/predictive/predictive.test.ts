// The published page is what its document says, and its scenarios name forecasters that can be read and fit them.

import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { durationsOf } from '../../core/policy/forecast/duration-model.ts';
import { forecasterOf } from '../../core/policy/forecast/forecaster-artifact.ts';
import { loadScenario } from '../../sim/experiment/load-scenario.ts';
import { projectRoot } from '../../sim/experiment/project-root.ts';

interface Published {
  readonly checks: readonly { readonly requirement: string; readonly found: string; readonly holds: boolean }[];
  readonly scaling: readonly { readonly name: string; readonly energyKilowattHours: readonly number[] }[];
}

const read = (name: string): string => readFileSync(`${projectRoot()}/reports/${name}`, 'utf8');

test.each(['predictive/predictive', 'forecast/targets'])('every check of %s holds, and stands on the page', (name) => {
  const { checks } = JSON.parse(read(`${name}.json`)) as Published;
  const page = read(`${name}.md`);
  expect(checks.length).toBeGreaterThanOrEqual(4);
  for (const { requirement, found, holds } of checks) {
    expect(holds, requirement).toBe(true);
    expect(page).toContain(found);
  }
});

test('the document has a value for every policy and seed of the scenario', () => {
  const scenario = loadScenario(`${projectRoot()}/scenarios/predictive-scaling.yaml`);
  const { scaling } = JSON.parse(read('predictive/predictive.json')) as Published;
  expect(scaling.map(({ name }) => name)).toEqual(scenario.policies.map(({ name }) => name));
  for (const { energyKilowattHours } of scaling) expect(energyKilowattHours).toHaveLength(scenario.seeds.length);
});

test('the forecasters of the scenarios look as far ahead as a machine takes to wake up', () => {
  const scaling = loadScenario(`${projectRoot()}/scenarios/predictive-scaling.yaml`);
  const predictive = scaling.policies.find(({ name }) => name === 'predictive-90');
  expect(predictive?.scaling).toMatchObject({ resource: 'gpu', intervalMicros: 60_000_000, forecast: { steps: 4 } });
  const forecast = predictive?.scaling?.forecast;
  expect(forecasterOf(forecast!.artifact).manifest.levels[forecast!.level]).toBe(0.9);
  const placement = loadScenario(`${projectRoot()}/scenarios/predictive-placement.yaml`);
  const { medianSeconds } = durationsOf(placement.policies[0]!.durations!);
  expect(medianSeconds.get('training 1')).toBeGreaterThan(20 * medianSeconds.get('request 1')!);
});
