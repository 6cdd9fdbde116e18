// What the agents of the bench can do, and what is asked for.

export const skillNames: readonly string[] = Array.from({ length: 26 }, (_, index) => `class-${index}`);
