// The simulated shell of the kernel: stamps what arrives with sequence and virtual time, hands it to `Kernel.handle`, and
// carries the effects out over the simulated network. The kernel behind it is the one that runs live.

import type { Effect } from '../../core/kernel/effects.ts';
import type { Input, InputBody } from '../../core/kernel/inputs.ts';
import type { Kernel } from '../../core/kernel/kernel.ts';
import { eventPriority } from '../engine/priority.ts';
import type { Simulation } from '../engine/simulation.ts';
import type { WorldObserver } from './observer.ts';

/** What a world needs of the shell around its kernel. */
export interface KernelShell {
  /** The kernel as it is now, and a way to put its equal in its place. */
  kernel: Kernel;
  /** One input, now. */
  give(body: InputBody): void;
}

export class KernelHost implements KernelShell {
  kernel: Kernel;
  private readonly simulation: Simulation;
  private readonly carryOut: (effect: Effect) => void;
  private readonly inputObservers: WorldObserver[];
  private readonly effectObservers: WorldObserver[];
  private readonly input: Input = { sequence: 0, timeMicros: 0, body: { kind: 'timeReached' } };
  private readonly effects: Effect[] = [];
  private effectCount = 0;
  // Overwritten from the start each time: an array emptied by its length would allocate anew for every input.
  private readonly sink = {
    push: (effect: Effect): void => {
      this.effects[this.effectCount++] = effect;
    },
  };
  private readonly instantEndHandler: number;
  private readonly wakeHandler: number;
  private instantEndPending = false;

  constructor(
    kernel: Kernel,
    simulation: Simulation,
    observers: readonly WorldObserver[],
    carryOut: (effect: Effect) => void,
  ) {
    this.kernel = kernel;
    this.simulation = simulation;
    this.carryOut = carryOut;
    this.inputObservers = observers.filter((observer) => observer.kernelInput !== undefined);
    this.effectObservers = observers.filter((observer) => observer.kernelEffect !== undefined);
    this.instantEndHandler = simulation.defineHandler('instant ends', () => {
      this.instantEndPending = false;
      if (this.kernel.awaitsInstantEnd) this.give({ kind: 'instantEnded' });
    });
    this.wakeHandler = simulation.defineHandler('kernel wakes', () => this.give({ kind: 'timeReached' }));
  }

  /** One input, now. */
  give(body: InputBody): void {
    const now = this.simulation.nowMicros;
    this.input.sequence++;
    this.input.timeMicros = now;
    this.input.body = body;
    for (const observer of this.inputObservers) observer.kernelInput?.(body, now, now);
    this.effectCount = 0;
    this.kernel.handle(this.input, this.sink);
    for (let index = 0; index < this.effectCount; index++) {
      const effect = this.effects[index] as Effect;
      for (const observer of this.effectObservers) observer.kernelEffect?.(effect, now, now);
      if (effect.kind === 'wakeAt')
        this.simulation.schedule(effect.timeMicros, eventPriority.timer, this.wakeHandler, 0, undefined);
      else this.carryOut(effect);
    }
    if (!this.instantEndPending && this.kernel.awaitsInstantEnd) {
      this.instantEndPending = true;
      this.simulation.schedule(now, eventPriority.instantEnd, this.instantEndHandler, 0, undefined);
    }
  }
}
