// `sira telemetry`: makes the rows of a live kernel again from its journal. A kernel that was killed had its last rows in memory; a
// store may have been lost, or be wanted elsewhere. The same rows come under the same keys, so that what is there already stays one.

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { SiraError } from '../../base/errors.ts';
import type { Command, CommandCall, CommandContext } from '../../ports/command.ts';
import type { TelemetryBatch } from '../../telemetry/rows.ts';
import type { TableName } from '../../telemetry/tables.ts';

const batchRows = 8192;
const sampleMicros = 1_000_000;

export const telemetryCommand: Command = {
  name: 'telemetry',
  summary: 'make the telemetry of a live kernel again from its journal',
  description:
    'Reads the journal of a kernel that does not run, from the oldest snapshot kept, and writes the rows that it should have left. Rows that the store has already are not doubled.',
  arguments: [
    { name: 'action', description: 'rebuild', required: true, many: false },
    { name: 'data', description: 'data folder of the kernel', required: true, many: false },
    { name: 'store', description: 'a DuckDB file, or http://HOST:PORT of QuestDB', required: true, many: false },
  ],
  options: [{ flags: '--run <name>', description: 'what its rows are called in the column run', defaultValue: 'live' }],
  examples: [
    { line: 'sira telemetry rebuild sira-data telemetry.duckdb', meaning: 'after a kernel was killed' },
    { line: 'sira telemetry rebuild sira-data http://127.0.0.1:9000 --run live', meaning: 'into QuestDB' },
  ],
  run: rebuild,
};

async function rebuild(call: CommandCall, { terminal }: CommandContext): Promise<number> {
  const [action, data = '', address = ''] = call.arguments;
  if (action !== 'rebuild')
    throw new SiraError('SIRA_USAGE', `${action} is nothing that telemetry can do`, {}, 'Use rebuild.');
  if (!existsSync(join(data, 'log')))
    throw new SiraError('SIRA_FILE_MISSING', `${data} is no data folder of a kernel`, { file: data });
  const { readJournal } = await import('../read-journal.ts');
  const { DataFolder } = await import('../data-folder.ts');
  const { telemetryStoreAt } = await import('../../stores/telemetry-address.ts');
  const { TelemetryRecorder } = await import('../../telemetry/recorder.ts');
  const { RowGatherer } = await import('../../telemetry/row-gatherer.ts');
  const folder = DataFolder.open(data);
  const store = await telemetryStoreAt(address);
  let rows = 0;
  try {
    await store.open();
    let last: Promise<void> = Promise.resolve();
    const write = (batch: TelemetryBatch<TableName>): void => {
      rows += batch.count;
      last = last.then(() => store.write(batch));
      // Awaited at the end.
      last.catch(() => {});
    };
    const gatherer = new RowGatherer(batchRows, write);
    let recorder: InstanceType<typeof TelemetryRecorder> | undefined;
    const folders = { log: folder.folder('log'), snapshots: folder.folder('snapshots') };
    await readJournal(folders, ({ sequence, timeMicros, body }, effects, kernel) => {
      recorder ??= new TelemetryRecorder({
        run: String(call.options.run),
        sink: gatherer,
        kernel: () => kernel,
        sampleMicros,
      });
      recorder.record(sequence, timeMicros, body, effects);
    });
    gatherer.flush();
    await last;
    await store.rollUp();
  } finally {
    await store.close();
    folder.release();
  }
  terminal.write(`${rows} rows of ${data} are in ${address}\n`);
  return 0;
}
