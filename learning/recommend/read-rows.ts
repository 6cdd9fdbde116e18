// The latest rows of a live kernel's telemetry, as many as an analysis looks at.

import { SiraError } from '../../core/base/errors.ts';
import type { HttpSources } from '../../core/live/http/views.ts';
import type { TelemetryBatch } from '../../core/telemetry/rows.ts';

/** Rows of agents' load: they only say what is in use. */
const loadRowsMax = 200_000;

/** Rows of `tasks` and `agent_load`; of a window with too many, its latest part. Throws SIRA_TELEMETRY_AWAY where none is kept. */
export async function readRows(
  { live, telemetry }: HttpSources,
  fromMicros: number,
  tasksMax: number,
): Promise<TelemetryBatch[]> {
  if (telemetry === undefined)
    throw new SiraError('SIRA_TELEMETRY_AWAY', 'no telemetry is kept', {}, 'Start the kernel with --telemetry.');
  await telemetry.flushed(10_000);
  const { run } = telemetry.settings;
  const batches: TelemetryBatch[] = [];
  for (const [table, most] of [
    ['tasks', 4 * tasksMax],
    ['agent_load', loadRowsMax],
  ] as const) {
    // Of a window with too many rows, its latest part.
    let from = fromMicros;
    for (;;) {
      const read = await telemetry.read({ table, run, fromMicros: from }, most);
      const halved = Math.round(from + (live.now() - from) / 2);
      if (read.isWhole || halved - from < 1_000_000) {
        batches.push(...read.batches);
        break;
      }
      from = halved;
    }
  }
  return batches;
}
