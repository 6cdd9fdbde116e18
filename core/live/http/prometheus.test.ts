// A real Prometheus scrapes a real kernel, under the published rules, and answers every expression of the rules and the dashboard.
// Needs Debian's prometheus (npm run services); without it the suite says so and is skipped, except in continuous integration.

import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFailed } from 'vitest';
import { parse } from 'yaml';
import { AgentConnection, Submitter } from '../client.ts';
import { silentLogger } from '../logger.ts';
import { type RunningKernel, runKernel } from '../run-kernel.ts';
import { prometheus, startPrometheus } from '../services/prometheus.ts';
import { findProgram, type RunningService } from '../services/service.ts';
import { startSettings } from '../start-settings.ts';

const deploy = join(import.meta.dirname, '..', '..', 'deploy');
const ruleFile = join(deploy, 'prometheus', 'sira.rules.yml');
const isInstalled = prometheus.find() !== undefined && findProgram('promtool') !== undefined;
const missing = 'prometheus is not installed (npm run services); the metrics were not scraped';
if (!isInstalled && !process.env.CI) console.warn(`skipped: ${missing}`);

interface Rule {
  readonly expr: string;
  readonly record?: string;
  readonly alert?: string;
  readonly annotations?: Readonly<Record<string, string>>;
}

const rules = (parse(readFileSync(ruleFile, 'utf8')) as { groups: { rules: Rule[] }[] }).groups.flatMap(
  (group) => group.rules,
);
const dashboard = JSON.parse(readFileSync(join(deploy, 'grafana', 'sira-kernel.json'), 'utf8')) as {
  panels: {
    title: string;
    id: number;
    gridPos: { x: number; y: number; w: number; h: number };
    targets: { expr: string }[];
  }[];
  annotations: { list: { expr: string }[] };
};
const dashboardExpressions = [
  ...dashboard.panels.flatMap(({ targets }) => targets.map(({ expr }) => expr)),
  ...dashboard.annotations.list.map(({ expr }) => expr),
];

it.runIf(process.env.CI)('has a Prometheus to test with', () => {
  expect(isInstalled, missing).toBe(true);
});

describe.runIf(isInstalled)('the rules, by promtool', () => {
  it.each([
    ['check', 'rules', 'sira.rules.yml'],
    ['check', 'config', 'prometheus.yml'],
    ['test', 'rules', 'sira.rules.test.yml'],
  ])('%s %s %s', (...words) => {
    const { status, stdout, stderr } = spawnSync('promtool', words, {
      cwd: join(deploy, 'prometheus'),
      encoding: 'utf8',
    });
    expect(status, stdout + stderr).toBe(0);
  });
});

describe('the dashboard', () => {
  it('has panels that do not overlap', () => {
    for (const { gridPos: one, title } of dashboard.panels)
      for (const { gridPos: other, title: otherTitle } of dashboard.panels)
        if (title !== otherTitle)
          expect(
            one.x + one.w <= other.x ||
              other.x + other.w <= one.x ||
              one.y + one.h <= other.y ||
              other.y + other.h <= one.y,
            `${title} and ${otherTitle}`,
          ).toBe(true);
    expect(new Set(dashboard.panels.map(({ id }) => id)).size).toBe(dashboard.panels.length);
  });

  it('and every alert say what to look at', () => {
    for (const rule of rules.filter(({ alert }) => alert !== undefined))
      expect(rule.annotations, rule.alert).toMatchObject({
        summary: expect.stringMatching(/\.$/),
        action: expect.stringMatching(/\.$/),
      });
  });
});

describe.runIf(isInstalled)('a real Prometheus', () => {
  const folder = mkdtempSync(join(tmpdir(), 'sira-prometheus-'));
  let running: RunningKernel;
  let agents: AgentConnection;
  let submitter: Submitter;
  let server: RunningService;

  beforeAll(async () => {
    const addresses = { grpc: { address: '127.0.0.1:0', heartbeatBatch: '20ms' }, http: { address: '127.0.0.1:0' } };
    const fields = { data: join(folder, 'kernel'), durability: 'processCrash', ...addresses } as const;
    running = await runKernel(startSettings(fields), '1.2.3', silentLogger);
    const target = new URL(running.http.url).host;
    server = await startPrometheus(join(folder, 'prometheus'), { targets: [target], ruleFiles: [ruleFile] });
    agents = AgentConnection.start({
      address: running.grpc.address,
      agents: [
        { name: 'a', functions: { echo: async (inputs) => inputs }, resources: { cpuMilli: 2000, memoryMib: 64 } },
      ],
    });
    submitter = await Submitter.connect({ address: running.grpc.address, name: 'tester' });
  });
  afterAll(async () => {
    await server?.stop();
    submitter?.abandon();
    await agents?.stop();
    await running?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  async function query(expression: string): Promise<{ metric: Record<string, string>; value: [number, string] }[]> {
    const response = await fetch(`${server.url}/api/v1/query?${new URLSearchParams({ query: expression })}`);
    const answer = (await response.json()) as { status: string; error?: string; data: { result: never[] } };
    expect(answer.status, `${expression}: ${answer.error}`).toBe('success');
    return answer.data.result;
  }

  async function until(expression: string): Promise<void> {
    onTestFailed(() => console.error(`in vain: ${expression}`));
    await expect
      .poll(async () => (await query(expression)).length, { timeout: 30_000, interval: 200 })
      .toBeGreaterThan(0);
  }

  it('scrapes it, counts what happened, and evaluates the rules', async () => {
    await until('up{job="sira"} == 1');
    for (let count = 0; count < 20; count++)
      expect((await submitter.run({ function: 'echo' })).outcome).toBe('completed');
    await until('sira_tasks_ended_total{outcome="completed"} == 20');
    await until('sira_task_completion_seconds_count == 20');
    await until('sira_agents{state="ready"} == 1');
    await until('sira:agents_alive == 1');
    // Two scrapes make a rate.
    await until('sira:tasks_ended:rate5m{outcome="completed"} >= 0');
    const { data } = (await (await fetch(`${server.url}/api/v1/rules`)).json()) as {
      data: { groups: { rules: { health: string; name: string; lastError?: string }[] }[] };
    };
    const evaluated = data.groups.flatMap((group) => group.rules);
    expect(evaluated).toHaveLength(rules.length);
    expect(evaluated.filter(({ health }) => health !== 'ok')).toEqual([]);
  });

  it('answers every expression of rules and dashboard from metrics that there are', async () => {
    const { data: names } = (await (await fetch(`${server.url}/api/v1/label/__name__/values`)).json()) as {
      data: string[];
    };
    const known = new Set([...names, ...rules.flatMap(({ record }) => record ?? [])]);
    const expressions = [...rules.map(({ expr }) => expr), ...dashboardExpressions];
    expect(dashboardExpressions.length).toBeGreaterThan(20);
    for (const expression of expressions) {
      await query(
        expression
          .replaceAll('$__rate_interval', '1m')
          .replaceAll('$__interval', '1m')
          .replaceAll('$job', 'sira')
          .replaceAll('$instance', '.*'),
      );
      for (const [name] of expression.matchAll(/\b(sira|process|nodejs)[a-z_0-9:]*\b(?!")/g))
        if (name !== 'sira') expect(known, expression).toContain(name);
    }
  });
});
