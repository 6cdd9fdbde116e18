// Where a trained policy comes from, as its artifact says it.

import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { codeHash } from '../../core/live/code-hash.ts';
import type { PolicyLineage } from '../../core/policy/policy-manifest.ts';

export interface TrainedFrom {
  /** As it is to be recorded. */
  readonly command: string;
  readonly seed: number;
  /** The document's text. */
  readonly source: string;
  /** Absolute. */
  readonly files: readonly string[];
  readonly curve: readonly { readonly iteration: number; readonly validation: number }[];
  readonly evaluation: Readonly<Record<string, number>>;
}

/** Of the curve, the rows with a validation. */
export function lineageOf({ command, seed, source, files, curve, evaluation }: TrainedFrom): PolicyLineage {
  const judged = curve.filter((row) => !Number.isNaN(row.validation));
  return {
    command,
    seed,
    configSha256: sha256(source),
    dataSha256: Object.fromEntries(files.map((file) => [nameOf(file), sha256(readFileSync(file))])),
    codeVersion: codeHash(),
    parents: [],
    curve: {
      iteration: judged.map((row) => row.iteration),
      validation: judged.map((row) => row.validation),
    },
    evaluation,
  };
}

function sha256(content: string | Uint8Array): string {
  return createHash('sha256').update(content).digest('hex');
}

function nameOf(file: string): string {
  return file.split(/[\\/]/).at(-1)!;
}
