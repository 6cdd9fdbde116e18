// `npm run architecture`: prints what breaks the rules of layout and determinism, and fails if anything does.

import { projectRoot } from '../../sim/experiment/project-root.ts';
import { checkTree } from './check-tree.ts';

const { fileCount, violations } = checkTree(projectRoot());
for (const { file, line, rule, message } of violations) console.error(`${file}:${line} ${rule}: ${message}`);
console.log(
  `architecture: ${fileCount} files, ${violations.length === 0 ? 'no violation' : `${violations.length} violations`}`,
);
process.exitCode = violations.length === 0 ? 0 : 1;
