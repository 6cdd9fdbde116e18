import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describeLog } from '../log/log.contract.ts';
import { describeFilePort, type FilePortSubject } from '../ports/file-port.contract.ts';
import { LiveFiles } from './files.ts';

const create = async (): Promise<FilePortSubject> => {
  const folder = mkdtempSync(join(tmpdir(), 'sira-files-'));
  return {
    open: (complete) => new LiveFiles(folder, complete),
    runUntil: async (isDone) => {
      while (!isDone()) await new Promise((resolve) => setImmediate(resolve));
    },
    close: (port) => (port as LiveFiles).close(),
    dispose: async () => rmSync(folder, { recursive: true, force: true }),
  };
};

describeFilePort('real files', create);
describeLog('real files', create);
