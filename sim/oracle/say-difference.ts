// Where two long texts part, for people to read.

/** Characters shown before and behind the first that differs. */
const aroundCharacters = 60;

/** `has the state …a…, and not …b…`, around the first difference. */
export function saysDifference(expected: string, actual: string): string {
  let at = 0;
  while (at < expected.length && expected[at] === actual[at]) at++;
  const near = (text: string): string => text.slice(Math.max(0, at - aroundCharacters), at + aroundCharacters);
  return `has the state …${near(actual)}…, and not …${near(expected)}…`;
}
