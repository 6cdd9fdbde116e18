// What a command of `sira` is: data and one function. Each part of the project declares its own; sira.ts gathers them, so
// that no part knows the command line that runs it. Nothing here parses or prints.

import type { SiraError } from '../base/errors.ts';

export interface CommandArgument {
  /** As shown in the usage, such as `scenario`. */
  readonly name: string;
  readonly description: string;
  readonly required: boolean;
  /** Takes all arguments that follow; only the last one may. */
  readonly many: boolean;
}

export interface CommandOption {
  /** `--json`, `-o, --output <folder>` (takes a value), `--seed <number...>` (takes several). */
  readonly flags: string;
  readonly description: string;
  readonly defaultValue?: string | boolean | undefined;
  /** The values allowed, if there are few. */
  readonly choices?: readonly string[] | undefined;
}

export interface CommandExample {
  /** A whole command line, such as `sira check scenarios/gpu-cluster.yaml`. */
  readonly line: string;
  readonly meaning: string;
}

/** What the person typed. */
export interface CommandCall {
  /** Arguments in order; those of a `many` argument follow one another. */
  readonly arguments: readonly string[];
  /** By the long flag's name in camelCase: `true` for a bare flag, text, or several texts. Absent if not given and without a
   *  default. */
  readonly options: Readonly<Record<string, string | boolean | readonly string[] | undefined>>;
}

/** Where a command writes. */
export interface Terminal {
  /** Results, to standard output. */
  write(text: string): void;
  /** Progress, warnings and errors, to standard error. */
  writeError(text: string): void;
  /** Whether standard output, or standard error, may hold colours. */
  readonly colour: boolean;
  readonly colourError: boolean;
  /** Whether a person watches standard error, so that progress may be redrawn in place. */
  readonly interactive: boolean;
  /** Width of standard output in characters. */
  readonly columns: number;
}

/** What a command is given besides the call. */
export interface CommandContext {
  readonly terminal: Terminal;
  /** Prints an error without ending the command, for those that find several. */
  printError(error: SiraError): void;
  /** Absolute path of the folder with package.json and scenarios/. */
  readonly projectRoot: string;
  /** Version of Sira. */
  readonly version: string;
  /** The command line as typed, to be repeated in reports: `sira run scenarios/gpu-cluster.yaml`. */
  readonly line: string;
}

/** Exit code: 0 if nothing is returned, 2 for the user's mistake, 1 for a failed run. */
export type CommandResult = number | undefined;

export interface Command {
  readonly name: string;
  /** One line for the list of commands. */
  readonly summary: string;
  /** A few sentences for the command's own help. */
  readonly description?: string | undefined;
  readonly arguments: readonly CommandArgument[];
  readonly options: readonly CommandOption[];
  /** At least one; the tests parse them all. */
  readonly examples: readonly CommandExample[];
  /** Throws `SiraError` for operating errors. Loads what is slow to load only here. */
  run(call: CommandCall, context: CommandContext): CommandResult | PromiseLike<CommandResult>;
}
