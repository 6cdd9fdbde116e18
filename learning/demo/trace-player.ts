// Plays a trace of requests to a kernel, each at its time or faster, and keeps account of what was acknowledged and what came
// back. The trace begins anew at its end. Every fourth request is a product of matrices, whose result is checked; the others are
// inference with the request's own numbers of tokens.

import { arrayFrom, Submitter, type TaskDescription, type TaskEnd, tensorFrom } from '../../core/live/client.ts';
import { pause } from './fleet.ts';
import { seeded, width } from './tensor-work.ts';

export interface TraceRequest {
  readonly atSeconds: number;
  readonly promptTokens: number;
  readonly outputTokens: number;
}

export interface PlayerAccount {
  /** Submissions that the kernel acknowledged. */
  readonly acknowledged: readonly number[];
  /** Submissions whose end was told, in that order. */
  readonly told: readonly number[];
  readonly completed: number;
  readonly failed: number;
  /** Results that were not what they had to be. */
  readonly wrong: number;
  readonly refused: number;
  /** Handed over and not ended yet. */
  readonly open: number;
}

/** Beyond this many open tasks the trace waits. */
const openMax = 200;
const latenciesKept = 500;

export class TracePlayer {
  private readonly submitter: Submitter;
  private readonly requests: readonly TraceRequest[];
  private readonly speed: number;
  private readonly acknowledged: number[] = [];
  private readonly told: number[];
  private completed = 0;
  private failed = 0;
  private wrong = 0;
  private refused = 0;
  private open = 0;
  private latencies: number[] = [];
  private isPaused = false;
  private isStopped = false;
  private playing: Promise<void> = Promise.resolve();

  private constructor(submitter: Submitter, requests: readonly TraceRequest[], speed: number, told: number[]) {
    this.submitter = submitter;
    this.requests = requests;
    this.speed = speed;
    this.told = told;
  }

  /** `speed`: times as fast as the trace. */
  static async start(address: string, requests: readonly TraceRequest[], speed: number): Promise<TracePlayer> {
    const told: number[] = [];
    const ended = ({ submission }: TaskEnd): void => void told.push(submission);
    const submitter = await Submitter.connect({ address, name: 'demo', ended });
    const player = new TracePlayer(submitter, requests, speed, told);
    player.playing = player.play();
    return player;
  }

  get account(): PlayerAccount {
    const { acknowledged, told, completed, failed, wrong, refused, open } = this;
    return { acknowledged, told, completed, failed, wrong, refused, open };
  }

  /** Median and 95th percentile, from submission to end, of the latest tasks; milliseconds. */
  get latency(): { readonly p50Millis: number; readonly p95Millis: number } {
    const sorted = [...this.latencies].sort((left, right) => left - right);
    const at = (share: number): number => sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? 0;
    return { p50Millis: at(0.5), p95Millis: at(0.95) };
  }

  /** Submits nothing more until {@link goOn}. True when all that was submitted has ended, false if that took longer. */
  async drain(longestMillis: number): Promise<boolean> {
    this.isPaused = true;
    const end = performance.now() + longestMillis;
    while (this.open > 0 && performance.now() < end) await pause(20);
    return this.open === 0;
  }

  goOn(): void {
    this.isPaused = false;
  }

  async stop(): Promise<void> {
    this.isStopped = true;
    await this.playing;
    await this.submitter.close();
  }

  private async play(): Promise<void> {
    // When the trace began; later by what it had to wait.
    let beginMillis = performance.now();
    let number = 0;
    while (!this.isStopped) {
      const request = this.requests[number % this.requests.length] as TraceRequest;
      if (number % this.requests.length === 0 && number > 0) beginMillis = performance.now();
      for (;;) {
        const now = performance.now();
        const due = beginMillis + (request.atSeconds * 1000) / this.speed;
        if (this.isStopped) return;
        if (this.isPaused || this.open >= openMax) beginMillis += 20;
        else if (now >= due) break;
        await pause(this.isPaused || this.open >= openMax ? 20 : Math.min(50, due - now));
      }
      void this.run(request, number++);
    }
  }

  private async run(request: TraceRequest, number: number): Promise<void> {
    this.open++;
    const begin = performance.now();
    const { description, isRight } = taskOf(request, number);
    try {
      const submitted = await this.submitter.submit(description);
      this.acknowledged.push(submitted.submission);
      const end = await submitted.ended;
      if (end.outcome !== 'completed') this.failed++;
      else {
        this.completed++;
        if (!isRight(end)) this.wrong++;
      }
      this.latencies.push(performance.now() - begin);
      if (this.latencies.length > latenciesKept) this.latencies.shift();
    } catch {
      this.refused++;
    } finally {
      this.open--;
    }
  }
}

/** The work of a request, and how to tell that its result is right. */
export function taskOf(
  { promptTokens, outputTokens }: TraceRequest,
  number: number,
): { readonly description: TaskDescription; readonly isRight: (end: TaskEnd) => boolean } {
  const request = { cpuMilli: 500, memoryMib: 64 };
  if (number % 4 !== 3) {
    const inputs = { prompt: tensorFrom(seeded(width, number), [width]) };
    const parameters = { promptTokens, outputTokens };
    const estimateMicros = Math.round(5000 + 40 * promptTokens + 1000 * outputTokens);
    return {
      description: { function: 'infer', inputs, parameters, request, estimateMicros, size: estimateMicros / 1e6 },
      isRight: ({ outputs }) => arrayFrom(outputs.state!).every(Number.isFinite),
    };
  }
  const side = 64 + 32 * (promptTokens % 5);
  const left = seeded(side * side, number);
  const right = seeded(side * side, number + 1);
  const inputs = { left: tensorFrom(left, [side, side]), right: tensorFrom(right, [side, side]) };
  const estimateMicros = Math.round(2000 + side ** 3 / 100);
  return {
    description: { function: 'matrix-multiply', inputs, request, estimateMicros, size: estimateMicros / 1e6 },
    isRight: ({ outputs }) => isProduct(arrayFrom(outputs.product!) as Float32Array, left, right, side),
  };
}

/** Freivalds' check with the vector of ones: (left · right) · 1 = left · (right · 1). */
function isProduct(product: Float32Array, left: Float32Array, right: Float32Array, side: number): boolean {
  if (product.length !== side * side) return false;
  const sums = new Float64Array(side);
  for (let index = 0; index < right.length; index++) sums[Math.floor(index / side)]! += right[index]!;
  for (let row = 0; row < side; row++) {
    let expected = 0;
    let found = 0;
    for (let column = 0; column < side; column++) {
      expected += left[row * side + column]! * sums[column]!;
      found += product[row * side + column]!;
    }
    if (!(Math.abs(expected - found) <= 1e-3 * side)) return false;
  }
  return true;
}
