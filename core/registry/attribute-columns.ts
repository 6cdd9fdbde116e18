// Attributes of all agents, one column an attribute name, so that a filter looks at one array. The number of names is
// bounded; columns exist from the first agent that names them.

import type { AttributeValue } from './agent-hello.ts';
import { CodedColumn } from './coded-column.ts';

export interface AttributeColumnsState {
  /** Attribute name and its value by row, null where the agent has none. */
  readonly columns: readonly (readonly [string, readonly (AttributeValue | null)[]])[];
}

export type AttributeProblem = 'attributes are not strings or finite numbers' | 'too many attributes';

export class AttributeColumns {
  private readonly columns = new Map<string, CodedColumn<AttributeValue>>();
  private readonly nameCountMax: number;

  /** `nameCountMax`: distinct attribute names over all agents. */
  constructor(nameCountMax: number) {
    this.nameCountMax = nameCountMax;
  }

  /** Why {@link set} cannot take `attributes`, or undefined if it can. Changes nothing. */
  problem(attributes: { readonly [name: string]: AttributeValue } | undefined): AttributeProblem | undefined {
    if (attributes === undefined) return undefined;
    let unseen = 0;
    for (const [name, value] of Object.entries(attributes)) {
      if (typeof value !== 'string' && !Number.isFinite(value)) return 'attributes are not strings or finite numbers';
      if (!this.columns.has(name)) unseen++;
    }
    return this.columns.size + unseen > this.nameCountMax ? 'too many attributes' : undefined;
  }

  /** Replaces all attributes of `row`. */
  set(row: number, attributes: { readonly [name: string]: AttributeValue } | undefined): void {
    for (const column of this.columns.values()) column.set(row, null);
    if (attributes === undefined) return;
    for (const [name, value] of Object.entries(attributes)) this.columnOf(name).set(row, value);
  }

  /** The attribute of `row`, or undefined if it has none of this name. */
  get(row: number, name: string): AttributeValue | undefined {
    return this.columns.get(name)?.get(row) ?? undefined;
  }

  /** Undefined if no agent ever named the attribute. */
  column(name: string): CodedColumn<AttributeValue> | undefined {
    return this.columns.get(name);
  }

  save(): AttributeColumnsState {
    return { columns: Array.from(this.columns, ([name, column]) => [name, column.toArray()] as const) };
  }

  restore(state: AttributeColumnsState): void {
    this.columns.clear();
    for (const [name, values] of state.columns) this.columnOf(name).restore(values);
  }

  private columnOf(name: string): CodedColumn<AttributeValue> {
    let column = this.columns.get(name);
    if (column === undefined) {
      column = new CodedColumn();
      this.columns.set(name, column);
    }
    return column;
  }
}
