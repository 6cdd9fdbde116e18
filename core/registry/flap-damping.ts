// Agents that go and come back again and again: each return costs the fleet a placement or two, so that one who returned too
// often within a window is worth no new work for a while, the longer the oftener (the idea of BGP route flap damping, RFC 2439,
// with a count in the place of a decaying penalty). It only counts and says how long; who keeps work away is not decided here.

/** Times in microseconds. */
export interface FlapRules {
  /** Returns within the window from which on an agent is held; 0 holds nobody. */
  readonly returnsMax: number;
  readonly windowMicros: number;
  /** Length of the first hold; each further one is twice as long as the one before, up to `holdMaxMicros`. */
  readonly holdFirstMicros: number;
  readonly holdMaxMicros: number;
}

export interface FlapDampingState {
  readonly agents: readonly ({ readonly row: number } & Readonly<Flapping>)[];
}

/** Latest returns that count still, oldest first; the last of all; and how often the agent was held in a row. */
interface Flapping {
  returns: number[];
  lastMicros: number;
  holds: number;
}

export class FlapDamping {
  private readonly agents = new Map<number, Flapping>();

  /** The agent was suspect, dead or restarted, and is back. Returns for how long to hold it from now on, 0 for not at all.
   *  An agent that stayed for longer than the window and the longest hold together is as good as new. */
  returned(row: number, nowMicros: number, rules: FlapRules): number {
    if (rules.returnsMax === 0) return 0;
    let agent = this.agents.get(row);
    if (agent === undefined) {
      agent = { returns: [], lastMicros: nowMicros, holds: 0 };
      this.agents.set(row, agent);
    }
    if (nowMicros - agent.lastMicros > rules.windowMicros + rules.holdMaxMicros) agent.holds = 0;
    agent.returns = agent.returns.filter((time) => nowMicros - time < rules.windowMicros);
    agent.returns.push(nowMicros);
    agent.lastMicros = nowMicros;
    if (agent.returns.length < rules.returnsMax) return 0;
    // They are paid for with the hold: after it, the agent has its chance.
    agent.returns = [];
    const { holdFirstMicros, holdMaxMicros } = rules;
    let hold = Math.min(holdFirstMicros, holdMaxMicros);
    for (let times = agent.holds; times > 0 && hold < holdMaxMicros; times--) hold = Math.min(2 * hold, holdMaxMicros);
    agent.holds++;
    return hold;
  }

  save(): FlapDampingState {
    return { agents: [...this.agents].map(([row, agent]) => ({ row, ...agent, returns: [...agent.returns] })) };
  }

  restore(state: FlapDampingState): void {
    for (const { row, ...agent } of state.agents) this.agents.set(row, { ...agent, returns: [...agent.returns] });
  }
}
