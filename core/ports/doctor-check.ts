// What `sira doctor` asks and answers. Each part of the project declares checks of what it can use, as it declares commands; sira.ts
// gathers them. Checks only look: none installs or changes anything.

/** One line of the doctor's answer. */
export interface Finding {
  readonly name: string;
  readonly found: boolean;
  /** What was found, or what is missing. */
  readonly detail: string;
  /** What it is for; of a thing missing, what it would enable. */
  readonly enables: string;
  /** The one command or step that brings it, or of a thing found something better; empty if there is nothing to gain. */
  readonly remedy: string;
}

/** What a check may ask the machine. */
export interface Machine {
  readonly nodeVersion: string;
  readonly coreCount: number;
  readonly memoryBytes: number;
  /** Absolute path of a program on the PATH, or undefined. */
  findProgram(name: string): string | undefined;
  /** First line that the program prints, on either stream, or undefined if it fails. */
  ask(program: string, words: readonly string[]): string | undefined;
  exists(path: string): boolean;
}

export type DoctorCheck = (machine: Machine, projectRoot: string) => Finding;
