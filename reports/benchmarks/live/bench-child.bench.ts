// A process beside the one that measures: load is made elsewhere than where it is measured. The parent asks by name, the child answers
// once; what is asked and answered are plain values.

import { type ChildProcess, fork } from 'node:child_process';

interface Question {
  readonly id: number;
  readonly name: string;
  readonly value: unknown;
}

interface Answer {
  readonly id: number;
  readonly value?: unknown;
  readonly failure?: string;
}

export class BenchChild {
  private readonly process: ChildProcess;
  private readonly waiting = new Map<number, { resolve(value: unknown): void; reject(error: Error): void }>();
  private count = 0;

  /** `file`: URL of a module that calls {@link answerParent}. */
  constructor(file: URL) {
    this.process = fork(file, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'], serialization: 'advanced' });
    this.process.on('message', ({ id, value, failure }: Answer) => {
      const waiting = this.waiting.get(id);
      this.waiting.delete(id);
      if (failure === undefined) waiting?.resolve(value);
      else waiting?.reject(new Error(failure));
    });
    this.process.once('exit', (code, signal) => {
      for (const { reject } of this.waiting.values())
        reject(new Error(`a process of the bench ended: ${code ?? signal}`));
    });
  }

  ask<T>(name: string, value: unknown = {}): Promise<T> {
    const id = ++this.count;
    return new Promise<T>((resolve, reject) => {
      this.waiting.set(id, { resolve: resolve as (value: unknown) => void, reject });
      this.process.send({ id, name, value } satisfies Question);
    });
  }

  async end(): Promise<void> {
    if (this.process.exitCode !== null || this.process.signalCode !== null) return;
    const ended = new Promise((resolve) => this.process.once('exit', resolve));
    this.process.kill('SIGKILL');
    await ended;
  }
}

/** Where a child stands, compiled or not. */
export function childFile(name: string): URL {
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
  return new URL(`./${name}-process.bench.${extension}`, import.meta.url);
}

/** In the child: what it answers, by name. */
export function answerParent(answers: Readonly<Record<string, (value: never) => unknown>>): void {
  process.on('message', ({ id, name, value }: Question) => {
    const answer = answers[name];
    Promise.resolve()
      .then(() => {
        if (answer === undefined) throw new Error(`nobody answers "${name}"`);
        return answer(value as never);
      })
      .then(
        (result) => process.send?.({ id, value: result } satisfies Answer),
        (error: unknown) => process.send?.({ id, failure: String(error instanceof Error ? error.stack : error) }),
      );
  });
  process.once('disconnect', () => process.exit(0));
}
