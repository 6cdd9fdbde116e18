// `sira check`: is this file sound? Each part of the project that reads documents says what kind it reads and how that is checked;
// a file is taken for the kind whose fields it has.

import { SiraError } from '../base/errors.ts';
import type { Command, CommandContext } from '../ports/command.ts';
import { YamlSource } from './yaml-source.ts';

export interface DocumentKind {
  /** As people call it. */
  readonly name: string;
  /** At the top of such a document. */
  readonly fields: readonly string[];
  /** One line about a sound document. Problems go to `context.printError`, and then nothing is returned. */
  check(file: string, context: CommandContext): string | undefined;
}

/** The command over these kinds; a file that looks like none of them is taken for the first. */
export function checkCommandOf(kinds: readonly DocumentKind[]): Command {
  return {
    name: 'check',
    summary: 'validate scenarios and configurations without running them',
    description:
      'Validates scenarios with the traces that they name, and configurations of `sira start`. Every problem is named with its line, column and field.',
    arguments: [{ name: 'file', description: 'YAML files', required: true, many: true }],
    options: [],
    examples: [
      { line: 'sira check scenarios/gpu-cluster.yaml', meaning: 'one scenario' },
      { line: 'sira check scenarios/*.yaml', meaning: 'all of them' },
    ],
    run(call, context) {
      let failures = 0;
      for (const file of call.arguments) {
        const sound = kindOf(file, kinds).check(file, context);
        if (sound === undefined) failures++;
        else context.terminal.write(`${file}: ${sound}\n`);
      }
      return failures === 0 ? 0 : 2;
    },
  };
}

/** The kind that knows most fields of the file. */
function kindOf(file: string, kinds: readonly DocumentKind[]): DocumentKind {
  const fields = fieldsOf(file);
  let best = kinds[0] as DocumentKind;
  const known = (kind: DocumentKind): number => fields.filter((field) => kind.fields.includes(field)).length;
  for (const kind of kinds) if (known(kind) > known(best)) best = kind;
  return best;
}

/** None for a file that cannot be read: its kind's check says why. */
function fieldsOf(file: string): readonly string[] {
  try {
    const { value } = new YamlSource(file);
    return typeof value === 'object' && value !== null ? Object.keys(value) : [];
  } catch (error) {
    if (error instanceof SiraError) return [];
    throw error;
  }
}
