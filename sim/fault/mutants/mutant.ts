// A planted bug: one exact replacement in one file of the kernel. The text searched for must occur exactly once, so that a mutant
// whose code has moved on is noticed and not silently the kernel itself.

/** Who hunts: the swarm of whole kernels, or that of durable topics. */
export const swarms = ['kernel', 'topics'] as const;
export type SwarmName = (typeof swarms)[number];

export interface Mutant {
  /** Unique, kebab-case. */
  readonly name: string;
  /** What is wrong in it, one sentence without a full stop. */
  readonly bug: string;
  /** From the top of the project. */
  readonly file: string;
  readonly search: string;
  readonly replace: string;
  /** Which swarm hunts it: `kernel` if left out. */
  readonly swarm?: SwarmName | undefined;
}

export function swarmOf({ swarm }: Mutant): SwarmName {
  return swarm ?? 'kernel';
}

/** `text` with the bug planted, or why that cannot be. */
export function plant(
  { file, search, replace }: Mutant,
  text: string,
): { readonly text: string } | { readonly problem: string } {
  const count = text.split(search).length - 1;
  if (count !== 1) return { problem: `${file} holds ${count} times: ${search}` };
  if (replace === search) return { problem: `${file} would stay as it is` };
  return { text: text.replace(search, () => replace) };
}
