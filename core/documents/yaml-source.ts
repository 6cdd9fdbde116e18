// A YAML file with its positions kept: any field of it can be named by file, line and column long after parsing. What the
// fields mean is left to others.

import { readFileSync } from 'node:fs';
import { type Document, isMap, isNode, isPair, isScalar, LineCounter, parseDocument } from 'yaml';
import { type ErrorPlace, SiraError } from '../base/errors.ts';

/** Keys and indices from the top of the document, such as `['policies', 2, 'place']`. */
export type FieldPath = readonly (string | number)[];

export class YamlSource {
  readonly file: string;
  readonly text: string;
  /** The document as plain data; meaningless if there are `problems`. */
  readonly value: unknown;
  /** Errors of syntax, in order; empty if the file is valid YAML. */
  readonly problems: readonly SiraError[];
  private readonly lines = new LineCounter();
  private readonly document: Document.Parsed;

  /** `file` is named in errors as given. Throws SIRA_FILE_MISSING. */
  constructor(file: string) {
    this.file = file;
    this.text = readText(file);
    this.document = parseDocument(this.text, { lineCounter: this.lines, prettyErrors: false });
    const problems = [...this.document.errors, ...this.document.warnings].map(
      (error) =>
        new SiraError('SIRA_YAML_MALFORMED', firstLine(error.message), this.position(error.pos[0]), hint(error.code)),
    );
    this.value = undefined;
    if (problems.length === 0) {
      try {
        this.value = this.document.toJS({ maxAliasCount: 1000 });
      } catch (error) {
        problems.push(
          new SiraError('SIRA_YAML_MALFORMED', firstLine(String((error as Error).message)), {
            file,
            line: 1,
            column: 1,
          }),
        );
      }
    }
    this.problems = problems;
  }

  /** Where the field at `path` stands: its value, or its key with `atKey`. A field that is absent is placed at the nearest
   *  part of the document that would hold it. */
  place(path: FieldPath, atKey = false): ErrorPlace {
    const field = path.join('.');
    for (let length = path.length; length >= 0; length--) {
      const offset = this.offset(path.slice(0, length), atKey || length < path.length);
      if (offset !== undefined) return { ...this.position(offset), field };
    }
    return { file: this.file, line: 1, column: 1, field };
  }

  private offset(path: FieldPath, atKey: boolean): number | undefined {
    if (path.length === 0) return isNode(this.document.contents) ? this.document.contents.range?.[0] : undefined;
    const parent = path.length === 1 ? this.document.contents : this.document.getIn(path.slice(0, -1), true);
    const last = path[path.length - 1];
    if (atKey && isMap(parent)) {
      const pair = parent.items.find(
        (item) => isPair(item) && isScalar(item.key) && String(item.key.value) === String(last),
      );
      if (pair !== undefined && isNode(pair.key)) return pair.key.range?.[0];
    }
    const node = this.document.getIn(path, true);
    return isNode(node) ? node.range?.[0] : undefined;
  }

  private position(offset: number): ErrorPlace {
    const { line, col } = this.lines.linePos(offset);
    return { file: this.file, line: Math.max(1, line), column: Math.max(1, col) };
  }
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new SiraError('SIRA_FILE_MISSING', `${reasonOf(error)}: ${file}`, { file });
  }
}

/** What the operating system said, in words. */
export function reasonOf(error: unknown): string {
  const code = (error as NodeJS.ErrnoException).code ?? '';
  const words: Readonly<Record<string, string>> = {
    ENOENT: 'there is no such file',
    EISDIR: 'this is a folder, not a file',
    EACCES: 'the file may not be read',
  };
  return words[code] ?? `the file cannot be read (${code})`;
}

function firstLine(message: string): string {
  return message.split('\n')[0] ?? message;
}

function hint(code: string): string | undefined {
  if (code === 'TAB_AS_INDENT') return 'Indent with spaces; YAML allows no tabs.';
  if (code === 'DUPLICATE_KEY') return 'Keep one of the two.';
  if (code === 'BAD_INDENT') return 'Give fields of one level the same indentation.';
  return undefined;
}
