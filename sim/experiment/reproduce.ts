// The one line that shows a failed run again.

/** The command that runs one policy on one seed of a scenario. `file` as a person would type it. */
export function reproduceCommand(file: string, policy: string, seed: number): string {
  return `npx sira run ${file} --policies ${policy} --seeds ${seed}`;
}
