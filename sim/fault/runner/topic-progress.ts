// What the runners of the durable topics tell while they run: a line of progress, failures as they come, the state on disk every
// few seconds and when they are stopped.

import type { SwarmFailure } from './swarm-job.ts';
import { failureText } from './swarm-report.ts';
import type { SwarmState } from './swarm-state.ts';

export interface Followed {
  readonly progress: () => void;
  readonly failed: (failure: SwarmFailure) => void;
  /** Saves; seconds that it took. */
  readonly end: () => number;
}

/** `line`: what to say, given cases a second. `command`: what shows a seed again. */
export function followSwarm(
  state: SwarmState,
  resume: string | undefined,
  command: string,
  line: (rate: number) => string,
): Followed {
  const started = performance.now();
  const seconds = (): number => (performance.now() - started) / 1000;
  const save = (): void => {
    if (resume !== undefined) state.save(resume, seconds());
  };
  const interactive = process.stderr.isTTY === true;
  const formerCases = state.cases;
  let told = 0;
  let saved = 0;
  if (formerCases > 0) console.error(`going on after ${formerCases} cases`);
  process.once('SIGINT', () => {
    save();
    console.error(resume === undefined ? '\nstopped' : `\nstopped; the same command goes on from ${resume}`);
    process.exit(130);
  });
  return {
    progress: () => {
      const now = seconds();
      if (now - saved >= 2) {
        save();
        saved = now;
      }
      if (now - told < (interactive ? 0.2 : 10)) return;
      told = now;
      const text = line((state.cases - formerCases) / Math.max(now, 0.001));
      process.stderr.write(interactive ? `\r\x1b[K${text}` : `${text}\n`);
    },
    failed: (failure) => console.error(`${interactive ? '\r\x1b[K' : ''}${failureText(failure, command)}`),
    end: () => {
      save();
      if (interactive) process.stderr.write('\r\x1b[K');
      return seconds();
    },
  };
}
