// A world that was fitted to telemetry, as one file of JSON: written by the loop, read by environments and by the suite of the gate.

import { readFileSync } from 'node:fs';
import { SiraError } from '../../core/base/errors.ts';
import type { WorkClass, WorkModel } from './work-model.ts';

export interface FittedClass extends WorkClass {
  readonly count: number;
  /** Largest distance between the measured distribution of service times and the fitted one (Kolmogorov–Smirnov), 0 to 1. */
  readonly distance: number;
}

export interface FittedMachine {
  readonly name: string;
  readonly cpuMilli: number;
  readonly memoryMib: number;
}

/** Agents that went away and came back. */
export interface FittedOutages {
  readonly count: number;
  /** Outages of one agent in an hour. */
  readonly perAgentHour: number;
  /** 0 if there was none. */
  readonly meanSeconds: number;
}

export interface FittedWorld {
  readonly format: typeof fittedWorldFormat;
  /** SHA-256 of the rows that it was fitted to. */
  readonly rowsSha256: string;
  /** Completed, and from the first submission to the last. */
  readonly tasks: number;
  readonly seconds: number;
  readonly work: WorkModel & { readonly classes: readonly FittedClass[] };
  /** Two phases of arrivals over one rate for all: logarithm of the likelihoods' ratio. */
  readonly phaseGain: number;
  readonly machines: readonly FittedMachine[];
  readonly outages: FittedOutages;
  /** What a task asks for, median over all. */
  readonly request: { readonly cpuMilli: number; readonly memoryMib: number };
  /** Tasks that the machines can hold at once. */
  readonly slots: number;
}

export const fittedWorldFormat = 'sira-fitted-world/1';

/** SIRA_FILE_MISSING if it cannot be read or is none. */
export function readFittedWorld(file: string): FittedWorld {
  let world: Partial<FittedWorld>;
  try {
    world = JSON.parse(readFileSync(file, 'utf8')) as Partial<FittedWorld>;
  } catch (error) {
    throw new SiraError('SIRA_FILE_MISSING', `the fitted world cannot be read: ${(error as Error).message}`, { file });
  }
  if (world.format !== fittedWorldFormat)
    throw new SiraError('SIRA_FILE_MISSING', `${file} is no ${fittedWorldFormat}`, { file });
  return world as FittedWorld;
}
