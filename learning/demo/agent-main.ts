// One agent of the demo, in a process of its own: functions of tensors on TensorFlow.js, served to the kernel.

import { AgentConnection, type WorkFunction } from '../../core/live/client.ts';
import { serveAgents, tellParent } from './child-program.ts';
import { tensorFunctions } from './tensor-work.ts';

const [address = '', name = ''] = process.argv.slice(2);
const functions: Record<string, WorkFunction> = {};
let running = 0;
let finished = 0;
for (const [key, run] of Object.entries(await tensorFunctions()))
  functions[key] = async (inputs, context) => {
    tellParent({ kind: 'work', running: ++running, finished });
    try {
      return await run(inputs, context);
    } finally {
      tellParent({ kind: 'work', running: --running, finished: ++finished });
    }
  };
const connection = AgentConnection.start({
  address,
  agents: [{ name, functions, resources: { cpuMilli: 1000, memoryMib: 1024 } }],
  connection: (state, reason) => void process.stderr.write(`${name}: ${state} ${reason}\n`),
});
serveAgents(connection, 5000);
