// Discovery: which agents can do this best? An exact scan, never an approximation, since placements may follow from it: the
// filters one column at a time, then the cosine similarity of what is left, in an order of summation and of results that are
// the same on every machine. Whoever is not among the matches is counted under the first reason that excluded it.

import { SiraError } from '../base/errors.ts';
import type { AttributeValue, Capabilities } from './agent-hello.ts';
import type { AgentRegistry } from './agent-registry.ts';
import type { AgentState } from './agent-state.ts';
import { agentStateNumber, agentStates } from './agent-state.ts';
import { BestRows } from './best-rows.ts';
import { explainSkill, type SkillExplanation } from './explain-skill.ts';
import { cautiousCost } from './skill-estimate.ts';

/** One condition on an attribute; an agent without the attribute never meets it. */
export type AttributeFilter =
  | { readonly attribute: string; readonly equals: AttributeValue }
  | { readonly attribute: string; readonly atLeast: number }
  | { readonly attribute: string; readonly oneOf: readonly AttributeValue[] };

export interface ResourceFilter {
  readonly cpuMilli?: number;
  readonly memoryMib?: number;
  readonly gpuCount?: number;
  /** GPU models that will do. */
  readonly gpuModels?: readonly string[];
}

export interface DiscoveryQuery {
  /** What the agent should be like. Without it every similarity is 0 and the order is that of the rows. */
  readonly capabilities?: Capabilities;
  /** In [−1, 1]; looked at only with `capabilities`. */
  readonly similarityMin?: number;
  /** Who serves this class of task fastest? Matches are then those of whom something is known, declared or measured, the least
   *  expected time first; with `capabilities` as well, similarity only filters. */
  readonly fastest?: FastestQuery;
  /** Default: `ready` and `busy`. */
  readonly states?: readonly AgentState[];
  /** At least these of the agent's machine (its capacity, not what is free now). */
  readonly resources?: ResourceFilter;
  readonly attributes?: readonly AttributeFilter[];
  /** Matches returned, at most. */
  readonly limit: number;
  /** Also say of each excluded agent why. */
  readonly explain?: boolean;
}

export interface DiscoveryMatch {
  readonly row: number;
  readonly name: string;
  /** Cosine in [−1, 1]. */
  readonly similarity: number;
  /** With `fastest`: what is believed of the agent, and why. */
  readonly skill?: SkillExplanation | undefined;
}

export interface FastestQuery {
  readonly taskClass: string;
  /** Work in the class's unit, above 0; 1 if left out. Times are given for it. */
  readonly size?: number;
  /** Standard deviations of what is not known by which an agent counts as slower than believed: of many that are believed fast,
   *  those of whom little is known are the ones most likely to disappoint. 1 if left out. */
  readonly caution?: number;
  /** Chance of completing that an agent must have, 0…1; 0.1 if left out. */
  readonly successMin?: number;
}

export interface DiscoveryResult {
  /** By similarity falling, or by expected time rising (`fastest`), then by row. */
  readonly matches: readonly DiscoveryMatch[];
  /** Agents looked at: matches and excluded together. */
  readonly agentCount: number;
  /** In the order in which the conditions were looked at; only reasons that occurred. */
  readonly excluded: readonly { readonly reason: string; readonly count: number }[];
  /** By row; empty unless asked for. */
  readonly explanations: readonly { readonly row: number; readonly name: string; readonly reason: string }[];
}

const defaultSuccessMin = 0.1;
const defaultCaution = 1;
const defaultStates: readonly AgentState[] = ['ready', 'busy'];

/** Throws SIRA_TENSOR_INVALID if the query's capabilities do not fit the registry. `nowMicros` serves the ages in explanations alone. */
export function discover(registry: AgentRegistry, query: DiscoveryQuery, nowMicros = 0): DiscoveryResult {
  const rows = registry.size;
  const scan = new Scan(rows);
  filterStates(registry, query.states ?? defaultStates, scan);
  if (query.resources !== undefined) filterResources(registry, query.resources, scan);
  for (const filter of query.attributes ?? []) filterAttribute(registry, filter, scan);
  const best = new BestRows(Math.min(Math.max(0, Math.floor(query.limit)), rows));
  const similar =
    query.capabilities === undefined ? undefined : similarities(registry, query, query.capabilities, scan);
  if (query.fastest !== undefined) rankByTime(registry, query.fastest, scan, best);
  else for (let row = 0; row < rows; row++) if (scan.passes(row)) best.offer(row, similar?.[row] ?? 0);
  const matches = best.sorted().map(({ row }) => {
    const match = { row, name: registry.names[row] as string, similarity: similar?.[row] ?? 0 };
    if (query.fastest === undefined) return match;
    return {
      ...match,
      skill: explainSkill(registry, row, query.fastest.taskClass, query.fastest.size ?? 1, nowMicros),
    };
  });
  scan.excludeOthers(
    matches.map(({ row }) => row),
    'beyond the limit',
    query.explain === true,
  );
  return {
    matches,
    agentCount: rows,
    excluded: scan.counts(),
    explanations: query.explain ? scan.explain(registry) : [],
  };
}

/** Why each row is out, as a number into a list of reasons; 0 is still in. */
class Scan {
  readonly rows: number;
  private readonly verdicts: Uint16Array;
  private readonly reasons: string[] = [''];
  /** Rows by reason: counted as they are excluded, so that no pass over all rows is needed for it. */
  private readonly tally: number[] = [0];

  constructor(rows: number) {
    this.rows = rows;
    this.verdicts = new Uint16Array(rows);
  }

  passes(row: number): boolean {
    return this.verdicts[row] === 0;
  }

  /** The number of a reason, in order of first use. */
  reason(text: string): number {
    this.tally.push(0);
    return this.reasons.push(text) - 1;
  }

  /** A row that has passed so far. */
  exclude(row: number, reason: number): void {
    this.verdicts[row] = reason;
    this.tally[reason]!++;
  }

  /** All that have passed but these, which have; `each`: row by row, as explanations need it. */
  excludeOthers(kept: readonly number[], text: string, each: boolean): void {
    const reason = this.reason(text);
    const excluded = this.tally.reduce((sum, count) => sum + count, 0);
    this.tally[reason] = this.rows - excluded - kept.length;
    if (!each) return;
    const isKept = new Uint8Array(this.rows);
    for (const row of kept) isKept[row] = 1;
    for (let row = 0; row < this.rows; row++) if (this.passes(row) && isKept[row] === 0) this.verdicts[row] = reason;
  }

  counts(): { reason: string; count: number }[] {
    return this.reasons
      .map((reason, index) => ({ reason, count: this.tally[index] as number }))
      .slice(1)
      .filter(({ count }) => count > 0);
  }

  explain(registry: AgentRegistry): { row: number; name: string; reason: string }[] {
    const explanations: { row: number; name: string; reason: string }[] = [];
    for (let row = 0; row < this.rows; row++) {
      if (this.passes(row)) continue;
      const reason = this.reasons[this.verdicts[row] as number] as string;
      explanations.push({ row, name: registry.names[row] as string, reason });
    }
    return explanations;
  }
}

function filterStates(registry: AgentRegistry, states: readonly AgentState[], scan: Scan): void {
  const allowed = new Uint8Array(agentStates.length);
  for (const state of states) allowed[agentStateNumber[state]] = 1;
  const reasons = agentStates.map((state) => scan.reason(`is ${state}`));
  const { stateNumber } = registry;
  for (let row = 0; row < scan.rows; row++) {
    const state = stateNumber[row] as number;
    if (allowed[state] === 0) scan.exclude(row, reasons[state] as number);
  }
}

function filterResources(registry: AgentRegistry, filter: ResourceFilter, scan: Scan): void {
  const { cpuMilli = 0, memoryMib = 0, gpuCount = 0, gpuModels } = filter;
  const cpu = scan.reason(`has less than ${cpuMilli} milli of CPU`);
  const memory = scan.reason(`has less than ${memoryMib} MiB of memory`);
  const gpu = scan.reason(`has fewer than ${gpuCount} GPUs`);
  const model = scan.reason(`has no GPU of ${gpuModels?.join(', ')}`);
  for (let row = 0; row < scan.rows; row++) {
    if (!scan.passes(row)) continue;
    const resources = registry.resourcesOf(row);
    if (resources.cpuMilli < cpuMilli) scan.exclude(row, cpu);
    else if (resources.memoryMib < memoryMib) scan.exclude(row, memory);
    else if (resources.gpuCount < gpuCount) scan.exclude(row, gpu);
    else if (gpuModels !== undefined && !gpuModels.includes(resources.gpuModel)) scan.exclude(row, model);
  }
}

function filterAttribute(registry: AgentRegistry, filter: AttributeFilter, scan: Scan): void {
  const { attribute } = filter;
  const absent = scan.reason(`has no attribute ${attribute}`);
  const column = registry.attributes.column(attribute) ?? [];
  const unmet = scan.reason(conditionUnmet(filter));
  for (let row = 0; row < scan.rows; row++) {
    if (!scan.passes(row)) continue;
    const value = row < column.length ? (column[row] as AttributeValue | null) : null;
    if (value === null) scan.exclude(row, absent);
    else if (!meets(filter, value)) scan.exclude(row, unmet);
  }
}

function meets(filter: AttributeFilter, value: AttributeValue): boolean {
  if ('equals' in filter) return value === filter.equals;
  if ('atLeast' in filter) return typeof value === 'number' && value >= filter.atLeast;
  return filter.oneOf.includes(value);
}

function conditionUnmet(filter: AttributeFilter): string {
  if ('equals' in filter) return `${filter.attribute} is not ${filter.equals}`;
  if ('atLeast' in filter) return `${filter.attribute} is not at least ${filter.atLeast}`;
  return `${filter.attribute} is none of ${filter.oneOf.join(', ')}`;
}

/** By row; rows that are too unlike are excluded. */
function similarities(registry: AgentRegistry, query: DiscoveryQuery, asked: Capabilities, scan: Scan): Float64Array {
  const { capabilities } = registry;
  const wanted = capabilities.query(asked);
  if (wanted === undefined) {
    const expected = `${capabilities.dimensions} numbers${capabilities.space === 'skills' ? ' by skill' : ''}`;
    throw new SiraError('SIRA_TENSOR_INVALID', `the query's capabilities are not ${expected} within ±10¹⁸`);
  }
  const { vector, norm } = wanted;
  const similarityMin = query.similarityMin ?? -1;
  const unlike = scan.reason(`similarity is below ${similarityMin}`);
  const similar = new Float64Array(scan.rows);
  for (let row = 0; row < scan.rows; row++) {
    if (!scan.passes(row)) continue;
    const similarity = capabilities.similarity(row, vector, norm);
    if (similarity < similarityMin) scan.exclude(row, unlike);
    else similar[row] = similarity;
  }
  return similar;
}

function rankByTime(registry: AgentRegistry, query: FastestQuery, scan: Scan, best: BestRows): void {
  const { taskClass: name, successMin = defaultSuccessMin, caution = defaultCaution } = query;
  const { skills } = registry;
  const taskClass = skills.classOf(name);
  const dimension = registry.capabilities.dimensionOf(name);
  const unknown = scan.reason(`declares nothing of ${name}, and nobody has shown anything`);
  const unsure = scan.reason(`fails at ${name} more often than ${1 - successMin}`);
  for (let row = 0; row < scan.rows; row++) {
    if (!scan.passes(row)) continue;
    const estimate = skills.estimate(row, taskClass, dimension);
    if (estimate === undefined) scan.exclude(row, unknown);
    else if (estimate.success < successMin) scan.exclude(row, unsure);
    else best.offer(row, -cautiousCost(estimate, caution));
  }
}
