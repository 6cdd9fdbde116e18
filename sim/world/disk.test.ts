import { expect, test } from 'vitest';
import { RandomStream } from '../../core/base/random.ts';
import { describeLog } from '../../core/log/log.contract.ts';
import { describeFilePort, type FilePortSubject } from '../../core/ports/file-port.contract.ts';
import { defaultSimulationLimits, Simulation } from '../engine/simulation.ts';
import { Disk } from './disk.ts';
import { soundDisk } from './disk-spec.ts';

const create = async (): Promise<FilePortSubject> => {
  const simulation = new Simulation(defaultSimulationLimits);
  const disk = new Disk(simulation, soundDisk, new RandomStream(1, 'disk'));
  return {
    open: (complete) => disk.open('folder', complete),
    runUntil: async (isDone) => {
      while (!isDone()) if (!simulation.step()) throw new Error('nothing is on its way');
    },
    close: async () => {},
    dispose: async () => {},
  };
};

describeFilePort('simulated disk', create);
describeLog('simulated disk', create);

/** How long the disk takes to create a file. */
function creationMicros(slowness: number, episodeFactor: number): number {
  const simulation = new Simulation(defaultSimulationLimits);
  const writeLatency = { distribution: 'constant', meanMicros: 100, sigma: 0 } as const;
  const slowEpisodes = { meanBetweenMicros: 0, meanLengthMicros: 1e12, factor: episodeFactor };
  const disk = new Disk(simulation, { ...soundDisk, writeLatency, slowEpisodes }, new RandomStream(1, 'disk'));
  disk.slowness = slowness;
  let doneMicros = -1;
  const port = disk.open('folder', () => {
    doneMicros = simulation.nowMicros;
  });
  port.submit({ id: 1, request: { kind: 'create', file: 'a' } });
  while (doneMicros < 0) simulation.step();
  return doneMicros;
}

test('a disk that is slow for two reasons is as slow as the worse one makes it; without slowness it takes no time', () => {
  expect([creationMicros(1, 20), creationMicros(50, 20), creationMicros(2, 20)]).toEqual([2000, 5000, 2000]);
  expect(creationMicros(0, 20)).toBe(1);
});
