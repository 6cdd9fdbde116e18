// A dataset on the disk: a folder named by its content, with a Parquet file a part and a manifest. What is there already is the same,
// and stays.

import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { guardWrites } from '../../sim/experiment/guard-writes.ts';
import { type DatasetManifest, type DatasetSource, splitNames } from './build-dataset.ts';

/** After {@link buildDataset}. Returns the folder, absolute. */
export async function writeDataset(source: DatasetSource, manifest: DatasetManifest, under: string): Promise<string> {
  const folder = resolve(under, `${manifest.name}-${manifest.hash.slice(0, 16)}`);
  if (existsSync(join(folder, 'manifest.json'))) return folder;
  const made = `${folder}.new`;
  guardWrites(made, () => {
    rmSync(made, { recursive: true, force: true });
    mkdirSync(made, { recursive: true });
  });
  for (const name of splitNames) {
    const file = join(made, `${name}.parquet`).replaceAll("'", "''");
    await source.connection.run(
      `COPY (SELECT * EXCLUDE (example, split) FROM dataset WHERE split = '${name}' ORDER BY example) TO '${file}' (FORMAT parquet)`,
    );
  }
  guardWrites(made, () => {
    writeFileSync(join(made, 'manifest.json'), `${JSON.stringify(manifest, undefined, 2)}\n`);
    renameSync(made, folder);
  });
  return folder;
}
