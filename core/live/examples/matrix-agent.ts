// An agent to try things with: it multiplies matrices and can be told to take its time. Run it as often as there are agents:
// node dist/core/live/examples/matrix-agent.js 127.0.0.1:7420 agent-1

import { AgentConnection, arrayFrom, tensorFrom, type WorkFunction } from '../client.ts';

const [address = '127.0.0.1:7420', name = `agent-${process.pid}`] = process.argv.slice(2);

/** `left` [rows, inner] times `right` [inner, columns], both float64; parameter `delayMillis` is waited first. */
const multiply: WorkFunction = async ({ left, right }, { parameters, signal }) => {
  if (left === undefined || right === undefined) throw new Error('the inputs are "left" and "right"');
  const [rows = 0, inner = 0] = left.shape;
  const [height, columns = 0] = right.shape;
  if (inner !== height) throw new Error(`[${left.shape}] and [${right.shape}] cannot be multiplied`);
  if (typeof parameters.delayMillis === 'number') await wait(parameters.delayMillis, signal);
  const a = arrayFrom(left);
  const b = arrayFrom(right);
  const product = new Float64Array(rows * columns);
  for (let row = 0; row < rows; row++)
    for (let step = 0; step < inner; step++)
      for (let column = 0; column < columns; column++)
        product[row * columns + column]! += a[row * inner + step]! * b[step * columns + column]!;
  return { product: tensorFrom(product, [rows, columns]) };
};

function wait(millis: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, millis);
    signal.addEventListener('abort', () => {
      clearTimeout(timer);
      resolve();
    });
  });
}

const agent = AgentConnection.start({
  address,
  agents: [{ name, functions: { 'matrix-multiply': multiply }, resources: { cpuMilli: 1000, memoryMib: 1024 } }],
  connection: (state, reason) => process.stderr.write(`${name}: ${state} ${reason}\n`),
});
for (const signal of ['SIGTERM', 'SIGINT'] as const)
  process.once(signal, () => void agent.drain(10_000).then(() => agent.stop()));
