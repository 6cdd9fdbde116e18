// The producers whose sequences are remembered, in a bounded table. Nobody is dropped from it silently: a forgotten producer's
// retries would be stored again.

import type { Produced, RefusalReason } from './broker-protocol.ts';
import { ProducerWindow, type ProducerWindowState } from './producer-window.ts';

export type SavedProducer = { readonly name: string } & ProducerWindowState;

export class ProducerTable {
  private readonly windows = new Map<string, ProducerWindow>();
  private readonly countMax: number;
  private readonly window: number;

  /** At most `countMax` producers, each with a window of `window` sequences. */
  constructor(countMax: number, window: number) {
    this.countMax = countMax;
    this.window = window;
  }

  /** The producer's window, in which the sequence is new or a duplicate; or why the message cannot be looked at. */
  admit({ producer, sequence, settledSequence }: Produced): ProducerWindow | RefusalReason {
    if (!Number.isSafeInteger(sequence) || sequence < 1) return 'sequence is not a positive integer above the settled';
    if (settledSequence !== undefined && !(Number.isSafeInteger(settledSequence) && settledSequence < sequence)) {
      return 'sequence is not a positive integer above the settled';
    }
    let window = this.windows.get(producer);
    if (window === undefined) {
      if (this.windows.size >= this.countMax) return 'too many producers';
      window = new ProducerWindow(this.window);
      this.windows.set(producer, window);
    }
    if (settledSequence !== undefined) window.settle(settledSequence);
    return window.standing(sequence) === 'beyond' ? 'sequence is beyond the window' : window;
  }

  forget(producer: string): void {
    this.windows.delete(producer);
  }

  save(): readonly SavedProducer[] {
    return Array.from(this.windows, ([name, window]) => ({ name, ...window.save() }));
  }

  /** On a fresh table. */
  restore(producers: readonly SavedProducer[]): void {
    for (const { name, ...state } of producers) {
      const window = new ProducerWindow(this.window);
      window.restore(state);
      this.windows.set(name, window);
    }
  }
}
