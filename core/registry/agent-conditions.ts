// What an agent must be for a discovery: its state, its machine's resources, its attributes. Each condition passes over its own
// column, a block of rows at a time; the first that a row does not meet is why it is out.

import type { AttributeValue } from './agent-hello.ts';
import type { AgentRegistry } from './agent-registry.ts';
import { type AgentState, agentStates } from './agent-state.ts';
import { type CodedColumn, noValueCode } from './coded-column.ts';
import { type Exclusions, noReason } from './exclusions.ts';

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

/** Writes its reason for the rows from `first` on that do not meet it and have none yet. */
type Condition = (first: number, count: number, reasons: Uint16Array) => void;

export class AgentConditions {
  private readonly conditions: Condition[] = [];
  private readonly registry: AgentRegistry;
  private readonly exclusions: Exclusions;

  constructor(registry: AgentRegistry, exclusions: Exclusions) {
    this.registry = registry;
    this.exclusions = exclusions;
  }

  /** The reason against each of `count` rows from `first` on, {@link noReason} if there is none. */
  judge(first: number, count: number, reasons: Uint16Array): void {
    reasons.fill(noReason);
    for (const condition of this.conditions) condition(first, count, reasons);
  }

  states(states: readonly AgentState[]): void {
    const reasonOf = Uint16Array.from(agentStates, (state) => {
      const reason = this.exclusions.reason(`is ${state}`);
      return states.includes(state) ? noReason : reason;
    });
    const { stateNumber } = this.registry;
    this.conditions.push((first, count, reasons) => excludeCodes(stateNumber, reasonOf, first, count, reasons));
  }

  resources({ cpuMilli = 0, memoryMib = 0, gpuCount = 0, gpuModels }: ResourceFilter): void {
    const { resources } = this.registry;
    const { exclusions } = this;
    this.atLeast(resources.cpuMilli, cpuMilli, exclusions.reason(`has less than ${cpuMilli} milli of CPU`));
    this.atLeast(resources.memoryMib, memoryMib, exclusions.reason(`has less than ${memoryMib} MiB of memory`));
    this.atLeast(resources.gpuCount, gpuCount, exclusions.reason(`has fewer than ${gpuCount} GPUs`));
    const other = exclusions.reason(`has no GPU of ${gpuModels?.join(', ')}`);
    if (gpuModels !== undefined) this.coded(resources.gpuModel, (model) => gpuModels.includes(model), other, other);
  }

  attribute(filter: AttributeFilter): void {
    const absent = this.exclusions.reason(`has no attribute ${filter.attribute}`);
    const unmet = this.exclusions.reason(conditionUnmet(filter));
    const column = this.registry.attributes.column(filter.attribute);
    this.coded(column, (value) => meets(filter, value), absent, unmet);
  }

  private atLeast(column: Float64Array, least: number, reason: number): void {
    // Amounts are not negative.
    if (least > 0)
      this.conditions.push((first, count, reasons) => excludeBelow(column, least, reason, first, count, reasons));
  }

  private coded<Value extends AttributeValue>(
    column: CodedColumn<Value> | undefined,
    isMet: (value: Value) => boolean,
    absent: number,
    unmet: number,
  ): void {
    const codes = column?.codes ?? new Int32Array(0);
    const reasonOf = column?.judged((value) => (isMet(value) ? noReason : unmet), absent) ?? Uint16Array.of(absent);
    this.conditions.push((first, count, reasons) => excludeCodes(codes, reasonOf, first, count, reasons));
  }
}

function excludeBelow(
  column: Float64Array,
  least: number,
  reason: number,
  first: number,
  count: number,
  reasons: Uint16Array,
): void {
  for (let at = 0; at < count; at++)
    if (reasons[at] === noReason && (column[first + at] as number) < least) reasons[at] = reason;
}

function excludeCodes(
  codes: Int32Array | Uint8Array,
  reasonOf: Uint16Array,
  first: number,
  count: number,
  reasons: Uint16Array,
): void {
  for (let at = 0; at < count; at++) {
    if (reasons[at] !== noReason) continue;
    const code = first + at < codes.length ? (codes[first + at] as number) : noValueCode;
    reasons[at] = reasonOf[code] as number;
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
