// What a scenario must satisfy beyond its schema: names that exist, policies and seeds that differ, files that can be read,
// durations that make sense together. Each problem names the field that has to change.

import { accessSync, constants, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { type ErrorCode, SiraError } from '../../core/base/errors.ts';
import { formatDuration, parseDurationMicros } from '../../core/base/time.ts';
import { kernelSettingTable, leaseIntervalsMin } from '../../core/config/kernel-setting-table.ts';
import { isKernelFault, strikesMachines } from '../fault/fault-plan.ts';
import { buildScenario, hasGpus } from './build-scenario.ts';
import { allMetrics, metricsFor } from './metrics.ts';
import { artifactProblem } from './policy-artifacts.ts';
import { orderNames, placementNames } from './policy-names.ts';
import type { Scenario } from './scenario.ts';
import type { ScenarioFields } from './scenario-fields.ts';
import { suggest } from './schema-problems.ts';
import { boundProblem, settingProblem } from './setting-problems.ts';
import { type FieldPath, reasonOf, type YamlSource } from './yaml-source.ts';

/** Settings of the kernel that a scenario says elsewhere. */
const placeOfSetting: Readonly<Record<string, string>> = {
  'registry.leaseMicros': 'heartbeat: { lease: … }',
  'registry.heartbeatIntervalMicros': 'heartbeat: { interval: … }',
  'scheduler.queueLengthMax': 'limits: { queueLengthMax: … }',
};

export interface CheckedScenario {
  /** Undefined if a problem kept it from being built. */
  readonly scenario: Scenario | undefined;
  readonly problems: readonly SiraError[];
}

/** Builds the scenario in `source`, whose value has passed the schema, and checks it. `folder` is where paths start. */
export function checkFields(source: YamlSource, folder: string): CheckedScenario {
  const fields = source.value as ScenarioFields;
  const checker = new Checker(source);
  checker.durations(fields, []);
  if (checker.problems.length > 0) return { scenario: undefined, problems: checker.problems };
  const scenario = buildScenario(fields, source.file, source.text, folder);
  checker.policies(fields, scenario);
  checker.seeds(fields, scenario);
  checker.times(fields, scenario);
  checker.workload(scenario);
  checker.faults(fields, scenario);
  checker.settings(scenario);
  checker.metrics(fields, scenario);
  checker.files(fields, scenario, folder);
  return { scenario, problems: checker.problems };
}

class Checker {
  readonly problems: SiraError[] = [];
  private readonly source: YamlSource;

  constructor(source: YamlSource) {
    this.source = source;
  }

  /** A duration may match the pattern and still be too long to count in microseconds. */
  durations(value: unknown, path: FieldPath): void {
    if (typeof value === 'string') {
      const tooLong = /^\d+(\.\d+)?\s*(us|ms|s|min|m|h|d)$/.test(value) && parseDurationMicros(value) === undefined;
      if (tooLong) this.report(path, `the duration ${value} is too long`, 'Use less than 285 years.');
    } else if (typeof value === 'object' && value !== null) {
      for (const [key, part] of Object.entries(value))
        this.durations(part, [...path, Array.isArray(value) ? Number(key) : key]);
    }
  }

  policies(fields: ScenarioFields, scenario: Scenario): void {
    const defaults = fields.policyDefaults ?? {};
    this.name(['policyDefaults', 'order'], 'queue order', defaults.order, orderNames);
    this.name(['policyDefaults', 'place'], 'placement', defaults.place, placementNames);
    const seen = new Map<string, number>();
    for (const [index, policy] of fields.policies.entries()) {
      const path: FieldPath = ['policies', index];
      const name = typeof policy === 'string' ? policy : policy.name;
      const namePath = typeof policy === 'string' ? path : [...path, 'name'];
      if (seen.has(name))
        this.report(
          namePath,
          `two policies are called "${name}" (the other is number ${seen.get(name)! + 1})`,
          'Give each policy a name of its own.',
        );
      seen.set(name, index);
      if (typeof policy === 'string') {
        this.name(path, 'placement or queue order', name, [...placementNames, ...orderNames]);
      } else {
        this.name([...path, 'order'], 'queue order', policy.order, orderNames);
        this.name([...path, 'place'], 'placement', policy.place, placementNames);
        const known = placementNames.includes(name) || orderNames.includes(name);
        if (!known && policy.place === undefined && policy.order === undefined && defaults.place === undefined) {
          this.report(
            path,
            `the policy "${name}" names neither a placement nor a queue order`,
            'Add `place:`; `sira policies` lists what there is.',
          );
        }
      }
      const built = scenario.policies[index]!;
      if (built.backfill !== 'none' && built.unplaced !== 'block') {
        this.report(
          path,
          `the policy "${name}" backfills, but its unplaced tasks do not block the queue`,
          'Add `unplaced: block`: backfilling happens behind a blocked head.',
        );
      }
      if (built.overtakeMax > 0 && built.unplaced !== 'skip') {
        this.report(
          path,
          `the policy "${name}" bounds overtaking, but its unplaced tasks are not skipped`,
          'Add `unplaced: skip`, or leave out `overtakeMax`.',
        );
      }
      if (built.backfill === 'conservative' && built.preempt === 'lowerPriority') {
        this.report(
          path,
          `the policy "${name}" promises each waiting task its start, and evicts running ones`,
          'Leave out `preempt`, or use another `backfill`.',
        );
      }
      if (built.tenantWeights !== undefined && built.order !== 'drf') {
        this.report(
          path,
          `the policy "${name}" weighs tenants, but its queue order does not look at them`,
          'Add `order: drf`, or leave out `tenantWeights`.',
        );
      }
    }
    this.artifacts(fields, scenario);
    const names = scenario.policies.map((policy) => policy.name);
    if (!names.includes(scenario.baseline))
      this.report(
        ['baseline'],
        `the baseline "${scenario.baseline}" is not one of the policies`,
        suggest(scenario.baseline, names),
      );
  }

  /** One problem for each policy whose artifact cannot decide; files that are missing are reported with the others. */
  private artifacts(fields: ScenarioFields, { policies }: Scenario): void {
    for (const [index, policy] of fields.policies.entries()) {
      const named = { ...fields.policyDefaults, ...(typeof policy === 'string' ? {} : policy) }.artifact;
      const built = policies[index]!;
      const problem = named !== undefined && built.artifact === undefined ? undefined : artifactProblem(built);
      if (problem !== undefined) this.report(['policies', index], problem.message, problem.remedy, problem.code);
    }
  }

  seeds(fields: ScenarioFields, scenario: Scenario): void {
    const seen = new Set<number>();
    for (const [index, seed] of scenario.seeds.entries()) {
      const path = Array.isArray(fields.seeds) ? ['seeds', index] : ['seeds', 'first'];
      if (!Number.isSafeInteger(seed))
        this.report(path, `the seed ${seed} is too large to be exact`, 'Use seeds below 2⁵³.');
      else if (seen.has(seed))
        this.report(path, `the seed ${seed} is given twice`, 'Name each seed once: the same run twice is no evidence.');
      seen.add(seed);
      const { source } = scenario.workload;
      if (seed < 1 && source.format === 'swf' && source.firstJob === '{seed}') {
        this.report(path, `the seed ${seed} names the first job, and jobs count from 1`, 'Use seeds from 1.');
      }
    }
  }

  times(fields: ScenarioFields, scenario: Scenario): void {
    const { intervalMicros, leaseMicros } = scenario.heartbeat;
    if (intervalMicros === 0)
      this.report(['heartbeat', 'interval'], 'heartbeats need a positive interval', 'Write 10s, say.');
    if (leaseMicros < leaseIntervalsMin * intervalMicros) {
      const isDefault = fields.heartbeat?.lease === undefined;
      const lease = `a lease of ${formatDuration(leaseMicros)}${isDefault ? ', the default,' : ''} is too short`;
      this.report(
        ['heartbeat', isDefault ? 'interval' : 'lease'],
        `${lease} for heartbeats every ${formatDuration(intervalMicros)}: agents would give up their work`,
        `Make the lease ${leaseIntervalsMin} intervals long at least; 4, so that one heartbeat may be lost.`,
      );
    }
    if (scenario.warmUpMicros > 0 && scenario.measureMicros === 0)
      this.report(
        ['warmUp'],
        'a run to the end of all tasks is measured from the start, without a warm-up',
        'Leave out `warmUp`, or give `measure`.',
      );
    const { capMicros, minimumMicros } = scenario.workload.durations;
    if (minimumMicros < 1)
      this.report(['workload', 'durations', 'minimum'], 'no task runs for less than 1us', 'Write 1us or more.');
    const cap: FieldPath = ['workload', 'durations', 'cap'];
    if (capMicros < minimumMicros)
      this.report(cap, 'the cap is below the minimum', 'Raise the cap, or lower the minimum.');
  }

  workload(scenario: Scenario): void {
    const { source, arrivals } = scenario.workload;
    const generatedEndlessly = source.format === 'synthetic' && source.count === 0;
    const endless = arrivals.kind === 'resampled' || generatedEndlessly;
    if (endless && scenario.measureMicros === 0)
      this.report(
        ['measure'],
        'tasks arrive without end, so the measured window needs a length',
        'Add `measure: 1d`, say.',
      );
    if (generatedEndlessly && arrivals.kind !== 'trace') {
      this.report(
        ['workload', 'arrivals', 'kind'],
        `endless generated tasks have arrivals of their own and cannot be ${arrivals.kind}`,
        'Leave out `arrivals`, or give `count`.',
      );
    }
    const needsGpus = arrivals.kind === 'inflated' || (arrivals.kind !== 'trace' && arrivals.resource === 'gpu');
    if (needsGpus && !hasGpus(scenario.cluster))
      this.report(
        ['workload', 'arrivals'],
        'the load is measured in GPUs, but the cluster has none',
        'Use `resource: cpu`, or add GPUs.',
      );
    if (source.format === 'synthetic') {
      if (source.gapMicros === 0)
        this.report(['workload', 'gap'], 'the gap between arrivals must be positive', 'Write 1s, say.');
      if (source.service.meanMicros === 0)
        this.report(['workload', 'service', 'mean'], 'the mean run time must be positive', 'Write 5m, say.');
      if (source.service.distribution === 'pareto' && source.service.shape <= 1)
        this.report(
          ['workload', 'service', 'shape'],
          'a Pareto distribution has a mean only above shape 1',
          'Use 1.5, say.',
        );
    }
    if (source.format === 'csv' && source.columns.cpuMilli !== undefined && source.columns.cpuCores !== undefined) {
      this.report(
        ['workload', 'columns', 'cpuCores'],
        'two columns say how much CPU a task needs',
        'Keep cpuMilli or cpuCores.',
      );
    }
    if (source.format === 'csv' && (source.columns.gang === undefined) !== (source.columns.gangSize === undefined)) {
      const missing = source.columns.gang === undefined ? 'gang' : 'gangSize';
      this.report(
        ['workload', 'columns'],
        `gangs have a name and a size, and there is no \`${missing}\``,
        `Add \`${missing}:\`.`,
      );
    }
    if (
      scenario.cluster.format === 'openb' &&
      scenario.cluster.shuffle === true &&
      scenario.cluster.order !== undefined
    ) {
      this.report(
        ['cluster', 'shuffle'],
        'the order of the machines is given, and shuffled as well',
        'Keep `order` or `shuffle`.',
      );
    }
    if (scenario.cluster.format === 'groups') {
      const seen = new Set<string>();
      for (const [index, group] of scenario.cluster.groups.entries()) {
        const path = ['cluster', 'groups', index];
        if (seen.has(group.name))
          this.report([...path, 'name'], `two groups are called "${group.name}"`, 'Give each group a name of its own.');
        seen.add(group.name);
        if (group.gpuCount > 0 && group.gpuModel === '')
          this.report(path, `the GPUs of "${group.name}" have no model`, 'Add `gpuModel:`.');
      }
    }
  }

  metrics(fields: ScenarioFields, scenario: Scenario): void {
    const known = metricsFor(hasGpus(scenario.cluster)).map((metric) => metric.name);
    const check = (path: FieldPath, name: string): void => {
      if (known.includes(name)) return;
      const needsGpus = allMetrics.some((metric) => metric.name === name);
      const detail = needsGpus ? `"${name}" needs GPUs, and the cluster has none` : `no metric is called "${name}"`;
      this.report(path, detail, suggest(name, known));
    };
    if (fields.objective !== undefined) check(['objective'], fields.objective);
    for (const [index, guard] of scenario.guards.entries()) {
      check(['guards', index, 'metric'], guard.metric);
      if (guard.atMost !== undefined && guard.atLeast !== undefined && guard.atLeast > guard.atMost) {
        this.report(['guards', index, 'atLeast'], 'nothing is at least this and at most that', 'Swap the two bounds.');
      }
    }
  }

  faults(fields: ScenarioFields, scenario: Scenario): void {
    for (const [index, fault] of scenario.faults.entries()) {
      const path = ['faults', index];
      if (fault.forMicros === 0) this.report([...path, 'for'], 'a fault must last some time', 'Write 1m, say.');
      this.struck(fields, scenario, index);
      if ((fault.kind === 'slow' || fault.kind === 'diskSlow') && fault.factor <= 1)
        this.report(
          [...path, 'factor'],
          `${fault.kind} multiplies times by its factor, which must be above 1`,
          'Add `factor: 2`, say.',
        );
      if (fault.kind === 'lossy' && (fault.factor <= 0 || fault.factor >= 1)) {
        this.report(
          [...path, 'factor'],
          'lossy loses messages with probability factor, which must lie between 0 and 1',
          'Add `factor: 0.1`, say.',
        );
      }
    }
  }

  settings(scenario: Scenario): void {
    for (const [name, value] of Object.entries(scenario.settings)) {
      const place = placeOfSetting[name];
      if (place !== undefined) {
        this.report(['settings', name], `${name} has a field of its own`, `Write \`${place}\` instead.`);
        continue;
      }
      const problem = boundProblem(name, value);
      if (problem !== undefined)
        this.report(['settings', name], problem, suggest(name, Object.keys(kernelSettingTable)));
    }
    const known = this.problems.some(({ place }) => place.field?.startsWith('settings') === true);
    const together = known ? undefined : settingProblem(scenario.settings);
    if (together !== undefined) this.report(['settings'], together, 'Change one of the two.');
  }

  /** A fault strikes machines, or the kernel and its disk. */
  private struck(fields: ScenarioFields, { journal, faults }: Scenario, index: number): void {
    const { kind, factor } = faults[index]!;
    const path = ['faults', index];
    const named = fields.faults?.[index]?.machines !== undefined;
    if (kind === 'clockDrift' && Math.abs(factor) > 0.01)
      this.report(
        [...path, 'factor'],
        'agents survive a drift of 0.01 either way',
        'Write a factor from -0.01 to 0.01.',
      );
    if (factor < 0 && kind !== 'clockDrift' && kind !== 'kernelClock')
      this.report([...path, 'factor'], `the factor of ${kind} is not negative`, 'Write a positive one.');
    if (strikesMachines({ kind })) {
      if (!named)
        this.report(path, `${kind} strikes machines, and none are named`, 'Add `machines: { share: 0.1 }`, say.');
      return;
    }
    if (named) this.report([...path, 'machines'], `${kind} strikes no machines`, 'Leave out `machines`.');
    if (isKernelFault({ kind }) && journal === undefined)
      this.report(path, `${kind} needs a kernel with a journal, or nothing would come back`, 'Add `journal: {}`.');
    if (kind === 'diskRot' && !(Number.isInteger(factor) && factor >= 1))
      this.report([...path, 'factor'], 'diskRot flips `factor` bits, at least one', 'Leave out `factor`.');
  }

  files(fields: ScenarioFields, scenario: Scenario, folder: string): void {
    const paths: [FieldPath, string | undefined][] = [
      [['cluster', 'file'], 'file' in fields.cluster ? fields.cluster.file : undefined],
      [['cluster', 'order'], 'order' in fields.cluster ? fields.cluster.order : undefined],
      [['policyDefaults', 'artifact'], fields.policyDefaults?.artifact],
      ...fields.policies.flatMap((policy, index): [FieldPath, string | undefined][] =>
        typeof policy === 'string' ? [] : [[['policies', index, 'artifact'], policy.artifact]],
      ),
      [['workload', 'file'], 'file' in fields.workload ? fields.workload.file : undefined],
      [
        ['workload', 'arrivals', 'order'],
        fields.workload.arrivals?.kind === 'inflated' ? fields.workload.arrivals.order : undefined,
      ],
    ];
    for (const [path, written] of paths) {
      if (written === undefined) continue;
      for (const name of written.includes('{seed}')
        ? scenario.seeds.map((seed) => written.replaceAll('{seed}', String(seed)))
        : [written]) {
        try {
          accessSync(resolve(folder, name), constants.R_OK);
          if (statSync(resolve(folder, name)).isDirectory()) throw Object.assign(new Error(), { code: 'EISDIR' });
        } catch (error) {
          this.report(
            path,
            `${reasonOf(error)}: ${name}`,
            `Check the path; it starts at ${folder}.`,
            'SIRA_FILE_MISSING',
          );
          break;
        }
      }
    }
  }

  private name(path: FieldPath, kind: string, name: string | undefined, known: readonly string[]): void {
    if (name !== undefined && !known.includes(name))
      this.report(path, `no ${kind} is called "${name}"`, suggest(name, known), 'SIRA_POLICY_UNKNOWN');
  }

  private report(path: FieldPath, detail: string, remedy: string, code: ErrorCode = 'SIRA_SCENARIO_INVALID'): void {
    this.problems.push(new SiraError(code, detail, this.source.place(path), remedy));
  }
}
