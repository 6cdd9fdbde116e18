// The page of a soak of the kernel, and the same for programs: how much was run, what it reached, what failed; and what hunts before
// it had found, each with the test that keeps it from coming back.

import { formatDuration } from '../../../core/base/time.ts';
import { coverageText } from './swarm-report.ts';
import { type SwarmState, sayPlan } from './swarm-state.ts';

/** What the swarm has found in the product since cases have fault points, a horizon and the later faults. */
const foundAndMended: readonly { readonly what: string; readonly by: string; readonly test: string }[] = [
  {
    what: 'A submitter whose full batch of ends showed a gap was not woken to ask for it again.',
    by: 'fault point submitter.acknowledgeLate',
    test: 'core/client/submitter-client.test.ts',
  },
  {
    what: 'A recovery of a thousand reads gave up at the first that failed, so that the kernel never came back.',
    by: 'reads that fail; liveness',
    test: 'core/log/file-tasks.test.ts',
  },
  {
    what: 'A time-out that was over when it was shortened asked for a wake in the past.',
    by: 'settings changed on the way; assertion',
    test: 'core/kernel/kernel-settings.test.ts',
  },
  {
    what: 'After an outage a flood of repeated submissions kept its own answers away, for ever: now an answer sends the next.',
    by: 'submitter that dies, on a thin link; liveness',
    test: 'core/client/submitter-client.test.ts',
  },
  {
    what: 'A submitter that forgot everything could not go on: unanswered tasks keep their numbers, ends go on where the kernel stands.',
    by: 'submitter that dies',
    test: 'core/client/submitter-client.test.ts, sim/fault/swarm-faults.test.ts',
  },
  {
    what: 'Leases allowed for no drift between the clocks of agent and kernel: an agent takes its own for shorter by 1%.',
    by: 'clocks that drift, when they were drawn',
    test: 'core/client/agent-client.test.ts, sim/fault/swarm-faults.test.ts',
  },
];

export interface SoakDocument {
  readonly plan: SwarmState['plan'];
  readonly cases: number;
  readonly caseCount: number;
  readonly simulatedMicros: number;
  readonly events: number;
  readonly failures: SwarmState['failures'];
  readonly reached: Readonly<Record<string, { readonly cases: number; readonly times: number }>>;
  readonly unreached: readonly string[];
  readonly foundAndMended: typeof foundAndMended;
}

export function soakDocument(state: SwarmState): SoakDocument {
  const names = [...state.counts.byName.keys()].sort((left, right) => (left < right ? -1 : 1));
  return {
    plan: state.plan,
    cases: state.cases,
    caseCount: state.caseCount,
    simulatedMicros: state.simulatedMicros,
    events: state.eventCount,
    failures: state.failures,
    reached: Object.fromEntries(
      names.map((name) => [name, state.counts.byName.get(name) as { cases: number; times: number }]),
    ),
    unreached: state.counts.unreached(),
    foundAndMended,
  };
}

export function soakPage(state: SwarmState): string {
  const { cases, caseCount, simulatedMicros, eventCount, failures } = state;
  const share = ((100 * cases) / Math.max(1, caseCount)).toFixed(cases === caseCount ? 0 : 1);
  const broken =
    failures.length === 0
      ? 'Every promise was kept in every case that was run.'
      : `${failures.length} cases broke a promise:\n\n${failures.map(({ seed, oracle, what }) => `- seed ${seed}, ${oracle}: ${what}`).join('\n')}`;
  const found = foundAndMended.map(({ what, by, test }) => `| ${what} | ${by} | ${test} |`).join('\n');
  return `# A soak of the kernel

Each seed draws a whole case: a small cluster, its tasks, a policy, a network, a disk, faults of machines, links, clocks, gateway,
submitter, kernel and disk, settings that change, and fault points inside the product. It runs under every oracle; at its horizon all
trouble stops, everything must end and all memory be given back; then it runs again with the kernel restored from its own snapshots.
\`npm run soak\` goes on where it was stopped, and writes this page.

| | |
|---|---|
| seeds planned | ${sayPlan(state.plan)} |
| cases run | ${grouped(cases)} of ${grouped(caseCount)} (${share}%), each twice or judged at each recovery |
| simulated time | ${formatDuration(simulatedMicros)} |
| events of the simulation | ${grouped(eventCount)} |
| cases that broke a promise | ${failures.length} |

${broken}

## Found by hunts before, and mended

| what was wrong | found by | kept away by |
|---|---|---|
${found}

Cases that planted bugs break, made small, stand in scenarios/regress and are replayed by the tests.

## What was reached

\`\`\`text
${coverageText(state).trim()}
\`\`\`
`;
}

function grouped(value: number): string {
  return String(value).replace(/\B(?=(\d{3})+(?!\d))/g, ',');
}
