// Replays saved cases, each in a tree of sources of its own, in one process: what the oracles say of the bug that is planted there.
// Arguments: a tree, a file of scenarios/regress/, a tree, a file, … Prints one JSON list of findings, `null` where there is none.

import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { checkCase, Finding } from '../check-case.ts';
import { readRegressFile } from '../runner/regress-file.ts';

const words = process.argv.slice(2);
const findings: (Pick<Finding, 'oracle' | 'what'> | null)[] = [];
for (let at = 0; at < words.length; at += 2) {
  const [tree, file] = words.slice(at, at + 2) as [string, string];
  const { case: saved, restartsMicros } = readRegressFile(file);
  const url = pathToFileURL(join(tree, 'sim', 'fault', 'check-case.ts')).href;
  const loaded = (await import(url)) as { readonly checkCase: typeof checkCase };
  const { finding } = loaded.checkCase(saved, { restartsMicros });
  findings.push(finding === undefined ? null : { oracle: finding.oracle, what: finding.what });
}
console.log(JSON.stringify(findings));
