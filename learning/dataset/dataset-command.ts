// `sira dataset`: training sets from telemetry. Before anything is written, the features are tried for knowledge of the future.

import { existsSync } from 'node:fs';
import { SiraError } from '../../core/base/errors.ts';
import type { Command, CommandCall } from '../../core/ports/command.ts';
import { telemetryStoreAt } from '../../core/stores/telemetry-address.ts';
import { type DatasetManifest, splitNames } from './build-dataset.ts';
import type { DatasetSpec } from './dataset-spec.ts';

export const datasetCommand: Command = {
  name: 'dataset',
  summary: 'make a training set from telemetry: point in time, split by time, named by its content',
  description:
    'Joins what was known at each moment with what came of it, from the rows that `sira start --telemetry` or `sira run --telemetry` kept, and writes train, validation and test as Parquet with a manifest. Without a name it lists the datasets that there are.',
  arguments: [
    { name: 'name', description: 'which dataset, such as placements', required: false, many: false },
    { name: 'store', description: 'a DuckDB file, or http://HOST:PORT of QuestDB', required: false, many: false },
  ],
  options: [
    { flags: '--run <name...>', description: 'only these runs (column `run`; default: all)' },
    { flags: '--split <share...>', description: 'where validation and test begin, by time (default: 0.7 0.85)' },
    { flags: '-o, --output <folder>', description: 'folder for the datasets (default: datasets)' },
    { flags: '--json', description: 'print the manifest' },
  ],
  examples: [
    { line: 'sira dataset', meaning: 'which datasets there are' },
    { line: 'sira dataset placements telemetry.duckdb', meaning: 'every placement and how it ended' },
    { line: 'sira dataset arrivals http://127.0.0.1:9000 --run live --split 0.8 0.9', meaning: 'from QuestDB' },
  ],
  async run(call, context) {
    const { standardDatasets } = await import('./standard-datasets.ts');
    const [name, address] = call.arguments;
    if (name === undefined) {
      for (const { name: one, meaning } of standardDatasets) context.terminal.write(`${one.padEnd(12)} ${meaning}\n`);
      return 0;
    }
    const spec = standardDatasets.find((one) => one.name === name);
    if (spec === undefined)
      throw new SiraError(
        'SIRA_USAGE',
        `there is no dataset ${name}`,
        {},
        `Use one of ${standardDatasets.map((one) => one.name).join(', ')}.`,
      );
    if (address === undefined)
      throw new SiraError('SIRA_USAGE', 'the store is missing', {}, 'Name a DuckDB file, or the address of QuestDB.');
    const { folder, manifest } = await build(spec, address, call);
    if (call.options.json === true) context.terminal.write(`${JSON.stringify(manifest, undefined, 2)}\n`);
    else {
      const parts = splitNames.map((part) => `${manifest.counts[part]} ${part}`).join(', ');
      context.terminal.write(
        `${spec.name}: ${parts}; ${manifest.purged} left out between the parts, ${manifest.unlabelled} without an outcome yet\n${folder}\n`,
      );
    }
    return 0;
  },
};

async function build(
  spec: DatasetSpec,
  address: string,
  call: CommandCall,
): Promise<{ readonly folder: string; readonly manifest: DatasetManifest }> {
  if (!/^https?:/.test(address) && !existsSync(address))
    throw new SiraError('SIRA_FILE_MISSING', `there is no file ${address}`, { file: address });
  const { buildDataset, DatasetSource } = await import('./build-dataset.ts');
  const { findLeaks } = await import('./find-leaks.ts');
  const { writeDataset } = await import('./write-dataset.ts');
  const runs = call.options.run as readonly string[] | undefined;
  const store = await telemetryStoreAt(address, { isReadOnly: true });
  try {
    await store.open();
    const source = await DatasetSource.read(store, spec, runs);
    const past = await DatasetSource.read(store, spec, runs);
    try {
      const options = { runs, shares: sharesOf(call.options.split as readonly string[] | undefined) };
      const { boundariesMicros } = await buildDataset(source, spec, options);
      // The later one first: what is forgotten does not come back.
      for (const boundary of boundariesMicros.toReversed()) {
        const [leak] = await findLeaks(source, past, spec, boundary);
        if (leak === undefined) continue;
        throw new SiraError(
          'SIRA_DATASET_LEAKS',
          `${spec.name}: ${leak.feature} of ${leak.examples} examples changes without what came later`,
          { field: leak.feature },
        );
      }
      const manifest = await buildDataset(source, spec, options);
      return { folder: await writeDataset(source, manifest, (call.options.output as string) ?? 'datasets'), manifest };
    } finally {
      await source.close();
      await past.close();
    }
  } finally {
    await store.close();
  }
}

function sharesOf(texts: readonly string[] | undefined): readonly [number, number] | undefined {
  if (texts === undefined) return undefined;
  const [first = Number.NaN, second = Number.NaN] = texts.map(Number);
  if (texts.length !== 2 || Number.isNaN(first) || Number.isNaN(second))
    throw new SiraError('SIRA_USAGE', '--split takes two shares, such as 0.7 0.85', { field: '--split' });
  return [first, second];
}
