// Plays drawn work to a live kernel, each task at its time and waiting for nobody, and keeps what became of each.

import { Submitter } from '../../core/live/client.ts';
import { pause } from '../demo/fleet.ts';
import type { WorkTask } from '../env/work-model.ts';

export interface PlayedTask {
  readonly index: number;
  readonly task: WorkTask;
  readonly outcome: string;
  /** From handing in to the end that was told, seconds. */
  readonly responseSeconds: number;
}

export interface PlayerOptions {
  readonly address: string;
  readonly name: string;
  readonly cpuMilli: number;
  readonly memoryMib: number;
}

/** Beyond this many open tasks nothing is handed in. */
const openMax = 5000;

export class LoadPlayer {
  readonly ended: PlayedTask[] = [];
  private readonly submitter: Submitter;
  private readonly options: PlayerOptions;
  private open = 0;
  private refused = 0;
  private isStopped = false;
  private playing: Promise<void> = Promise.resolve();

  private constructor(submitter: Submitter, options: PlayerOptions) {
    this.submitter = submitter;
    this.options = options;
  }

  static async start(tasks: Iterable<WorkTask>, options: PlayerOptions): Promise<LoadPlayer> {
    const { address, name } = options;
    const player = new LoadPlayer(await Submitter.connect({ address, name, unansweredMax: 1000 }), options);
    player.playing = player.play(tasks);
    return player;
  }

  get refusedCount(): number {
    return this.refused;
  }

  /** Resolves when all tasks were handed in and have ended. */
  async finish(): Promise<readonly PlayedTask[]> {
    await this.playing;
    while (this.open > 0) await pause(10);
    await this.submitter.close();
    return this.ended.toSorted((left, right) => left.index - right.index);
  }

  /** Hands in nothing more, and waits for what is open. */
  stop(): Promise<readonly PlayedTask[]> {
    this.isStopped = true;
    return this.finish();
  }

  private async play(tasks: Iterable<WorkTask>): Promise<void> {
    const begin = performance.now();
    let index = 0;
    for (const task of tasks) {
      for (;;) {
        if (this.isStopped) return;
        const wait = begin + 1000 * task.arrivalSeconds - performance.now();
        if (wait <= 0 && this.open < openMax) break;
        await pause(Math.min(50, Math.max(1, wait)));
      }
      void this.run(task, index++);
    }
  }

  private async run(task: WorkTask, index: number): Promise<void> {
    this.open++;
    const begin = performance.now();
    const { cpuMilli, memoryMib } = this.options;
    try {
      const submitted = await this.submitter.submit({
        function: task.taskClass,
        parameters: { millis: 1000 * task.serviceSeconds },
        request: { cpuMilli, memoryMib },
        estimateMicros: Math.round(1e6 * task.estimateSeconds),
      });
      const { outcome } = await submitted.ended;
      this.ended.push({ index, task, outcome, responseSeconds: (performance.now() - begin) / 1000 });
    } catch {
      this.refused++;
    } finally {
      this.open--;
    }
  }
}
