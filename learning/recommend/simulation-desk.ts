// Has jobs simulated on a thread of their own, one at a time, in the order in which they come; few may wait. The thread begins with
// the first job and ends when there is none, so that a kernel which nobody asks for advice has no thread for it.

import { Worker } from 'node:worker_threads';
import { SiraError } from '../../core/base/errors.ts';
import { errorOf, partsOf } from '../../sim/experiment/error-parts.ts';
import type { AdviceAnswer, AdviceJob } from './advice-job.ts';

const waitingMax = 16;

interface Waiting {
  readonly job: AdviceJob;
  readonly told: (answer: AdviceAnswer) => void;
}

export class SimulationDesk {
  private readonly waiting: Waiting[] = [];
  private running: Waiting | undefined;
  private worker: Worker | undefined;
  private isClosed = false;

  /** Throws SIRA_QUEUE_FULL. `told` hears every answer; the last is one that ends the job. */
  add(job: AdviceJob, told: (answer: AdviceAnswer) => void): void {
    if (this.waiting.length >= waitingMax)
      throw new SiraError('SIRA_QUEUE_FULL', `${waitingMax} simulations wait already`);
    this.waiting.push({ job, told });
    this.next();
  }

  async close(): Promise<void> {
    this.isClosed = true;
    this.waiting.length = 0;
    await this.worker?.terminate();
  }

  private next(): void {
    if (this.isClosed || this.running !== undefined) return;
    this.running = this.waiting.shift();
    if (this.running === undefined) {
      void this.worker?.terminate();
      this.worker = undefined;
      return;
    }
    this.worker ??= this.start();
    this.worker.postMessage(this.running.job);
  }

  private start(): Worker {
    const worker = new Worker(workerFile());
    // A kernel that stops does not wait for simulations.
    worker.unref();
    const ended = (error: Error): void => {
      if (this.worker !== worker) return;
      this.worker = undefined;
      this.finish({ kind: 'failed', error: partsOf(error) });
    };
    worker.on('message', (answer: AdviceAnswer) => {
      if (answer.kind === 'found' || answer.kind === 'progress' || answer.kind === 'judged') this.running?.told(answer);
      else this.finish(answer);
    });
    worker.on('error', ended);
    worker.on('exit', () => ended(new Error('the thread of the simulations has ended')));
    return worker;
  }

  private finish(answer: AdviceAnswer): void {
    const { running } = this;
    this.running = undefined;
    if (this.isClosed) return;
    running?.told(answer);
    this.next();
  }
}

/** What a job failed of. */
export function failureOf(answer: Extract<AdviceAnswer, { readonly kind: 'failed' }>): Error {
  return errorOf(answer.error);
}

/** The compiled thread; tests that run from sources need a build as well. */
function workerFile(): URL {
  return new URL(
    import.meta.url.endsWith('.ts') ? '../../dist/learning/recommend/advice-worker.js' : './advice-worker.js',
    import.meta.url,
  );
}
