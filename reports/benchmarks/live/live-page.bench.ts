// The page of the live kernel's benchmark, from what was measured.

import { markdownTable } from '../../tables/markdown.ts';
import type { ConnectionBench } from './connections.bench.ts';
import type { GuardBench } from './guard.bench.ts';
import type { HeartbeatBench } from './heartbeats.bench.ts';
import type { JournalBench } from './journal.bench.ts';
import { type LiveBench, liveGoals, whole } from './live-bench.bench.ts';
import type { Latencies, PairedLatencies } from './open-load.bench.ts';
import type { Surroundings } from './surroundings.bench.ts';

export function livePage(bench: LiveBench, command: string): string {
  const { heartbeats, connections, journal, guard } = bench;
  const parts = [
    `# Live kernel

Made by \`${command}\` on ${bench.machine}. The kernel is \`sira start\` in a process of its own; agents, submitters and those who ask are
other processes of the same machine, with the clients that programs use. Calls are offered by the clock, each at its time, whether
those before it have been answered or not. A floor that does nothing takes its turns between the calls, so that both stand in the same weather; a
tenth of a second is *undisturbed* if the floor's own p99 stayed within a bound in it. Whoever has a machine to himself reads the row
"in all". Under
\`chrt --rr 1\` the benchmark came before most of what else the machine did.`,
    markdownTable(
      ['figure', 'goal', 'measured', ''],
      liveGoals(bench).map(({ name, wanted, measured, met }) => [name, wanted, measured, met ? '✓' : '✗ missed']),
    ),
  ];
  if (heartbeats !== undefined) parts.push(heartbeatsPart(heartbeats));
  if (connections !== undefined) parts.push(connectionsPart(connections));
  if (journal !== undefined) parts.push(journalPart(journal));
  if (guard !== undefined) parts.push(guardPart(guard));
  return `${parts.join('\n\n')}\n`;
}

function heartbeatsPart(bench: HeartbeatBench): string {
  return `## Ten thousand agents

${whole(bench.agents)} agents with 8 skills each behind ${bench.gateways} gateways, a connection each, beat once a second; all were registered after
${bench.registrationSeconds.toFixed(1)} s. ${bench.seconds} s of heartbeats alone, then ${bench.seconds} s with ${bench.queriesPerSecond} queries a second from another process: the fastest for a function, the
same with conditions on memory, GPU and zone, and the most similar. Durability is \`powerFailure\`; snapshots fall into it.

${markdownTable(
  ['kernel’s process', ''],
  [
    ['processor time, heartbeats alone, % of a core', (100 * bench.beatingShare).toFixed(1)],
    ['processor time, heartbeats and queries, % of a core', (100 * bench.queryingShare).toFixed(1)],
    ['processor time a query, µs', bench.cpuMicrosPerQuery.toFixed(0)],
    ['resident memory without agents, MB', megabytes(bench.residentBytesBefore)],
    ['resident memory with agents, MB', megabytes(bench.residentBytes)],
    ['resident memory, the whole process over its agents, bytes', whole(bench.residentBytes / bench.agents)],
    ['resident memory, growth over agents, bytes', whole(bench.bytesPerAgent)],
  ],
)}

Garbage counts as memory until it is collected: the growth is what this run saw, the whole process over its agents an upper bound.

${latencyTable('discovery', bench.query)}

${surroundings(bench.surroundings)}`;
}

function connectionsPart(rows: readonly ConnectionBench[]): string {
  const [first] = rows;
  if (first === undefined) return '';
  return `## Two thousand connections

${whole(first.connections)} submitters, each on a connection of its own, hand in ${first.perSecond} tasks a second between them, with a tensor of 16 float32; 16 agents
return it. A task counts from when it is handed in until its result is with the submitter: work to the disk, submission to the
journal, placement, dispatch, result to the disk, its end to the journal, back. The floor is a unary call on as many connections.

${markdownTable(
  [
    'durability',
    'connected after, s',
    'results right',
    'connections lost',
    'kernel, % of a core',
    'processor time a task, µs',
    'memory a connection, bytes',
    'inputs a task',
    'sync of 4 KiB, p50 ms',
    'p99 ms',
  ],
  rows.map((row) => [
    row.durability,
    row.connectSeconds.toFixed(1),
    `${whole(row.right)} of ${whole(row.latencies.measured.count)}`,
    String(row.lost),
    (100 * row.kernelShare).toFixed(1),
    row.cpuMicrosPerTask.toFixed(0),
    whole(row.bytesPerConnection),
    row.inputsPerTask.toFixed(1),
    row.sync.p50Millis.toFixed(2),
    row.sync.p99Millis.toFixed(2),
  ]),
)}

${rows.map((row) => `${latencyTable(row.durability, row.latencies)}\n\n${surroundings(row.surroundings)}`).join('\n\n')}`;
}

function journalPart({ rows, floors, surroundings: around }: JournalBench): string {
  const line = (row: JournalBench['rows'][number], isFloor: boolean): string[] => [
    row.name,
    row.latency.p50Millis.toFixed(3),
    row.latency.p95Millis.toFixed(3),
    row.latency.p99Millis.toFixed(3),
    isFloor ? '' : (row.addedMicros / 1000).toFixed(3),
    isFloor ? '' : row.cpuMicros.toFixed(0),
  ];
  return `## What the journal adds to a decision

From a submission to the moment in which its dispatch may leave, one task at a time, 100 agents, in one process: without a journal,
with one whose files are in memory, with files that the operating system has, with files that the disk has. ${whole(rows[0]?.latency.count ?? 0)} decisions
each, in turns. Processor time is that of a decision, its acceptance and its end together. Many tasks at once share a sync.

${markdownTable(
  ['journal', 'p50 ms', 'p95 ms', 'p99 ms', 'added, p50 ms', 'processor time, µs'],
  [...rows.map((row) => line(row, false)), ...floors.map((row) => line(row, true))],
)}

${surroundings(around)}`;
}

function guardPart({ rows, surroundings: around }: GuardBench): string {
  const [plain] = rows;
  return `## What the guard costs

A server that does nothing, with the kernel's guard before it and without, in the clear and with mutual TLS, on warm connections.
Processor time of the server's process, medians of turns.

${markdownTable(
  ['connection', 'guard', 'µs a unary call', 'added', 'µs a message on a stream', 'added'],
  rows.map((row) => [
    row.encrypted ? 'mutual TLS' : 'in the clear',
    row.guarded ? 'yes' : 'no',
    row.callMicros.toFixed(1),
    (row.callMicros - (plain?.callMicros ?? 0)).toFixed(1),
    row.messageMicros.toFixed(1),
    (row.messageMicros - (plain?.messageMicros ?? 0)).toFixed(1),
  ]),
)}

${surroundings(around)}`;
}

function latencyTable(name: string, paired: PairedLatencies): string {
  const { measured, floor, undisturbed, undisturbedFloor, slices, undisturbedSlices, floorMaxMillis } = paired;
  const line = (label: string, each: Latencies | undefined): string[] =>
    each === undefined
      ? [label, '0', '', '', '', '']
      : [
          ...[label, whole(each.count), each.p50Millis.toFixed(2), each.p95Millis.toFixed(2)],
          ...[each.p99Millis.toFixed(2), each.maxMillis.toFixed(1)],
        ];
  return `${markdownTable(
    [name, 'calls', 'p50 ms', 'p95 ms', 'p99 ms', 'max ms'],
    [
      line('undisturbed', undisturbed),
      line('floor, undisturbed', undisturbedFloor),
      line('in all', measured),
      line('floor, in all', floor),
    ],
  )}

${undisturbedSlices} of ${slices} tenths of a second were undisturbed: the floor's p99 within ${floorMaxMillis} ms.`;
}

function surroundings({ loadAverage, busyShare }: Surroundings): string {
  return `Load average ${loadAverage.toFixed(1)}; the processors were ${(100 * busyShare).toFixed(0)}% busy, with everything.`;
}

function megabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(1);
}
