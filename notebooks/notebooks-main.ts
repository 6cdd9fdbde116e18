// `npm run notebooks`: runs every notebook from top to bottom and writes its outputs into it. Fails if any cell does.

import { projectRoot } from '../sim/experiment/project-root.ts';
import { notebookFiles, runNotebook, whyNoJupyter } from './jupyter.ts';

const root = projectRoot();
const problem = whyNoJupyter(root);
if (problem !== '') {
  console.error(problem);
  process.exit(1);
}
let failures = 0;
for (const file of notebookFiles(root)) {
  const { ok, log } = await runNotebook(root, file, file);
  if (!ok) failures++;
  process.stdout.write(ok ? `ok      ${file}\n` : `FAILED  ${file}\n${log}\n`);
}
process.exitCode = failures === 0 ? 0 : 1;
