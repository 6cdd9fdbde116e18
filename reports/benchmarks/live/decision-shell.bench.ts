// The live shell's way with one kernel, over files that the bench chooses: an input, the end of its instant in the next turn of the event
// loop, a flush, and effects once their input is durable. Without files nothing is journaled and effects leave at once.

import { createKernelSettings } from '../../../core/config/kernel-setting-table.ts';
import type { Effect } from '../../../core/kernel/effects.ts';
import type { InputBody } from '../../../core/kernel/inputs.ts';
import { defaultJournalSettings, type JournalStore } from '../../../core/kernel/journal.ts';
import { Kernel } from '../../../core/kernel/kernel.ts';
import { helloFrom, submissionOf } from '../../../core/kernel/kernel-driver.ts';
import { KernelProcess } from '../../../core/kernel/kernel-process.ts';
import { LiveClock } from '../../../core/live/live-clock.ts';
import { defaultProfile } from '../../../core/live/start-settings.ts';
import type { FileCompletion, FilePort } from '../../../core/ports/file-port.ts';

export type FilesOf = (store: JournalStore, complete: (completion: FileCompletion) => void) => FilePort;

const agentCount = 100;
const hour = 3_600_000_000;

export class DecisionShell {
  private readonly clock = new LiveClock();
  private readonly settings = createKernelSettings({ initial: { 'registry.leaseMicros': hour } });
  private readonly process: KernelProcess | undefined;
  private readonly alone: Kernel | undefined;
  private sequence = 0;
  private submissions = 0;
  private whenDispatched: (effect: Extract<Effect, { kind: 'dispatch' }>) => void = () => {};
  private whenReady: () => void = () => {};

  /** `files`: none for a kernel without a journal. */
  private constructor(files: FilesOf | undefined) {
    if (files === undefined) {
      this.alone = new Kernel(defaultProfile, this.settings, 1);
      return;
    }
    const stores = new Map<JournalStore, FilePort>();
    for (const store of ['log', 'snapshots'] as const)
      stores.set(
        store,
        files(store, (completion) => this.process?.complete(store, completion)),
      );
    const first = () => ({ kernel: new Kernel(defaultProfile, this.settings, 1), profile: defaultProfile });
    const settings = { ...defaultJournalSettings, codeHash: 'bench', marksEffects: true };
    this.process = new KernelProcess(settings, first, {
      now: () => this.clock.now(),
      endInstantSoon: () => void setImmediate(() => this.process?.endInstant()),
      flushSoon: () => void setImmediate(() => this.process?.flush()),
      wakeAt: () => {},
      submit: (store, operation) => stores.get(store)?.submit(operation),
      released: ({ effects }) => this.leave(effects),
      recovered: () => {},
      ready: () => this.whenReady(),
      paused: ({ reason }) => {
        throw new Error(reason);
      },
      failed: ({ reason }) => {
        throw new Error(reason);
      },
    });
  }

  static async start(files: FilesOf | undefined): Promise<DecisionShell> {
    const shell = new DecisionShell(files);
    if (shell.process !== undefined)
      await new Promise<void>((resolve) => {
        shell.whenReady = resolve;
        shell.process?.start();
      });
    for (let agent = 0; agent < agentCount; agent++) shell.give(helloFrom(`agent-${agent}`));
    return shell;
  }

  /** Submits one task and says when its dispatch leaves, microseconds after the submission; the task is then ended. */
  decide(): Promise<number> {
    return new Promise((resolve) => {
      const begin = performance.now();
      this.whenDispatched = ({ task, attempt, agent, incarnation }) => {
        this.whenDispatched = () => {};
        resolve((performance.now() - begin) * 1000);
        const common = { agent, incarnation, task, attempt };
        this.give({ kind: 'dispatchAccepted', ...common });
        this.give({ kind: 'taskFinished', ...common, outcome: 'completed', serviceMicros: 1, progressMicros: 0 });
      };
      this.submissions++;
      this.give(submissionOf(this.submissions, { settled: this.submissions - 1 }));
    });
  }

  private give(body: InputBody): void {
    if (this.process !== undefined) {
      const status = this.process.give(body);
      if (!status.ok) throw new Error(status.reason);
      return;
    }
    const { alone } = this;
    if (alone === undefined) return;
    const handle = (input: InputBody): void => {
      const effects: Effect[] = [];
      alone.handle({ sequence: ++this.sequence, timeMicros: this.clock.now(), body: input }, effects);
      this.leave(effects);
    };
    handle(body);
    if (body.kind !== 'instantEnded' && alone.awaitsInstantEnd)
      setImmediate(() => {
        if (alone.awaitsInstantEnd) handle({ kind: 'instantEnded' });
      });
  }

  private leave(effects: readonly Effect[]): void {
    for (const effect of effects) if (effect.kind === 'dispatch') this.whenDispatched(effect);
  }
}
