// Table 3 whole: all 801 starts, through the kernel and its messages.

import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { readGoldenStarts } from './published.ts';
import { compareEasy, finishTable3 } from './table-3.ts';
import { runTableJob, type TableJobResult } from './table-job.ts';

const result = runTableJob({ table: 3, seed: 1 }) as TableJobResult & { readonly table: 3 };
const golden = readGoldenStarts();

describe('table 3 through the kernel', () => {
  test('every start within a millisecond, on the published machines', () => {
    const found = compareEasy(result.jobs, golden);
    expect(golden.size).toBe(801);
    expect(found).toMatchObject({ jobs: 801, equalStarts: 801, equalMachines: 801 });
    expect(found.waitMeanSeconds.toFixed(6)).toBe('9.516326');
    expect(found.slowdownMean.toFixed(6)).toBe('1.391621');
  });

  test('the comparison sees a start that is two milliseconds off, a machine changed, a job not published', () => {
    const [first, second, ...rest] = result.jobs;
    const spoilt = [
      { ...first!, startMicros: first!.startMicros + 2000 },
      { ...second!, machines: [31], name: second!.name },
      ...rest,
    ];
    expect(compareEasy(spoilt, golden)).toMatchObject({ equalStarts: 800, equalMachines: 800 });
    expect(compareEasy([{ ...first!, name: 'nobody' }], golden)).toMatchObject({
      equalStarts: 0,
      startDifferenceMaxSeconds: Number.NaN,
    });
  });

  test('the committed page is what this code writes', () => {
    const { markdown, checks } = finishTable3([result], 'npm run tables');
    expect(checks.every((check) => check.holds)).toBe(true);
    expect(readFileSync(new URL('./table-3-easy.md', import.meta.url), 'utf8')).toBe(markdown);
  });
});
