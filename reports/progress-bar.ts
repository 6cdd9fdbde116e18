// A live progress bar on standard error: redrawn in place where a person watches, a line for each finished run elsewhere.

import cliProgress from 'cli-progress';
import type { Terminal } from '../core/ports/command.ts';

export class ProgressBar {
  private readonly terminal: Terminal;
  private readonly bar: cliProgress.SingleBar | undefined;
  private stopped = false;

  constructor(terminal: Terminal, title: string) {
    this.terminal = terminal;
    if (!terminal.interactive) return;
    this.bar = new cliProgress.SingleBar({
      format: `${title}  {bar} {percentage}%  {duration_formatted} elapsed, {eta_formatted} left`,
      barCompleteChar: '█',
      barIncompleteChar: '░',
      barsize: 30,
      hideCursor: true,
      clearOnComplete: true,
      fps: 10,
      stream: process.stderr,
    });
    this.bar.start(1000, 0);
  }

  /** `share` of the work is done, 0 to 1; `ended` names the run that has just ended, if one has. */
  update(share: number, ended?: string): void {
    if (this.bar !== undefined) this.bar.update(Math.round(share * 1000));
    else if (ended !== undefined)
      this.terminal.writeError(`${String(Math.round(share * 100)).padStart(3)}%  ${ended}\n`);
  }

  stop(): void {
    if (this.stopped) return;
    this.stopped = true;
    this.bar?.stop();
  }
}
