// One trace from the submission to the result, over two processes: submitter and kernel in this one, the agent in its own.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { credentials, Metadata } from '@grpc/grpc-js';
import { context, propagation, trace } from '@opentelemetry/api';
import { InMemorySpanExporter, NodeTracerProvider, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-node';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { GRPCInferenceServiceClient } from '../proto/generated/inference/open_inference_grpc.ts';
import { Submitter } from './client.ts';
import { built, LiveProcesses } from './live-processes.contract.ts';
import { silentLogger } from './logger.ts';
import { type RunningKernel, runKernel } from './run-kernel.ts';
import { startSettings } from './start-settings.ts';

interface Told {
  readonly name: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly parent?: string | undefined;
}

const exporter = new InMemorySpanExporter();
const processes = new LiveProcesses();
const theirs: Told[] = [];
let folder = '';
let running: RunningKernel;
let submitter: Submitter;

beforeAll(async () => {
  new NodeTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] }).register();
  folder = mkdtempSync(join(tmpdir(), 'sira-tracing-'));
  const addresses = { grpc: { address: '127.0.0.1:0', heartbeatBatch: '20ms' }, http: { address: '127.0.0.1:0' } };
  const fields = { data: join(folder, 'data'), ...addresses, durability: 'processCrash' } as const;
  running = await runKernel(startSettings(fields), '1', silentLogger);
  const program = join(built, 'core', 'live', 'tracing-process.contract.js');
  const agent = processes.spawn(process.execPath, [program, running.grpc.address], process.env);
  let output = '';
  agent.stdout?.on('data', (text) => {
    const lines = (output + text).split('\n');
    output = lines.pop() ?? '';
    theirs.push(...lines.map((line) => JSON.parse(line) as Told));
  });
  submitter = await Submitter.connect({ address: running.grpc.address, name: 'tester' });
});
afterAll(async () => {
  submitter.abandon();
  await running.stop();
  await processes.end();
  trace.disable();
  context.disable();
  propagation.disable();
  rmSync(folder, { recursive: true, force: true });
});

const ours = (): Told[] =>
  exporter.getFinishedSpans().map((span) => ({
    name: span.name,
    ...span.spanContext(),
    parent: span.parentSpanContext?.spanId,
  }));

/** Names from the span called `name` up to the root, once it is there. */
async function ancestors(name: string, traceId: string, remote = ''): Promise<string[]> {
  const end = performance.now() + 8000;
  for (;;) {
    const spans = [...ours(), ...theirs].filter((span) => span.traceId === traceId);
    const path: string[] = [];
    let next = spans.find((span) => span.name === name);
    while (next !== undefined) {
      path.push(next.name);
      const { parent }: Told = next;
      next = spans.find((span) => span.spanId === parent);
      if (next === undefined && (parent === undefined || parent === remote)) return path;
      if (next === undefined) path.push(`missing ${parent}`);
    }
    if (performance.now() > end) return path;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

test('a task is one trace, from who submits it to what its function does', async () => {
  await trace.getTracer('test').startActiveSpan('root', async (root) => {
    const { traceId } = root.spanContext();
    const end = await submitter.run({ function: 'work' });
    root.end();
    expect(end.outcome).toBe('completed');
    expect(await ancestors('within', traceId)).toEqual(['within', 'run work', 'attempt work', 'submit work', 'root']);
    expect(await ancestors('wait work', traceId)).toEqual(['wait work', 'submit work', 'root']);
  });
});

test('a failure stands in the spans', async () => {
  const end = await submitter.run({ function: 'broken' });
  expect(end.outcome).toBe('failed');
  const span = exporter.getFinishedSpans().find(({ name }) => name === 'submit broken');
  expect(span?.status).toMatchObject({ code: 2, message: 'no' });
});

test('the trace of an inference client goes on', async () => {
  const client = new GRPCInferenceServiceClient(running.grpc.address, credentials.createInsecure());
  const traceId = '0af7651916cd43dd8448eb211c80319c';
  const metadata = new Metadata();
  metadata.set('traceparent', `00-${traceId}-b7ad6b7169203331-01`);
  const empty = { modelVersion: '', id: '', parameters: new Map(), inputs: [], outputs: [], rawInputContents: [] };
  await new Promise<void>((resolve, reject) =>
    client.modelInfer({ modelName: 'work', ...empty }, metadata, (error) =>
      error === null ? resolve() : reject(error),
    ),
  );
  client.close();
  const path = await ancestors('run work', traceId, 'b7ad6b7169203331');
  expect(path).toEqual(['run work', 'attempt work', 'submit work']);
});
