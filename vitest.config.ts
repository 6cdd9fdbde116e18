// How the tests run: beside the code that they test, with time enough for a slow machine.

import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['{core,sim,learning,reports}/**/*.test.ts', '*.test.ts'],
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
