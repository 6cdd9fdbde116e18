// Work that takes time and nothing else, and as long each time: chains of arithmetic in which each step hangs on the one before. It goes
// by rounds of a function of their own, so that the compiler makes the same of it whoever calls.

const steps = 1000;

/** A thousand steps of the chain from `value`, which stays between 0 and 1. */
function round(value: number): number {
  let next = value;
  for (let step = 0; step < steps; step++) next = 3.9 * next * (1 - next);
  return next;
}

export function busyRounds(rounds: number): number {
  let value = 0.5;
  for (let count = 0; count < rounds; count++) value = round(value);
  return value;
}
