// How the tests run: beside the code that they test, with time enough for a slow machine. Under CI the results are also written
// for a program to read, and a skipped test fails the run.

import { defineConfig } from 'vitest/config';

const underCi = (process.env.CI ?? '') !== '';

export default defineConfig({
  test: {
    include: ['{core,sim,learning,reports,notebooks}/**/*.test.ts'],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    reporters: underCi
      ? ['default', ['json', { outputFile: '.vitest/results.json' }], './reports/testing/skipped-reporter.ts']
      : ['default'],
  },
});
