// A reporter for vitest under CI: says how many tests were skipped and why that is a failure there. A test may step aside on a
// machine that lacks a browser or a trace; the machine that decides whether the project is sound must have them.

import type { Reporter, TestCase, TestModule } from 'vitest/node';

export default class SkippedReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const skipped: TestCase[] = [];
    for (const module of modules) for (const test of module.children.allTests('skipped')) skipped.push(test);
    console.log(`${skipped.length} skipped`);
    for (const test of skipped) console.log(`  skipped: ${test.module.relativeModuleId} > ${test.fullName}`);
    if (skipped.length > 0) {
      console.error('Tests were skipped, which fails under CI: provide what they need.');
      process.exitCode = 1;
    }
  }
}
