// The kernel of the loop, in a process of its own: what `sira start` runs, with the fields that the file named in the first
// argument holds. Asked for it, it says when all rows of telemetry so far are in the store.

import { readFileSync } from 'node:fs';
import { createLogger } from '../../core/live/logger.ts';
import { runKernel } from '../../core/live/run-kernel.ts';
import { startSettings } from '../../core/live/start-settings.ts';
import { endWithParent, tellParent } from '../demo/child-program.ts';

const [file = '', version = ''] = process.argv.slice(2);
const flushMillis = 30_000;

const settings = startSettings(JSON.parse(readFileSync(file, 'utf8')));
const running = await runKernel(settings, version, createLogger(settings.logLevel));
endWithParent(() => running.stop());
process.on('message', (message: { readonly ask?: string }) => {
  if (message.ask !== 'flush') return;
  void (running.telemetry?.flushed(flushMillis) ?? Promise.resolve(false)).then((isFlushed) =>
    tellParent({ kind: 'flushed', isFlushed }),
  );
});
tellParent({ kind: 'ready', url: running.http.url, address: running.grpc.address });
const fault = await running.failed;
process.stderr.write(`${fault.reason}\n`);
process.exit(1);
