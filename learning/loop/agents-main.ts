// Agents of the loop, several in one process, as agents are that call a model elsewhere: a task holds a slot of theirs for as long as
// the call takes, and costs the processor nothing.

import { AgentConnection, tensorFrom, type WorkFunction } from '../../core/live/client.ts';
import { serveAgents } from '../demo/child-program.ts';

const [address = '', names = '', classes = '', cpuMilli = '', memoryMib = ''] = process.argv.slice(2);

const work: WorkFunction = (_, { parameters, signal }) =>
  new Promise((resolve, reject) => {
    const millis = Number(parameters.millis);
    const timer = setTimeout(() => resolve({ answer: tensorFrom(Float32Array.of(millis), [1]) }), millis);
    signal.addEventListener('abort', () => {
      clearTimeout(timer);
      reject(new Error('the call is not wanted any more'));
    });
  });
const functions = Object.fromEntries(classes.split(',').map((name) => [name, work]));
const connection = AgentConnection.start({
  address,
  agents: names.split(',').map((name) => ({
    ...{ name, functions, resources: { cpuMilli: Number(cpuMilli), memoryMib: Number(memoryMib) } },
  })),
  connection: (state, reason) => void process.stderr.write(`${names}: ${state} ${reason}\n`),
});
serveAgents(connection, 2000);
