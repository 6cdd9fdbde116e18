// What the table of skills is told: what agents declare, and how their tasks ended.

/** One outcome. `size` in the class's own unit of work, above 0; `joules` if the agent measured them. */
export interface SkillOutcome {
  readonly completed: boolean;
  readonly serviceMicros: number;
  readonly size: number;
  readonly joules?: number | undefined;
}

/** What agents declare: units of work a second, as a skill that is named as the class is. */
export interface DeclaredRates {
  /** The dimension of a skill, −1 if no agent ever named it. */
  dimensionOf(name: string): number;
  /** Not above 0 where the agent declares nothing. */
  rate(row: number, dimension: number): number;
}
