// Work that runs on a simulated machine.

import type { Dispatch } from '../../core/kernel/effects.ts';

export interface RunningWork {
  readonly dispatch: Dispatch;
  readonly cameMicros: number;
  readonly startedMicros: number;
  endMicros: number;
  /** When it saves its next checkpoint, and what that will hold; `Infinity` if it saves none. */
  saveMicros: number;
  savedMicros: number;
  /** Machine time for a microsecond of service. */
  readonly slowness: number;
  /** −1 if it never ends by itself, or the machine hangs. */
  eventId: number;
  /** It failed while the machine hung; the agent learns of it when the hang ends. */
  failed: boolean;
}
