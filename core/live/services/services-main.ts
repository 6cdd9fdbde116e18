// `npm run services`: installs the servers that tests need where they are missing (Debian packages, as root or with sudo), then
// starts each once on loopback and says whether it works. Tests start their own.

import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { prometheus } from './prometheus.ts';
import { provisionQuestDb, questdb } from './questdb.ts';
import type { Service } from './service.ts';

const services: readonly Service[] = [prometheus, questdb];

function install(packages: readonly string[]): void {
  const root = process.getuid?.() === 0 ? [] : ['sudo'];
  for (const words of [
    ['apt-get', 'update', '-qq'],
    ['apt-get', 'install', '-y', '-qq', '--no-install-recommends', ...packages],
  ]) {
    const [program = '', ...rest] = [...root, ...words];
    spawnSync(program, rest, {
      stdio: ['ignore', 'ignore', 'inherit'],
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    });
  }
}

await provisionQuestDb(process.env.SIRA_MAVEN_REPOSITORY ?? 'https://repo1.maven.org/maven2').catch((error) => {
  process.stderr.write(`${(error as Error).message}\n`);
});
const missing = services.filter((service) => service.find() === undefined).flatMap(({ packages }) => packages);
if (missing.length > 0) {
  process.stdout.write(`installing ${missing.join(', ')}\n`);
  install(missing);
}
for (const service of services) {
  const folder = mkdtempSync(join(tmpdir(), `sira-${service.name}-`));
  let state: string;
  try {
    const running = await service.start(folder);
    await running.stop();
    state = 'works';
  } catch (error) {
    state = `does not work: ${(error as Error).message}`;
    process.exitCode = 1;
  }
  rmSync(folder, { recursive: true, force: true });
  process.stdout.write(`${service.name.padEnd(12)} ${state} (${service.purpose})\n`);
}
