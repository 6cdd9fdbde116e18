// Planted bugs of the control machine, its dispatcher, the registry of agents, and timers.

import type { Mutant } from './mutant.ts';

const control = 'core/kernel/control.ts';
const intake = 'core/kernel/task-intake.ts';
const dispatcher = 'core/kernel/dispatcher.ts';
const kernel = 'core/kernel/kernel.ts';
const ledger = 'core/kernel/submission-ledger.ts';
const registry = 'core/registry/agent-registry.ts';

export const kernelMutants: readonly Mutant[] = [
  {
    name: 'submissions-not-deduplicated',
    bug: 'a repeated submission becomes another task',
    file: ledger,
    search: "return this.refused.has(submission) ? 'refused' : this.window.look(submission);",
    replace: "return this.refused.has(submission) ? 'refused' : 'new';",
  },
  {
    name: 'refusal-forgotten',
    bug: 'a refusal that was lost becomes an acceptance when the submission is repeated',
    file: ledger,
    search: '    this.refused.add(submission);\n    return true;',
    replace: '    return true;',
  },
  {
    name: 'fenced-by-task',
    bug: 'a result counts for whichever attempt of its task holds resources',
    file: control,
    search:
      'const attempt = this.scheduler.attempts.get(input.attempt);\n    if (attempt === undefined || attempt.machines[0] !== input.agent) return undefined;\n    return this.registry.isCurrent(input.agent, input.incarnation) ? attempt : undefined;',
    replace: 'return [...this.scheduler.attempts.values()].find((attempt) => attempt.task.task === input.task);',
  },
  {
    name: 'cancelled-before-stopped',
    bug: 'a cancelled task gives back its machines before its agent has stopped it',
    file: control,
    search: 'if (attempt.task === task) this.dispatcher.stop(attempt, nowMicros);',
    replace:
      "if (attempt.task === task) {\n            this.dispatcher.stop(attempt, nowMicros);\n            this.scheduler.release(attempt);\n            this.endTask(task, 'cancelled', 0, -1, 0);\n          }",
  },
  {
    name: 'evicted-before-stopped',
    bug: 'an evicted task gives back its machines before its agent has stopped it',
    file: control,
    search: '  evicted(attempt: Attempt): void {\n    this.dispatcher.stop(attempt, this.nowMicros);',
    replace:
      '  evicted(attempt: Attempt): void {\n    this.dispatcher.stop(attempt, this.nowMicros);\n    this.scheduler.release(attempt);\n    this.retryTask(attempt, -1);',
  },
  {
    name: 'stopped-not-released',
    bug: 'what was stopped on demand never gives back its machines',
    file: control,
    search: '    this.scheduler.release(attempt);\n    this.agentHolds.ended',
    replace: "    if (attempt.state !== 'cancelling') this.scheduler.release(attempt);\n    this.agentHolds.ended",
  },
  {
    name: 'cancelled-runs-again',
    bug: 'a cancelled task is placed anew when its attempt has stopped',
    file: control,
    search: "if (task.cancelled) this.endTask(task, 'cancelled', attempt, agent, 0);\n    else if",
    replace: 'if',
  },
  {
    name: 'dead-agents-tasks-lost',
    bug: 'the tasks of an agent that died are not queued again',
    file: control,
    search: '        this.scheduler.release(attempt);\n        this.retryTask(attempt, row);\n      } else if',
    replace: '        this.scheduler.release(attempt);\n      } else if',
  },
  {
    name: 'dead-agents-capacity-lost',
    bug: 'the tasks of an agent that died are queued again, their machines stay taken',
    file: control,
    search: '        this.scheduler.release(attempt);\n        this.retryTask(attempt, row);\n      } else if',
    replace: '        this.retryTask(attempt, row);\n      } else if',
  },
  {
    name: 'dead-member-ignored',
    bug: 'the death of a machine that a task uses but is not led from is ignored',
    file: control,
    search:
      '} else if (attempt.machines.includes(row)) {\n        this.dispatcher.stop(attempt, this.nowMicros);\n      }',
    replace: '}',
  },
  {
    name: 'restart-unnoticed',
    bug: 'an agent that restarted is thought to go on with what it ran before',
    file: control,
    search: "if (registration.kind === 'restarted') this.loseAgent(row);",
    replace: '',
  },
  {
    name: 'orders-begin-anew',
    bug: 'the orders to an agent count from 1 again when it only reconnects',
    file: control,
    search: "    if (registration.kind !== 'resumed') {\n      this.dispatcher.incarnationBegan(row);",
    replace: "    this.dispatcher.incarnationBegan(row);\n    if (registration.kind !== 'resumed') {",
  },
  {
    name: 'receipt-for-the-first-only',
    bug: 'a result that is repeated gets no receipt, so that it is repeated for ever',
    file: control,
    search:
      "    this.output.emit({ kind: 'resultRecorded', task: number, attempt: input.attempt, agent, incarnation });\n    if (attempt === undefined) return;",
    replace:
      "    if (attempt === undefined) return;\n    this.output.emit({ kind: 'resultRecorded', task: number, attempt: input.attempt, agent, incarnation });",
  },
  {
    name: 'ended-task-kept',
    bug: 'a task that has ended stays in the table of tasks',
    file: control,
    search: '    this.tasks.delete(task.task);\n',
    replace: '',
  },
  {
    name: 'ends-before-subscription',
    bug: 'ends published before the submitter’s subscription has come are kept for nobody',
    file: intake,
    search: '      this.output.openEnds(submitter);\n',
    replace: '',
  },
  {
    name: 'queue-bound-off-by-one',
    bug: 'one task more than the queue may hold is accepted',
    file: intake,
    search: "this.scheduler.queueLength >= this.settings.get('scheduler.queueLengthMax')",
    replace: "this.scheduler.queueLength > this.settings.get('scheduler.queueLengthMax')",
  },
  {
    name: 'dispatch-not-repeated',
    bug: 'a dispatch without an answer is not sent again',
    file: dispatcher,
    search: '    this.askAgain(2 * attempt.attempt, nowMicros);\n',
    replace: '',
  },
  {
    name: 'stop-not-repeated',
    bug: 'a stop without an answer is not sent again',
    file: dispatcher,
    search: '    this.askAgain(2 * attempt.attempt + 1, nowMicros);\n',
    replace: '',
  },
  {
    name: 'masks-of-the-first-machine',
    bug: 'every machine of a task is told the devices of the first',
    file: dispatcher,
    search: '      deviceMasks: attempt.deviceMasks,',
    replace: '      deviceMasks: attempt.deviceMasks.map(() => attempt.deviceMasks[0] as number),',
  },
  {
    name: 'resumes-too-far',
    bug: 'a task goes on from a checkpoint that it is yet to save',
    file: dispatcher,
    search: 'resumeMicros: attempt.resumeMicros }',
    replace: 'resumeMicros: attempt.resumeMicros === 0 ? 0 : attempt.resumeMicros + everyMicros }',
  },
  {
    name: 'ends-share-a-number',
    bug: 'the ends of tasks are published under one number, and taken for one',
    file: kernel,
    search: 'if (!this.refusedByBroker) this.publishCount = sequence;',
    replace: '',
  },
  {
    name: 'ends-without-room-lost',
    bug: 'an end for which the topic has no room is lost',
    file: kernel,
    search: '!this.publish(submitter, ended)) this.pendingEnds.add(submitter, ended);',
    replace: '!this.publish(submitter, ended)) return;',
  },
  {
    name: 'pending-ends-forgotten',
    bug: 'ends that wait for room in the topic are not published when there is room',
    file: kernel,
    search: "if (input.kind === 'acknowledge' || input.kind === 'unsubscribe')",
    replace: "if (input.kind === 'unsubscribe')",
  },
  {
    name: 'next-timer-forgotten',
    bug: 'a timer that is set for earlier than the next one is not noticed',
    file: kernel,
    search: 'this.nextDueMicros = next;',
    replace: 'if (this.nextDueMicros <= this.nowMicros) this.nextDueMicros = next;',
  },
  {
    name: 'due-timer-missed',
    bug: 'a timer whose time has just come does not fire, and is asked for again at once',
    file: kernel,
    search: 'if (this.nextDueMicros <= now) this.fireDue(now);',
    replace: 'if (this.nextDueMicros < now) this.fireDue(now);',
  },
  {
    name: 'lease-too-short',
    bug: 'an agent is declared dead one heartbeat before its lease is over',
    file: registry,
    search: 'const expiry = nowMicros + this.settings.leaseMicros;',
    replace: 'const expiry = nowMicros + this.settings.leaseMicros - this.settings.heartbeatIntervalMicros;',
  },
  {
    name: 'lease-never-ends',
    bug: 'an agent whose lease is over stays suspect for ever',
    file: registry,
    search: 'if (nowMicros > (this.leaseExpiryMicros[row] as number)) {',
    replace: 'if (nowMicros < 0) {',
  },
  {
    name: 'suspect-never-recovers',
    bug: 'a suspicion stays although heartbeats return',
    file: registry,
    search: "this.change(row, flags & ~flagSuspect, 'heartbeat returned');",
    replace: '',
  },
  {
    name: 'dead-come-back',
    bug: 'an incarnation that was declared dead may register again',
    file: registry,
    search: "if (hello.incarnation === this.incarnation[known] && !this.alive(known)) return 'incarnation is dead';",
    replace: '',
  },
  {
    name: 'former-incarnation-registers',
    bug: 'a late hello of a former incarnation is taken for a restart',
    file: registry,
    search:
      "if (hello.incarnation < (this.incarnation[known] as number)) return 'incarnation is older than the one known';",
    replace: '',
  },
  {
    name: 'former-incarnation-beats',
    bug: 'heartbeats of a former incarnation renew the lease of the present one',
    file: registry,
    search: "if (incarnation !== present) return incarnation < present ? 'stale' : 'unknown';",
    replace: '',
  },
  {
    name: 'reconnection-drops-dispatched',
    bug: 'what is on its way to an agent that reconnects is given to another at once',
    file: control,
    search: `if (attempt.machines[0] === row && attempt.state !== 'dispatched' && !told.has(attempt.attempt))
        this.dispatcher.stop(attempt, this.nowMicros);`,
    replace: `if (attempt.machines[0] === row && !told.has(attempt.attempt)) {
        this.scheduler.release(attempt);
        this.retryTask(attempt, row);
      }`,
  },
  {
    name: 'skill-ignored',
    bug: 'a task is placed where nobody declares the skill that it asks for',
    file: 'core/scheduler/cluster-state.ts',
    search: 'if (kind.skill !== undefined && !this.hasSkill(kind.skill, machine)) return reasonSkill;',
    replace: '',
  },
];
