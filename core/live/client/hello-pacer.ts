// Hellos of the many agents of one connection, a bounded number of them unanswered at once: a kernel that is slow is not made slower by
// agents which all say hello again before it has come to them. A stream loses nothing while it lasts, so that a hello which is under
// way is not repeated before long; the hello that goes out tells the time at which it does.

import type { AgentHello } from '../../proto/generated/sira/v1/agent_service.ts';

/** Few enough to be answered within a lease, many enough to fill a sync of the disk. */
const unansweredMax = 128;
/** A kernel that takes no inputs drops hellos; after this long one is said again. */
const repeatMicros = 5_000_000;

export class HelloPacer {
  private readonly send: (hello: AgentHello) => void;
  private readonly now: () => number;
  /** By agent, the oldest first. */
  private readonly unanswered = new Map<string, { readonly incarnation: number; readonly outMicros: number }>();
  private readonly waiting = new Map<string, AgentHello>();

  constructor(send: (hello: AgentHello) => void, now: () => number) {
    this.send = send;
    this.now = now;
  }

  /** The agent says hello, now or as soon as others have been answered. */
  offer(hello: AgentHello): void {
    const { name, incarnation } = hello;
    const out = this.unanswered.get(name);
    if (out?.incarnation === incarnation && this.now() - out.outMicros < repeatMicros) return;
    this.unanswered.delete(name);
    this.waiting.set(name, hello);
    this.goOn();
  }

  /** The kernel has answered this agent's hello, whatever it said. */
  answered(name: string): void {
    if (this.unanswered.delete(name)) this.goOn();
  }

  /** A new stream: what was under way on the old one is lost. */
  reopened(): void {
    this.unanswered.clear();
    this.waiting.clear();
  }

  private goOn(): void {
    for (const [name, hello] of this.waiting) {
      if (this.unanswered.size >= unansweredMax && !this.forgetLost()) return;
      this.waiting.delete(name);
      const outMicros = this.now();
      this.unanswered.set(name, { incarnation: hello.incarnation, outMicros });
      this.send({ ...hello, sentMicros: outMicros });
    }
  }

  /** True if there is room now. */
  private forgetLost(): boolean {
    for (const [name, { outMicros }] of this.unanswered) {
      if (this.now() - outMicros < repeatMicros) break;
      this.unanswered.delete(name);
    }
    return this.unanswered.size < unansweredMax;
  }
}
