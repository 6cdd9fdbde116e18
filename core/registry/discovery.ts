// Discovery: which agents can do this best? An exact scan, never an approximation, since placements may follow from it: one pass
// over the columns that the query speaks of, in an order of summation and of results that are the same on every machine.
// Whoever is not among the matches is counted under the first reason that excluded it. A row allocates nothing and is judged no
// further than it takes to know that it is out: with thousands of agents, garbage would be the slowest part.

import { SiraError } from '../base/errors.ts';
import { AgentConditions, type AttributeFilter, type ResourceFilter } from './agent-conditions.ts';
import type { Capabilities } from './agent-hello.ts';
import type { AgentRegistry } from './agent-registry.ts';
import type { AgentState } from './agent-state.ts';
import { BestRows } from './best-rows.ts';
import type { CapabilityQuery } from './capability-query.ts';
import { Exclusions, noReason } from './exclusions.ts';
import { explainSkill, type SkillExplanation } from './explain-skill.ts';
import { cautiousCost, costWithFailures } from './skill-estimate.ts';
import type { SkillScan } from './skill-scan.ts';

export type { AttributeFilter, ResourceFilter };

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
/** A block of rows, which stays in the processor's nearest cache. */
const rowsAtOnce = 256;
const defaultStates: readonly AgentState[] = ['ready', 'busy'];

/** Throws SIRA_TENSOR_INVALID if the query's capabilities do not fit the registry. `nowMicros` serves the ages in explanations alone. */
export function discover(registry: AgentRegistry, query: DiscoveryQuery, nowMicros = 0): DiscoveryResult {
  const { size } = registry;
  const exclusions = new Exclusions(size, query.explain === true);
  const scan = new DiscoveryScan(registry, query, exclusions);
  for (let first = 0; first < size; first += rowsAtOnce) scan.look(first, Math.min(rowsAtOnce, size - first));
  const matches = scan.best.sorted().map(({ row }) => scan.match(row, query.fastest, nowMicros));
  exclusions.excludeOthers(
    matches.map(({ row }) => row),
    'beyond the limit',
  );
  return { matches, agentCount: size, excluded: exclusions.counts(), explanations: exclusions.explain(registry) };
}

/** A pass over all agents, block by block, rows rising. */
class DiscoveryScan {
  readonly best: BestRows;
  private readonly registry: AgentRegistry;
  private readonly exclusions: Exclusions;
  private readonly conditions: AgentConditions;
  private readonly wanted: CapabilityQuery | undefined;
  private readonly similarityMin: number;
  private readonly unlike: number;
  private readonly ranking: TimeRanking | undefined;
  /** Of the block. */
  private readonly reasons = new Uint16Array(rowsAtOnce);
  private readonly similar = new Float64Array(rowsAtOnce);

  constructor(registry: AgentRegistry, query: DiscoveryQuery, exclusions: Exclusions) {
    this.registry = registry;
    this.exclusions = exclusions;
    this.best = new BestRows(Math.min(Math.max(0, Math.floor(query.limit)), registry.size));
    this.conditions = new AgentConditions(registry, exclusions);
    this.conditions.states(query.states ?? defaultStates);
    if (query.resources !== undefined) this.conditions.resources(query.resources);
    for (const filter of query.attributes ?? []) this.conditions.attribute(filter);
    this.wanted = query.capabilities === undefined ? undefined : wantedOf(registry, query.capabilities);
    this.similarityMin = query.similarityMin ?? -1;
    this.unlike = this.wanted === undefined ? noReason : exclusions.reason(`similarity is below ${this.similarityMin}`);
    this.ranking = query.fastest === undefined ? undefined : new TimeRanking(registry, query.fastest, exclusions);
  }

  look(first: number, count: number): void {
    const { reasons, similar, wanted } = this;
    this.conditions.judge(first, count, reasons);
    if (wanted !== undefined) {
      this.registry.capabilities.similarities(first, count, wanted, similar);
      this.excludeUnlike(count);
    }
    if (this.ranking === undefined) this.offerSimilar(first, count);
    else this.ranking.offer(first, count, reasons, this.best);
    this.exclusions.exclude(first, count, reasons);
  }

  match(row: number, fastest: FastestQuery | undefined, nowMicros: number): DiscoveryMatch {
    const { registry, wanted, similar } = this;
    similar[0] = 0;
    if (wanted !== undefined) registry.capabilities.similarities(row, 1, wanted, similar);
    const match = { row, name: registry.names[row] as string, similarity: similar[0] as number };
    if (fastest === undefined) return match;
    return { ...match, skill: explainSkill(registry, row, fastest.taskClass, fastest.size ?? 1, nowMicros) };
  }

  private excludeUnlike(count: number): void {
    const { reasons, similar, similarityMin, unlike } = this;
    for (let at = 0; at < count; at++)
      if (reasons[at] === noReason && (similar[at] as number) < similarityMin) reasons[at] = unlike;
  }

  private offerSimilar(first: number, count: number): void {
    const { reasons, similar, best } = this;
    let { bound } = best;
    for (let at = 0; at < count; at++) {
      if (reasons[at] !== noReason || (similar[at] as number) <= bound) continue;
      best.offer(first + at, similar[at] as number);
      bound = best.bound;
    }
  }
}

function wantedOf({ capabilities }: AgentRegistry, asked: Capabilities): CapabilityQuery {
  const wanted = capabilities.query(asked);
  if (wanted !== undefined) return wanted;
  const expected = `${capabilities.dimensions} numbers${capabilities.space === 'skills' ? ' by skill' : ''}`;
  throw new SiraError('SIRA_TENSOR_INVALID', `the query's capabilities are not ${expected} within ±10¹⁸`);
}

/** Who serves a class of task fastest. */
class TimeRanking {
  private readonly scan: SkillScan;
  private readonly successMin: number;
  private readonly caution: number;
  private readonly unknown: number;
  private readonly unsure: number;

  constructor({ skills, capabilities }: AgentRegistry, query: FastestQuery, exclusions: Exclusions) {
    const { taskClass: name, successMin = defaultSuccessMin, caution = defaultCaution } = query;
    this.successMin = successMin;
    this.caution = caution;
    this.unknown = exclusions.reason(`declares nothing of ${name}, and nobody has shown anything`);
    this.unsure = exclusions.reason(`fails at ${name} more often than ${1 - successMin}`);
    this.scan = skills.scan(skills.classOf(name), capabilities.dimensionOf(name), rowsAtOnce);
  }

  /** Offers the rows of a block that have no reason against them, or writes the reason that they have now. */
  offer(first: number, count: number, reasons: Uint16Array, best: BestRows): void {
    const { scan, successMin, caution } = this;
    const { mean, variance, success } = scan;
    scan.read(first, count, reasons);
    // Caution only adds to what is believed, and so do failures: who is too slow without them needs no root and no logarithm.
    const isCautious = caution >= 0;
    let { bound } = best;
    for (let at = 0; at < count; at++) {
      if (reasons[at] !== noReason) continue;
      const believed = mean[at] as number;
      if (Number.isNaN(believed)) reasons[at] = this.unknown;
      else if ((success[at] as number) < successMin) reasons[at] = this.unsure;
      else if (!isCautious || -believed > bound) {
        const cost = cautiousCost(believed, variance[at] as number, caution);
        if (-cost <= bound) continue;
        best.offer(first + at, -costWithFailures(cost, success[at] as number));
        bound = best.bound;
      }
    }
  }
}
