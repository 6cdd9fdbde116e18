// What a finished table is: a page for people, a document for programs, figures, and whether it holds.

export interface Check {
  /** What must hold, such as `every seed within 0.01 points`. */
  readonly requirement: string;
  /** What was found, with the figure. */
  readonly found: string;
  readonly holds: boolean;
}

export interface FinishedTable {
  /** Stem of the files: `table-1-packing`. */
  readonly name: string;
  readonly title: string;
  readonly checks: readonly Check[];
  readonly markdown: string;
  readonly document: unknown;
  /** SVG texts by file name. */
  readonly figures: Readonly<Record<string, string>>;
}

export function checkList(checks: readonly Check[]): string {
  return checks.map(({ requirement, found, holds }) => `- ${holds ? '✓' : '✗'} ${requirement}: ${found}`).join('\n');
}
