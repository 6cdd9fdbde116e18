import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { asyncBufferFromFile, parquetReadObjects } from 'hyparquet';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { SiraError } from '../../core/base/errors.ts';
import { ClusterState } from '../../core/scheduler/cluster-state.ts';
import { buildResults } from './build-results.ts';
import { errorOf, partsOf } from './error-parts.ts';
import { guardWrites } from './guard-writes.ts';
import { loadScenario } from './load-scenario.ts';
import type { ResultDocument } from './results.ts';
import { runExperiment } from './run-experiment.ts';
import { runFile } from './run-files.ts';
import type { RunRecord } from './run-record.ts';
import { sampleSynthetic, writeSampleScenario } from './sample-scenario.ts';
import { filesOf } from './scenario-files.ts';

let folder = '';
let records: RunRecord[] = [];
let document: ResultDocument;

const facts = {
  file: 'x/tiny.yaml',
  command: 'npx sira run x',
  version: '1.2.3',
  createdAt: '2026-01-01T00:00:00.000Z',
  wallSeconds: 1,
};
const schema = JSON.parse(readFileSync(new URL('../../scenarios/results.schema.json', import.meta.url), 'utf8'));
const validate = new Ajv2020({ strict: true, allowUnionTypes: true, allErrors: true }).compile(schema);

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sira-experiment-'));
  const guards = 'guards: [ { metric: waitMeanSeconds, atMost: 0 } ]';
  const scenario = loadScenario(writeSampleScenario(folder, { ...sampleSynthetic, guards }));
  records = await runExperiment(scenario, { workers: 0, folder });
  document = buildResults(scenario, records, facts);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));
afterEach(() => vi.restoreAllMocks());

describe('an experiment', () => {
  test('runs every policy on every seed, in the order of policies and seeds', () => {
    expect(records.map(({ policy, seed }) => `${policy} ${seed}`)).toEqual(
      ['random', 'best-fit', 'fgd'].flatMap((policy) => [1, 2, 3].map((seed) => `${policy} ${seed}`)),
    );
    expect(records.filter(({ gantt }) => gantt.length > 0).map(({ seed }) => seed)).toEqual([1, 1, 1]);
  });

  test('says how far it is, and what has ended', async () => {
    const scenario = loadScenario(writeSampleScenario(folder));
    const reports: [number, string | undefined][] = [];
    await runExperiment(scenario, { workers: 0, progress: (share, ended) => void reports.push([share, ended]) });
    expect(reports.at(-1)).toEqual([1, 'best-fit on seed 1']);
  });

  test('writes no files unless asked', async () => {
    const empty = mkdtempSync(join(folder, 'empty-'));
    await runExperiment(loadScenario(writeSampleScenario(empty)), { workers: 0 });
    expect(readdirSync(empty)).toEqual(['tiny.yaml', 'trace.csv']);
  });
});

describe('the result document', () => {
  test('is valid by its published schema, as JSON carries it', () => {
    validate(JSON.parse(JSON.stringify(document)));
    expect(validate.errors).toBeNull();
  });

  test('has one value a seed, in order, their mean, and an interval around it', () => {
    for (const policy of document.policies) {
      expect(policy.runs.map(({ seed }) => seed)).toEqual([1, 2, 3]);
      const own = records.filter((record) => record.policy === policy.name);
      for (const [name, estimate] of Object.entries(policy.metrics)) {
        expect(estimate.perSeed).toEqual(own.map((record) => record.metrics[name]));
        const values = estimate.perSeed as number[];
        expect(estimate.mean).toBeCloseTo(values.reduce((sum, value) => sum + value, 0) / 3, 6);
        expect(estimate.low as number).toBeLessThanOrEqual(estimate.mean as number);
      }
      expect(policy.runs.map(({ digest }) => digest)).toEqual(own.map(({ digest }) => digest));
    }
  });

  test('compares by seed: differences are those of the same seed', () => {
    expect(document.baseline).toBe('random');
    const metricOf = (policy: string, metric: string): readonly (number | null)[] =>
      document.policies.find(({ name }) => name === policy)?.metrics[metric]?.perSeed ?? [];
    for (const { policy, metric, difference } of document.comparisons) {
      const [own, base] = [metricOf(policy, metric), metricOf('random', metric)];
      expect(difference.perSeed).toEqual(own.map((value, seed) => (value as number) - (base[seed] as number)));
    }
    expect(new Set(document.comparisons.map(({ policy }) => policy))).toEqual(new Set(['best-fit', 'fgd']));
  });

  test('says what was run: policies in words, guards that are broken, the content by hash', () => {
    expect(document.policies[0]?.description).toBe('FCFS order, random placement, tasks that do not fit are skipped');
    expect(document.guards[0]?.violations.map(({ policy }) => policy)).toEqual(['random', 'best-fit', 'fgd']);
    expect(document.scenario.contentHash).toMatch(/^[0-9a-f]{64}$/);
    expect(document.scenario).toMatchObject({ name: 'tiny', file: 'x/tiny.yaml' });
    expect(document).toMatchObject({ siraVersion: '1.2.3', command: 'npx sira run x', warmUpSeconds: 0 });
    const longest = Math.max(...records.map((record) => record.samples.timeSeconds.at(-1) as number));
    expect(document.measuredSeconds).toBe(longest);
  });

  test('distributions rise in both columns and end at what was seen last', () => {
    for (const { wait, name } of document.policies) {
      for (const values of [wait.probability, wait.value]) {
        expect(values.toSorted((left, right) => left - right)).toEqual(values);
      }
      expect(wait.probability.at(-1)).toBeCloseTo(1, 9);
      const seen = records.filter(({ policy }) => policy === name).flatMap((record) => [...record.wait.values]);
      expect(wait.value.at(-1)).toBe(Math.max(...seen));
    }
  });

  test('curves of runs that end at different times: nothing runs any more after the end', () => {
    const { series } = document.policies[0] as (typeof document.policies)[number];
    expect(series.timeSeconds).toHaveLength(series.runningTasks.length);
    expect(series.timeSeconds.at(-1)).toBe(
      Math.max(...records.slice(0, 3).map((record) => record.samples.timeSeconds.at(-1) as number)),
    );
    // The area under the mean curve is the mean work of the seeds, to the width of a step.
    const step = (series.timeSeconds.at(-1) as number) / series.timeSeconds.length;
    const area = series.runningTasks.reduce((sum, value) => sum + value * step, 0);
    const work = records
      .slice(0, 3)
      .map((record) => record.samples.runningTasks.reduce((sum, value) => sum + value, 0))
      .reduce((sum, value) => sum + value / 3, 0);
    expect(Math.abs(area / work - 1)).toBeLessThan(0.03);
  });

  test('the hash changes with the trace, though the scenario is the same', async () => {
    const apart = mkdtempSync(join(folder, 'hash-'));
    const scenario = loadScenario(writeSampleScenario(apart));
    const own = await runExperiment(scenario, { workers: 0 });
    const before = buildResults(scenario, own, facts).scenario.contentHash;
    writeFileSync(join(apart, 'trace.csv'), 'name,at,for,cores,gpus\nA,0,1,1,1\n');
    expect(buildResults(scenario, own, facts).scenario.contentHash).not.toBe(before);
    expect(filesOf(scenario)).toEqual([join(apart, 'trace.csv')]);
  });
});

describe('the files of a run', () => {
  async function rowsOf(kind: 'tasks' | 'decisions', policy: string, seed: number): Promise<Record<string, unknown>[]> {
    return parquetReadObjects({ file: await asyncBufferFromFile(join(folder, runFile(kind, policy, seed))) });
  }

  test('hold every task: what the metrics are made of', async () => {
    const rows = await rowsOf('tasks', 'best-fit', 2);
    const record = records.find(({ policy, seed }) => policy === 'best-fit' && seed === 2) as RunRecord;
    expect(rows.map(({ id }) => id)).toEqual(Array.from({ length: 60 }, (_, index) => index + 1));
    expect(rows[0]).toMatchObject({ task: 'task-1', outcome: 'completed', attempts: 1 });
    const waits = rows.map((row) => (row.start_s as number) - (row.arrival_s as number));
    for (const [index, wait] of waits.entries()) expect(wait).toBeCloseTo(record.wait.values[index] as number, 6);
    expect(new Set(rows.map(({ machine }) => machine))).toEqual(new Set(['node-0', 'node-1', 'node-2']));
    expect(rows[0]?.request).toMatch(/GPU/);
  });

  test('hold every decision, with machines by name', async () => {
    const rows = await rowsOf('decisions', 'fgd', 1);
    const record = records.find(({ policy, seed }) => policy === 'fgd' && seed === 1) as RunRecord;
    const placed = rows.filter(({ outcome }) => outcome === 'placed');
    expect(placed).toHaveLength(record.counts.placements);
    expect(rows.map(({ decision }) => decision)).toEqual(rows.map((_, index) => index + 1));
    for (const row of placed) {
      expect(row.machines).toMatch(/^node-[012]$/);
      expect(String(row.ranked).split(' ')[0]).toMatch(new RegExp(`^${row.machines}:[0-9.e-]+$`));
      expect(Number(row.machines_fits)).toBe(row.feasible);
      const machines = ['fits', 'not_schedulable', 'gpu_model', 'too_few_gpus_free', 'cpu', 'memory'];
      expect(machines.reduce((sum, reason) => sum + Number(row[`machines_${reason}`]), 0)).toBe(3);
    }
    const waiting = rows.filter(({ outcome }) => outcome === 'waits');
    expect(waiting.length).toBeGreaterThan(0);
    expect(waiting.every((row) => row.machines === '' && row.attempt === 0 && row.shadow_s === null)).toBe(true);
  });
});

describe('failures', () => {
  test('a broken promise stops the run, and names the command that shows it again', async () => {
    // The cluster forgets what it has given away: two tasks get one device.
    vi.spyOn(ClusterState.prototype, 'allocate').mockImplementation(() => {});
    const scenario = loadScenario(writeSampleScenario(folder, sampleSynthetic));
    const failure = await runExperiment({ ...scenario, seeds: [2] }, { workers: 0 }).then(
      () => undefined,
      (error: unknown) => error,
    );
    expect(failure).toBeInstanceOf(SiraError);
    const { code, message, remedy, exitCode } = failure as SiraError;
    expect([code, exitCode]).toEqual(['SIRA_ORACLE_VIOLATED', 1]);
    expect(message).toMatch(/^policy random, seed 2: capacity: /);
    expect(message).toContain('What led there:');
    expect(remedy).toMatch(/^Reproduce it with `npx sira run \S+tiny\.yaml --policies random --seeds 2`\.$/);
  });

  test('a loop at one instant is a broken limit, with its command as well', async () => {
    const limits = 'limits: { eventsPerInstantMax: 10 }';
    const scenario = loadScenario(writeSampleScenario(folder, { ...sampleSynthetic, limits }));
    await expect(runExperiment(scenario, { workers: 0 })).rejects.toThrow(
      expect.objectContaining({ code: 'SIRA_LIMIT_EXCEEDED', remedy: expect.stringContaining('npx sira run') }),
    );
  });

  test('a folder that cannot be written is told in words', async () => {
    const blocked = mkdtempSync(join(folder, 'blocked-'));
    writeFileSync(join(blocked, 'tasks'), 'a file where a folder should be');
    const scenario = loadScenario(writeSampleScenario(folder));
    await expect(runExperiment(scenario, { workers: 0, folder: blocked })).rejects.toThrow(
      expect.objectContaining({ code: 'SIRA_FILE_MISSING', place: { file: join(blocked, 'tasks') } }),
    );
    expect(existsSync(join(blocked, 'decisions'))).toBe(false);
  });

  test('errors cross to another thread with all their parts', () => {
    const known = new SiraError('SIRA_TRACE_MALFORMED', 'bad', { file: 'a', line: 3, field: 'x' }, 'mend it');
    const again = errorOf(structuredClone(partsOf(known)));
    expect(again).toBeInstanceOf(SiraError);
    expect(again).toMatchObject({ code: known.code, message: 'bad', place: known.place, remedy: 'mend it' });
    const defect = errorOf(structuredClone(partsOf(new TypeError('oh'))));
    expect(defect).not.toBeInstanceOf(SiraError);
    expect(defect.message).toBe('oh');
    expect(defect.stack).toContain('run-experiment.test.ts');
    expect(errorOf(partsOf('a text')).message).toBe('a text');
  });

  test('of writing, only those from outside are told apart', () => {
    const failing = (error: unknown) => () =>
      guardWrites('/somewhere', () => {
        throw error;
      });
    const errno = (code: string): Error => Object.assign(new Error(code), { code });
    expect(failing(errno('ENOSPC'))).toThrow(expect.objectContaining({ code: 'SIRA_DISK_FULL' }));
    expect(failing(errno('EIO'))).toThrow(expect.objectContaining({ code: 'SIRA_DISK_FAILED' }));
    expect(failing(errno('EACCES'))).toThrow(
      expect.objectContaining({ code: 'SIRA_FILE_MISSING', place: { file: '/somewhere' } }),
    );
    const defect = new TypeError('oh');
    expect(failing(defect)).toThrow(defect);
    expect(guardWrites('/somewhere', () => 7)).toBe(7);
  });
});
