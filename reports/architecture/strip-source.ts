// Source text without its comments and the insides of its strings, templates and regular expressions, so that a rule may look
// for words without meeting them in prose. Every character keeps its place: lines and columns stay true. It knows as much
// TypeScript as that takes and no more.

const regexMayFollow =
  /(^|[(,=:[!&|?{};+\-*%<>~^]|=>|\b(return|typeof|case|in|of|do|else|void|delete|throw|new|instanceof))$/;

/** `source` with blanks in place of comments and of what stands between quotes; the quotes stay. */
export function stripSource(source: string): string {
  const output: string[] = [];
  // Depths of braces at which the `${` of an open template began.
  const templates: number[] = [];
  let depth = 0;
  let index = 0;
  // The last few significant characters, to tell a regular expression from a division.
  let before = '';

  const keep = (count: number): void => {
    for (let end = index + count; index < end; index++) {
      const character = source[index]!;
      output.push(character);
      if (/\S/.test(character)) before = `${before}${character}`.slice(-12);
      else if (/\w$/.test(before)) before = `${before} `.slice(-12);
    }
  };
  const blank = (end: number): void => {
    for (; index < end && index < source.length; index++) output.push(source[index] === '\n' ? '\n' : ' ');
  };
  const template = (): void => {
    // Inside a template's text: up to its end or the next `${`.
    let end = index;
    while (end < source.length && source[end] !== '`' && !(source[end] === '$' && source[end + 1] === '{'))
      end += source[end] === '\\' ? 2 : 1;
    blank(end);
    if (source[index] === '`') {
      keep(1);
    } else if (index < source.length) {
      keep(2);
      templates.push(depth);
      depth += 1;
    }
  };

  while (index < source.length) {
    const character = source[index]!;
    const pair = source.slice(index, index + 2);
    if (pair === '//' || (pair === '#!' && index === 0)) {
      const end = source.indexOf('\n', index);
      blank(end < 0 ? source.length : end);
    } else if (pair === '/*') {
      const end = source.indexOf('*/', index + 2);
      blank(end < 0 ? source.length : end + 2);
    } else if (character === "'" || character === '"') {
      keep(1);
      let end = index;
      while (end < source.length && source[end] !== character && source[end] !== '\n')
        end += source[end] === '\\' ? 2 : 1;
      blank(end);
      keep(1);
    } else if (character === '`') {
      keep(1);
      template();
    } else if (character === '/' && regexMayFollow.test(before.trimEnd())) {
      keep(1);
      blank(regexEnd(source, index));
      keep(1);
    } else if (character === '}' && templates[templates.length - 1] === depth - 1) {
      templates.pop();
      depth -= 1;
      keep(1);
      template();
    } else {
      if (character === '{') depth += 1;
      if (character === '}') depth -= 1;
      keep(1);
    }
  }
  return output.join('');
}

/** Position of the `/` that ends the regular expression whose text begins at `start`. */
function regexEnd(source: string, start: number): number {
  let inClass = false;
  let index = start;
  for (; index < source.length && source[index] !== '\n'; index++) {
    const character = source[index];
    if (character === '\\') index += 1;
    else if (character === '[') inClass = true;
    else if (character === ']') inClass = false;
    else if (character === '/' && !inClass) return index;
  }
  return index;
}
