import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { SiraError } from '../../core/base/errors.ts';
import { buildScenario } from './build-scenario.ts';
import { checkScenario, loadScenario } from './load-scenario.ts';
import { projectRoot } from './project-root.ts';
import { compileSchema, scenarioSchemaFile } from './schema-problems.ts';

let folder = '';

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'sira-scenario-'));
  mkdirSync(join(folder, 'data'));
  writeFileSync(join(folder, 'data', 'trace.csv'), 'at,for\n0,1\n');
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

function write(text: string): string {
  const file = join(folder, 'scenario.yaml');
  writeFileSync(file, text);
  return file;
}

/** A valid scenario whose lines a test replaces. */
const valid = `name: small
cluster:
  format: groups
  groups:
    - { name: big, count: 2, cpuCores: 1.5, memoryGib: 4, gpuCount: 2, gpuModel: T4 }
workload:
  format: csv
  file: data/trace.csv
  columns: { arrival: at, duration: for }
policies:
  - best-fit
  - sjf
  - { name: mine, order: sjf, place: worst-fit, unplaced: block }
`;

/** `LINE:COLUMN FIELD CODE` of each problem after `from` is replaced by `to`. */
function problemsAfter(from: string, to: string): string[] {
  expect(valid).toContain(from);
  return problemsOf(valid.replace(from, to));
}

function problemsOf(text: string): string[] {
  return checkScenario(write(text)).problems.map(({ place, code, message, remedy }) => {
    expect(place.file).toBe(join(folder, 'scenario.yaml'));
    expect(remedy).not.toBe('');
    return `${place.line}:${place.column} ${place.field ?? '-'} ${code} ${message}`;
  });
}

describe('a valid scenario', () => {
  test('gets its defaults, microseconds and absolute paths', () => {
    const scenario = loadScenario(write(`${valid}warmUp: 1.5h\nmeasure: 1h\nnetwork: { bandwidth: 10Gbit/s }\n`));
    expect(scenario.warmUpMicros).toBe(5_400_000_000);
    expect(scenario.measureMicros).toBe(3_600_000_000);
    expect(scenario.seeds).toEqual([1, 2, 3, 4, 5]);
    expect(scenario.network.bandwidthBytesPerSecond).toBe(1.25e9);
    expect(scenario.network.latency).toEqual({ distribution: 'constant', meanMicros: 200, sigma: 0 });
    expect(scenario.heartbeat).toEqual({ intervalMicros: 10_000_000, leaseMicros: 40_000_000 });
    expect(scenario.cluster).toEqual({
      format: 'groups',
      groups: [{ name: 'big', count: 2, cpuMilli: 1500, memoryMib: 4096, gpuCount: 2, gpuModel: 'T4' }],
    });
    expect(scenario.workload).toEqual({
      source: {
        format: 'csv',
        file: join(folder, 'data', 'trace.csv'),
        columns: { arrival: 'at', duration: 'for', timeUnit: 's' },
      },
      arrivals: { kind: 'trace' },
      durations: { capMicros: Number.POSITIVE_INFINITY, minimumMicros: 1, endless: false },
      estimates: { kind: 'trace' },
    });
    expect(scenario.baseline).toBe('best-fit');
    expect(scenario.objective).toBe('gpuUtilizationPercent');
  });

  test('a name alone is a placement, else a queue order; policyDefaults fill in the rest', () => {
    const scenario = loadScenario(
      write(`${valid}policyDefaults: { place: first-fit, unplaced: block, backfill: never }\n`),
    );
    expect(scenario.policies).toEqual([
      {
        name: 'best-fit',
        order: 'fcfs',
        place: 'best-fit',
        unplaced: 'block',
        backfill: 'never',
        overtakeMax: 0,
        preempt: 'never',
      },
      {
        name: 'sjf',
        order: 'sjf',
        place: 'first-fit',
        unplaced: 'block',
        backfill: 'never',
        overtakeMax: 0,
        preempt: 'never',
      },
      {
        name: 'mine',
        order: 'sjf',
        place: 'worst-fit',
        unplaced: 'block',
        backfill: 'never',
        overtakeMax: 0,
        preempt: 'never',
      },
    ]);
  });

  test('every default that the schema states is the default that a scenario gets', () => {
    const schema = JSON.parse(readFileSync(scenarioSchemaFile(), 'utf8')) as SchemaNode;
    const bare = {
      name: 'x',
      cluster: { format: 'openb', file: 'a' },
      workload: { format: 'swf', file: 'b' },
      policies: ['best-fit'],
      journal: {},
      power: {},
    } as const;
    const stated = structuredClone(bare) as unknown as Record<string, unknown>;
    fillDefaults(stated, schema, schema);
    // The schema's defaults, written out, must be valid and mean the same as leaving them out.
    const validate = compileSchema(scenarioSchemaFile());
    expect(validate(stated), JSON.stringify(validate.errors?.[0])).toBe(true);
    expect(Object.keys(stated).length).toBeGreaterThan(Object.keys(bare).length + 5);
    expect(buildScenario(stated as never, 'f', '', '/')).toEqual(buildScenario(bare, 'f', '', '/'));
  });
});

describe('problems are placed by line, column and field', () => {
  test('unknown fields, with the one that was meant', () => {
    expect(problemsAfter('policies:', 'polices:')).toEqual([
      '1:1 policies SIRA_SCENARIO_INVALID the field "policies" is missing',
      '10:1 polices SIRA_SCENARIO_INVALID unknown field "polices"',
    ]);
    expect(checkScenario(write(valid.replace('policies:', 'polices:'))).problems[1]?.remedy).toContain(
      'Did you mean "policies"?',
    );
    expect(problemsAfter('gpuCount: 2', 'gpuCuont: 2')).toEqual([
      '5:59 cluster.groups.0.gpuCuont SIRA_SCENARIO_INVALID unknown field "gpuCuont"',
    ]);
  });

  test('wrong types, ranges and choices', () => {
    expect(problemsAfter('count: 2,', 'count: two,')).toEqual([
      '5:27 cluster.groups.0.count SIRA_SCENARIO_INVALID expected a whole number, not "two"',
    ]);
    expect(problemsAfter('count: 2,', 'count: 0,')).toEqual([
      '5:27 cluster.groups.0.count SIRA_SCENARIO_INVALID must be >= 1, not 0',
    ]);
    expect(problemsAfter('unplaced: block', 'unplaced: blok')).toEqual([
      '13:59 policies.2.unplaced SIRA_SCENARIO_INVALID "blok" is not allowed here',
    ]);
    expect(problemsAfter('format: csv', 'format: cvs')[0]).toBe(
      '7:11 workload.format SIRA_SCENARIO_INVALID unknown format "cvs"',
    );
    expect(problemsAfter('  format: csv\n', '')).toEqual([
      '6:1 workload.format SIRA_SCENARIO_INVALID the field "format" is missing in "workload"',
    ]);
    expect(problemsOf(`${valid}warmUp: 10\n`)).toEqual([
      '14:9 warmUp SIRA_SCENARIO_INVALID expected a duration with its unit, such as 200us, 10s, 5m, 1d, not 10',
    ]);
    expect(problemsOf(`${valid}warmUp: 1h\n`)[0]).toContain(
      'warmUp SIRA_SCENARIO_INVALID a run to the end of all tasks',
    );
    expect(problemsOf(`${valid}warmUp:\n`)[0]).toContain('the value is empty; expected a duration');
    expect(problemsOf(`${valid}guards: [ { metric: waitMeanSeconds } ]\n`)).toEqual([
      '14:11 guards.0 SIRA_SCENARIO_INVALID a guard needs atMost or atLeast',
    ]);
  });

  test('several problems come in the order of the file, and loadScenario counts them', () => {
    const file = write(valid.replace('count: 2,', 'count: 0,').replace('unplaced: block', 'unplaced: blok'));
    expect(checkScenario(file).problems.map((problem) => problem.place.line)).toEqual([5, 13]);
    expect(() => loadScenario(file)).toThrow(SiraError);
    try {
      loadScenario(file);
    } catch (error) {
      expect((error as SiraError).remedy).toContain('one more problem');
    }
  });

  test('YAML that is none', () => {
    expect(problemsOf('name: [1,\npolicies')[0]).toMatch(/^\d+:\d+ - SIRA_YAML_MALFORMED /);
    expect(problemsOf('name: a\nname: b\n')).toEqual(['2:1 - SIRA_YAML_MALFORMED Map keys must be unique']);
    expect(problemsOf('a:\n\t- b\n')[0]).toMatch(/^2:\d+ - SIRA_YAML_MALFORMED /);
    expect(problemsOf('')[0]).toMatch(/^1:1 /);
    expect(problemsOf('- a list')[0]).toContain('expected');
    expect(problemsOf('a: *nowhere')[0]).toContain('SIRA_YAML_MALFORMED');
  });

  test('missing files, a folder, and the scenario itself', () => {
    expect(problemsAfter('data/trace.csv', 'data/nothing.csv')).toEqual([
      '8:9 workload.file SIRA_FILE_MISSING there is no such file: data/nothing.csv',
    ]);
    expect(problemsAfter('data/trace.csv', 'data')).toEqual([
      '8:9 workload.file SIRA_FILE_MISSING this is a folder, not a file: data',
    ]);
    expect(() => loadScenario(join(folder, 'none.yaml'))).toThrow(
      expect.objectContaining({ code: 'SIRA_FILE_MISSING' }),
    );
  });
});

describe('rules beyond the schema', () => {
  test('kernel settings by name, within their bounds, and fair shares only where the order looks at them', () => {
    const withSettings = (settings: string): string[] => problemsOf(`${valid}settings: { ${settings} }\n`);
    expect(withSettings('health.returnsMax: 3, health.flapHoldFirstMicros: 20s')).toEqual([]);
    expect(loadScenario(write(`${valid}settings: { health.flapHoldFirstMicros: 20s }\n`)).settings).toEqual({
      'health.flapHoldFirstMicros': 20_000_000,
    });
    expect(withSettings('health.returnMax: 3')[0]).toContain('settings.health.returnMax SIRA_SCENARIO_INVALID');
    expect(withSettings('health.heldShareMax: 2')[0]).toContain('settings.health.heldShareMax');
    expect(withSettings('health.returnsWindowMicros: soon')[0]).toContain('settings.health.returnsWindowMicros');
    expect(withSettings('registry.leaseMicros: 1m')[0]).toContain('a field of its own');
    expect(withSettings('health.flapHoldFirstMicros: 2h')[0]).toContain('must be at least');
    expect(problemsAfter('unplaced: block', 'tenantWeights: { a: 2 }')[0]).toContain('weighs tenants');
  });

  test('names of policies', () => {
    expect(problemsAfter('- best-fit', '- bestfit')).toEqual([
      '11:5 policies.0 SIRA_POLICY_UNKNOWN no placement or queue order is called "bestfit"',
    ]);
    expect(problemsAfter('- best-fit', '- { name: own }')).toEqual([
      '11:5 policies.0 SIRA_SCENARIO_INVALID the policy "own" names neither a placement nor a queue order',
    ]);
    expect(problemsAfter('- best-fit', '- mine')).toContainEqual(
      '13:13 policies.2.name SIRA_SCENARIO_INVALID two policies are called "mine" (the other is number 1)',
    );
    expect(problemsOf(`${valid}baseline: sfj\n`)).toEqual([
      '14:11 baseline SIRA_SCENARIO_INVALID the baseline "sfj" is not one of the policies',
    ]);
    expect(problemsAfter('place: worst-fit', 'place: constructor')[0]).toContain('SIRA_POLICY_UNKNOWN');
  });

  test('rules that contradict each other', () => {
    expect(problemsAfter('unplaced: block', 'backfill: never')[0]).toContain(
      '13:5 policies.2 SIRA_SCENARIO_INVALID the policy "mine" backfills',
    );
    expect(problemsAfter('unplaced: block', 'unplaced: block, overtakeMax: 3')[0]).toContain('bounds overtaking');
    expect(problemsOf(`${valid}heartbeat: { interval: 10s, lease: 24s }\n`)[0]).toContain('14:36 heartbeat.lease');
    expect(problemsOf(`${valid}heartbeat: { interval: 10s, lease: 25s }\n`)).toEqual([]);
    expect(problemsOf(`${valid}heartbeat: { interval: 20s }\n`)[0]).toMatch(
      /14:24 heartbeat.interval.*40 s, the default/,
    );
    expect(problemsOf(`${valid}seeds: [1, 2, 1]\n`)).toEqual([
      '14:15 seeds.2 SIRA_SCENARIO_INVALID the seed 1 is given twice',
    ]);
    expect(problemsOf(`${valid}measure: 99999999d\n`)[0]).toContain(
      '14:10 measure SIRA_SCENARIO_INVALID the duration 99999999d is too long',
    );
    const fault = (fields: string, journal = 'journal: {}\n'): string[] =>
      problemsOf(`${valid}${journal}faults: [ { at: 1s, for: 1s, ${fields} } ]\n`);
    expect(fault('kind: kernelCrash')).toEqual([]);
    expect(fault('kind: kernelCrash', '')[0]).toContain('kernelCrash needs a kernel with a journal');
    expect(fault('kind: diskFull, machines: { share: 0.5 }')[0]).toContain('strikes no machines');
    expect(fault('kind: gatewayCrash', '')).toEqual([]);
    expect(fault('kind: clockJump, factor: 30')[0]).toContain('clockJump strikes machines');
    expect(fault('kind: clockDrift, factor: 0.02, machines: { share: 0.5 }')[0]).toContain('survive a drift of 0.01');
    expect(fault('kind: clockDrift, factor: -0.01, machines: { share: 0.5 }')).toEqual([]);
    expect(fault('kind: kernelClock, factor: -30')).toEqual([]);
    expect(fault('kind: kernelClock, factor: -30', '')[0]).toContain('needs a kernel with a journal');
    expect(fault('kind: clockJump, factor: -1, machines: { share: 0.5 }')[0]).toContain('is not negative');
    expect(fault('kind: diskSlow')[0]).toContain('factor, which must be above 1');
    expect(fault('kind: diskRot, factor: 0.5')[0]).toContain('flips `factor` bits');
    expect(fault('kind: crash')[0]).toContain('crash strikes machines, and none are named');
    expect(problemsOf(`${valid}faults: [ { kind: slow, at: 1s, for: 1s, machines: { share: 0.5 } } ]\n`)[0]).toContain(
      '14:11 faults.0.factor',
    );
  });

  test('seeds may name the first job of a window', () => {
    const windows = valid
      .replace('csv\n', 'swf\n')
      .replace(/ {2}columns:.*\n/, '  firstJob: "{seed}"\n  jobCount: 8\n');
    expect(problemsOf(`${windows}seeds: [1, 20]\n`)).toEqual([]);
    expect(problemsOf(`${windows}seeds: [0]\n`)[0]).toContain(
      'seeds.0 SIRA_SCENARIO_INVALID the seed 0 names the first job',
    );
    expect(problemsOf(windows.replace('{seed}', '{sed}'))[0]).toContain('expected a whole number from 1, or "{seed}"');
  });

  test('metrics that exist, where they can be measured', () => {
    expect(problemsOf(`${valid}objective: waitMeanSecond\n`)).toEqual([
      '14:12 objective SIRA_SCENARIO_INVALID no metric is called "waitMeanSecond"',
    ]);
    const withoutGpus = valid.replace(', gpuCount: 2, gpuModel: T4', '');
    expect(problemsOf(`${withoutGpus}guards: [ { metric: gpuUtilizationPercent, atLeast: 50 } ]\n`)).toEqual([
      '14:21 guards.0.metric SIRA_SCENARIO_INVALID "gpuUtilizationPercent" needs GPUs, and the cluster has none',
    ]);
    expect(problemsOf(`${valid}guards: [ { metric: waitMeanSeconds, atMost: 1, atLeast: 2 } ]\n`)[0]).toContain(
      'guards.0.atLeast',
    );
  });

  test('arrivals that never end need a window, loads need their resource', () => {
    const resampled = valid.replace('columns:', 'arrivals: { kind: resampled, load: 0.9, resource: gpu }\n  columns:');
    expect(problemsOf(resampled)[0]).toContain('measure SIRA_SCENARIO_INVALID tasks arrive without end');
    expect(problemsOf(`${resampled}measure: 1h\n`)).toEqual([]);
    const withoutGpus = resampled.replace(', gpuCount: 2, gpuModel: T4', '');
    expect(problemsOf(`${withoutGpus}measure: 1h\n`)[0]).toContain('the load is measured in GPUs');
  });
});

test('every published scenario is valid', () => {
  const scenarios = join(projectRoot(), 'scenarios');
  const files = readdirSync(scenarios).filter((name) => name.endsWith('.yaml'));
  expect(files).toContain('gpu-cluster.yaml');
  for (const name of files) expect(checkScenario(join(scenarios, name)).problems, name).toEqual([]);
});

interface SchemaNode {
  readonly $ref?: string;
  readonly default?: unknown;
  readonly type?: string | readonly string[];
  readonly properties?: Readonly<Record<string, SchemaNode>>;
  readonly required?: readonly string[];
  readonly definitions?: Readonly<Record<string, SchemaNode>>;
  readonly discriminator?: { readonly propertyName: string };
  readonly oneOf?: readonly (SchemaNode & {
    readonly properties: Readonly<Record<string, { readonly const?: string }>>;
  })[];
}

/** Writes out the defaults of `node` into `value`, and of the parts below it that need no choice. */
function fillDefaults(value: Record<string, unknown>, node: SchemaNode, root: SchemaNode): void {
  const tag = node.discriminator?.propertyName;
  const branch = tag === undefined ? node : node.oneOf?.find((one) => one.properties[tag]?.const === value[tag]);
  for (const [name, part] of Object.entries(branch?.properties ?? {})) {
    const target =
      part.$ref === undefined ? part : { ...root.definitions?.[part.$ref.replace('#/definitions/', '')], ...part };
    if (value[name] === undefined && target.default !== undefined) value[name] = structuredClone(target.default);
    else if (
      value[name] === undefined &&
      target.type === 'object' &&
      (target.required ?? []).length === 0 &&
      target.oneOf === undefined
    ) {
      if (name === 'policyDefaults') continue;
      value[name] = {};
    }
    const inner = value[name];
    if (typeof inner === 'object' && inner !== null && !Array.isArray(inner))
      fillDefaults(inner as Record<string, unknown>, target, root);
  }
}
