// Advice must not chase itself. What is advised is taken as done, the fleet that it makes is analysed like any other, and advice on
// the same screw is followed for a few rounds: if that leads back to where it began, or to anything seen before, the first advice is
// refused. Two bounds that overlap (machines are worth a tenth of the wait, and saving energy may cost a fifth of it) do that.

import { type Candidate, candidatesOf, kindOf, natureOf, sharesLever } from './candidates.ts';
import { type Configuration, changed, keyOf, machinesBack } from './configuration.ts';
import { type JudgeOptions, judgeChange } from './judge-change.ts';
import type { Change, PolicyChange } from './recommendation.ts';
import type { SimulatedWorld } from './simulated-world.ts';

/** Rounds of advice that are followed. */
const roundsMax = 3;

export type RulesOf = (change: Change) => JudgeOptions;

/** Why the change would not stay; empty if it does. */
export async function whyItTurnsBack(
  world: SimulatedWorld,
  present: Configuration,
  advised: Candidate,
  rulesOf: RulesOf,
): Promise<string> {
  const first = changed(present, advised.change);
  if (typeof first === 'string') return first;
  const seen = new Set([keyOf(present), keyOf(first)]);
  let standing = first;
  for (let round = 1; round <= roundsMax; round++) {
    const next = await adviceAt(world, standing, present, advised, rulesOf);
    if (next === undefined) return '';
    const { candidate, configuration, reason } = next;
    if (seen.has(keyOf(configuration)))
      return `it would be undone ${round === 1 ? 'in the next round' : `after ${round} rounds`}: "${candidate.title}" (${reason})`;
    seen.add(keyOf(configuration));
    standing = configuration;
  }
  return '';
}

async function adviceAt(
  world: SimulatedWorld,
  standing: Configuration,
  present: Configuration,
  advised: Candidate,
  rulesOf: RulesOf,
) {
  const before = await world.runs(standing);
  if (before.bottlenecks === undefined) return undefined;
  const found = candidatesOf(standing, world.findings(before.bottlenecks));
  const tried = [undoing(standing, present, advised), ...found].filter(({ change }) =>
    sharesLever(change, advised.change),
  );
  for (const candidate of tried) {
    const configuration = changed(standing, candidate.change);
    if (typeof configuration === 'string' || keyOf(configuration) === keyOf(standing)) continue;
    if (world.misfits(standing, configuration) !== '') continue;
    const after = await world.runs(configuration);
    const { isGood, reasons } = judgeChange(before, after, rulesOf(candidate.change));
    if (isGood) return { candidate, configuration, reason: reasons[0] ?? '' };
  }
  return undefined;
}

/** The way straight back, whether or not the rules would think of it. */
function undoing(standing: Configuration, present: Configuration, { change }: Candidate): Candidate {
  const { policy, settings, machines } = change;
  const names = (of: object): string[] => Object.keys(of);
  const undo: Change = {
    ...(policy === undefined
      ? {}
      : {
          policy: Object.fromEntries(names(policy).map((name) => [name, present.policy[name as keyof PolicyChange]])),
        }),
    ...(settings === undefined
      ? {}
      : { settings: Object.fromEntries(names(settings).map((name) => [name, present.settings[name] as number])) }),
    ...(machines === undefined ? {} : { machines: machinesBack(standing.machines, machines) }),
  };
  return { kind: kindOf(undo), title: 'Take it back', finding: '', change: undo };
}

/** How a change of this nature is judged. */
export function rulesFor(
  change: Change,
  rules: Pick<JudgeOptions, 'objective' | 'worthShare' | 'harmShare' | 'candidates' | 'fidelity'>,
  widenings: Readonly<Partial<Record<string, number>>>,
): JudgeOptions {
  const kind = kindOf(change);
  return { ...rules, ...natureOf(change), kind, widening: widenings[kind] ?? 1 };
}
