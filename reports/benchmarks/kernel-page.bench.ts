// The page of the kernel's benchmark, from what was measured.

import {
  type KernelBench,
  type MemoryMark,
  megabytes,
  microsPerPlacement,
  type NamedPace,
  type NodesRun,
  type StreamRun,
  whole,
} from '../../sim/experiment/kernel.bench.ts';
import { markdownTable } from '../tables/markdown.ts';
import { kernelFigure } from './kernel-figure.ts';

export const kernelFigureName = 'kernel.svg';

export function kernelPage(bench: KernelBench, command: string): string {
  const { table } = bench;
  return `# Whole kernel
Made by \`${command}\` on ${bench.machine}.
The world is the one that \`sira run\` runs: the submitter, an agent on each machine and the kernel, every word between them a
message over the simulated network, with limits, assertions, heartbeats every 10 s and a full decision record a placement; policy
FGD where no other is named. Times are processor time of the thread that runs the kernel. Speeds are *undisturbed*: those of the
10th percentile of many slices, since others on the machine only ever add; medians, wall time and a floor stand beside them.

## Goals

${markdownTable(
  ['figure', 'goal', 'measured', ''],
  bench.goals.map(({ name, wanted, measured, met }) => [name, wanted, measured, met ? '✓' : '✗ missed']),
)}

## Steady state

Alibaba's whole cluster, ${whole((bench.paces[0] as NamedPace).machines)} machines, its own mix of tasks at 95% of the GPUs, a quarter of a simulated day after half a day to fill. An
event is an input of the kernel, a fired timer or an effect. The floor is what no kernel can do without, measured after each slice:
make a record of four fields, put it into a map, take another out, drawn at random among a hundred thousand.

${markdownTable(
  [
    'measured',
    'events/s',
    'placements/s',
    'µs a placement',
    'median µs',
    'events/s, wall',
    'floors an event',
    'floor, ns',
  ],
  bench.paces.map((pace) => [
    pace.name,
    whole(1e9 / pace.undisturbedNanos),
    whole(1e6 / microsPerPlacement(pace)),
    microsPerPlacement(pace).toFixed(1),
    ((pace.nanos * pace.events) / pace.placements / 1000).toFixed(1),
    whole(pace.events / pace.timing.wallSeconds),
    pace.floors.toFixed(1),
    pace.floorNanos.toFixed(0),
  ]),
)}

## Table 1, FGD, one seed of default

10,866 pods arrive at time 0 with no latency, ${whole(table.cold.placements)} are placed, ${table.cold.gpuAllocationPercent.toFixed(2)}% of the GPUs allocated. Cold: the first run of a process, which compiles as it goes and which
took ${table.coldProcess.wallSeconds.toFixed(2)} s on the wall from its start to its answer.

${markdownTable(
  ['run', 'files read, s', 'world run, s', 'world run, wall, s', 'placements/s'],
  [['cold', table.cold] as const, ['warm', table.warm] as const].map(([name, run]) => [
    name,
    run.openSeconds.threadSeconds.toFixed(3),
    run.runSeconds.threadSeconds.toFixed(3),
    run.runSeconds.wallSeconds.toFixed(3),
    whole(run.placements / run.runSeconds.threadSeconds),
  ]),
)}

## Growth

![Cost by cluster size, speed by run length, memory over a million tasks](${kernelFigureName})

A placement in clusters of Alibaba's mix, run times capped at an hour: in the whole kernel, in the scheduler alone by its index
of cached scores, and in the scheduler by looking at every machine, whose choice the index must equal.

${markdownTable(
  ['machines', 'whole kernel, µs', 'index, µs', 'every machine, µs', 'every machine / index', 'floors an event'],
  bench.nodes.map((run) => [
    whole(run.machines),
    microsPerPlacement(run).toFixed(1),
    run.indexMicros.toFixed(1),
    run.bruteForceMicros.toFixed(0),
    (run.bruteForceMicros / run.indexMicros).toFixed(1),
    run.floors.toFixed(1),
  ]),
)}

Generated tasks streamed through the whole of Alibaba's cluster at 85% of its GPUs, from the first to the end of the last, with
the collector and the oracles of \`sira run\`:

${markdownTable(
  ['tasks', 'seconds', 'seconds, wall', 'events/s', 'placements/s', 'resident, MB'],
  bench.streams.map((run: StreamRun) => [
    whole(run.tasks),
    run.timing.threadSeconds.toFixed(2),
    run.timing.wallSeconds.toFixed(2),
    whole(run.events / run.timing.threadSeconds),
    whole(run.placements / run.timing.threadSeconds),
    megabytes(run.residentBytesMax),
  ]),
)}

What lives after a full garbage collection, without a collector: the kernel, the agents and the network forget what has ended.

${markdownTable(
  ['tasks ended', 'tasks live', 'live memory, MB'],
  bench.memory.map((mark: MemoryMark) => [
    whole(mark.tasksEnded),
    whole(mark.tasksLive),
    (mark.heapBytes / 1e6).toFixed(2),
  ]),
)}

Kernel events a placement in \`gpu-cluster.yaml\`, two simulated days on a tenth of the cluster with one batch of heartbeats
every 10 s: ${bench.eventsPerPlacement.map(({ policy, events }) => `${policy} ${events.toFixed(2)}`).join(', ')}.
`;
}

export function kernelSvg(bench: KernelBench): string {
  const by = (micros: (run: NodesRun) => number): [number, number][] =>
    bench.nodes.map((run) => [run.machines, micros(run)]);
  return kernelFigure({
    cost: [
      { name: 'whole kernel', points: by(microsPerPlacement) },
      { name: 'index alone', points: by((run) => run.indexMicros) },
      { name: 'every machine', points: by((run) => run.bruteForceMicros) },
    ],
    speed: bench.streams.map((run) => [run.tasks, run.events / run.timing.threadSeconds]),
    memory: bench.memory.map((mark) => [mark.tasksEnded / 1e6, mark.heapBytes / 1e6]),
  });
}
