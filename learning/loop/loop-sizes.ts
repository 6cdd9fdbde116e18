// How much of everything the loop does: enough to see each step succeed on its merits, or as little as a test can wait for. And the
// work that the live agents are really given, which nothing that learns from the rows is told.

import type { WorkModel } from '../env/work-model.ts';
import type { TrainingSpec } from '../rl/training-spec.ts';

export interface LoopSizes {
  /** Of work that is recorded and learned from. */
  readonly recordSeconds: number;
  /** Of the same work again, under the promoted policy. */
  readonly gainSeconds: number;
  readonly training: { readonly imitation: number; readonly iterations: number; readonly validationEpisodes: number };
  readonly suite: { readonly seeds: number; readonly seedsMax: number; readonly tasks: number };
  readonly shadowDecisions: number;
  /** Of the drift watch. */
  readonly windowTasks: number;
  readonly canary: { readonly blockTasks: number; readonly washoutTasks: number; readonly tasksMax: number };
}

export const fullSizes: LoopSizes = {
  recordSeconds: 75,
  gainSeconds: 45,
  training: { imitation: 30, iterations: 30, validationEpisodes: 20 },
  suite: { seeds: 8, seedsMax: 24, tasks: 800 },
  shadowDecisions: 400,
  windowTasks: 100,
  canary: { blockTasks: 40, washoutTasks: 6, tasksMax: 6000 },
};

export const briefSizes: LoopSizes = {
  recordSeconds: 20,
  gainSeconds: 10,
  training: { imitation: 25, iterations: 8, validationEpisodes: 6 },
  suite: { seeds: 4, seedsMax: 12, tasks: 600 },
  shadowDecisions: 100,
  windowTasks: 40,
  canary: { blockTasks: 16, washoutTasks: 3, tasksMax: 3000 },
};

const estimate = { estimateRatio: 1, estimateSigma: 0.3 };

/** Short answers, drafts, and a few long reports, on eight slots: a load of 0.82, and half as much again in a rush. */
export const plantedWork: WorkModel = {
  arrivals: { calmPerSecond: 15, rushPerSecond: 46, calmSeconds: 3, rushSeconds: 1.5 },
  classes: [
    { name: 'answer', share: 0.75, medianSeconds: 0.08, sigma: 0.4, ...estimate },
    { name: 'draft', share: 0.22, medianSeconds: 0.4, sigma: 0.4, ...estimate },
    { name: 'report', share: 0.03, medianSeconds: 3, sigma: 0.4, ...estimate },
  ],
};

/** The same classes when everything takes longer and fewer tasks come: no more work than before, and none like it. */
export const driftedWork: WorkModel = {
  arrivals: { calmPerSecond: 9.4, rushPerSecond: 28.8, calmSeconds: 3, rushSeconds: 1.5 },
  classes: plantedWork.classes.map((own) => ({ ...own, medianSeconds: 1.6 * own.medianSeconds })),
};

/** By process. */
export const agentNames: readonly (readonly string[])[] = [['agent-1', 'agent-2', 'agent-3'], ['agent-4']];
export const agentCpuMilli = 2000;
export const agentMemoryMib = 2048;
export const taskCpuMilli = 1000;
export const taskMemoryMib = 256;

/** Estimates below count as this in the slowdown: in training, and in the canary. */
export const slowdownFloorSeconds = 0.05;

/** The document of the training on the fitted world, beside which it lies. */
export function trainingDocument(world: string, { training }: LoopSizes): object {
  const spec: Partial<Record<keyof TrainingSpec, unknown>> = {
    name: 'loop-order',
    description: 'Which waiting task next, on the world that telemetry told of?',
    environment: {
      ...{ kind: 'fitted', world, fallback: 'sjf', candidatesMax: 32, reference: 'sjf', slowdownFloorSeconds },
      ...{ tasks: 400, rateFactors: [0.9, 1.15], testEpisodes: 20 },
    },
    environments: 8,
    iterations: training.iterations,
    checkpointEvery: Math.max(2, Math.floor(training.iterations / 6)),
    validationEpisodes: training.validationEpisodes,
    imitation: { teacher: 'sjf', iterations: training.imitation },
    ppo: { learningRate: 0.001, discount: 0.95, lambda: 0.9, advantageMax: 3, entropy: 0 },
  };
  return spec;
}
