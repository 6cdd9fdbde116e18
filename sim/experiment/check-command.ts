// Is this scenario sound? It reads the scenario and the traces that it names, and runs nothing.

import { SiraError } from '../../core/base/errors.ts';
import { checkCommandOf, type DocumentKind } from '../../core/documents/check-command.ts';
import type { Command, CommandContext } from '../../core/ports/command.ts';
import { readTrace } from '../workload/read-trace.ts';
import { openInputs } from './build-world.ts';
import { checkScenario } from './load-scenario.ts';
import type { Scenario } from './scenario.ts';

export const scenarioDocument: DocumentKind = {
  name: 'scenario',
  fields: [
    ...[
      'name',
      'description',
      'cluster',
      'workload',
      'policies',
      'policyDefaults',
      'seeds',
      'warmUp',
      'measure',
      'network',
    ],
    ...['journal', 'calibration', 'heartbeat', 'limits', 'faults', 'settings', 'objective', 'baseline', 'guards'],
  ],
  check: checkFile,
};

/** For scenarios alone. */
export const checkCommand: Command = checkCommandOf([scenarioDocument]);

/** What there is in the scenario in `file`, if it is sound. */
function checkFile(file: string, context: CommandContext): string | undefined {
  const { scenario, problems } = checkScenario(file);
  for (const problem of problems) context.printError(problem);
  if (scenario === undefined) return undefined;
  try {
    return describe(scenario);
  } catch (error) {
    if (!(error instanceof SiraError)) throw error;
    // Where the reader knows no place, the scenario is the place.
    context.printError(
      error.place.file === undefined
        ? new SiraError(error.code, error.message, { file, ...error.place }, error.remedy)
        : error,
    );
    return undefined;
  }
}

/** `121 machines with 622 GPUs, 8,152 tasks in the trace, 8 policies, 5 seeds`; opens what the scenario names. */
export function describe(scenario: Scenario): string {
  // Opening everything finds what only shows on these machines: tasks that fit nowhere, a load that cannot be offered.
  const { machines } = openInputs(scenario, scenario.seeds[0] ?? 0);
  const gpus = machines.reduce((sum, machine) => sum + machine.gpuCount, 0);
  const { source } = scenario.workload;
  const tasks =
    source.format === 'synthetic'
      ? source.count === 0
        ? 'tasks generated without end'
        : `${count(source.count, 'task')} generated`
      : `${count(readTrace(source, scenario.seeds[0] ?? 0).tasks.length, 'task')} in the trace`;
  return [
    `${count(machines.length, 'machine')}${gpus === 0 ? '' : ` with ${count(gpus, 'GPU')}`}`,
    tasks,
    count(scenario.policies.length, 'policy', 'policies'),
    count(scenario.seeds.length, 'seed'),
  ].join(', ');
}

function count(number: number, one: string, many = `${one}s`): string {
  return `${String(number).replace(/\B(?=(\d{3})+$)/g, ',')} ${number === 1 ? one : many}`;
}
