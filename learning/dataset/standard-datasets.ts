// The datasets that forecasters and policies are trained on.

import type { DatasetSpec } from './dataset-spec.ts';

/** Sums of whole microseconds are exact: of doubles, the last bits would hang on how many rows come later. */
const serviceMean =
  'CAST(sum(CAST(round(service_seconds * 1e6) AS BIGINT)) OVER past AS DOUBLE) / 1e6 / count(*) OVER past';

const placements: DatasetSpec = {
  name: 'placements',
  meaning:
    'Every placement with its propensity, what was known of the agent and the class of work before it, and how it ended',
  tables: ['decisions', 'agent_load', 'tasks', 'task_events'],
  examples: `SELECT run, time, submitter, submission, attempt, agent, task_class, tenant, policy, policy_version, propensity, queue_length, feasible, ties
             FROM decisions WHERE outcome = 'placed' AND submitter IS NOT NULL`,
  identity: ['submitter', 'submission', 'attempt'],
  context: [
    ...['agent', 'task_class', 'tenant', 'policy', 'policy_version', 'propensity', 'queue_length', 'feasible', 'ties'],
  ],
  features: [
    {
      name: 'agent',
      sql: `SELECT run, agent, time, running AS agent_running, cpu_used_milli / nullif(cpu_capacity_milli, 0) AS agent_cpu_used,
                   memory_used_mib / nullif(memory_capacity_mib, 0) AS agent_memory_used,
                   gpu_used_milli / nullif(gpu_capacity_milli, 0) AS agent_gpu_used
            FROM agent_load`,
      by: ['agent'],
      columns: ['agent_running', 'agent_cpu_used', 'agent_memory_used', 'agent_gpu_used'],
    },
    {
      name: 'class',
      sql: `SELECT run, task_class, time, count(*) OVER past AS class_completed, ${serviceMean} AS class_service_seconds
            FROM tasks WHERE outcome = 'completed'
            WINDOW past AS (PARTITION BY run, task_class ORDER BY time, submitter, submission ROWS UNBOUNDED PRECEDING)`,
      by: ['task_class'],
      columns: ['class_completed', 'class_service_seconds'],
    },
    {
      name: 'class on the agent',
      sql: `SELECT run, task_class, agent, time, count(*) OVER past AS here_completed, ${serviceMean} AS here_service_seconds
            FROM tasks WHERE outcome = 'completed'
            WINDOW past AS (PARTITION BY run, task_class, agent ORDER BY time, submitter, submission ROWS UNBOUNDED PRECEDING)`,
      by: ['task_class', 'agent'],
      columns: ['here_completed', 'here_service_seconds'],
    },
    {
      name: 'submission',
      sql: `SELECT run, submitter, submission, time, estimate_seconds FROM task_events WHERE event = 'submitted'`,
      by: ['submitter', 'submission'],
      columns: ['estimate_seconds'],
      // What comes and is placed in one instant was known when it was placed.
      atSameInstant: true,
    },
  ],
  labels: {
    sql: `SELECT run, submitter, submission, time, outcome, attempts, service_seconds, transfer_seconds, lost_seconds, total_seconds, joules
          FROM tasks`,
    by: ['submitter', 'submission'],
    columns: ['outcome', 'attempts', 'service_seconds', 'transfer_seconds', 'lost_seconds', 'total_seconds', 'joules'],
  },
};

const minute = 60_000_000;

/** Minutes from the first to the last submission of each run, with the arrivals in each, dated by the minute's end. */
const arrivalMinutes = `SELECT run, make_timestamp(minute_end) AS time, count(sequence) AS arrivals
  FROM (SELECT run, unnest(generate_series((min(epoch_us(time)) // ${minute} + 1) * ${minute}, (max(epoch_us(time)) // ${minute}) * ${minute}, ${minute})) AS minute_end
        FROM task_events GROUP BY run) AS minutes
  LEFT JOIN (SELECT run, sequence, (epoch_us(time) // ${minute} + 1) * ${minute} AS minute_end FROM task_events WHERE event = 'submitted') AS submitted
  USING (run, minute_end) GROUP BY run, minute_end`;

const arrivals: DatasetSpec = {
  name: 'arrivals',
  meaning: 'Every minute, the submissions of the last minute, ten and sixty, and those of the ten that follow',
  tables: ['task_events'],
  examples: `SELECT run, time FROM (${arrivalMinutes})`,
  identity: [],
  isClock: true,
  context: [],
  features: [
    {
      name: 'past',
      sql: `SELECT run, time, arrivals AS arrivals_1m, sum(arrivals) OVER ten AS arrivals_10m, sum(arrivals) OVER sixty AS arrivals_60m
            FROM (${arrivalMinutes})
            WINDOW ten AS (PARTITION BY run ORDER BY time ROWS 9 PRECEDING), sixty AS (PARTITION BY run ORDER BY time ROWS 59 PRECEDING)`,
      by: [],
      columns: ['arrivals_1m', 'arrivals_10m', 'arrivals_60m'],
      // Sums over minutes that end at the moment.
      atSameInstant: true,
    },
  ],
  labels: {
    sql: `SELECT run, of_time, time, arrivals_next_10m FROM (
            SELECT run, time AS of_time, time + INTERVAL '10 minutes' AS time, sum(arrivals) OVER next AS arrivals_next_10m, count(*) OVER next AS minutes
            FROM (${arrivalMinutes}) WINDOW next AS (PARTITION BY run ORDER BY time ROWS BETWEEN 1 FOLLOWING AND 10 FOLLOWING))
          WHERE minutes = 10`,
    by: ['of_time'],
    columns: ['arrivals_next_10m'],
  },
};

export const standardDatasets: readonly DatasetSpec[] = [placements, arrivals];
