// One source file as the rules see it: its text, the text without comments and strings, its imports, its layer.

import { posix } from 'node:path';
import { type Layer, layerOf } from './layers.ts';
import { stripSource } from './strip-source.ts';

export interface Violation {
  /** Path from the top of the project. */
  readonly file: string;
  /** 1-based. */
  readonly line: number;
  readonly rule: string;
  /** What is wrong and what to do instead. */
  readonly message: string;
}

export interface ImportOf {
  readonly specifier: string;
  /** Erased at run time. */
  readonly typeOnly: boolean;
  /** Path from the top of the project that a relative import leads to; `undefined` for a package or a `node:` module. */
  readonly target: string | undefined;
  readonly line: number;
}

export interface SourceFile {
  /** Path from the top of the project, with forward slashes. */
  readonly path: string;
  readonly text: string;
  readonly stripped: string;
  readonly imports: readonly ImportOf[];
  readonly layer: Layer | undefined;
  /** Tests, contract suites and benchmarks: not part of the product. */
  readonly isTest: boolean;
}

const importPattern = /\b(?:import|export)\s+(type\s+)?(?:[\w*{}\s,$]+?\s+from\s*)?(['"])|\bimport\s*\(\s*(['"])/g;

export function sourceFile(path: string, text: string): SourceFile {
  const stripped = stripSource(text);
  const imports: ImportOf[] = [];
  for (const match of stripped.matchAll(importPattern)) {
    const start = match.index + match[0].length;
    const specifier = text.slice(start, stripped.indexOf(match[2] ?? match[3] ?? "'", start));
    const target = specifier.startsWith('.') ? posix.normalize(posix.join(posix.dirname(path), specifier)) : undefined;
    imports.push({ specifier, typeOnly: match[1] !== undefined, target, line: lineAt(text, match.index) });
  }
  return { path, text, stripped, imports, layer: layerOf(path), isTest: /\.(test|contract|bench)\.ts$/.test(path) };
}

/** 1-based line of the character at `index`. */
export function lineAt(text: string, index: number): number {
  let line = 1;
  for (let at = text.indexOf('\n'); at >= 0 && at < index; at = text.indexOf('\n', at + 1)) line += 1;
  return line;
}
