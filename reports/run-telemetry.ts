// The telemetry of `sira run`: rows of every run into one store, and where the time went on the first seed of each policy.

import { telemetryStoreAt } from '../core/stores/telemetry-address.ts';
import { BottleneckAnalysis } from '../core/telemetry/bottlenecks.ts';
import { type TelemetryBatch, textsOf } from '../core/telemetry/rows.ts';
import type { TableName } from '../core/telemetry/tables.ts';
import type { TelemetryStore } from '../core/telemetry/telemetry-store.ts';
import type { Scenario } from '../sim/experiment/scenario.ts';
import { runName } from '../sim/experiment/telemetry-observer.ts';
import type { NamedBottlenecks } from './report/bottleneck-section.ts';

export class RunTelemetry {
  private readonly store: TelemetryStore;
  /** By the name of the run. */
  private readonly analyses: ReadonlyMap<string, { readonly policy: string; readonly analysis: BottleneckAnalysis }>;

  private constructor(store: TelemetryStore, scenario: Scenario) {
    this.store = store;
    const seed = scenario.seeds[0] as number;
    this.analyses = new Map(
      scenario.policies.map(({ name }) => [runName(name, seed), { policy: name, analysis: new BottleneckAnalysis() }]),
    );
  }

  /** Throws SIRA_TELEMETRY_AWAY. */
  static async open(address: string, scenario: Scenario): Promise<RunTelemetry> {
    const store = await telemetryStoreAt(address);
    await store.open();
    return new RunTelemetry(store, scenario);
  }

  /** Rows of one run. */
  async take(batch: TelemetryBatch<TableName>): Promise<void> {
    this.analyses.get(textsOf(batch, 'run')[0] ?? '')?.analysis.add(batch);
    await this.store.write(batch);
  }

  bottlenecks(): NamedBottlenecks[] {
    return [...this.analyses.values()].flatMap(({ policy, analysis }) => {
      const found = analysis.result();
      return found === undefined ? [] : [{ name: policy, found }];
    });
  }

  async close(): Promise<void> {
    await this.store.rollUp();
    await this.store.close();
  }
}
