// Planted bugs of the two libraries that speak to the kernel: the agent's and the submitter's.

import type { Mutant } from './mutant.ts';

const agent = 'core/client/agent-client.ts';
const submitter = 'core/client/submitter-client.ts';

export const agentMutants: readonly Mutant[] = [
  {
    name: 'late-dispatch-begins-again',
    bug: 'a late copy of a dispatch begins its work a second time',
    file: agent,
    search: "if (this.orders.look(dispatch.order) !== 'new') return;",
    replace: '',
  },
  {
    name: 'stop-before-dispatch-forgotten',
    bug: 'a stop that overtakes its dispatch does not void it',
    file: agent,
    search: "if (this.orders.look(message.order) === 'new') this.orders.note(message.order);",
    replace: '',
  },
  {
    name: 'works-unregistered',
    bug: 'an agent that restarted takes work before it is registered, and so without a lease',
    file: agent,
    search: 'else if (this.registered && message.agent === this.number',
    replace: 'else if (message.agent === this.number',
  },
  {
    name: 'lease-from-answer',
    bug: 'the lease runs from when the answer to the hello came, not from when the hello was sent',
    file: agent,
    search: 'const expiryMicros = message.helloSentMicros + leaseMicros;',
    replace: 'const expiryMicros = nowMicros + leaseMicros;',
  },
  {
    name: 'expired-answer-taken',
    bug: 'an answer to a hello is taken although its lease is as good as over',
    file: agent,
    search: 'if (!this.registered && nowMicros + message.heartbeatIntervalMicros >= expiryMicros) return;',
    replace: '',
  },
  {
    name: 'wake-missed-while-down',
    bug: 'an agent that restarts waits for a wake that went by while it was down',
    file: agent,
    search:
      '// A wake that came while the agent was down went unheard.\n    this.retryAtMicros = Number.POSITIVE_INFINITY;',
    replace: '',
  },
  {
    name: 'lease-renewed-for-too-long',
    bug: 'a recorded heartbeat extends the lease by twice its length',
    file: agent,
    search: 'Math.max(this.leaseExpiryMicros, sentMicros + this.leaseMicros)',
    replace: 'Math.max(this.leaseExpiryMicros, sentMicros + 2 * this.leaseMicros)',
  },
  {
    name: 'stale-lease',
    bug: 'an agent looks at its lease only when it is over, not when it could end before the next look',
    file: agent,
    search: 'if (!this.registered || nowMicros + intervalMicros < this.leaseExpiryMicros) return;',
    replace: 'if (!this.registered || nowMicros <= this.leaseExpiryMicros) return;',
  },
  {
    name: 'result-not-repeated',
    bug: 'a result without a receipt is not sent again',
    file: agent,
    search:
      'for (const { result } of this.work.values()) if (result !== undefined) this.shell.send(result);\n    this.sayDraining();',
    replace: 'this.sayDraining();',
  },
  {
    name: 'hello-not-repeated',
    bug: 'a hello without an answer is not sent again',
    file: agent,
    search: 'if (!this.registered) {\n      this.hello(nowMicros);\n      return;\n    }',
    replace: 'if (!this.registered) return;',
  },
  {
    name: 'work-survives-lost-lease',
    bug: 'an agent that has lost its lease forgets its work without ending it',
    file: agent,
    search: 'if (result === undefined) this.shell.stopWork(dispatch);',
    replace: 'if (result === undefined) void dispatch;',
  },
  {
    name: 'submission-not-repeated',
    bug: 'a submission without an answer is not sent again',
    file: submitter,
    search: '    this.repeating.add(submission);\n    this.shell.send(message);\n',
    replace: '    this.repeating.add(submission);\n',
  },
  {
    name: 'gap-acknowledged',
    bug: 'ends that came early are acknowledged together with the gap before them',
    file: submitter,
    search: 'offset: this.nextOffset - 1,',
    replace: 'offset: this.nextOffset + this.early.size - 1,',
  },
  {
    name: 'early-end-taken-twice',
    bug: 'the end of a task that came early is taken again with its second delivery',
    file: submitter,
    search: 'if (message.offset >= this.nextOffset && !this.early.has(message.offset)) {',
    replace: 'if (message.offset >= this.nextOffset) {',
  },
  {
    name: 'settled-too-early',
    bug: 'the submitter calls submissions settled that it has no answer to',
    file: submitter,
    search: 'settled: (this.unanswered.keys().next().value ?? submission) - 1,',
    replace: 'settled: submission - 1,',
  },
];
