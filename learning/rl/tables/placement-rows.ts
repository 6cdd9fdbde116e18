// What trained placements reach: on openb's published orders through the kernel and its messages, shield included; on the agents
// scenario as the load that is sustained, beside heuristics.

import { toBase64 } from '../../../core/base/base64.ts';
import type { ShieldCounts } from '../../../core/policy/shield.ts';
import type { LearnedPlacement } from '../../../core/scheduler/plugins/learned-placement.ts';
import { runPacking } from '../../../reports/tables/packing-run.ts';
import {
  curveKey,
  type PackingWorkload,
  packingWorkloads,
  publishedSeeds,
  readPackingCurves,
} from '../../../reports/tables/published.ts';
import { packingScenario } from '../../../reports/tables/table-job.ts';
import { openInputs } from '../../../sim/experiment/build-world.ts';
import type { PublishedPolicy } from './published-policies.ts';

/** All policies on one published order. */
export interface PackingOrderRow {
  readonly workload: PackingWorkload;
  readonly order: number;
  /** GPU milli allocated, percent of all: published of FGD, FGD here, each learned policy by training seed. */
  readonly published: number;
  readonly fgd: number;
  readonly learned: readonly number[];
}

export interface PackingRows {
  readonly orders: readonly PackingOrderRow[];
  /** By policy, over all orders. */
  readonly shields: readonly ShieldCounts[];
}

export function packingRows(policies: readonly PublishedPolicy[], told: (row: PackingOrderRow) => void): PackingRows {
  const curves = readPackingCurves();
  const shields = policies.map((): ShieldCounts => ({ decisions: 0, outside: 0, overBudget: 0, broken: 0 }));
  const orders = packingWorkloads.flatMap((workload) =>
    publishedSeeds(workload).map((order): PackingOrderRow => {
      const scenario = packingScenario(workload, 'published');
      const inputs = openInputs(scenario, order);
      const learned = policies.map((policy, index) => {
        const profile = {
          ...scenario.policies[0]!,
          name: 'learned',
          place: 'learned',
          artifact: toBase64(policy.bytes),
        };
        const run = runPacking({ ...scenario, policies: [profile] }, inputs, 'learned', order, (world) => {
          const { shieldCounts } = world.host.kernel.control.scheduler.placement as LearnedPlacement;
          for (const name of Object.keys(shieldCounts) as (keyof ShieldCounts)[])
            shields[index]![name] += shieldCounts[name];
        });
        return run.allocationPercent;
      });
      const row = {
        workload,
        order,
        published: curves.get(curveKey(workload, 'fgd', order))!.allocation.at(-1)!,
        fgd: runPacking(scenario, inputs, 'fgd', order).allocationPercent,
        learned,
      };
      told(row);
      return row;
    }),
  );
  return { orders, shields };
}
