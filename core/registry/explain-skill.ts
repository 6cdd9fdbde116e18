// Why an agent is believed to be as fast as it is: what it declares, what was measured and how often and when, and what both
// add up to.

import { fixedExp, fixedLog } from '../base/fixed-math.ts';
import type { AgentRegistry } from './agent-registry.ts';

/** 95% of a normal distribution lie within so many standard deviations of its mean. */
const deviations95 = 1.96;

/** Times in seconds for the size asked about, of one task that completes. */
export interface SkillExplanation {
  readonly taskClass: string;
  /** What is believed: the median, and where it lies with 95%. */
  readonly seconds: number;
  readonly secondsLow: number;
  readonly secondsHigh: number;
  /** Chance that a task completes. */
  readonly success: number;
  /** What the agent declares; undefined if nothing. */
  readonly declaredSeconds: number | undefined;
  /** Mean (geometric) of its own completed tasks, older ones counting less; undefined without any. */
  readonly measuredSeconds: number | undefined;
  /** Its completed tasks, older ones counting less; and outcomes ever, failures included. */
  readonly samples: number;
  readonly outcomeCount: number;
  /** Since its latest outcome at the class; undefined without one. */
  readonly ageMicros: number | undefined;
  /** Mean of its own tasks for the size; undefined if none measured it. */
  readonly joules: number | undefined;
}

/** Undefined if nothing is known of the agent at the class. */
export function explainSkill(
  { skills, capabilities }: AgentRegistry,
  row: number,
  name: string,
  size: number,
  nowMicros: number,
): SkillExplanation | undefined {
  const taskClass = skills.classOf(name);
  const dimension = capabilities.dimensionOf(name);
  const estimate = skills.estimate(row, taskClass, dimension);
  if (estimate === undefined) return undefined;
  const declared = dimension < 0 ? 0 : (capabilities.values[row * capabilities.dimensions + dimension] as number);
  const measured = skills.measured(row, taskClass);
  const mean = estimate.mean + fixedLog(size);
  const spread = deviations95 * Math.sqrt(estimate.variance);
  return {
    taskClass: name,
    seconds: fixedExp(mean),
    secondsLow: fixedExp(mean - spread),
    secondsHigh: fixedExp(mean + spread),
    success: estimate.success,
    declaredSeconds: declared > 0 ? size / declared : undefined,
    measuredSeconds: measured?.mean === undefined ? undefined : size * fixedExp(measured.mean),
    samples: measured?.samples ?? 0,
    outcomeCount: measured?.count ?? 0,
    ageMicros: measured === undefined ? undefined : nowMicros - measured.lastMicros,
    joules: measured?.joulesPerUnit === undefined ? undefined : size * measured.joulesPerUnit,
  };
}
