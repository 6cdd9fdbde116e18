// A process of the test of traces: an agent whose spans go to standard output, one JSON object a line. Not a test itself.

import { trace } from '@opentelemetry/api';
import { InMemorySpanExporter, NodeTracerProvider, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-node';
import { AgentConnection } from './client.ts';

const [address = '', name = 'traced'] = process.argv.slice(2);
const exporter = new InMemorySpanExporter();
new NodeTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] }).register();
setInterval(() => {
  for (const span of exporter.getFinishedSpans()) {
    const { traceId, spanId } = span.spanContext();
    const parent = span.parentSpanContext?.spanId;
    process.stdout.write(`${JSON.stringify({ name: span.name, traceId, spanId, parent, status: span.status })}\n`);
  }
  exporter.reset();
}, 20);
AgentConnection.start({
  address,
  agents: [
    {
      name,
      functions: {
        work: async () => {
          await new Promise((resolve) => setTimeout(resolve, 5));
          trace.getTracer('function').startSpan('within').end();
          return {};
        },
        broken: () => {
          throw new Error('no');
        },
      },
      models: [{ function: 'work' }],
    },
  ],
});
