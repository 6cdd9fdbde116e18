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
