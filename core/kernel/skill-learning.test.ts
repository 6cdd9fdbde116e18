import { describe, expect, it } from 'vitest';
import type { SkillMeasured } from './effects.ts';
import { helloFrom, KernelDriver, submissionOf } from './kernel-driver.ts';

const second = 1_000_000;
const serve = (agent: number) => (agent === 0 ? 4 : 1);

/** Two agents that declare the same; the second is four times as fast. Each task runs where the kernel says. */
function learnedFrom(place: string, tasks: number, restartAt = -1) {
  const driver = new KernelDriver({ place });
  for (const name of ['slow', 'fast']) driver.give(helloFrom(name, { capabilities: { resnet: 1 } }));
  const agents: number[] = [];
  const measured: SkillMeasured[] = [];
  for (let task = 1; task <= tasks; task++) {
    if (task === restartAt) driver.restart();
    driver.give(submissionOf(task, { taskClass: 'resnet', size: 10 }));
    const [dispatch] = driver.of('dispatch', driver.end());
    const agent = dispatch?.agent as number;
    agents.push(agent);
    driver.accept(task, agent);
    const serviceMicros = 10 * serve(agent) * second;
    driver.nowMicros += 1000;
    measured.push(
      ...driver.of('skillMeasured', driver.finish(task, { agent, serviceMicros, joules: 500 * serve(agent) })),
    );
  }
  return { driver, agents, measured };
}

describe('what outcomes teach the kernel', () => {
  it('changes what discovery finds, and the answer says why', () => {
    const { driver } = learnedFrom('spread', 0);
    const query = { fastest: { taskClass: 'resnet', size: 10 }, resources: { memoryMib: 1024 }, limit: 2 };
    const before = driver.kernel.discover(query).matches;
    expect(
      before.map(({ name }) => name),
      'equal, in order of registration',
    ).toEqual(['slow', 'fast']);
    expect(before[0]?.skill).toMatchObject({
      declaredSeconds: 10,
      measuredSeconds: undefined,
      samples: 0,
      outcomeCount: 0,
    });

    const learned = learnedFrom('fastest', 12);
    learned.driver.pass(learned.driver.nowMicros + 15 * second);
    const digest = learned.driver.kernel.digest;
    const [first, last] = learned.driver.kernel.discover(query).matches;
    expect(learned.driver.kernel.digest, 'a read changes nothing').toBe(digest);
    expect([first?.name, last?.name]).toEqual(['fast', 'slow']);
    expect(first?.skill?.measuredSeconds).toBeCloseTo(10, 6);
    expect(first?.skill?.declaredSeconds).toBe(10);
    expect(last?.skill?.measuredSeconds).toBeCloseTo(40, 6);
    expect(last?.skill?.seconds).toBeGreaterThan(30);
    expect(last?.skill?.secondsHigh).toBeGreaterThan(last?.skill?.seconds ?? 0);
    expect(first?.skill?.joules).toBeCloseTo(500, 6);
    expect(first?.skill?.ageMicros).toBe(15 * second);
    expect((first?.skill?.outcomeCount ?? 0) + (last?.skill?.outcomeCount ?? 0)).toBe(12);
    const large = learned.driver.kernel.discover({ ...query, resources: { memoryMib: 99_999 } });
    expect(large.matches).toEqual([]);
  });

  it('places by it: one try of the slow one, then the fast one', () => {
    const { agents, measured } = learnedFrom('fastest', 12);
    expect(agents[0]).toBe(0);
    expect(agents.slice(1)).toEqual(agents.slice(1).map(() => 1));
    expect(measured).toHaveLength(12);
    expect(measured.at(-1)).toMatchObject({ agent: 1, taskClass: 'resnet', success: 1 });
    expect(measured.at(-1)?.secondsPerUnit).toBeCloseTo(1, 2);
  });

  it('survives a restart, and is part of the digest', () => {
    const straight = learnedFrom('fastest', 12);
    const restarted = learnedFrom('fastest', 12, 7);
    expect(restarted.agents).toEqual(straight.agents);
    expect(restarted.driver.kernel.digest).toBe(straight.driver.kernel.digest);
    const other = learnedFrom('fastest', 11);
    other.driver.give(submissionOf(12, { taskClass: 'resnet', size: 10 }));
    other.driver.end();
    other.driver.accept(12, 1);
    other.driver.finish(12, { agent: 1, serviceMicros: 11 * second });
    expect(other.driver.kernel.digest).not.toBe(straight.driver.kernel.digest);
  });

  it('is nothing for what was stopped, what spans machines, what has no class and what is no amount', () => {
    const { driver } = learnedFrom('spread', 0);
    const run = (submission: number, changes: object, end: object) => {
      driver.give(submissionOf(submission, changes));
      const [dispatch] = driver.of('dispatch', driver.end());
      const agent = dispatch?.agent as number;
      const { attempt, task } = dispatch ?? { attempt: 0, task: 0 };
      driver.give({ kind: 'dispatchAccepted', agent, incarnation: 1, task, attempt });
      return driver.of('skillMeasured', driver.finish(attempt, { agent, task, serviceMicros: second, ...end }));
    };
    expect(run(1, {}, {})).toEqual([]);
    expect(run(2, { taskClass: 'resnet' }, { serviceMicros: Number.NaN })).toEqual([]);
    expect(run(3, { taskClass: 'resnet' }, { joules: -1 })).toEqual([]);
    const wide = { ...submissionOf(0).request, machineCount: 2 };
    expect(run(4, { taskClass: 'resnet', request: wide }, {})).toEqual([]);
    expect(run(5, { taskClass: 'resnet' }, {})).toHaveLength(1);
  });

  it('does not take in names and sizes that mean nothing', () => {
    const { driver } = learnedFrom('spread', 0);
    const refused = (changes: object, submission: number) =>
      driver.of('submissionRefused', driver.give(submissionOf(submission, changes)))[0]?.reason;
    expect(refused({ taskClass: 'x'.repeat(201) }, 1)).toContain('200 characters');
    expect(refused({ taskClass: 'x', size: 0 }, 2)).toContain('above 0');
    expect(refused({ taskClass: 'x', size: Number.NaN }, 3)).toContain('above 0');
  });
});
