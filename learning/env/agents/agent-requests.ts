// What is asked of the fleet: Azure's LLM requests at their own times, faster or slower by a factor. A request is served by one agent or
// by a group of two or four that share its work and exchange activations: tensor parallelism. Training, validation and tests have
// times of their own in the trace.

import { join } from 'node:path';
import { RandomStream } from '../../../core/base/random.ts';
import { microsPerSecond } from '../../../core/base/time.ts';
import { projectRoot } from '../../../sim/experiment/project-root.ts';
import { readAzureLlmRequests } from '../../../sim/workload/azure-llm-requests.ts';
import { workClasses } from './agent-fleet.ts';

export const azureFile = join(
  projectRoot(),
  'scenarios',
  'data',
  'azure-llm-2023',
  'AzureLLMInferenceTrace_code.csv.gz',
);

/** Minutes of the trace, from its first request: from, to. */
export const spans = { training: [0, 30], validation: [30, 38], tests: [38, 57.5] } as const;
export type Span = keyof typeof spans;

export interface AgentRequest {
  readonly arrivalMicros: number;
  /** Seconds of one P100. */
  readonly plainSeconds: number;
  /** To each of the others of its group. */
  readonly gigabits: number;
  readonly groupSize: number;
  readonly workClass: number;
}

/** Speeds of one P100, tokens a second. */
const promptTokensPerSecond = 1000;
const outputTokensPerSecond = 30;
/** A model of 80 layers of width 8192 in 16 bits: two all-reduces a layer, 2.6 MB a token. */
const gigabitsPerToken = (80 * 2 * 8192 * 16) / 1e9;
const groupSizes: readonly (readonly [number, number])[] = [
  [1, 0.4],
  [2, 0.3],
  [4, 0.3],
];

interface Tokens {
  readonly timeSeconds: number;
  readonly context: number;
  readonly output: number;
}

export class AgentRequests {
  private readonly all: readonly Tokens[];

  constructor() {
    // Two readings give the tokens apart: one counts the prompt's alone, one the output's.
    const read = (prompt: number, output: number) =>
      readAzureLlmRequests({
        format: 'azure-llm',
        file: azureFile,
        gpuMilli: 1000,
        memoryMib: 0,
        promptTokensPerSecond: prompt,
        outputTokensPerSecond: output,
      }).tasks;
    const none = Number.POSITIVE_INFINITY;
    const outputs = read(none, 1);
    const prompts = read(1, none);
    const first = prompts[0]!.arrivalMicros;
    this.all = prompts.map((task, index) => ({
      timeSeconds: (task.arrivalMicros - first) / microsPerSecond,
      context: task.durationMicros / microsPerSecond,
      output: outputs[index]!.durationMicros / microsPerSecond,
    }));
  }

  /** The requests of a span, or of `lengthSeconds` of it from a time drawn by seed, `factor` times as fast; groups and classes are drawn. */
  draw(span: Span, seed: number, factor: number, lengthSeconds?: number): AgentRequest[] {
    const random = new RandomStream(seed, 'agent requests');
    const [from, to] = spans[span].map((minutes) => minutes * 60) as [number, number];
    const begin = lengthSeconds === undefined ? from : from + random.nextFloat() * (to - from - lengthSeconds);
    const end = lengthSeconds === undefined ? to : begin + lengthSeconds;
    return this.all
      .filter(({ timeSeconds }) => timeSeconds >= begin && timeSeconds < end)
      .map(({ timeSeconds, context, output }) => ({
        arrivalMicros: microsPerSecond + Math.round(((timeSeconds - begin) / factor) * microsPerSecond),
        plainSeconds: context / promptTokensPerSecond + output / outputTokensPerSecond,
        gigabits: (context + output) * gigabitsPerToken,
        groupSize: drawSize(random),
        workClass: random.nextBelow(workClasses.length),
      }));
  }
}

function drawSize(random: RandomStream): number {
  let at = random.nextFloat();
  for (const [size, share] of groupSizes) {
    if (at < share) return size;
    at -= share;
  }
  return 1;
}
