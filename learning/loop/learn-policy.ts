// From rows of telemetry to a signed policy, without anything live: the world is fitted, arrivals are forecast, a network is trained
// in the fitted world, and what came out is signed with its lineage. The same rows, seed and code give the same bits.

import type { ChildProcess } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { forecasterExtension, writeForecasterArtifact } from '../../core/policy/forecast/forecaster-artifact.ts';
import { policyExtension } from '../../core/policy/policy-artifact.ts';
import type { FittedWorld } from '../env/fitted-world.ts';
import { createSigningKeys, PolicyStore } from '../promote/policy-store.ts';
import { type FittedArrivals, fitArrivals } from './fit-forecaster.ts';
import { fitWorld } from './fit-world.ts';
import type { LoopRows } from './loop-rows.ts';
import { type LoopSizes, trainingDocument } from './loop-sizes.ts';
import { runSira } from './run-sira.ts';

export interface TrainedPolicy {
  /** Mean slowdown of the network on episodes of the fitted world that no training saw. */
  readonly testMean: number;
  readonly curve: readonly { readonly iteration: number; readonly validation: number | null }[];
  readonly seconds: number;
  readonly weights: Uint8Array;
  readonly weightsSha256: string;
}

export interface SignedArtifact {
  /** Its name in the store of policies. */
  readonly hash: string;
  readonly publicKey: string;
  readonly store: PolicyStore;
}

export interface LearnOptions {
  readonly folder: string;
  readonly seed: number;
  readonly sizes: LoopSizes;
  readonly command: string;
  readonly begun: (child: ChildProcess) => void;
}

const trainingName = 'loop-order';

/** Writes `world.json` and `training.yaml`. Throws SIRA_TELEMETRY_TOO_FEW. */
export function learnWorld(rows: LoopRows, { folder, sizes }: Pick<LearnOptions, 'folder' | 'sizes'>): FittedWorld {
  const world = fitWorld(rows);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'world.json'), `${JSON.stringify(world, undefined, 1)}\n`);
  // JSON is YAML.
  const training = trainingDocument('world.json', sizes);
  writeFileSync(join(folder, 'training.yaml'), `${JSON.stringify(training, undefined, 2)}\n`);
  return world;
}

/** Writes the exported forecaster. */
export function learnForecaster(
  rows: LoopRows,
  { folder, command }: Pick<LearnOptions, 'folder' | 'command'>,
): FittedArrivals {
  const fitted = fitArrivals(rows, command);
  writeFileSync(join(folder, `arrivals${forecasterExtension}`), writeForecasterArtifact(fitted.model));
  return fitted;
}

/** `sira train` on the training that {@link learnWorld} wrote. */
export async function trainPolicy({ folder, seed, begun }: LearnOptions): Promise<TrainedPolicy> {
  const output = join(folder, 'training');
  mkdirSync(output, { recursive: true });
  const words = ['train', join(folder, 'training.yaml'), '--seed', `${seed}`, '--output', output, '--json'];
  await runSira(words, join(folder, 'training.log'), begun);
  const own = join(output, `seed-${seed}`);
  const record = JSON.parse(readFileSync(join(own, 'training.json'), 'utf8')) as TrainedPolicy;
  const weights = readFileSync(join(own, `${trainingName}${policyExtension}`));
  const { testMean, curve, seconds } = record;
  return { testMean, curve, seconds, weights, weightsSha256: sha256(weights) };
}

/** Keeps the network as a signed policy, under keys made for this loop. */
export function signPolicy(
  { weights, weightsSha256 }: Pick<TrainedPolicy, 'weights' | 'weightsSha256'>,
  name: string,
  lineage: Readonly<Record<string, string | number>>,
  { folder, command }: Pick<LearnOptions, 'folder' | 'command'>,
): SignedArtifact {
  const { privateKey, publicKey } = createSigningKeys();
  writeFileSync(join(folder, 'policy-key.public.pem'), publicKey);
  const store = new PolicyStore(join(folder, 'policies'));
  const hash = store.put(
    {
      ...{ format: 'sira-policy', formatVersion: 1, name, policy: { order: 'learned' }, weightsSha256, parents: [] },
      ...{ lineage: { command, ...lineage }, createdAt: new Date().toISOString(), createdBy: 'sira loop' },
    },
    privateKey,
    weights,
  );
  return { hash, publicKey, store };
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
