// What the programs behind `npm run …` share: numbers as options, and coded errors as what they end with.

import { InvalidArgumentError } from 'commander';
import { SiraError } from '../../core/base/errors.ts';

/** Reads a whole number from `least` on. */
export function wholeNumber(least: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!Number.isSafeInteger(value) || value < least)
      throw new InvalidArgumentError(`A whole number from ${least} is needed.`);
    return value;
  };
}

/** Prints a coded error and sets the exit code; lets everything else through. */
export async function reportErrors(act: () => Promise<unknown>): Promise<void> {
  try {
    await act();
  } catch (error) {
    if (!(error instanceof SiraError)) throw error;
    console.error(`error[${error.code}] ${error.message}\n${error.remedy}`);
    process.exitCode = 2;
  }
}
