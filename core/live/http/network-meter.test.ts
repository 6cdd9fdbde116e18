// A kernel whose queue a network orders, on a load unlike its training: what the shield left to the fallback is in the metrics and with
// the policies, and is not forgotten when another policy serves for a while.

import { afterEach, expect, test } from 'vitest';
import { writePolicyArtifact } from '../../policy/policy-artifact.ts';
import { queueFeatureCount, queueFeatureNames, queueOrderSchema } from '../../policy/queue-features.ts';
import { samplePolicy } from '../../policy/sample-policy.ts';
import { LiveFixture, until } from '../live-fixture.contract.ts';

let live: LiveFixture | undefined;
afterEach(() => live?.end());

/** Trained where no task ever took less than a thousand seconds. */
function artifact(): string {
  const { manifest, layers } = samplePolicy([queueFeatureCount, 4, 1], { schema: queueOrderSchema });
  const features = queueFeatureNames.map((name, index) => ({
    ...manifest.features[index]!,
    ...{ name, minimum: name === 'estimateLog' ? Math.log1p(1000) : -1e9, maximum: 1e9 },
  }));
  const shield = { ...manifest.shield, featuresOutsideMax: 0.05, candidatesOutsideMax: 0 };
  return Buffer.from(writePolicyArtifact({ manifest: { ...manifest, features, shield }, layers })).toString('base64');
}

test('decisions of a network and of its fallback are counted, whoever serves meanwhile', async () => {
  const fixture = await LiveFixture.start({ policy: { order: 'learned', artifact: artifact() } });
  live = fixture;
  fixture.agents({ name: 'a', functions: { echo: async (inputs) => inputs } });
  await until(() => fixture.running.live.kernel.control.registry.size === 1);
  const submitter = await fixture.submitter();
  const work = async (estimateMicros: number): Promise<void> => {
    for (let index = 0; index < 10; index++) await submitter.run({ function: 'echo', estimateMicros });
  };
  const metric = async (line: string): Promise<number> => {
    const text = await (await fixture.fetch('/metrics')).text();
    return Number(
      text
        .split('\n')
        .find((each) => each.startsWith(`${line} `))
        ?.slice(line.length),
    );
  };
  const decisions = 'sira_policy_network_decisions_total{part="order"}';
  const outside = 'sira_policy_fallbacks_total{part="order",reason="outside"}';
  expect(await metric(decisions)).toBe(0);

  await work(2000 * 1_000_000);
  const trusted = await metric(decisions);
  expect(trusted).toBeGreaterThanOrEqual(10);
  expect(await metric(outside)).toBe(0);
  await work(1_000_000);
  const { networks } = (await fixture.ask('/v1/policies')) as {
    networks: Record<string, { decisions: number; outside: number; overBudget: number; broken: number }>;
  };
  const order = networks.order!;
  expect(Object.keys(networks)).toEqual(['order']);
  expect(order).toMatchObject({ overBudget: 0, broken: 0 });
  expect(order.decisions - trusted).toBe(order.outside);
  expect(order.outside).toBeGreaterThanOrEqual(10);
  expect(await metric(outside)).toBe(order.outside);
  expect(await metric('sira_policy_network_decisions_total{part="placement"}')).toBe(0);

  // Another serves, without a network; then the first one again, which counts from zero. The metrics go on.
  const said = { who: 'test', why: 'test' };
  const proposal = { name: 'plain', policy: { order: 'fcfs' }, plan: { shadowDecisions: 0 }, ...said };
  const { rollout } = (await fixture.ask('/v1/policies/rollouts', 'POST', proposal)) as { rollout: number };
  const { machine } = fixture.running.live.kernel.control.rollouts;
  while (machine.rollouts[0]?.stage !== 'promoted')
    await fixture.ask(`/v1/policies/rollouts/${rollout}/approve`, 'POST', said);
  expect((await fixture.ask('/v1/policies')).networks).toEqual({});
  await work(1_000_000);
  expect(await metric(decisions)).toBe(order.decisions);
  await fixture.ask('/v1/policies/rollback', 'POST', said);
  await work(1_000_000);
  const again = (await fixture.ask('/v1/policies')).networks.order.decisions as number;
  expect(again).toBeGreaterThanOrEqual(10);
  expect(await metric(decisions)).toBe(order.decisions + again);
  expect(await metric(outside)).toBe(order.outside + again);
});
