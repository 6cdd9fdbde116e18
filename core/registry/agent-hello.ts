// What an agent says of itself when it registers, and what the registry answers.

/** What the agent's machine offers. The shape of the scheduler's machine resources, which live in a later layer. */
export interface AgentResources {
  /** Thousandths of a CPU core. */
  readonly cpuMilli: number;
  readonly memoryMib: number;
  readonly gpuCount: number;
  /** Empty if there is no GPU. */
  readonly gpuModel: string;
}

/** A capability vector: the numbers themselves (a registry whose `capabilitySpace` is `vector`; exactly `capabilityDimensions`
 *  of them), or strengths by skill name (`skills`; dimensions are given out in order of first sight). Numbers within ±10¹⁸;
 *  an empty list means none. */
export type Capabilities = ArrayLike<number> | { readonly [skill: string]: number };

/** True if amounts are finite and not negative. */
export function areValidResources({ cpuMilli, memoryMib, gpuCount }: AgentResources): boolean {
  return [cpuMilli, memoryMib, gpuCount].every((amount) => Number.isFinite(amount) && amount >= 0);
}

export function equalResources(left: AgentResources, right: AgentResources): boolean {
  return (
    left.cpuMilli === right.cpuMilli &&
    left.memoryMib === right.memoryMib &&
    left.gpuCount === right.gpuCount &&
    left.gpuModel === right.gpuModel
  );
}

export type AttributeValue = string | number;

export interface AgentHello {
  /** Names the agent across restarts. */
  readonly name: string;
  /** Grows at each restart of the agent; a non-negative integer. */
  readonly incarnation: number;
  /** False leaves the agent in `starting` until it is marked ready. */
  readonly ready: boolean;
  readonly resources: AgentResources;
  readonly capabilities?: Capabilities | undefined;
  readonly attributes?: { readonly [name: string]: AttributeValue } | undefined;
}

export type RegistrationRefusal =
  | 'registry is full'
  | 'incarnation is older than the one known'
  | 'incarnation is dead'
  | 'resources are not finite and non-negative'
  | 'capabilities do not fit the registry'
  | 'too many skills'
  | 'attributes are not strings or finite numbers'
  | 'too many attributes';

/** `row` is the agent's dense number, in order of first registration; −1 if the agent is unknown and was rejected. */
export interface Registration {
  readonly row: number;
  /** `new`: first sight. `restarted`: a higher incarnation; what the former one held is gone. `resumed`: the same incarnation
   *  connected again; it keeps what it holds. `rejected`: nothing changed, see `reason`. */
  readonly kind: 'new' | 'restarted' | 'resumed' | 'rejected';
  /** Undefined unless rejected. */
  readonly reason: RegistrationRefusal | undefined;
  /** True if the resources differ from those of the registration before. */
  readonly resourcesChanged: boolean;
}

/** What became of a heartbeat. `unknown`: no such row. `stale`: of an earlier incarnation. `dead`: too late, register anew. */
export type HeartbeatOutcome = 'accepted' | 'unknown' | 'stale' | 'dead';
