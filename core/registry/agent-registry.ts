// The agents the kernel knows: columns, one row an agent, rows in order of first registration and never reused. It keeps the
// promises that an agent is declared dead only after its lease has run out, that a former incarnation cannot speak for the
// present one, and that states change only along the table of legal transitions, each change told to one listener. It reads
// no clock: time comes with every call. What a dead agent's tasks become is the scheduler's business.

import { assert } from '../base/assert.ts';
import { flagBusy, flagDead, flagDraining, flagPinned, flagStarted, flagSuspect, stateOf } from './agent-flags.ts';
import type { AgentHello, AgentResources, HeartbeatOutcome, Registration, RegistrationRefusal } from './agent-hello.ts';
import { areValidResources, equalResources } from './agent-hello.ts';
import { type AgentRegistrySettings, checkRegistrySettings } from './agent-registry-settings.ts';
import type { AgentChangeListener, AgentChangeReason, AgentState } from './agent-state.ts';
import { agentStateNumber, agentStates, agentTransitions } from './agent-state.ts';
import { AttributeColumns } from './attribute-columns.ts';
import { CapabilityMatrix } from './capability-matrix.ts';
import { ConnectionGrace } from './connection-grace.ts';
import { grownBytes, grownFloats } from './grown-column.ts';
import { PhiAccrual } from './phi-accrual.ts';
import type { RegistrySnapshot } from './registry-snapshot.ts';
import { ResourceColumns } from './resource-columns.ts';
import { SkillTable } from './skill-table.ts';

/** Heartbeats that an agent has to be heard after a pause of the kernel. */
const beatsToBeHeard = 4;

export type { RegistrySnapshot };

export class AgentRegistry {
  /** Settings have changed: an end that a longer lease has promised is not taken back. */
  private keepsPromisedEnds = false;
  private current: AgentRegistrySettings;
  /** Rows in use. */
  size = 0;
  readonly names: string[] = [];
  /** Position in `agentStates` by row. */
  stateNumber = new Uint8Array(0);
  private incarnation = new Float64Array(0);
  /** The agent is dead once time is beyond this. */
  leaseExpiryMicros = new Float64Array(0);
  readonly grace = new ConnectionGrace();
  readonly detector: PhiAccrual;
  readonly capabilities: CapabilityMatrix;
  readonly attributes: AttributeColumns;
  /** What agents have shown, beside what they declare. */
  readonly skills: SkillTable;
  /** What each agent's machine offers. */
  readonly resources = new ResourceColumns();
  private flags = new Uint8Array(0);
  /** When the row's state may change next if nothing is heard: suspicion or death, Infinity when dead. */
  private dueMicros = new Float64Array(0);
  /** No row is due before this: at most the smallest of `dueMicros`, made exact by each sweep. */
  private earliestMicros = Number.POSITIVE_INFINITY;
  private lastSweepMicros = Number.NEGATIVE_INFINITY;
  private readonly rowOfName = new Map<string, number>();
  private readonly onChange: AgentChangeListener;

  constructor(settings: AgentRegistrySettings, onChange: AgentChangeListener) {
    checkRegistrySettings(settings);
    this.current = settings;
    this.onChange = onChange;
    this.detector = new PhiAccrual(settings);
    this.capabilities = new CapabilityMatrix(settings.capabilitySpace, settings.capabilityDimensions);
    this.attributes = new AttributeColumns(settings.attributeCountMax);
    const { capabilities } = this;
    this.skills = new SkillTable(settings.skills, {
      dimensionOf: (name) => capabilities.dimensionOf(name),
      rate: (row, dimension) => capabilities.values[row * capabilities.dimensions + dimension] as number,
    });
  }

  get settings(): AgentRegistrySettings {
    return this.current;
  }

  /** True once {@link configure} was called: agents hold terms that differ from those of their registration, perhaps. */
  get termsChanged(): boolean {
    return this.keepsPromisedEnds;
  }

  /** Other terms from now on: leases of the new length begin with the next heartbeats, and none that runs ends sooner; suspicion is
   *  judged anew at once. Bounds of its size stay as they were made. */
  configure(settings: AgentRegistrySettings, nowMicros: number): void {
    checkRegistrySettings(settings);
    this.current = settings;
    this.keepsPromisedEnds = true;
    this.detector.configure(settings, this.size);
    this.skills.configure(settings.skills, nowMicros);
    this.earliestMicros = Number.POSITIVE_INFINITY;
    for (let row = 0; row < this.size; row++) {
      this.computeDue(row);
      if ((this.dueMicros[row] as number) < this.earliestMicros) this.earliestMicros = this.dueMicros[row] as number;
    }
  }

  /** The row of an agent, or −1. */
  rowOf(name: string): number {
    return this.rowOfName.get(name) ?? -1;
  }

  state(row: number): AgentState {
    return agentStates[this.stateNumber[row] as number] as AgentState;
  }

  resourcesOf(row: number): AgentResources {
    return this.resources.of(row);
  }

  incarnationOf(row: number): number {
    return this.incarnation[row] as number;
  }

  /** True if `incarnation` of `row` is the present one and alive. */
  isCurrent(row: number, incarnation: number): boolean {
    return row >= 0 && row < this.size && this.incarnation[row] === incarnation && this.alive(row);
  }

  /** True if new work may go to `row`. */
  takesWork(row: number): boolean {
    return this.stateNumber[row] === agentStateNumber.ready;
  }

  /** How implausible the silence of `row` is; see {@link PhiAccrual.phi}. */
  phi(row: number, nowMicros: number): number {
    return this.detector.phi(row, nowMicros);
  }

  /** A hello came. New and restarted agents begin in `starting` and go on to `ready` if they say so (or `draining`, where the
   *  drain was pinned), which the listener hears before this returns; a resumed one is where it was. */
  register(hello: AgentHello, nowMicros: number): Registration {
    const known = this.rowOf(hello.name);
    const refusal = this.refusal(hello, known);
    if (refusal !== undefined) return { row: known, kind: 'rejected', reason: refusal, resourcesChanged: false };
    const row = known >= 0 ? known : this.addRow(hello);
    const resumed = known >= 0 && hello.incarnation === this.incarnation[row];
    const resourcesChanged = known >= 0 && !equalResources(this.resources.of(row), hello.resources);
    this.resources.set(row, hello.resources);
    this.skills.register(row, hello.resources.gpuModel, () => this.capabilities.set(row, hello.capabilities));
    this.attributes.set(row, hello.attributes);
    this.incarnation[row] = hello.incarnation;
    this.grace.tell(row, this.settings.disconnectGraceMicros, resumed);
    if (resumed) {
      this.detector.touch(row, nowMicros);
      this.renew(row, nowMicros);
      this.change(row, this.flagsOf(row) & ~flagSuspect, 'heartbeat returned');
      return { row, kind: 'resumed', reason: undefined, resourcesChanged };
    }
    this.detector.start(row, nowMicros);
    this.leaseExpiryMicros[row] = 0;
    this.renew(row, nowMicros);
    if (known >= 0) {
      const pinned = this.flagsOf(row) & flagPinned;
      this.change(row, pinned, 'restarted');
      if (pinned !== 0) this.change(row, pinned | flagDraining, 'drained');
    }
    if (hello.ready) this.markReady(row);
    return { row, kind: known >= 0 ? 'restarted' : 'new', reason: undefined, resourcesChanged };
  }

  /** The agent can take work from now on. */
  markReady(row: number): void {
    if (this.alive(row)) this.change(row, this.flagsOf(row) | flagStarted, 'reported ready');
  }

  /** A heartbeat that names its incarnation: {@link beat}, if it is the present one. */
  heartbeat(row: number, incarnation: number, nowMicros: number): HeartbeatOutcome {
    if (row < 0 || row >= this.size) return 'unknown';
    const present = this.incarnation[row] as number;
    if (incarnation !== present) return incarnation < present ? 'stale' : 'unknown';
    return this.beat(row, nowMicros);
  }

  /** Renews the lease and ends a suspicion. For senders whose connection vouches for the incarnation. */
  beat(row: number, nowMicros: number): HeartbeatOutcome {
    if (row < 0 || row >= this.size) return 'unknown';
    const flags = this.flags[row] as number;
    if ((flags & (flagDead | flagSuspect)) !== 0) {
      if ((flags & flagDead) !== 0) return 'dead';
      this.detector.touch(row, nowMicros);
      this.renew(row, nowMicros);
      this.change(row, flags & ~flagSuspect, 'heartbeat returned');
      return 'accepted';
    }
    this.detector.heartbeat(row, nowMicros);
    this.renew(row, nowMicros);
    return 'accepted';
  }

  /** Gives the agent no further work. `pinned`: an operator's order, which outlives restarts of the agent. */
  drain(row: number, pinned = false): void {
    if (pinned) this.flags[row] = this.flagsOf(row) | flagPinned;
    if (this.alive(row)) this.change(row, this.flagsOf(row) | flagDraining, 'drained');
  }

  /** Ends a drain, pinned or not. */
  undrain(row: number): void {
    this.flags[row] = this.flagsOf(row) & ~flagPinned;
    if (this.alive(row)) this.change(row, this.flagsOf(row) & ~flagDraining, 'undrained');
  }

  /** Whether the agent has no room for more work. */
  setBusy(row: number, busy: boolean): void {
    if (!this.alive(row)) return;
    const flags = this.flagsOf(row);
    this.change(row, busy ? flags | flagBusy : flags & ~flagBusy, busy ? 'has no room' : 'has room');
  }

  /** The agent has closed its connection, or its system has because it died: it is given no new work, and keeps what it has for no
   *  longer than it was told, unless it is heard again. */
  disconnected(row: number, incarnation: number, nowMicros: number): void {
    if (!this.isCurrent(row, incarnation) || this.grace.of(row) === 0) return;
    const expiry = Math.min(this.leaseExpiryMicros[row] as number, nowMicros + this.grace.of(row));
    this.leaseExpiryMicros[row] = expiry;
    this.dueMicros[row] = expiry + 1;
    this.earliestMicros = Math.min(this.earliestMicros, expiry + 1);
    this.change(row, this.flagsOf(row) | flagSuspect, 'connection closed');
  }

  /** The agent leaves for good. False if another incarnation than the present one said so; nothing changes then. */
  goodbye(row: number, incarnation: number): boolean {
    if (row < 0 || row >= this.size || this.incarnation[row] !== incarnation) return false;
    this.die(row, 'said goodbye');
    return true;
  }

  /** Marks the overdue as suspect and those beyond their lease as dead, by row. One pass over one column; returns the
   *  number of changes. */
  sweep(nowMicros: number): number {
    this.lastSweepMicros = nowMicros;
    this.earliestMicros = Number.POSITIVE_INFINITY;
    let changes = 0;
    for (let row = 0; row < this.size; row++) {
      if ((this.dueMicros[row] as number) <= nowMicros) {
        changes++;
        if (nowMicros > (this.leaseExpiryMicros[row] as number)) {
          this.die(row, 'lease expired');
        } else {
          this.dueMicros[row] = (this.leaseExpiryMicros[row] as number) + 1;
          this.change(row, this.flagsOf(row) | flagSuspect, 'heartbeat overdue');
        }
      }
      if ((this.dueMicros[row] as number) < this.earliestMicros) this.earliestMicros = this.dueMicros[row] as number;
    }
    return changes;
  }

  /** No sweep before this changes anything that it should; Infinity if no agent is alive. It may be early (a sweep then
   *  finds nothing) and, by the spacing of sweeps, late. */
  get nextSweepMicros(): number {
    return Math.max(this.earliestMicros, this.lastSweepMicros + this.settings.sweepSpacingMicros);
  }

  /** After a pause that ends now: nobody is blamed for a silence that the kernel did not hear. Leases and detectors of the living
   *  go on as if time had stood still: an agent has no more left of its lease than was left then. If wall clocks are known to be
   *  right but for `clockErrorMicros`, whose lease has run out is missed after the time to be heard again, four heartbeats. */
  extendLeases(byMicros: number, nowMicros: number): void {
    assert(byMicros >= 0, 'leases are never shortened');
    this.earliestMicros = Number.POSITIVE_INFINITY;
    const { clockErrorMicros, heartbeatIntervalMicros } = this.settings;
    const heardByMicros = nowMicros + beatsToBeHeard * heartbeatIntervalMicros;
    for (let row = 0; row < this.size; row++) {
      if (!this.alive(row)) continue;
      const expiryMicros = this.leaseExpiryMicros[row] as number;
      const extendedMicros = expiryMicros + byMicros;
      const hasRunOut = clockErrorMicros > 0 && expiryMicros + clockErrorMicros < nowMicros;
      this.leaseExpiryMicros[row] = Math.max(
        hasRunOut ? Math.min(extendedMicros, heardByMicros) : extendedMicros,
        nowMicros,
      );
      this.detector.touch(row, Math.min((this.detector.lastMicros[row] as number) + byMicros, nowMicros));
      this.computeDue(row);
      if ((this.dueMicros[row] as number) < this.earliestMicros) this.earliestMicros = this.dueMicros[row] as number;
    }
  }

  save(): RegistrySnapshot {
    const rows = this.size;
    return {
      names: this.names.slice(),
      incarnation: Array.from(this.incarnation.subarray(0, rows)),
      flags: Array.from(this.flags.subarray(0, rows)),
      leaseExpiryMicros: Array.from(this.leaseExpiryMicros.subarray(0, rows)),
      resources: this.names.map((_, row) => this.resources.of(row)),
      phi: this.detector.save(rows),
      capabilities: this.capabilities.save(rows),
      attributes: this.attributes.save(),
      skills: this.skills.save(),
      earliestMicros: Number.isFinite(this.earliestMicros) ? this.earliestMicros : null,
      lastSweepMicros: Number.isFinite(this.lastSweepMicros) ? this.lastSweepMicros : null,
      ...(this.keepsPromisedEnds ? { changed: true } : {}),
      graceMicros: this.grace.save(rows),
    };
  }

  /** Takes over a state saved under the same settings; the listener is not called. */
  restore(state: RegistrySnapshot): void {
    const rows = state.names.length;
    this.size = rows;
    this.names.length = 0;
    this.rowOfName.clear();
    if (rows > this.flags.length) this.grow(rows);
    for (let row = 0; row < rows; row++) {
      const name = state.names[row] as string;
      this.names.push(name);
      this.resources.set(row, state.resources[row] as AgentResources);
      this.rowOfName.set(name, row);
    }
    this.incarnation.set(state.incarnation);
    this.flags.set(state.flags);
    this.leaseExpiryMicros.set(state.leaseExpiryMicros);
    this.grace.restore(state.graceMicros);
    this.detector.restore(state.phi);
    this.capabilities.restore(state.capabilities);
    this.attributes.restore(state.attributes);
    if (state.skills !== undefined) this.skills.restore(state.skills);
    else for (let row = 0; row < rows; row++) this.skills.register(row, this.resourcesOf(row).gpuModel, () => {});
    for (let row = 0; row < rows; row++) {
      this.stateNumber[row] = agentStateNumber[stateOf(this.flagsOf(row))];
      this.computeDue(row);
    }
    this.earliestMicros = state.earliestMicros ?? Number.POSITIVE_INFINITY;
    this.lastSweepMicros = state.lastSweepMicros ?? Number.NEGATIVE_INFINITY;
    this.keepsPromisedEnds = state.changed === true;
  }

  private refusal(hello: AgentHello, known: number): RegistrationRefusal | undefined {
    assert(
      Number.isSafeInteger(hello.incarnation) && hello.incarnation >= 0,
      'an incarnation is a non-negative integer',
    );
    if (known >= 0) {
      if (hello.incarnation < (this.incarnation[known] as number)) return 'incarnation is older than the one known';
      if (hello.incarnation === this.incarnation[known] && !this.alive(known)) return 'incarnation is dead';
    } else if (this.size >= this.settings.agentCountMax) {
      return 'registry is full';
    }
    if (!areValidResources(hello.resources)) return 'resources are not finite and non-negative';
    return this.capabilities.problem(hello.capabilities) ?? this.attributes.problem(hello.attributes);
  }

  private addRow(hello: AgentHello): number {
    const row = this.size;
    if (row === this.flags.length) this.grow(Math.max(64, row * 2));
    this.size = row + 1;
    this.names.push(hello.name);
    this.rowOfName.set(hello.name, row);
    return row;
  }

  private flagsOf(row: number): number {
    return this.flags[row] as number;
  }

  private alive(row: number): boolean {
    return (this.flagsOf(row) & flagDead) === 0;
  }

  private renew(row: number, nowMicros: number): void {
    const expiry = nowMicros + this.settings.leaseMicros;
    this.leaseExpiryMicros[row] = this.keepsPromisedEnds
      ? Math.max(expiry, this.leaseExpiryMicros[row] as number)
      : expiry;
    const due = Math.min(this.detector.overdueMicros(row), (this.leaseExpiryMicros[row] as number) + 1);
    this.dueMicros[row] = due;
    if (due < this.earliestMicros) this.earliestMicros = due;
  }

  private computeDue(row: number): void {
    const flags = this.flagsOf(row);
    const death = (this.leaseExpiryMicros[row] as number) + 1;
    if ((flags & flagDead) !== 0) this.dueMicros[row] = Number.POSITIVE_INFINITY;
    else if ((flags & flagSuspect) !== 0) this.dueMicros[row] = death;
    else this.dueMicros[row] = Math.min(this.detector.overdueMicros(row), death);
  }

  private die(row: number, reason: AgentChangeReason): void {
    this.dueMicros[row] = Number.POSITIVE_INFINITY;
    this.change(row, (this.flagsOf(row) & flagPinned) | flagDead, reason);
  }

  private change(row: number, flags: number, reason: AgentChangeReason): void {
    const from = this.state(row);
    const to = stateOf(flags);
    this.flags[row] = flags;
    if (from === to) return;
    assert(agentTransitions[from].includes(to), 'illegal change of an agent’s state');
    this.stateNumber[row] = agentStateNumber[to];
    this.onChange(row, from, to, reason);
  }

  private grow(rows: number): void {
    this.incarnation = grownFloats(this.incarnation, rows);
    this.leaseExpiryMicros = grownFloats(this.leaseExpiryMicros, rows);
    this.dueMicros = grownFloats(this.dueMicros, rows);
    this.stateNumber = grownBytes(this.stateNumber, rows);
    this.flags = grownBytes(this.flags, rows);
    const { grace, detector, resources, capabilities, skills } = this;
    for (const part of [grace, detector, resources, capabilities, skills]) part.grow(rows);
  }
}
