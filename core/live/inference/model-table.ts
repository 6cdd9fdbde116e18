// Which models there are: functions that connected agents describe as such in their hello. It is no state of the kernel: agents
// say hello again after every restart. Who serves a model now, and whether any of them takes work, the registry knows.

import { acceptedWith, type Result, refused } from '../../base/status.ts';
import type { ResourceRequest } from '../../scheduler/request.ts';
import type { DataType } from '../../tensor/data-type.ts';

export interface TensorSignature {
  readonly name: string;
  readonly dataType: DataType;
  /** Extents, outermost first; −1 for one that varies. */
  readonly shape: readonly number[];
}

/** A function that is offered as a model to clients of the Open Inference Protocol. */
export interface Model {
  readonly function: string;
  readonly name: string;
  /** Empty for a model without versions. */
  readonly version: string;
  readonly platform: string;
  readonly inputs: readonly TensorSignature[];
  readonly outputs: readonly TensorSignature[];
  /** What one request asks of a machine; `undefined`: a tenth of a core. */
  readonly request: ResourceRequest | undefined;
  readonly estimateMicros: number;
  readonly properties: ReadonlyMap<string, string>;
}

interface Entry {
  /** As the first of its agents that are connected describes it. */
  model: Model;
  readonly byAgent: Map<string, Model>;
}

export class ModelTable {
  /** By name, then by version. */
  private readonly entries = new Map<string, Map<string, Entry>>();
  private readonly byAgent = new Map<string, readonly Model[]>();

  /** What `agent` serves from now on, instead of what it said before. */
  describe(agent: string, models: readonly Model[]): void {
    this.forget(agent);
    if (models.length === 0) return;
    this.byAgent.set(agent, models);
    for (const model of models) {
      let versions = this.entries.get(model.name);
      if (versions === undefined) {
        versions = new Map();
        this.entries.set(model.name, versions);
      }
      let entry = versions.get(model.version);
      if (entry === undefined) {
        entry = { model, byAgent: new Map() };
        versions.set(model.version, entry);
      }
      entry.byAgent.set(agent, model);
    }
  }

  /** The agent is gone. */
  forget(agent: string): void {
    for (const { name, version } of this.byAgent.get(agent) ?? []) {
      const versions = this.entries.get(name);
      const entry = versions?.get(version);
      if (versions === undefined || entry === undefined) continue;
      entry.byAgent.delete(agent);
      const [next] = entry.byAgent.values();
      if (next !== undefined) entry.model = next;
      else versions.delete(version);
      if (versions.size === 0) this.entries.delete(name);
    }
    this.byAgent.delete(agent);
  }

  /** Of a model, the highest first: numbers by their value, names after them. */
  versions(name: string): readonly string[] {
    return [...(this.entries.get(name)?.keys() ?? [])].sort(compareVersions);
  }

  /** The model in this version. */
  find(name: string, version: string): Model | undefined {
    return this.entries.get(name)?.get(version)?.model;
  }

  /** Agents that serve it and describe it as the model's description says; others would take it for something else. */
  agentsOf({ name, version, function: work }: Model): readonly string[] {
    const agents = this.entries.get(name)?.get(version)?.byAgent ?? new Map<string, Model>();
    return [...agents].flatMap(([agent, model]) => (model.function === work ? [agent] : []));
  }

  names(): readonly string[] {
    return [...this.entries.keys()];
  }
}

function compareVersions(left: string, right: string): number {
  const a = /^\d+$/.test(left) ? Number(left) : -1;
  const b = /^\d+$/.test(right) ? Number(right) : -1;
  if (a !== b) return b - a;
  return left < right ? 1 : left > right ? -1 : 0;
}

/** `models`, or why an agent may not say so: a model twice. */
export function checkedModels(models: readonly Model[]): Result<readonly Model[]> {
  const seen = new Set<string>();
  for (const { name, version } of models) {
    const key = JSON.stringify([name, version]);
    if (seen.has(key)) return refused('SIRA_MESSAGE_REFUSED', `the model "${name}", version "${version}", twice`);
    seen.add(key);
  }
  return acceptedWith(models);
}
