// The committed page of placements against the policies that lie beside it: one order through the kernel again, one load again.

import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { toBase64 } from '../../../core/base/base64.ts';
import { runPacking } from '../../../reports/tables/packing-run.ts';
import { packingScenario } from '../../../reports/tables/table-job.ts';
import { openInputs } from '../../../sim/experiment/build-world.ts';
import { loadScenario } from '../../../sim/experiment/load-scenario.ts';
import { projectRoot } from '../../../sim/experiment/project-root.ts';
import { agentFleet } from '../../env/agents/agent-fleet.ts';
import { AgentRequests } from '../../env/agents/agent-requests.ts';
import { testFleetSeeds } from '../../env/agents/agent-runs.ts';
import { completionAt, completionBoundSeconds } from '../../env/agents/sustained-load.ts';
import { readAnyTraining } from '../training-spec.ts';
import { type PlacementDocument, placementChecks, placementPage } from './placement-page.ts';
import { publishedPolicies, validationOf } from './published-policies.ts';

const folder = join(projectRoot(), 'reports', 'learned');
const document = JSON.parse(readFileSync(join(folder, 'placements.json'), 'utf8')) as PlacementDocument;

test('the committed page holds, and is made from the committed rows', () => {
  const checks = placementChecks(document);
  expect(checks.map(({ holds }) => holds)).toEqual([true, true, true]);
  expect(placementPage(document, checks)).toBe(readFileSync(join(folder, 'placements.md'), 'utf8'));
});

test('openb: an order through the kernel again, by the policy that the scenario runs', () => {
  const scenario = packingScenario('multigpu20', 'published');
  const policies = publishedPolicies('openb');
  const chosen = policies.reduce((best, policy) => (validationOf(policy) > validationOf(best) ? policy : best));
  const shown = loadScenario(join(projectRoot(), 'scenarios', 'openb-learned.yaml'));
  const artifact = toBase64(chosen.bytes);
  expect(shown.policies.find(({ place }) => place === 'learned')?.artifact).toBe(artifact);
  const profile = { ...scenario.policies[0]!, name: 'learned', place: 'learned', artifact };
  const run = runPacking({ ...scenario, policies: [profile] }, openInputs(scenario, 43), 'learned', 43);
  const row = document.packing.orders.find(({ workload, order }) => workload === 'multigpu20' && order === 43)!;
  expect(run.allocationPercent).toBeCloseTo(row.learned[policies.indexOf(chosen)]!, 6);
});

test('agents: what is said to be sustained is, and half as much again is not', () => {
  const requests = new AgentRequests();
  const [policy] = publishedPolicies('agents');
  const [fleetSeed] = testFleetSeeds as [number];
  const fleet = agentFleet(fleetSeed);
  const plays = { place: 'learned', artifact: toBase64(policy!.bytes) };
  const row = document.agents.find(({ policy: name, seed }) => name === 'learned' && seed === policy!.seed)!;
  const at = (factor: number): number => completionAt(fleet, requests, 'tests', fleetSeed, factor, plays);
  expect(at(row.sustained[0]!)).toBeLessThanOrEqual(completionBoundSeconds);
  expect(at(1.5 * row.sustained[0]!)).toBeGreaterThan(completionBoundSeconds);
});

test('every policy says what trained it, on a document that lies here', () => {
  for (const training of ['openb', 'agents']) {
    const { source } = readAnyTraining(join(projectRoot(), 'scenarios', 'training', `${training}.yaml`));
    const policies = publishedPolicies(training);
    expect(policies.map(({ seed }) => seed)).toEqual([1, 2, 3, 4, 5]);
    for (const { artifact, seed } of policies) {
      expect(artifact.manifest.lineage.command).toBe(`sira train scenarios/training/${training}.yaml --seed ${seed}`);
      expect(artifact.manifest.name).toBe(training);
      expect(artifact.manifest.lineage.configSha256).toBe(createHash('sha256').update(source).digest('hex'));
    }
  }
});
