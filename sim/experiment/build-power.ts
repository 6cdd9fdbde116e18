// The power model of a scenario: names become the figures known by them, and every accelerator of the cluster must have some.

import { SiraError } from '../../core/base/errors.ts';
import { nearestName } from '../../core/base/nearest-name.ts';
import type { MachineSpec } from '../workload/workload.ts';
import { accelerators, type PowerModel, processors } from '../world/power/power-model.ts';
import { micros } from './quantities.ts';
import type { Scenario } from './scenario.ts';
import type { PowerFields } from './scenario-fields.ts';

const defaultProcessor = 'xeon-8369b';

/** The schema has checked that the processor's name is known. */
export function buildPower(fields: PowerFields): PowerModel {
  const { processor = defaultProcessor, sleep } = fields;
  return {
    baseWatts: fields.baseWatts ?? 0,
    processor: typeof processor === 'string' ? (processors[processor] as PowerModel['processor']) : processor,
    accelerators: { ...accelerators, ...fields.accelerators },
    sleep:
      sleep === undefined
        ? undefined
        : {
            afterMicros: sleep.after === undefined ? Number.POSITIVE_INFINITY : micros(sleep.after),
            watts: sleep.watts,
            wakeMicros: Math.max(1, micros(sleep.wake)),
            wakeWatts: sleep.wakeWatts,
          },
  };
}

/** Throws SIRA_SCENARIO_INVALID for an accelerator whose power nobody knows. */
export function checkPower({ power, file }: Scenario, machines: readonly MachineSpec[]): void {
  if (power === undefined) return;
  const unknown = machines.find(
    ({ gpuCount, gpuModel }) => gpuCount > 0 && !Object.hasOwn(power.accelerators, gpuModel),
  );
  if (unknown === undefined) return;
  const known = Object.keys(power.accelerators);
  const near = nearestName(unknown.gpuModel, known);
  throw new SiraError(
    'SIRA_SCENARIO_INVALID',
    `the power of accelerator "${unknown.gpuModel}" of machine "${unknown.name}" is not known`,
    { file, field: 'power.accelerators' },
    `Give its idleWatts and busyWatts.${near === undefined ? '' : ` Did you mean "${near}"?`} Known: ${known.join(', ')}.`,
  );
}
