// The readers of Azure LLM traces, Batsim workloads and anybody's CSV, on the real files and on broken ones.

import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import type { SiraError } from '../../core/base/errors.ts';
import { readAzureLlmRequests } from './azure-llm-requests.ts';
import { readBatsimJobs } from './batsim-jobs.ts';
import { readCsvTasks } from './csv-tasks.ts';
import type { CsvColumns } from './spec.ts';
import { parseTimestampMicros } from './timestamp.ts';
import type { Trace, TraceTask } from './trace.ts';

const data = (name: string): string => fileURLToPath(new URL(`../../scenarios/data/${name}`, import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'sira-readers-'));

function written(name: string, content: string): string {
  const file = join(folder, name);
  writeFileSync(file, content);
  return file;
}

function errorOf(call: () => unknown): SiraError {
  try {
    call();
  } catch (error) {
    return error as SiraError;
  }
  throw new Error('nothing was thrown');
}

describe('Azure LLM requests', () => {
  const read = (file: string): Trace =>
    readAzureLlmRequests({
      format: 'azure-llm',
      file,
      gpuMilli: 250,
      memoryMib: 1024,
      promptTokensPerSecond: 4000,
      outputTokensPerSecond: 40,
    });

  test('8,819 requests in 57 minutes, tokens over speeds as run time', () => {
    const { tasks } = read(data('azure-llm-2023/AzureLLMInferenceTrace_code.csv.gz'));
    expect(tasks).toHaveLength(8819);
    expect(tasks[0]).toMatchObject({
      name: 'request-1',
      durationMicros: 1.452e6,
      request: { gpuCount: 1, gpuMilli: 250, memoryMib: 1024 },
    });
    const gap = (index: number): number =>
      (tasks[index] as TraceTask).arrivalMicros - (tasks[0] as TraceTask).arrivalMicros;
    expect(gap(1)).toBe(52_000);
    expect(Math.floor(gap(8818) / 60e6)).toBe(57);
    expect(new Set(tasks.map((task) => task.request)).size).toBe(1);
  });

  test('a time that is none', () => {
    const file = written(
      'llm.csv',
      'TIMESTAMP,ContextTokens,GeneratedTokens\n2023-11-16 18:17:03,1,1\n16/11/2023,1,1\n',
    );
    expect(errorOf(() => read(file)).place).toEqual({ file, line: 3, field: 'TIMESTAMP' });
  });

  test('timestamps agree with the calendar', () => {
    for (const text of [
      '1970-01-01T00:00:00Z',
      '2000-02-29T23:59:59.123456Z',
      '2024-12-31T12:30:00.5Z',
      '1969-07-20T20:17:40Z',
      '2100-03-01T00:00:00Z',
    ]) {
      expect(parseTimestampMicros(text)).toBe(Date.parse(text) * 1000 + (text.includes('123456') ? 456 : 0));
    }
    expect(parseTimestampMicros('2024-05-10 02:00:00+02:00')).toBe(Date.parse('2024-05-10T00:00:00Z') * 1000);
    for (const text of ['2023-02-29 00:00:00', '2023-13-01 00:00:00', '2023-01-01 24:00:00', '2023-01-01', '']) {
      expect(parseTimestampMicros(text)).toBeUndefined();
    }
  });
});

describe('Batsim jobs', () => {
  test('801 jobs, as Batsim itself read them', () => {
    const { tasks } = readBatsimJobs(data('batsim-golden/medium_late.json'));
    expect(tasks).toHaveLength(801);
    const byName = new Map(tasks.map((task) => [task.name, task]));
    const [header, ...rows] = readFileSync(data('batsim-golden/easy_out_jobs.csv'), 'utf8').trim().split('\n');
    expect(header?.split(',').slice(3, 6)).toEqual([
      'submission_time',
      'requested_number_of_resources',
      'requested_time',
    ]);
    for (const row of rows) {
      const fields = row.split(',');
      const task = byName.get(fields[0] as string) as TraceTask;
      expect(task.arrivalMicros).toBe(Math.round(Number(fields[3]) * 1e6));
      expect(task.request.machineCount).toBe(Number(fields[4]));
      expect(task.estimateMicros).toBe(Math.round(Number(fields[5]) * 1e6));
      expect(task.durationMicros).toBe(Math.round(Number(fields[8]) * 1e6));
    }
  });

  const job = '{\n"id": 1, "subtime": 2, "walltime": 3, "res": 1,\n"profile": "p"}';
  const profile = '"p": {"type": "delay", "delay": 2.5}';
  test.each([
    [
      'no walltime',
      `{"jobs": [${job.replace('"walltime": 3, ', '')}],\n"profiles": {${profile}}}`,
      undefined,
      undefined,
    ],
    [
      'bad res',
      `{"jobs": [${job}, ${job.replace('"res": 1', '"res": 0')}],\n"profiles": {${profile}}}`,
      'jobs.1.res',
      4,
    ],
    ['no subtime', `{"jobs": [${job.replace('"subtime": 2, ', '')}],\n"profiles": {${profile}}}`, 'jobs.0.subtime', 1],
    ['no profile', `{"jobs": [${job}],\n"profiles": {}}`, 'jobs.0.profile', 3],
    ['bad delay', `{"jobs": [${job}],\n"profiles": {\n${profile.replace('2.5', '"x"')}}}`, 'profiles.p.delay', 5],
    [
      'other type',
      `{"jobs": [${job}],\n"profiles": {${profile.replace('"delay",', '"msg_par",')}}}`,
      'jobs.0.profile',
      3,
    ],
    ['no jobs', `{"profiles": {}}`, 'jobs', undefined],
    ['no JSON', `{"jobs": [\n${job},,\n]}`, undefined, 4],
  ])('%s', (name, content, field, line) => {
    const file = written(`${name.replace(' ', '-')}.json`, content);
    if (name === 'no walltime') {
      expect(readBatsimJobs(file).tasks).toMatchObject([
        { arrivalMicros: 2e6, durationMicros: 2.5e6, estimateMicros: undefined },
      ]);
      return;
    }
    const error = errorOf(() => readBatsimJobs(file));
    expect(error.code).toBe('SIRA_TRACE_MALFORMED');
    expect(error.place).toEqual(field === undefined ? { file, line } : { file, line, field });
  });
});

describe('anybody’s CSV', () => {
  const columns: CsvColumns = {
    name: 'job',
    arrival: 'submitted',
    timeUnit: 'ms',
    duration: 'ran',
    estimate: 'limit',
    cpuCores: 'cores',
    memoryMib: 'mem',
    gpuCount: 'gpus',
    gpuModels: 'type',
    priority: 'prio',
    tenant: 'team',
  };
  const header = 'team,job,submitted,ran,limit,cores,mem,gpus,type,prio,comment\n';
  const read = (content: string, map: CsvColumns = columns): Trace =>
    readCsvTasks({ format: 'csv', file: written('own.csv', content), columns: map });

  test('columns are mapped and units converted', () => {
    const { tasks, notes } = read(`${header}red,a,1500,20,,1.5,512,2,T4|A10,-1,"x, y"\n,b,1000.5,0,25,,,0.25,,3,\n`);
    expect(notes).toEqual([]);
    expect(tasks).toEqual([
      {
        name: 'a',
        arrivalMicros: 1_500_000,
        request: {
          cpuMilli: 1500,
          memoryMib: 512,
          gpuCount: 2,
          gpuMilli: 1000,
          gpuModels: ['T4', 'A10'],
          machineCount: 1,
        },
        durationMicros: 20_000,
        estimateMicros: undefined,
        priority: -1,
        tenant: 'red',
      },
      {
        name: 'b',
        arrivalMicros: 1_000_500,
        request: { cpuMilli: 0, memoryMib: 0, gpuCount: 1, gpuMilli: 250, gpuModels: [], machineCount: 1 },
        durationMicros: 0,
        estimateMicros: 25_000,
        priority: 3,
        tenant: 'default',
      },
    ]);
  });

  test('gangs and checkpoints, where a row has them', () => {
    const map: CsvColumns = { arrival: 't', timeUnit: 's', duration: 'd', gang: 'g', gangSize: 'n', checkpoint: 'c' };
    const { tasks } = read('t,d,g,n,c\n1,2,train,2,0.5\n1,2,,,\n', map);
    expect(tasks.map(({ gang, checkpointMicros }) => ({ gang, checkpointMicros }))).toEqual([
      { gang: { name: 'train', size: 2 }, checkpointMicros: 500_000 },
      { gang: undefined, checkpointMicros: 0 },
    ]);
  });

  test('five mapped columns are enough', () => {
    const { tasks } = read('t,d,g,m,n\n1,2,300,1000,4\n', {
      arrival: 't',
      timeUnit: 's',
      duration: 'd',
      gpuMilli: 'g',
      cpuMilli: 'm',
      machineCount: 'n',
    });
    expect(tasks).toMatchObject([
      {
        name: 'row-2',
        arrivalMicros: 1e6,
        durationMicros: 2e6,
        request: { cpuMilli: 1000, gpuCount: 1, gpuMilli: 300, machineCount: 4 },
      },
    ]);
  });

  test('shares of several GPUs become whole ones, with a note', () => {
    const { tasks, notes } = read('t,d,g,n\n1,2,300,2\n', {
      arrival: 't',
      timeUnit: 's',
      duration: 'd',
      gpuMilli: 'g',
      gpuCount: 'n',
    });
    expect(tasks[0]?.request).toMatchObject({ gpuCount: 2, gpuMilli: 1000 });
    expect(notes).toEqual(['1 row with shares of several GPUs: whole ones are asked for instead.']);
  });

  test.each([
    ['red,a,1,-2,,1,1,0,,0,', 'ran', /-2 is negative/],
    ['red,a,soon,2,,1,1,0,,0,', 'submitted', /"soon" is not a number/],
    ['red,a,1,2,,1,1,1.5,,0,', 'gpus', /1\.5 is not a whole number of GPUs/],
    ['red,a,1,,,1,1,0,,0,', 'ran', /empty/],
    ['red,a,1,2,,1,1,0,,0x1,', 'prio', /"0x1" is not a number/],
    ['red,a,1,2', undefined, /4 fields, the header 11/],
  ])('%s', (row, field, message) => {
    const error = errorOf(() => read(`${header}red,ok,1,2,,1,1,0,,0,\n${row}\n`));
    expect(error.code).toBe('SIRA_TRACE_MALFORMED');
    expect(error.place.line).toBe(3);
    expect(error.place.field).toBe(field);
    expect(error.message).toMatch(message);
  });

  test('a column that the file has not got', () => {
    const error = errorOf(() => read('submitted,ran\n1,2\n'));
    expect(error.place).toMatchObject({ line: 1, field: 'job' });
    expect(error.message).toBe('there is no column "job"; the header has submitted, ran');
  });
});
