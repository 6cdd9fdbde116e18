// Prometheus, for tests: a server of its own on loopback that scrapes what the test names, under the published rules.

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { findProgram, type RunningService, type Service, startProcess, unusedPort } from './service.ts';

export interface PrometheusOptions {
  /** `host:port` of kernels. */
  readonly targets: readonly string[];
  /** Absolute paths. */
  readonly ruleFiles: readonly string[];
}

/** Scrapes and evaluates every second. */
export async function startPrometheus(folder: string, options: PrometheusOptions): Promise<RunningService> {
  const program = prometheus.find();
  if (program === undefined) throw new Error('prometheus is not installed; npm run services installs it');
  mkdirSync(folder, { recursive: true });
  const file = join(folder, 'prometheus.yml');
  // JSON is YAML.
  const config = {
    global: { scrape_interval: '1s', scrape_timeout: '1s', evaluation_interval: '1s' },
    rule_files: options.ruleFiles,
    scrape_configs: [{ job_name: 'sira', static_configs: [{ targets: options.targets }] }],
  };
  writeFileSync(file, JSON.stringify(config));
  const address = `127.0.0.1:${await unusedPort()}`;
  const words = [
    `--config.file=${file}`,
    `--storage.tsdb.path=${join(folder, 'data')}`,
    `--web.listen-address=${address}`,
  ];
  return startProcess(program, words, `http://${address}`, `http://${address}/-/ready`);
}

export const prometheus: Service = {
  name: 'prometheus',
  purpose: 'scrapes /metrics; promtool checks the rules',
  packages: ['prometheus'],
  find: () => findProgram('prometheus'),
  start: (folder) => startPrometheus(folder, { targets: [], ruleFiles: [] }),
};
