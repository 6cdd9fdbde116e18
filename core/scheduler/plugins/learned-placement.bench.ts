// What a learned placement costs: scores of 128 machines with their features and the shield, as a placement index asks for them when all
// have changed, beside the score that is corrected in the same run. Medians of interleaved repetitions, in processor time, because
// other work on the machine stretches the wall clock. Says also how much memory a scoring takes: it must take none.
// Run: npm run bench:policy

import { cpus } from 'node:os';
import { median } from 'simple-statistics';
import { toBase64 } from '../../base/base64.ts';
import { RandomStream } from '../../base/random.ts';
import { placementFeatureCount, placementFeatureNames, placementSchema } from '../../policy/placement-features.ts';
import { writePolicyArtifact } from '../../policy/policy-artifact.ts';
import { samplePolicy } from '../../policy/sample-policy.ts';
import { findPlacement } from '../catalogue.ts';
import { ClusterState, deviceCountMax } from '../cluster-state.ts';
import { RequestKindTable } from '../request.ts';

const candidates = 128;
const repetitions = 31;
const callsPerRepetition = 200;
const goalMicros = 50;

const { manifest, layers } = samplePolicy([placementFeatureCount, 1], {
  schema: placementSchema,
  fallback: 'best-fit',
});
const artifact = toBase64(
  writePolicyArtifact({
    manifest: {
      ...manifest,
      features: placementFeatureNames.map((name) => ({ name, mean: 0, deviation: 1, minimum: -1e9, maximum: 1e9 })),
    },
    layers,
  }),
);
const cluster = new ClusterState();
const random = new RandomStream(1, 'bench');
const kinds = new RequestKindTable(cluster.models);
const kind = kinds.intern({
  ...{ cpuMilli: 4000, memoryMib: 8000, gpuCount: 1, gpuMilli: 500, gpuModels: [], machineCount: 1 },
});
const context = { cluster, random, typicalTasks: [], artifact };
const learned = findPlacement('learned')(context).scores[0]!.plugin;
const corrected = findPlacement('best-fit')(context).scores[0]!.plugin;
/** Half a device that nobody has taken yet, if there is one. */
function take(machine: number): void {
  const device = random.nextBelow(8);
  if (cluster.deviceFreeMilli[machine * deviceCountMax + device] === 1000) cluster.allocate(kind, machine, 1 << device);
}
for (let machine = 0; machine < candidates; machine++) {
  cluster.addMachine({ cpuMilli: 64_000, memoryMib: 262_144, gpuCount: 8, gpuModel: 'A' });
  cluster.setSchedulable(machine, true);
  for (let task = random.nextBelow(8); task > 0; task--) take(machine);
}

let sink = 0;
const work = {
  corrected: () => {
    for (let machine = 0; machine < candidates; machine++) sink += corrected.score(kind, machine);
  },
  learned: () => {
    for (let machine = 0; machine < candidates; machine++) sink += learned.score(kind, machine);
  },
};
type Name = keyof typeof work;
const names = Object.keys(work) as Name[];
const micros: Record<Name, number[]> = { corrected: [], learned: [] };
for (const name of names) for (let call = 0; call < 2000; call++) work[name]();
for (let repetition = 0; repetition < repetitions; repetition++) {
  for (const name of names) {
    const began = process.cpuUsage().user;
    for (let call = 0; call < callsPerRepetition; call++) work[name]();
    micros[name].push((process.cpuUsage().user - began) / callsPerRepetition);
  }
}
const before = process.memoryUsage().heapUsed;
const calls = 10_000;
for (let call = 0; call < calls; call++) work.learned();
const bytesPerCall = Math.max(0, process.memoryUsage().heapUsed - before) / calls;
const learnedMicros = median(micros.learned);
console.log(
  `${candidates} machines, ${placementFeatureCount} features each (${cpus()[0]?.model ?? 'unknown'}, Node ${process.version})\n` +
    `  learned    ${learnedMicros.toFixed(1)} µs with features and shield; ${bytesPerCall.toFixed(2)} bytes a call\n` +
    `  corrected  ${median(micros.corrected).toFixed(1)} µs`,
);
if (learnedMicros > goalMicros || bytesPerCall > 1) {
  console.log(`missed: at most ${goalMicros} µs and no memory${Number.isNaN(sink) ? '!' : ''}`);
  process.exitCode = 1;
}
