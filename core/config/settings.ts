// Settings that change while the kernel runs: typed by name, bounded, versioned, with who changed what, why and when, and a
// way back to any version that the bounded history still holds. Every change set is one version: all of it applies or none.
// Time comes from the caller, listeners are told in the order in which they registered, and the whole state travels in a
// snapshot, so that a replay sees the same settings at the same inputs.

import { assert } from '../base/assert.ts';
import { SiraError } from '../base/errors.ts';
import { accepted, acceptedWith, type Result, refused, type Status } from '../base/status.ts';
import {
  checkSettingValue,
  type SettingDefinition,
  type SettingTable,
  type SettingValue,
  unknownSetting,
  type ValueOf,
  type ValuesOf,
} from './setting.ts';

/** Who asked for a change, why, and when it applied. */
export interface ChangeReason {
  /** A person, a guardrail, a policy: 1 to 200 characters. */
  readonly who: string;
  /** At most 1,000 characters. */
  readonly why: string;
  readonly atMicros: number;
}

export interface SettingChange {
  readonly name: string;
  readonly from: SettingValue;
  readonly to: SettingValue;
}

/** One version: what changed since the one before it. */
export interface ChangeSet extends ChangeReason {
  readonly version: number;
  readonly changes: readonly SettingChange[];
}

/** A rule over several settings, checked on the values as they would be after a change. */
export interface SettingRule<Table extends SettingTable> {
  /** What must hold, as a sentence for whoever broke it. */
  readonly requirement: string;
  readonly holds: (values: ValuesOf<Table>) => boolean;
}

export interface SettingsState {
  readonly version: number;
  readonly values: Readonly<Record<string, SettingValue>>;
  readonly history: readonly ChangeSet[];
}

export type SettingsListener = (change: ChangeSet) => void;

export interface SettingsOptions<Table extends SettingTable> {
  readonly rules?: readonly SettingRule<Table>[];
  /** Values that version 0 starts with instead of the defaults. */
  readonly initial?: Readonly<Record<string, unknown>>;
  /** Versions that can be rolled back to, 1…100,000; older ones are forgotten. */
  readonly historyMax?: number;
}

export class Settings<Table extends SettingTable> {
  readonly table: Table;
  private readonly rules: readonly SettingRule<Table>[];
  private readonly historyMax: number;
  private readonly listeners: SettingsListener[] = [];
  private current: Record<string, SettingValue>;
  private changeSets: ChangeSet[] = [];
  private currentVersion = 0;
  private isTelling = false;

  /** Throws SIRA_SETTING_INVALID when an initial value is unknown, out of bounds or breaks a rule. */
  constructor(table: Table, options: SettingsOptions<Table> = {}) {
    this.table = table;
    this.rules = options.rules ?? [];
    this.historyMax = options.historyMax ?? 1000;
    assert(Number.isInteger(this.historyMax) && this.historyMax >= 1 && this.historyMax <= 100_000, 'history bound');
    const defaults: Record<string, SettingValue> = {};
    for (const [name, definition] of Object.entries(table)) {
      assert(checkSettingValue(name, definition, definition.default).ok, 'a default lies within its own bounds');
      defaults[name] = definition.default;
    }
    const first = this.proposed(defaults, options.initial ?? {});
    if (!first.ok) throw new SiraError(first.code, first.reason);
    this.current = first.value;
  }

  /** Number of change sets applied so far; version 0 is the start. */
  get version(): number {
    return this.currentVersion;
  }

  /** The oldest version that {@link rollback} can still reach. */
  get oldestVersion(): number {
    return this.currentVersion - this.changeSets.length;
  }

  get<Name extends keyof Table & string>(name: Name): ValueOf<Table[Name]> {
    const value = this.current[name];
    assert(value !== undefined, 'settings are read by a name of their table');
    return value as ValueOf<Table[Name]>;
  }

  /** All values by name, in the table's order: a copy. */
  values(): ValuesOf<Table> {
    return { ...this.current } as ValuesOf<Table>;
  }

  /** Changes one setting; SIRA_SETTING_INVALID, and nothing changed, when a bound or a rule forbids it. */
  set<Name extends keyof Table & string>(name: Name, value: ValueOf<Table[Name]>, reason: ChangeReason): Status {
    return this.assign({ [name]: value }, reason);
  }

  /**
   * Changes several settings as one version, from names and values that came from outside: everything is checked, and
   * durations may be texts such as "40s". What already has its value is left out; if nothing is left, there is no new version.
   */
  assign(values: Readonly<Record<string, unknown>>, reason: ChangeReason): Status {
    const next = this.proposed(this.current, values);
    if (!next.ok) return next;
    return this.apply(next.value, reason);
  }

  /** Brings back the values of `version` as a new version. Refused when it is in the future or forgotten, or a rule of today forbids it. */
  rollback(version: number, reason: ChangeReason): Status {
    const reach = this.reach(version);
    if (!reach.ok) return reach;
    const former = this.proposed(this.valuesAt(version), {});
    return former.ok ? this.apply(former.value, reason) : former;
  }

  /** What changes from one version to another, either way, by name in the table's order. Refused as {@link rollback} is. */
  difference(from: number, to: number): Result<readonly SettingChange[]> {
    for (const version of [from, to]) {
      const reach = this.reach(version);
      if (!reach.ok) return reach;
    }
    const before = this.valuesAt(from);
    const after = this.valuesAt(to);
    const changes: SettingChange[] = [];
    for (const name of Object.keys(this.table)) {
      const change = { name, from: before[name] as SettingValue, to: after[name] as SettingValue };
      if (change.from !== change.to) changes.push(change);
    }
    return acceptedWith(changes);
  }

  /** Change sets from the oldest kept to the newest. */
  history(): readonly ChangeSet[] {
    return this.changeSets.slice();
  }

  /** Calls `listener` after each new version, the values already in place; it may not change settings itself. */
  onChange(listener: SettingsListener): void {
    this.listeners.push(listener);
  }

  snapshot(): SettingsState {
    return { version: this.currentVersion, values: { ...this.current }, history: this.changeSets.slice() };
  }

  /**
   * Takes over a saved state; listeners are not called. Settings that the state does not know get their defaults. Throws
   * SIRA_SETTING_INVALID, and changes nothing, when a value has no definition or is out of its bounds. Rules are for changes: what was in
   * force under the rules of its time stays so until somebody changes it, or a kernel could not be started to do that.
   */
  restore(state: SettingsState): void {
    const defaults: Record<string, SettingValue> = {};
    for (const [name, definition] of Object.entries(this.table)) defaults[name] = definition.default;
    const restored = this.merged(defaults, state.values);
    if (!restored.ok) throw new SiraError(restored.code, restored.reason);
    this.current = restored.value;
    this.currentVersion = state.version;
    this.changeSets = state.history.slice(-this.historyMax);
  }

  /** `base` with `changes` put in, checked against every definition and rule. */
  private proposed(
    base: Readonly<Record<string, SettingValue>>,
    changes: Readonly<Record<string, unknown>>,
  ): Result<Record<string, SettingValue>> {
    const merged = this.merged(base, changes);
    if (!merged.ok) return merged;
    for (const rule of this.rules) {
      if (!rule.holds(merged.value as ValuesOf<Table>)) return refused('SIRA_SETTING_INVALID', rule.requirement);
    }
    return merged;
  }

  /** `base` with `changes` put in, checked against every definition. */
  private merged(
    base: Readonly<Record<string, SettingValue>>,
    changes: Readonly<Record<string, unknown>>,
  ): Result<Record<string, SettingValue>> {
    const values: Record<string, SettingValue> = { ...base };
    for (const [name, value] of Object.entries(changes)) {
      const definition: SettingDefinition | undefined = Object.hasOwn(this.table, name) ? this.table[name] : undefined;
      if (definition === undefined) return unknownSetting(name, this.table);
      const checked = checkSettingValue(name, definition, value);
      if (!checked.ok) return checked;
      values[name] = checked.value;
    }
    return acceptedWith(values);
  }

  private reach(version: number): Status {
    if (Number.isInteger(version) && version >= this.oldestVersion && version <= this.currentVersion) return accepted;
    const reach = `versions ${this.oldestVersion} to ${this.currentVersion} can be reached`;
    return refused('SIRA_SETTING_INVALID', `there is no version ${version} of the settings; ${reach}`);
  }

  private apply(next: Record<string, SettingValue>, reason: ChangeReason): Status {
    assert(!this.isTelling, 'a settings listener does not change settings');
    assert(Number.isSafeInteger(reason.atMicros), 'a change has its time in whole microseconds');
    if (reason.who.length === 0 || reason.who.length > 200 || reason.why.length > 1000) {
      return refused('SIRA_SETTING_INVALID', 'a change says who made it (1 to 200 characters) and why (at most 1,000)');
    }
    const changes: SettingChange[] = [];
    for (const name of Object.keys(this.table)) {
      const from = this.current[name];
      const to = next[name];
      if (from !== to) changes.push({ name, from, to });
    }
    if (changes.length === 0) return accepted;
    this.current = next;
    this.currentVersion += 1;
    const { who, why, atMicros } = reason;
    const changeSet: ChangeSet = { version: this.currentVersion, changes, who, why, atMicros };
    this.changeSets.push(changeSet);
    if (this.changeSets.length > this.historyMax) this.changeSets.shift();
    this.isTelling = true;
    try {
      for (const listener of this.listeners) listener(changeSet);
    } finally {
      this.isTelling = false;
    }
    return accepted;
  }

  /** The values of a version that the history still reaches, by undoing what came after it. */
  private valuesAt(version: number): Record<string, SettingValue> {
    const values = { ...this.current };
    for (let index = this.changeSets.length - 1; index >= 0 && this.changeSets[index]!.version > version; index--) {
      for (const change of this.changeSets[index]!.changes) values[change.name] = change.from;
    }
    return values;
  }
}
