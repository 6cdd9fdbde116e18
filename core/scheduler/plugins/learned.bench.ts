// What a learned decision costs: scoring 128 candidates, beside the floor of as many multiplications and additions over one array in
// the same run, and a whole decision of the queue order with its features, keys and shield. Medians of interleaved repetitions, in
// processor time, because other work on the machine stretches the wall clock; the ratio to the floor is what counts. Says also how much memory a scoring takes: it must take none.
// Run: npm run bench:policy [-- --json FILE]

import { writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { median } from 'simple-statistics';
import { toBase64 } from '../../base/base64.ts';
import { RandomStream } from '../../base/random.ts';
import { CandidateNetwork } from '../../policy/candidate-network.ts';
import { writePolicyArtifact } from '../../policy/policy-artifact.ts';
import { queueFeatureCount, queueFeatureNames, queueOrderSchema } from '../../policy/queue-features.ts';
import { samplePolicy } from '../../policy/sample-policy.ts';
import { findQueueOrder } from '../catalogue.ts';
import { ClusterState } from '../cluster-state.ts';
import { ModelTable, RequestKindTable } from '../request.ts';

const candidates = 128;
const repetitions = 31;
const callsPerRepetition = 400;
const goalMicros = 50;

const { manifest, layers } = samplePolicy([queueFeatureCount, 16, 8, 1], { schema: queueOrderSchema });
const features = manifest.features.map((feature, index) => ({
  ...feature,
  name: queueFeatureNames[index]!,
  minimum: -1e9,
  maximum: 1e9,
}));
const network = new CandidateNetwork(layers, features);
const random = new RandomStream(1, 'bench');
const rows = Float64Array.from({ length: candidates * queueFeatureCount }, () => 4 * random.nextFloat() - 2);
const scores = new Float64Array(candidates);
const operations = candidates * network.operationsPerCandidate;

/** As many multiplications and additions, four sums side by side, over one array that stays in the cache. */
const numbers = rows.slice(0, 256);
function floor(): number {
  let [first, second, third, fourth] = [0, 0, 0, 0];
  for (let done = 0; done < operations; done += numbers.length) {
    for (let place = 0; place < numbers.length; place += 4) {
      first += numbers[place]! * 1.0001;
      second += numbers[place + 1]! * 1.0002;
      third += numbers[place + 2]! * 1.0003;
      fourth += numbers[place + 3]! * 1.0004;
    }
  }
  return first + second + third + fourth;
}

const cluster = new ClusterState();
for (let machine = 0; machine < 256; machine++)
  cluster.addMachine({ cpuMilli: 1000, memoryMib: 0, gpuCount: 0, gpuModel: '' });
const order = findQueueOrder('learned', {
  cluster,
  tenantWeights: {},
  artifact: toBase64(writePolicyArtifact({ manifest: { ...manifest, features }, layers })),
});
const kinds = new RequestKindTable(new ModelTable());
const tasks = Array.from({ length: candidates }, (_, index) => ({
  task: index + 1,
  kind: kinds.intern({
    ...{ cpuMilli: 1000, memoryMib: 0, gpuCount: 0, gpuMilli: 0, gpuModels: [] },
    machineCount: 1 + (index % 64),
  }),
  submittedMicros: index * 1e6,
  estimateMicros: (1 + ((index * 7919) % 10_000)) * 1e6,
  priority: 0,
  tenant: 'a',
}));
const keys = new Float64Array(candidates);

let sink = 0;
const work = {
  floor: () => {
    sink += floor();
  },
  scores: () => {
    network.score(rows, candidates, scores);
    sink += scores[0]!;
  },
  decision: () => {
    order.rank!(tasks, candidates, 1e9, keys);
    sink += keys[0]!;
  },
};
type Name = keyof typeof work;
const names = Object.keys(work) as Name[];
const micros: Record<Name, number[]> = { floor: [], scores: [], decision: [] };
for (const name of names) for (let call = 0; call < 2000; call++) work[name]();
for (let repetition = 0; repetition < repetitions; repetition++) {
  for (const name of names) {
    const began = process.cpuUsage().user;
    for (let call = 0; call < callsPerRepetition; call++) work[name]();
    micros[name].push((process.cpuUsage().user - began) / callsPerRepetition);
  }
}

const before = process.memoryUsage().heapUsed;
const calls = 20_000;
for (let call = 0; call < calls; call++) network.score(rows, candidates, scores);
const bytesPerCall = Math.max(0, process.memoryUsage().heapUsed - before) / calls;

const result = {
  processor: cpus()[0]?.model ?? 'unknown',
  node: process.version,
  candidates,
  widths: manifest.network.widths,
  operations,
  floorMicros: median(micros.floor),
  scoresMicros: median(micros.scores),
  ratioToFloor: median(micros.scores.map((value, index) => value / micros.floor[index]!)),
  decisionMicros: median(micros.decision),
  bytesPerCall,
};
console.log(
  `${candidates} candidates, ${operations} multiplications and additions (${result.processor}, Node ${result.node})\n` +
    `  scores    ${result.scoresMicros.toFixed(1)} µs, ${result.ratioToFloor.toFixed(2)} times the floor of ${result.floorMicros.toFixed(1)} µs; ${bytesPerCall.toFixed(2)} bytes a call\n` +
    `  decision  ${result.decisionMicros.toFixed(1)} µs with its features, the fallback's keys and the shield`,
);
const at = process.argv.indexOf('--json');
if (at > 0) writeFileSync(process.argv[at + 1]!, `${JSON.stringify(result, undefined, 1)}\n`);
if (result.scoresMicros > goalMicros || bytesPerCall > 1) {
  console.log(`missed: at most ${goalMicros} µs and no memory${Number.isNaN(sink) ? '!' : ''}`);
  process.exitCode = 1;
}
