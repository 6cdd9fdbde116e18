// `npm run errors`: writes reports/errors.md.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectRoot } from '../../sim/experiment/project-root.ts';
import { errorsPage } from './errors-page.ts';

writeFileSync(join(projectRoot(), 'reports', 'errors.md'), errorsPage());
