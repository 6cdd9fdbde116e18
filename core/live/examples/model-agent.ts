// An agent whose functions are models for clients of the Open Inference Protocol: node dist/core/live/examples/model-agent.js
// 127.0.0.1:7420 models. `linear` multiplies batches of rows by a matrix, in two versions; `echo` gives back what it is given, of
// every type; `slow` waits, and `broken` fails.

import type { DataType } from '../../tensor/data-type.ts';
import { AgentConnection, arrayFrom, type ModelDefinition, tensorFrom, type WorkFunction } from '../client.ts';

const [address = '127.0.0.1:7420', name = `models-${process.pid}`] = process.argv.slice(2);

const inner = 3;
const columns = 2;

function linear(weights: Float32Array): WorkFunction {
  return ({ rows }) => {
    if (rows === undefined) throw new Error('the input is "rows"');
    const height = rows.shape[0] as number;
    const x = arrayFrom(rows);
    const y = new Float32Array(height * columns);
    for (let row = 0; row < height; row++)
      for (let step = 0; step < inner; step++)
        for (let column = 0; column < columns; column++)
          y[row * columns + column]! += x[row * inner + step]! * weights[step * columns + column]!;
    return {
      product: tensorFrom(y, [height, columns]),
      sums: tensorFrom(Float64Array.of(y.reduce((a, b) => a + b, 0))),
    };
  };
}

const linearModel = (work: string, version: string): ModelDefinition => ({
  function: work,
  name: 'linear',
  version,
  platform: 'sira_example',
  inputs: [{ name: 'rows', dataType: 'float32', shape: [-1, inner] }],
  outputs: [
    { name: 'product', dataType: 'float32', shape: [-1, columns] },
    { name: 'sums', dataType: 'float64', shape: [1] },
  ],
  estimateMicros: 1000,
  properties: { weights: 'fixed' },
});

const echoed: readonly DataType[] = [
  ...(['bool', 'int8', 'int16', 'int32', 'int64', 'uint8', 'uint16', 'uint32', 'uint64'] as const),
  ...(['float16', 'bfloat16', 'float32', 'float64', 'string'] as const),
];

const echoModel = (dataType: DataType): ModelDefinition => ({
  function: 'echo',
  name: `echo-${dataType}`,
  inputs: [{ name: 'x', dataType, shape: [-1, -1] }],
  outputs: [{ name: 'x', dataType, shape: [-1, -1] }],
});

const agent = AgentConnection.start({
  address,
  agents: [
    {
      name,
      functions: {
        'linear-1': linear(Float32Array.of(1, 0, 0, 1, 1, 1)),
        'linear-2': linear(Float32Array.of(2, 0, 0, 2, 2, 2)),
        echo: (inputs) => inputs,
        slow: (_, { signal, parameters }) =>
          new Promise((resolve, reject) => {
            const timer = setTimeout(() => resolve({}), Number(parameters.delayMillis ?? 60_000));
            signal.addEventListener('abort', () => {
              clearTimeout(timer);
              process.stdout.write('stopped\n');
              reject(new Error('stopped'));
            });
          }),
        broken: () => {
          throw new Error('the weights are broken');
        },
      },
      models: [
        linearModel('linear-1', '1'),
        linearModel('linear-2', '2'),
        ...echoed.map(echoModel),
        { function: 'slow' },
        { function: 'broken' },
      ],
      resources: { cpuMilli: 4000, memoryMib: 1024 },
    },
  ],
  connection: (state, reason) => process.stderr.write(`${name}: ${state} ${reason}\n`),
});
for (const signal of ['SIGTERM', 'SIGINT'] as const)
  process.once(signal, () => void agent.drain(10_000).then(() => agent.stop()));
