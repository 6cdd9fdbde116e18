import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { readForecasterArtifact } from '../../core/policy/forecast/forecaster-artifact.ts';
import { RunningForecaster } from '../../core/policy/forecast/running-forecaster.ts';
import { openInputs } from '../../sim/experiment/build-world.ts';
import { loadScenario } from '../../sim/experiment/load-scenario.ts';
import { forecastCommand } from './export-command.ts';
import { workloadSeries } from './workload-series.ts';

const folder = mkdtempSync(join(tmpdir(), 'sira-forecast-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const scenario = 'scenarios/predictive-scaling.yaml';
const data = 'scenarios/data/nab/requests-train.csv.gz';

async function run(options: Record<string, string>): Promise<string> {
  let said = '';
  const write = (text: string): void => {
    said += text;
  };
  const terminal = { write, writeError: write, colour: false, colourError: false, interactive: false, columns: 80 };
  const context = { terminal, projectRoot: process.cwd(), version: '0', line: 'sira forecast', printError() {} };
  const defaults = { resource: 'gpu', interval: '1min', season: '48', horizon: '10', seed: '1', data };
  const status = await forecastCommand.run({ arguments: [scenario], options: { ...defaults, ...options } }, context);
  expect(status).toBe(0);
  return said;
}

describe('sira forecast', () => {
  it.each([
    ['arrivals', 'tasks', 'intervals of arrivals'],
    ['demand', 'gpuMilli', 'intervals of gpu demand'],
  ])('exports %s, for a kernel to run', async (target, unit, words) => {
    const output = join(folder, `${target}.forecaster.safetensors`);
    const said = await run({ target, output });
    expect(said).toContain(words);
    const model = readForecasterArtifact(readFileSync(output));
    const { manifest } = model;
    expect(manifest).toMatchObject({ target, unit, intervalMicros: 60_000_000, horizon: 10 });
    const { rootMeanSquaredError, persistenceRootMeanSquaredError } = manifest.lineage.evaluation;
    // A daily rhythm is there to be learned.
    expect(rootMeanSquaredError).toBeLessThan(0.8 * persistenceRootMeanSquaredError!);
    const running = new RunningForecaster(model);
    const loaded = loadScenario(scenario);
    const { workload } = openInputs(loaded, 1);
    const series = workloadSeries(workload, {
      ...{ target: target as 'arrivals' | 'demand', resource: 'gpu', intervalMicros: 60_000_000 },
      untilMicros: 5 * 3_600_000_000,
    });
    // Another week, of the same rhythm: the quantiles hold there too.
    let below = 0;
    let count = 0;
    const which = manifest.levels.indexOf(0.9);
    series.forEach((value, index) => {
      if (running.isSettled && index > 48) {
        count++;
        if (value <= running.quantile(which, 1)[0]!) below++;
      }
      running.append(value);
    });
    expect(count).toBeGreaterThan(150);
    expect(below / count).toBeGreaterThan(0.75);
  });
});
