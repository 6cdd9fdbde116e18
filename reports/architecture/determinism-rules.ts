// Rules of determinism: what code that must give the same bits twice, or on another machine, may not touch. They look at words
// in the stripped source, so that a shadowed name is found too; rename it.

import type { Strictness } from './layers.ts';
import { lineAt, type SourceFile, type Violation } from './source-file.ts';

interface WordRule {
  readonly rule: string;
  readonly pattern: RegExp;
  readonly message: string;
  readonly within: readonly Strictness[];
}

/** A word that is neither a property nor a property's name. */
function word(names: string): RegExp {
  return new RegExp(String.raw`(?<![\w$.]|\?\.)(?:${names})\b(?!\s*\??:(?!:))`, 'g');
}

const kernel: readonly Strictness[] = ['kernel'];
const seeded: readonly Strictness[] = ['kernel', 'workload'];
const everySimulation: readonly Strictness[] = ['kernel', 'workload', 'runner'];
const everywhere: readonly Strictness[] = ['kernel', 'workload', 'runner', 'outside'];

const wordRules: readonly WordRule[] = [
  {
    rule: 'clock',
    pattern: word('Date|performance'),
    message: 'time comes with the input (timeMicros)',
    within: seeded,
  },
  {
    rule: 'timer',
    pattern: word('setTimeout|setInterval|setImmediate|queueMicrotask|requestAnimationFrame'),
    message: 'timers are kernel state; the only effect is wakeAt',
    within: seeded,
  },
  {
    rule: 'promise',
    pattern: /(?<![\w$.])(?:async|await)\b(?!\s*\??[:,)=])|(?<![\w$.])Promise\b/g,
    message: 'the kernel is synchronous; hand the work to the shell as an effect',
    within: seeded,
  },
  {
    rule: 'ambient',
    pattern: word(
      'process|globalThis|console|require|fetch|crypto|WeakRef|FinalizationRegistry|SharedArrayBuffer|Atomics',
    ),
    message: 'nothing comes from outside but inputs',
    within: kernel,
  },
  {
    rule: 'randomness',
    pattern: /\bMath\s*\.\s*random\b/g,
    message: 'draw from a named, seeded stream (core/base/random.ts)',
    within: everySimulation,
  },
  {
    rule: 'open-math',
    pattern:
      /\bMath\s*(?:\.\s*(?!(?:sqrt|floor|round|trunc|ceil|sign|imul|abs|min|max|clz32|fround|random|PI|E|LN2|LN10|LOG2E|LOG10E|SQRT2|SQRT1_2)\b)\w+|\[|\s*[;,)}])/g,
    message: 'the language leaves the last bit of this open; use core/base/fixed-math.ts',
    within: seeded,
  },
  {
    rule: 'open-math',
    pattern: /\*\*(?!=?\s*\d+(?![\w.]))/g,
    message: 'powers with a variable exponent leave the last bit open; use core/base/fixed-math.ts',
    within: seeded,
  },
  {
    rule: 'locale',
    pattern: /(?<![\w$.])Intl\b|\.\s*localeCompare\b/g,
    message: 'locales differ between machines; compare code units (core/base/text.ts)',
    within: everySimulation,
  },
  {
    rule: 'locale',
    pattern: /\.\s*toLocale\w*\b/g,
    message: 'locales differ between machines; write numbers and text plainly',
    within: seeded,
  },
  {
    rule: 'bare-sort',
    pattern: /\.\s*(?:sort|toSorted)\s*\(\s*\)/g,
    message: 'sorting without a comparator compares as text; say the order',
    within: everywhere,
  },
  {
    rule: 'mutable-export',
    pattern: /^export\s+(?:let|var)\b/gm,
    message: 'exported state can be changed from anywhere; export a function or a class',
    within: everywhere,
  },
];

/** All rules of determinism on one file; tests are free of them. */
export function checkDeterminism(file: SourceFile): Violation[] {
  const strictness = file.layer?.strictness;
  if (file.isTest || strictness === undefined) return [];
  const violations: Violation[] = [];
  for (const { rule, pattern, message, within } of wordRules) {
    if (!within.includes(strictness)) continue;
    for (const match of file.stripped.matchAll(pattern)) {
      if (match[0] === '**' && hasConstantExponent(file, match.index + 2)) continue;
      violations.push({
        file: file.path,
        line: lineAt(file.text, match.index),
        rule,
        message: `${match[0].trim()}: ${message}`,
      });
    }
  }
  if (strictness === 'kernel') violations.push(...checkPackages(file));
  if (seeded.includes(strictness)) violations.push(...checkModuleState(file));
  return violations;
}

/** Whether the exponent at `index` is a name to which this module gives a whole number: `2 ** slotBits`. */
function hasConstantExponent(file: SourceFile, index: number): boolean {
  const name = /^\s*(\w+)\b(?!\s*[.([])/.exec(file.stripped.slice(index))?.[1];
  return (
    name !== undefined && new RegExp(String.raw`^(?:export\s+)?const\s+${name}\s*=\s*\d+;`, 'm').test(file.stripped)
  );
}

function checkPackages(file: SourceFile): Violation[] {
  return file.imports
    .filter(({ target, typeOnly }) => target === undefined && !typeOnly)
    .map(({ specifier, line }) => ({
      file: file.path,
      line,
      rule: 'package',
      message: `"${specifier}": deterministic code imports neither packages nor node: modules; ask for a port`,
    }));
}

/** Declarations at the top of a module that hold state. Typed arrays as scratch are allowed in core/base, where the bits of
 *  numbers are taken apart; a collection that is never written says so with a Readonly type. */
function checkModuleState(file: SourceFile): Violation[] {
  const violations: Violation[] = [];
  const report = (index: number, message: string): void => {
    violations.push({ file: file.path, line: lineAt(file.text, index), rule: 'module-state', message });
  };
  for (const match of topLevel(file.stripped).matchAll(/^(?:let|var)\s+(\w+)/gm)) {
    report(match.index, `${match[1]}: state lives in objects that a snapshot reaches, not in a module`);
  }
  const collection =
    /^(?:export\s+)?const\s+(\w+)\s*(:[^=;]+)?=\s*(new\s+(?:Weak)?(?:Map|Set)\b|new\s+\w*Array\b|\[|\{)/gm;
  for (const match of topLevel(file.stripped).matchAll(collection)) {
    const [whole, name, type = '', value = ''] = match;
    // A literal that says what it holds is data; an empty one is there to be filled.
    const filled = /^[[{]$/.test(value) && !/^\s*[\]}]/.test(file.stripped.slice(match.index + whole.length));
    const scratch = file.path.startsWith('core/base/') && /Array\b/.test(value);
    if (filled || scratch || /\b[Rr]eadonly/.test(type)) continue;
    report(match.index, `${name}: whoever imports this can write to it; give it a Readonly type, or an owner`);
  }
  return violations;
}

/** The source with everything inside braces blanked, so that only declarations at the top are seen. */
function topLevel(stripped: string): string {
  let depth = 0;
  let output = '';
  for (let index = 0; index < stripped.length; index++) {
    const character = stripped[index]!;
    if (character === '}') depth -= 1;
    output += depth <= 0 || character === '\n' ? character : ' ';
    if (character === '{') depth += 1;
  }
  return output;
}
