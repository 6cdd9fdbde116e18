// Windows of jobs drawn from fitted work, each task on one processor: endless, and none of them ever happened.

import { RandomStream } from '../../../core/base/random.ts';
import { takeWork, type WorkModel } from '../work-model.ts';
import type { BatchWindows } from './batch-windows.ts';

/** `rateFactors`: a window's arrivals are the model's times a number between these. */
export function fittedWindows(model: WorkModel, count: number, [least, most]: readonly [number, number]): BatchWindows {
  return {
    draw(seed) {
      const rateFactor = least + (most - least) * new RandomStream(seed, 'fitted window').nextFloat();
      const tasks = takeWork(model, { seed, rateFactor }, { count });
      return {
        count,
        submitSeconds: Float64Array.from(tasks, ({ arrivalSeconds }) => arrivalSeconds),
        runSeconds: Float64Array.from(tasks, ({ serviceSeconds }) => serviceSeconds),
        estimateSeconds: Float64Array.from(tasks, ({ estimateSeconds }) => estimateSeconds),
        processors: new Int32Array(count).fill(1),
      };
    },
  };
}
