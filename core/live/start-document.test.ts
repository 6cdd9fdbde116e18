import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { SiraError } from '../base/errors.ts';
import { createKernelSettings } from '../config/kernel-setting-table.ts';
import { durationsOf, writeDurations } from '../policy/forecast/duration-model.ts';
import { writeForecasterArtifact } from '../policy/forecast/forecaster-artifact.ts';
import { type ForecasterManifest, forecasterFormat } from '../policy/forecast/forecaster-model.ts';
import { writePolicyArtifact } from '../policy/policy-artifact.ts';
import { queueFeatureCount, queueFeatureNames, queueOrderSchema } from '../policy/queue-features.ts';
import { samplePolicy } from '../policy/sample-policy.ts';
import { readStart, startDocument, startSchemaFile } from './start-document.ts';
import { environmentNames, liveKernelSettings, startSettings, withEnvironment } from './start-settings.ts';

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'sira-start-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function read(text: string) {
  const file = join(folder, 'start.yaml');
  writeFileSync(file, text);
  return readStart(file);
}

/** Place and message of each problem. */
function problems(text: string): string[] {
  return read(text).problems.map(({ place, message }) => `${place.line}:${place.column} ${place.field} ${message}`);
}

interface SchemaNode {
  readonly description?: string;
  readonly properties?: Readonly<Record<string, SchemaNode>>;
}

describe('the configuration of the live kernel', () => {
  test('every field may be left out, and an empty file is sound', () => {
    expect(read('').fields).toEqual({});
    expect(startSettings({})).toMatchObject({
      dataFolder: 'sira-data',
      grpcAddress: '127.0.0.1:7420',
      durability: 'powerFailure',
      heartbeatBatchMicros: 100_000,
    });
    const status = createKernelSettings().assign(liveKernelSettings, { who: 'test', why: 'test', atMicros: 0 });
    expect(status).toEqual({ ok: true });
  });

  test('what is written is what is run with', () => {
    const { fields, problems: found } = read(
      [
        'data: elsewhere',
        'durability: processCrash',
        'grpc: { address: "0.0.0.0:1", heartbeatBatch: 50ms }',
        'policy: { order: fcfs, place: spread }',
        'settings: { registry.leaseMicros: 6s }',
        'snapshot: { inputs: 10, interval: 2s, kept: 3 }',
      ].join('\n'),
    );
    expect(found).toEqual([]);
    expect(startSettings(fields!)).toMatchObject({
      dataFolder: 'elsewhere',
      durability: 'processCrash',
      grpcAddress: '0.0.0.0:1',
      heartbeatBatchMicros: 50_000,
      profile: { order: 'fcfs', place: 'spread', unplaced: 'skip' },
      settings: { 'registry.leaseMicros': '6s', 'registry.heartbeatIntervalMicros': 500_000 },
      snapshotInputs: 10,
      snapshotMicros: 2_000_000,
      snapshotsKept: 3,
    });
  });

  test('every mistake is named with its place and what may have been meant', () => {
    expect(problems('grpc: { adress: x }\ndurability: power\nlog: 3')).toEqual([
      '1:9 grpc.adress unknown field "adress"',
      '2:13 durability "power" is not allowed here',
      '3:6 log expected a block of fields, not 3',
    ]);
    expect(problems('policy:\n  order: fcfz\n  place: fgd\nsettings:\n  registry.leaseMicros: 6d\n  foo: 1')).toEqual([
      expect.stringContaining('2:10 policy.order no queue order is called "fcfz"'),
      '3:10 policy.place fgd needs a typical workload, which a live kernel has not',
      expect.stringContaining('5:25 settings.registry.leaseMicros registry.leaseMicros is at most'),
      '6:8 settings.foo there is no setting "foo"',
    ]);
    expect(problems('settings: { registry.heartbeatIntervalMicros: 1700ms }')).toEqual([
      expect.stringContaining('registry.leaseMicros must be at least 2.5 times registry.heartbeatIntervalMicros'),
    ]);
    expect(problems('data: [')).toEqual([expect.stringContaining('1:8')]);
    expect(readStart(join(folder, 'nothing.yaml')).problems[0]?.code).toBe('SIRA_FILE_MISSING');
  });

  test('a learned policy is read from its file, and one that cannot decide is named', () => {
    const { manifest, layers } = samplePolicy([queueFeatureCount, 4, 1], { schema: queueOrderSchema });
    const features = manifest.features.map((feature, index) => ({ ...feature, name: queueFeatureNames[index]! }));
    const bytes = writePolicyArtifact({ manifest: { ...manifest, features }, layers });
    writeFileSync(join(folder, 'sound.safetensors'), bytes);
    writeFileSync(join(folder, 'other.safetensors'), writePolicyArtifact({ manifest, layers }));
    const policy = (text: string) => `policy: { ${text} }`;
    expect(read(policy('order: learned, artifact: sound.safetensors')).fields?.policy).toEqual({
      order: 'learned',
      artifact: Buffer.from(bytes).toString('base64'),
    });
    expect(problems(policy('order: learned, artifact: none.safetensors'))).toContain(
      '1:37 policy.artifact there is no such file: none.safetensors',
    );
    expect(problems(policy('order: learned, artifact: other.safetensors'))).toEqual([
      '1:37 policy.artifact feature 0 is not estimateLog',
    ]);
    expect(problems(policy('order: learned'))).toEqual(['1:18 policy.order the order "learned" needs an artifact']);
    expect(problems(policy('order: sjf, artifact: sound.safetensors'))).toEqual([
      '1:33 policy.artifact only the order or placement `learned` looks at an artifact',
    ]);
  });

  test('what a policy looks ahead by is read from its files, and what does not fit is named', () => {
    writeFileSync(join(folder, 'none.safetensors'), 'no tensors');
    const durations = { name: 'd', medianSeconds: new Map([['', 2]]), lineage: {} };
    writeFileSync(join(folder, 'd.safetensors'), writeDurations(durations));
    const policy = (text: string) => `policy: { ${text} }`;
    const { fields } = read(policy('durations: d.safetensors, scaling: { resource: gpu, interval: 5s, keep: 2min }'));
    expect(durationsOf(fields!.policy!.durations!)).toEqual(durations);
    expect(fields?.policy?.scaling).toEqual({
      ...{ resource: 'gpu', intervalMicros: 5e6, spareShare: 0, keepMicros: 120e6, machinesMin: 1 },
    });
    expect(problems(policy('scaling: { forecaster: away.safetensors }'))).toEqual([
      '1:34 policy.scaling.forecaster there is no such file: away.safetensors',
    ]);
    expect(problems(policy('durations: none.safetensors'))[0]).toContain('1:22 policy.durations');
    const shape = { mean: 0, deviation: 1, minimum: 0, maximum: 1 };
    const manifest: ForecasterManifest = {
      ...{ format: forecasterFormat, name: 'f', target: 'demand', unit: 'cpuMilli', horizon: 2, lowerBound: 0 },
      ...{ intervalMicros: 1e6, input: shape, levels: [0.5] },
      lineage: { command: 'by hand', dataSha256: {}, evaluation: {} },
    };
    const members = [{ kind: 'season', weight: 1, season: Float64Array.of(1) }] as const;
    const bytes = writeForecasterArtifact({ manifest, members, offsets: new Float64Array(2) });
    writeFileSync(join(folder, 'f.safetensors'), bytes);
    const scaling = (text: string) => policy(`scaling: { forecaster: f.safetensors, ${text} }`);
    expect(read(scaling('wake: 1s, level: 0.4')).fields?.policy?.scaling).toMatchObject({
      ...{ resource: 'cpu', intervalMicros: 1e6 },
      forecast: { steps: 2, level: 0, artifact: Buffer.from(bytes).toString('base64') },
    });
    expect(problems(scaling('wake: 9s, level: 0.4'))[0]).toContain('the forecaster looks 2 steps ahead');
    expect(problems(scaling('wake: 1s, level: 0.9'))[0]).toContain('none from 0.9 on');
  });

  test('the environment stands above the file', () => {
    const fields = withEnvironment(
      { data: 'a', grpc: { address: 'b:1', heartbeatBatch: '1s' } },
      { SIRA_GRPC_ADDRESS: 'c:2', SIRA_SEED: '7', SIRA_LOG_LEVEL: '', HOME: 'x' },
    );
    expect(fields).toEqual({ data: 'a', grpc: { address: 'c:2', heartbeatBatch: '1s' }, seed: 7 });
    for (const [name, text] of [
      ['SIRA_SEED', 'x'],
      ['SIRA_LOG_LEVEL', 'loud'],
      ['SIRA_DURABILITY', 'none'],
    ] as const)
      expect(() => withEnvironment({}, { [name]: text })).toThrow(SiraError);
  });

  test('schema, variables and `sira check` know the same fields', () => {
    const schema = JSON.parse(readFileSync(startSchemaFile(), 'utf8')) as SchemaNode;
    expect([...startDocument.fields, 'journal'].toSorted(inOrder)).toEqual(
      Object.keys(schema.properties ?? {}).toSorted(inOrder),
    );
    for (const path of Object.values(environmentNames)) {
      let node: SchemaNode | undefined = schema;
      for (const part of path.split('.')) node = node?.properties?.[part];
      expect(node?.description, path).toBeDefined();
    }
  });
});

function inOrder(left: string, right: string): number {
  return left < right ? -1 : 1;
}
