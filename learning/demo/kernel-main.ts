// The kernel of the demo, in a process of its own: what `sira start` runs, with settings for a small fleet that is disturbed on
// purpose, and every snapshot kept, so that the record has its beginning.

import { createLogger } from '../../core/live/logger.ts';
import { runKernel } from '../../core/live/run-kernel.ts';
import { startSettings } from '../../core/live/start-settings.ts';
import { endWithParent, tellParent } from './child-program.ts';

const [data = '', grpcAddress = '', httpAddress = '', version = ''] = process.argv.slice(2);

const settings = startSettings({
  data,
  grpc: { address: grpcAddress },
  http: { address: httpAddress },
  snapshot: { kept: 100_000 },
  log: { level: 'warn' },
  settings: {
    // Slow agents are looked for at once, and in a fleet as small as this.
    'health.slowFactor': 2.5,
    'health.samplesMin': 8,
    'health.agentsMin': 2,
    'health.checkIntervalMicros': 1_000_000,
    'health.ejectionFirstMicros': 10_000_000,
    'health.heldShareMax': 0.4,
  },
});
const running = await runKernel(settings, version, createLogger(settings.logLevel));
endWithParent(() => running.stop());
tellParent({ kind: 'ready', url: running.http.url });
const fault = await running.failed;
process.stderr.write(`${fault.reason}\n`);
process.exit(1);
