// The body of a process that `sira run --verify` starts: runs what it is told and answers with the trail of effects.

import { TraceCache } from '../workload/trace-cache.ts';
import { openInputs, type SeededInputs } from './build-world.ts';
import { EffectTrace, type Trail } from './effect-trace.ts';
import { type ErrorParts, partsOf } from './error-parts.ts';
import { loadScenario } from './load-scenario.ts';
import { runOne } from './run-one.ts';
import type { Scenario } from './scenario.ts';

export interface VerifyRequest {
  readonly file: string;
  readonly policy: string;
  readonly seed: number;
  /** Replace the kernel by its own snapshot half-way. */
  readonly restored: boolean;
  /** Keep effects in words from this number on; −1 for none. */
  readonly wordsFrom: number;
}

export type VerifyAnswer = { readonly trail: Trail } | { readonly error: ErrorParts };

/** One run with a trace; everything in it comes from the request. */
export function traceRun(scenario: Scenario, inputs: SeededInputs, request: VerifyRequest): Trail {
  const trace = new EffectTrace(request.wordsFrom);
  runOne(scenario, inputs, request.policy, request.seed, {
    gantt: false,
    observers: [trace],
    restartAtShare: request.restored ? 0.5 : undefined,
  });
  return trace.trail();
}

if (process.send !== undefined && process.argv[2] === 'verify') {
  const traces = new TraceCache();
  let opened: { seed: number; file: string; scenario: Scenario; inputs: SeededInputs } | undefined;
  process.on('message', (request: VerifyRequest) => {
    let answer: VerifyAnswer;
    try {
      if (opened?.seed !== request.seed || opened.file !== request.file) {
        const scenario = loadScenario(request.file);
        opened = {
          seed: request.seed,
          file: request.file,
          scenario,
          inputs: openInputs(scenario, request.seed, traces),
        };
      }
      answer = { trail: traceRun(opened.scenario, opened.inputs, request) };
    } catch (error) {
      answer = { error: partsOf(error) };
    }
    process.send?.(answer);
  });
}
