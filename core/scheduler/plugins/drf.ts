// Queue order by dominant resource fairness (Ghodsi, Zaharia, Hindman, Konwinski, Shenker and Stoica, "Dominant Resource
// Fairness: Fair Allocation of Multiple Resource Types", NSDI 2011, algorithm 1; weights as in its section 4.3). The tenant whose
// dominant share is least comes first, and of its tasks the one submitted first. With `block` this is the paper's algorithm;
// with `skip` a tenant whose next task does not fit lets the others pass.

import type { QueueOrderContext, QueueSortPlugin } from '../framework.ts';
import type { RequestKind } from '../request.ts';

/** What a tenant holds, in millionths of a core, thousandths of a MiB and of a GPU milli: integers, so that sums do not depend on
 *  the order of what came and went. */
interface Usage {
  cpu: number;
  memory: number;
  gpu: number;
  readonly weight: number;
}

/** The key is max over CPU, memory and GPU of (what the tenant's tasks hold / what all registered machines have), divided by the
 *  tenant's weight (1 if none is given). A resource that no machine has does not count. */
export function drf({ cluster, tenantWeights }: QueueOrderContext): QueueSortPlugin {
  const usages = new Map<string, Usage>();
  const share = (used: number, capacity: number): number => (capacity > 0 ? used / (1000 * capacity) : 0);
  return {
    name: 'drf',
    dynamic: true,
    key({ tenant }) {
      const usage = usages.get(tenant);
      if (usage === undefined) return 0;
      const dominant = Math.max(
        share(usage.cpu, cluster.cpuCapacityTotalMilli),
        share(usage.memory, cluster.memoryCapacityTotalMib),
        share(usage.gpu, cluster.gpuCapacityTotalMilli),
      );
      return dominant / usage.weight;
    },
    changed({ tenant, kind }, sign) {
      let usage = usages.get(tenant);
      if (usage === undefined) {
        const weight = Object.hasOwn(tenantWeights, tenant) ? (tenantWeights[tenant] as number) : 1;
        usage = { cpu: 0, memory: 0, gpu: 0, weight };
        usages.set(tenant, usage);
      }
      usage.cpu += sign * thousandths(kind.cpuMilli, kind);
      usage.memory += sign * thousandths(kind.memoryMib, kind);
      usage.gpu += sign * thousandths(kind.gpuTotalMilli, kind);
    },
  };
}

function thousandths(amount: number, { machineCount }: RequestKind): number {
  return Math.round(1000 * amount) * machineCount;
}
