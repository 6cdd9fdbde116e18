// An environment behind a pair of streams: one JSON object a line in, one out. Other languages train on it that way, such as Python
// through gymnasium/sira_gymnasium.py. The first line out says what the environment is; after that every line in is answered:
// {"reset": seed} or {"step": choice} by {"rows", "count", "reward", "ended", "truncated", "metrics"}.

import type { Environment } from './environment.ts';

/** What the other side is told first. */
export interface EnvironmentGreeting {
  readonly name: string;
  readonly schema: string;
  readonly features: readonly string[];
  readonly candidatesMax: number;
}

export function greetingOf({ name, schema, featureNames, candidatesMax }: Environment): EnvironmentGreeting {
  return { name, schema, features: featureNames, candidatesMax };
}

/** The answer to one line, without its end; what cannot be done is answered by {"error"}. */
export function answerLine(environment: Environment, line: string): string {
  let request: { readonly reset?: unknown; readonly step?: unknown };
  try {
    request = JSON.parse(line) as typeof request;
  } catch {
    return refusal('the line is no JSON');
  }
  if (typeof request !== 'object' || request === null) return refusal('the line is no object');
  if (Number.isSafeInteger(request.reset)) {
    environment.reset(request.reset as number);
    return state(environment, 0);
  }
  if (Number.isSafeInteger(request.step)) {
    const choice = request.step as number;
    if (environment.done) return refusal('the episode has ended: reset first');
    if (choice < 0 || choice >= environment.candidateCount)
      return refusal(`there is no candidate ${choice}: there are ${environment.candidateCount}`);
    return state(environment, environment.step(choice));
  }
  return refusal('a line is {"reset": seed} or {"step": choice}');
}

function state(environment: Environment, reward: number): string {
  const count = environment.done && !environment.truncated ? 0 : environment.candidateCount;
  const rows = new Float64Array(count * environment.featureNames.length);
  if (count > 0) environment.observe(rows, 0);
  return JSON.stringify({
    rows: [...rows],
    count,
    reward,
    ended: environment.done && !environment.truncated,
    truncated: environment.truncated,
    metrics: environment.done ? environment.metrics() : {},
  });
}

function refusal(detail: string): string {
  return JSON.stringify({ error: detail });
}
