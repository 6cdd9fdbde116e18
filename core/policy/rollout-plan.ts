// How a candidate policy is to be tried, and what ends the trial: the plan that a proposal brings along. Everything that decides
// about a rollout stands here, so that it is in the journal before the first decision. What the words mean while it runs is
// rollouts.ts's and canary.ts's.

import { accepted, refused, type Status } from '../base/status.ts';

/** Stages of a rollout, in order, and its ends. `held`: the canary is over and nobody may say alone what becomes of it. */
export const rolloutStages = [
  'simulation',
  'replay',
  'shadow',
  'canary',
  'held',
  'promoted',
  'rejected',
  'rolledBack',
] as const;
export type RolloutStage = (typeof rolloutStages)[number];

/** Stages that a rollout never leaves by itself. `promoted` can still be rolled back. */
export const endStages: readonly RolloutStage[] = ['promoted', 'rejected', 'rolledBack'];

/** Where a person's approval brings a rollout. */
export const stageAfter: Readonly<Partial<Record<RolloutStage, RolloutStage>>> = {
  simulation: 'replay',
  replay: 'shadow',
  shadow: 'canary',
  canary: 'promoted',
  held: 'promoted',
};

/** What is watched of the system while a candidate serves, and once it is promoted. `failedShare`: tasks that did not complete, of those that ended.
 *  `oldestWaitSeconds`, `queueLength`: as of now. `slowdown`: response time over the estimate. */
export const guardMetrics = ['slowdown', 'failedShare', 'oldestWaitSeconds', 'queueLength'] as const;
export type GuardMetric = (typeof guardMetrics)[number];

export interface GuardRule {
  readonly metric: GuardMetric;
  /** Breached as soon as the metric is above this: of the present moment, or of the policy's last {@link windowTasks} ended tasks. */
  readonly atMost: number;
  /** For metrics of tasks; 50 if left out. */
  readonly windowTasks?: number | undefined;
}

export interface CanaryPlan {
  /** Tasks that are submitted in one block of time; then the arms change, or not, by a coin for each pair of blocks. */
  readonly blockTasks: number;
  /** Of those, the first that are not counted: what the arm before left behind is theirs. */
  readonly washoutTasks: number;
  /** Tasks after which the canary ends without a verdict. */
  readonly tasksMax: number;
  /** How long after its block a task may take before it counts with what it has taken so far. */
  readonly settleMicros: number;
  /** Probability of a verdict where the policies do not differ, over all looks and both verdicts. */
  readonly alpha: number;
  /** Bound on the total harm: excess slowdown of the candidate's tasks, in tasks of the incumbent's mean slowdown. */
  readonly harmTasksMax: number;
  /** Estimates below this count as this in the slowdown. */
  readonly slowdownFloorMicros: number;
}

/** What becomes of a policy that has drifted after its promotion: the last good one before it serves again, a person is told, or nobody
 *  looks. */
export const driftResponses = ['rollBack', 'alarm', 'none'] as const;

/** What is watched once a policy is promoted, besides the guards, and how sure one has to be. */
export interface DriftPlan {
  readonly response: (typeof driftResponses)[number];
  /** Tasks of a window: each is held against the trial as a whole. */
  readonly windowTasks: number;
  /** Population stability index of an input up to which a window never counts as strange. */
  readonly stabilityMax: number;
  /** How much above the promised mean a window's slowdown never counts as strange, as a share of it. */
  readonly slowdownRiseMax: number;
  /** Windows between two false alarms, on average, at least. */
  readonly falseAlarmWindows: number;
}

export interface RolloutPlan {
  /** Decisions of the incumbent beside which the candidate decides before it may serve. */
  readonly shadowDecisions: number;
  readonly canary: CanaryPlan;
  readonly guards: readonly GuardRule[];
  /** Time between two looks at the guards of the present moment; at most a second. */
  readonly lookMicros: number;
  /** Stages that wait for a person's approval before they begin. */
  readonly approvals: readonly RolloutStage[];
  /** Whether an off-policy estimate must say "pass" too, or may not say "fail". */
  readonly offPolicy: 'mustPass' | 'mayNotFail';
  /** Left out, nobody looks. */
  readonly drift?: DriftPlan | undefined;
}

export const defaultRolloutPlan: RolloutPlan & { readonly drift: DriftPlan } = {
  shadowDecisions: 200,
  canary: {
    blockTasks: 20,
    washoutTasks: 4,
    tasksMax: 5000,
    settleMicros: 600_000_000,
    alpha: 0.05,
    harmTasksMax: 400,
    slowdownFloorMicros: 1_000_000,
  },
  guards: [],
  lookMicros: 250_000,
  approvals: [],
  offPolicy: 'mayNotFail',
  drift: {
    response: 'rollBack',
    windowTasks: 100,
    stabilityMax: 0.25,
    slowdownRiseMax: 0.5,
    falseAlarmWindows: 10_000,
  },
};

/** The plan with what it leaves out at the defaults. */
export function completePlan(
  plan: Partial<Omit<RolloutPlan, 'canary' | 'drift'>> & {
    readonly canary?: Partial<CanaryPlan> | undefined;
    readonly drift?: Partial<DriftPlan> | undefined;
  },
): RolloutPlan {
  const { canary, drift } = defaultRolloutPlan;
  return { ...defaultRolloutPlan, ...plan, canary: { ...canary, ...plan.canary }, drift: { ...drift, ...plan.drift } };
}

/** Whether a plan keeps the bounds of what a canary can do. */
export function checkPlan(plan: RolloutPlan): Status {
  const { canary, guards, lookMicros, shadowDecisions } = plan;
  const whole = (value: number, least: number, most: number): boolean =>
    Number.isInteger(value) && value >= least && value <= most;
  const problem = !whole(canary.blockTasks, 2, 100_000)
    ? 'a block has 2 to 100,000 tasks'
    : !whole(canary.washoutTasks, 0, canary.blockTasks - 1)
      ? 'a block counts at least one of its tasks'
      : !whole(canary.tasksMax, 2 * canary.blockTasks, 100_000_000)
        ? 'a canary has room for at least one pair of blocks'
        : !(canary.alpha > 0 && canary.alpha < 0.5)
          ? 'a level lies between 0 and 0.5'
          : !whole(canary.settleMicros, 1, 86_400_000_000) || !whole(canary.slowdownFloorMicros, 1, 86_400_000_000)
            ? 'times of a canary lie between 1 µs and a day'
            : !(canary.harmTasksMax > 0)
              ? 'a bound on harm is above 0'
              : !whole(shadowDecisions, 0, 100_000_000)
                ? 'a shadow makes 0 to 100,000,000 decisions'
                : !whole(lookMicros, 1000, 1_000_000)
                  ? 'guards are looked at every millisecond to every second'
                  : guards.length > 32
                    ? 'a plan has at most 32 guards'
                    : guards.some(
                          ({ metric, atMost, windowTasks = 50 }) =>
                            !guardMetrics.includes(metric) ||
                            !Number.isFinite(atMost) ||
                            !whole(windowTasks, 1, 10_000),
                        )
                      ? `a guard bounds ${guardMetrics.join(', ')} by a number, over 1 to 10,000 tasks`
                      : driftProblem(plan.drift);
  return problem === '' ? accepted : refused('SIRA_SETTING_INVALID', problem);
}

function driftProblem(drift: DriftPlan | undefined): string {
  if (drift === undefined) return '';
  const { response, windowTasks, stabilityMax, slowdownRiseMax, falseAlarmWindows } = drift;
  if (!driftResponses.includes(response)) return `what follows drift is one of ${driftResponses.join(', ')}`;
  if (!Number.isInteger(windowTasks) || windowTasks < 10 || windowTasks > 10_000)
    return 'a window of the drift watch has 10 to 10,000 tasks';
  if (!(stabilityMax >= 0.05 && stabilityMax <= 10)) return 'a bound on the stability index lies between 0.05 and 10';
  if (!(slowdownRiseMax >= 0 && slowdownRiseMax <= 1000)) return 'a rise of the slowdown lies between 0 and 1000';
  if (!(falseAlarmWindows >= 100 && falseAlarmWindows <= 1e12))
    return 'false alarms of the drift watch are 100 windows or more apart';
  return '';
}
