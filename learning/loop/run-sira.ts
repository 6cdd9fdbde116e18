// Another command of `sira`, in a process of its own: the loop uses what people use, and an interrupt reaches it while that works.

import { type ChildProcess, fork } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { SiraError } from '../../core/base/errors.ts';

/** Runs `sira` with these words and returns what it printed; what it says besides goes to `logFile`. Throws SIRA_WORK_FAILED if it
 *  fails. `begun` gets the process, to end it. */
export async function runSira(
  words: readonly string[],
  logFile: string,
  begun: (child: ChildProcess) => void,
): Promise<string> {
  const log = openSync(logFile, 'a');
  const child = fork(process.argv[1] as string, [...words], { stdio: ['ignore', 'pipe', log, 'ipc'] });
  closeSync(log);
  begun(child);
  let output = '';
  child.stdout?.on('data', (text) => {
    output += text;
  });
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  if (code !== 0) throw new SiraError('SIRA_WORK_FAILED', `sira ${words[0]} ended with ${code}`, { file: logFile });
  return output;
}
