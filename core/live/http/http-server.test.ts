// The HTTP interface of a kernel in this process, with real agents and a real submitter over real sockets.

import { mkdtempSync, rmSync } from 'node:fs';
import { type ClientRequest, get, type IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { errorTable } from '../../base/errors.ts';
import { AgentConnection, Submitter, Topics } from '../client.ts';
import { silentLogger } from '../logger.ts';
import { type RunningKernel, runKernel } from '../run-kernel.ts';
import { startSettings } from '../start-settings.ts';

const folder = mkdtempSync(join(tmpdir(), 'sira-http-'));
let running: RunningKernel;
let agents: AgentConnection;
let submitter: Submitter;
let released: () => void = () => {};
let breakDown: () => void = () => {};
const openRequests: ClientRequest[] = [];

beforeAll(async () => {
  const fields = { data: join(folder, 'data'), durability: 'processCrash' } as const;
  const addresses = { grpc: { address: '127.0.0.1:0', heartbeatBatch: '20ms' }, http: { address: '127.0.0.1:0' } };
  running = await runKernel(startSettings({ ...fields, ...addresses }), '1.2.3', silentLogger);
  const broken = new Promise<void>((resolve) => {
    breakDown = resolve;
  });
  const gate = new Promise<void>((resolve) => {
    released = resolve;
  });
  agents = AgentConnection.start({
    address: running.grpc.address,
    retryMicros: 200_000,
    agents: ['small', 'large', 'a/b c'].map((name) => ({
      name,
      functions: {
        echo: async (inputs, context) => {
          context.measured(2.5);
          return inputs;
        },
        broken: async () => {
          await broken;
          throw new Error('out of order');
        },
        held: async () => {
          await gate;
          return {};
        },
      },
      resources: { cpuMilli: name === 'large' ? 4000 : 1000, memoryMib: 2048 },
    })),
  });
  submitter = await Submitter.connect({ address: running.grpc.address, name: 'tester', retryMicros: 200_000 });
  await until(async () => (await ask('/v1/agents?state=ready')).agents.length === 3);
});
afterAll(async () => {
  released();
  for (const request of openRequests) request.destroy();
  submitter.abandon();
  await agents.stop();
  await running.stop();
  rmSync(folder, { recursive: true, force: true });
});

// biome-ignore lint/suspicious/noExplicitAny: answers are looked at field by field.
type Answer = any;

async function call(method: 'GET' | 'PUT' | 'PATCH' | 'POST', url: string, payload?: object) {
  const response = await running.http.server.inject({ method, url, ...(payload === undefined ? {} : { payload }) });
  return {
    status: response.statusCode,
    type: String(response.headers['content-type']),
    body: response.json() as Answer,
  };
}

async function ask(url: string): Promise<Answer> {
  const { status, body } = await call('GET', url);
  expect(status, JSON.stringify(body)).toBe(200);
  return body;
}

async function expectProblem(answer: ReturnType<typeof call>, status: number, code: string, detail: RegExp) {
  const { body, ...rest } = await answer;
  expect(rest).toEqual({ status, type: 'application/problem+json' });
  expect(body).toMatchObject({ status, code, detail: expect.stringMatching(detail) });
  expect(Object.keys(body)).toEqual(['type', 'title', 'status', 'detail', 'code', 'remedy']);
  expect(errorTable).toHaveProperty(code);
}

async function until(condition: () => boolean | Promise<boolean>, millis = 10_000): Promise<void> {
  const end = performance.now() + millis;
  while (!(await condition())) {
    if (performance.now() > end) throw new Error('waited in vain');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

interface Stream {
  readonly events: { readonly id: string; readonly event: string; readonly data: Answer }[];
  readonly request: ClientRequest;
}

/** Server-sent events, read as they come. */
function listen(path: string, headers: Readonly<Record<string, string>> = {}): Promise<Stream> {
  return new Promise((resolve, reject) => {
    const events: Stream['events'] = [];
    const request = get(`${running.http.url}${path}`, { headers }, (response: IncomingMessage) => {
      expect(response.headers['content-type']).toBe('text/event-stream; charset=utf-8');
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        text += chunk;
        const frames = text.split('\n\n');
        text = frames.pop() as string;
        for (const frame of frames) {
          const fields = Object.fromEntries(frame.split('\n').map((line) => line.split(/: (.*)/s).slice(0, 2)));
          if (fields.data !== undefined) events.push({ ...fields, data: JSON.parse(fields.data) });
        }
      });
      resolve({ events, request });
    });
    request.on('error', reject);
    openRequests.push(request);
  });
}

describe('state', () => {
  test('the cluster, its agents and what they can do', async () => {
    const cluster = await ask('/v1/cluster');
    expect(cluster).toMatchObject({
      version: '1.2.3',
      durability: 'processCrash',
      policy: { name: 'live', order: 'priority', place: 'best-fit' },
      agents: { total: 3, states: { ready: 3, dead: 0 } },
      resources: { cpuMilli: 6000, memoryMib: 6144 },
      journal: { refusal: '' },
    });
    expect(cluster.codeHash).toBe(running.live.codeHash);
    const first = await ask('/v1/agents?limit=2');
    const second = await ask(`/v1/agents?limit=2&after=${first.next}`);
    expect([...first.agents, ...second.agents].map(({ agent }: Answer) => agent)).toEqual([0, 1, 2]);
    expect(second.next).toBe(null);
    await submitter.run({ function: 'echo' });
    const { agent, tasks, skills } = await ask(`/v1/agents/${encodeURIComponent('a/b c')}`);
    expect(agent).toMatchObject({ name: 'a/b c', state: 'ready', connected: true, takesWork: true, holds: [] });
    expect(tasks).toEqual([]);
    expect(skills.map(({ taskClass }: Answer) => taskClass)).toContain('echo');
    const fleet = await ask('/v1/cluster/fleet');
    expect(fleet).toMatchObject({ total: 3, states: ['ready', 'ready', 'ready'], used: [0, 0, 0] });
  });

  test('a decision says why: who was ruled out, the scores, the runner-up', async () => {
    const { task } = await submitter.run({ function: 'echo', request: { cpuMilli: 3000 } });
    const { decisions } = await ask(`/v1/decisions?task=${task}`);
    expect(decisions).toHaveLength(1);
    const why = 'On large: best of 1 that fit; 2 of 3 machines ruled out: 2 CPU.';
    expect(decisions[0]).toMatchObject({ outcome: 'placed', agents: ['large'], why });
    const explained = await ask(`/v1/decisions/${decisions[0].decision}`);
    expect(explained).toMatchObject({ filtered: [{ reason: 'CPU', count: 2 }], feasibleCount: 1, propensity: 1 });
    expect(explained.ranked).toEqual([
      { agent: 'large', score: expect.any(Number), scores: [{ plugin: 'best-fit', value: expect.any(Number) }] },
    ]);
    const other = await submitter.run({ function: 'echo', request: { cpuMilli: 100 } });
    const [{ decision }] = (await ask(`/v1/decisions?task=${other.task}`)).decisions;
    expect((await ask(`/v1/decisions/${decision}`)).ranked).toHaveLength(3);
    const newest = await ask('/v1/decisions?limit=1');
    expect(newest).toMatchObject({ decisions: [{ decision }], next: decision });
    const before = await ask(`/v1/decisions?limit=1&before=${newest.next}`);
    expect(before.decisions[0].decision).toBe(decision - 1);
    await expectProblem(call('GET', '/v1/decisions/999999'), 404, 'SIRA_NOT_FOUND', /no decision 999999/);
  });

  test('a task from waiting over running to its end', async () => {
    const held = await submitter.submit({ function: 'held', request: { cpuMilli: 4000 }, tenant: 'vision' });
    const waits = await submitter.submit({ function: 'echo', request: { cpuMilli: 4000 } });
    let running = await ask('/v1/tasks?state=placed');
    await until(async () => {
      running = await ask('/v1/tasks?state=placed');
      return running.tasks[0]?.state === 'running';
    });
    expect(running.tasks).toMatchObject([{ submission: held.submission, agents: ['large'], tenant: 'vision' }]);
    const { task } = running.tasks[0];
    const [waiting] = (await ask('/v1/tasks?state=waiting')).tasks;
    expect(waiting).toMatchObject({ state: 'waiting', agents: [], request: { cpuMilli: 4000, skill: 'echo' } });
    const both = await ask('/v1/tasks?limit=1');
    expect(both.next).toBe(task);
    expect((await ask(`/v1/tasks?limit=1&after=${both.next}`)).tasks[0].task).toBe(waiting.task);
    const { agent, tasks } = await ask('/v1/agents/large');
    expect([agent.tasks, agent.resources.cpuFreeMilli, tasks[0].task]).toEqual([1, 0, task]);

    const cancelled = await call('POST', `/v1/tasks/${waiting.task}/cancel`);
    expect(cancelled).toMatchObject({ status: 200, body: { sequence: expect.any(Number) } });
    expect(await waits.ended).toMatchObject({ outcome: 'cancelled' });
    released();
    expect(await held.ended).toMatchObject({ outcome: 'completed' });
    const ended = await ask(`/v1/tasks/${task}`);
    expect(ended.task).toMatchObject({ state: 'ended', outcome: 'completed', agents: ['large'], attempts: 1 });
    const { submittedMicros, placedMicros, startedMicros, endedMicros } = ended.task;
    const times = [submittedMicros, placedMicros, startedMicros, endedMicros];
    expect(times).toEqual([...times].sort((left, right) => left - right));
    expect(ended.decisions).toMatchObject([{ outcome: 'placed' }]);
    expect((await ask('/v1/tasks?state=ended&limit=1')).tasks).toHaveLength(1);
    await expectProblem(call('GET', '/v1/tasks/4711'), 404, 'SIRA_NOT_FOUND', /task 4711/);
    await expectProblem(call('POST', `/v1/tasks/${task}/cancel`), 404, 'SIRA_NOT_FOUND', /ended/);
  });

  test('a task that fails while its submitter is away has ended all the same', async () => {
    const away = await Submitter.connect({ address: running.grpc.address, name: 'away' });
    await away.submit({ function: 'broken', tenant: 'away' });
    await until(async () => (await ask('/v1/tasks?state=placed')).tasks.length === 1);
    away.abandon();
    await until(() => running.grpc.submissions.connectionCount === 1);
    breakDown();
    let ended: Answer;
    await until(async () => {
      [ended] = (await ask('/v1/tasks?state=ended&limit=1')).tasks;
      return ended.tenant === 'away';
    });
    expect(ended).toMatchObject({ outcome: 'failed', attempts: 16 });
    expect(await running.http.metrics.registry.metrics()).toContain('sira_tasks_ended_total{outcome="failed"} 1');
  });

  test('an agent that is drained takes no more work', async () => {
    const extra = AgentConnection.start({
      address: running.grpc.address,
      agents: [{ name: 'drained', functions: {}, resources: { cpuMilli: 1, memoryMib: 1 } }],
    });
    await until(async () => (await call('GET', '/v1/agents/drained')).status === 200);
    expect((await call('POST', '/v1/agents/drained/drain')).status).toBe(200);
    const { agent } = await ask('/v1/agents/drained');
    expect(agent).toMatchObject({ state: 'draining', takesWork: false });
    expect((await ask('/v1/agents?state=draining')).agents).toHaveLength(1);
    await extra.stop();
  });
});

describe('topics', () => {
  test('what each keeps, and how far behind its groups are', async () => {
    const client = await Topics.connect({ address: running.grpc.address, name: 'reader' });
    await client.create('a/b');
    for (let count = 0; count < 7; count++) await client.publish('a/b', Uint8Array.of(count));
    let seen = 0;
    client.subscribe({ topic: 'a/b', group: 'all', mode: 'shared', handle: () => void seen++ });
    await until(async () => (await ask('/v1/topics/a%2Fb')).groups[0]?.offset === 7);
    expect(seen).toBe(7);
    expect(await ask('/v1/topics')).toEqual({
      topics: [
        {
          ...{ name: 'a/b', startOffset: 0, endOffset: 7, backlogMessagesMax: null },
          groups: [{ name: 'all', mode: 'shared', members: 1, offset: 7, lag: 0 }],
        },
      ],
      next: null,
    });
    await client.close();
    await expectProblem(call('GET', '/v1/topics/none'), 404, 'SIRA_NOT_FOUND', /no topic is called "none"/);
  });
});

describe('configuration', () => {
  test('one setting, several, their history, what differs, and the way back', async () => {
    const begin = (await ask('/v1/config')).version;
    const reason = { who: 'ada', why: 'short tasks' };
    expect((await call('PUT', '/v1/config/dispatch.retryMicros', { value: '2s', ...reason })).body).toEqual({
      version: begin + 1,
      changes: [{ name: 'dispatch.retryMicros', from: 1_000_000, to: 2_000_000 }],
    });
    const values = { 'scheduler.backoffFirstMicros': '20s', 'scheduler.backoffMaxMicros': '40s' };
    const several = await call('PATCH', '/v1/config', { values, ...reason, expectedVersion: begin + 1 });
    expect(several.body).toMatchObject({ version: begin + 2, changes: [{ to: 20_000_000 }, { to: 40_000_000 }] });
    expect(running.live.kernel.settings.get('scheduler.backoffMaxMicros')).toBe(40_000_000);
    const same = await call('PATCH', '/v1/config', { values, ...reason });
    expect(same.body).toEqual({ version: begin + 2, changes: [] });

    const { history, next } = await ask('/v1/config/history?limit=2');
    expect(history).toMatchObject([
      { version: begin + 2, who: 'ada', why: 'short tasks' },
      { version: begin + 1, changes: [{ name: 'dispatch.retryMicros' }] },
    ]);
    expect((await ask(`/v1/config/history?before=${next}`)).history[0].version).toBe(begin);
    const one = await ask('/v1/config/dispatch.retryMicros');
    expect(one).toMatchObject({ setting: { value: 2_000_000, unit: 'micros' } });
    expect(one.history).toHaveLength(2);
    expect((await ask(`/v1/config/diff?from=${begin}`)).changes).toHaveLength(3);
    const back = await call('POST', '/v1/config/rollback', { version: begin, who: 'ada', why: 'was better' });
    expect(back.body.version).toBe(begin + 3);
    expect((await ask(`/v1/config/diff?from=${begin}`)).changes).toEqual([]);
    expect((await ask('/v1/config/history?limit=1')).history[0].why).toBe(`back to version ${begin}: was better`);
  });

  test('what is wrong is refused with what to do, and changes nothing', async () => {
    const { version } = await ask('/v1/config');
    const reason = { who: 'ada', why: '' };
    const put = (name: string, body: object) => call('PUT', `/v1/config/${name}`, body);
    const invalid = 'SIRA_SETTING_INVALID';
    await expectProblem(put('scheduler.attemptsMax', { value: 0, ...reason }), 400, invalid, /at least 1/);
    await expectProblem(put('scheduler.attemptsMax', { value: 1.5, ...reason }), 400, invalid, /whole number/);
    await expectProblem(put('scheduler.attemptsMax', { value: 'x', ...reason }), 400, invalid, /a number/);
    await expectProblem(put('registry.leaseMicros', { value: '1ms', ...reason }), 400, invalid, /at least 2.5 times/);
    await expectProblem(put('scheduler.atemptsMax', { value: 2, ...reason }), 404, 'SIRA_NOT_FOUND', /attemptsMax/);
    const between = { values: { 'scheduler.backoffMaxMicros': 1 }, ...reason };
    await expectProblem(call('PATCH', '/v1/config', between), 400, invalid, /backoffMaxMicros must be/);
    const stale = { value: 3, ...reason, expectedVersion: version - 1 };
    await expectProblem(put('scheduler.attemptsMax', stale), 409, 'SIRA_VERSION_CONFLICT', /at version/);
    await expectProblem(call('GET', '/v1/config/diff?from=0&to=999'), 404, 'SIRA_NOT_FOUND', /no version 999/);
    const malformed = 'SIRA_REQUEST_INVALID';
    await expectProblem(put('scheduler.attemptsMax', { value: 3, why: '' }), 400, malformed, /who/);
    await expectProblem(put('scheduler.attemptsMax', { value: null, ...reason }), 400, malformed, /value/);
    await expectProblem(put('scheduler.attemptsMax', { value: 3, ...reason, x: 1 }), 400, malformed, /additional/);
    expect((await ask('/v1/config')).version).toBe(version);
  });
});

describe('events', () => {
  test('come as they happen, and a reader that comes back goes on where it was', async () => {
    const stream = await listen('/v1/events?kinds=decision,task,setting');
    const { task } = await submitter.run({ function: 'echo', request: { cpuMilli: 3000 } });
    await until(() => stream.events.some(({ event, data }) => event === 'task' && data.state === 'ended'));
    const ofTask = stream.events.filter(({ data }) => data.task === task);
    expect(ofTask.map(({ event, data }) => `${event} ${data.state ?? data.outcome}`)).toEqual([
      'decision placed',
      'task running',
      'task ended',
    ]);
    expect(ofTask[0]?.data.why).toMatch(/^On large/);
    stream.request.destroy();
    await call('PUT', '/v1/config/scheduler.decisionRunnersUp', { value: 5, who: 'ada', why: 'look closer' });
    const again = await listen('/v1/events?kinds=task,setting', { 'last-event-id': ofTask[1]!.id });
    await until(() => again.events.length >= 2);
    expect(again.events.map(({ event, id }) => [event, id === ofTask[2]!.id])).toEqual([
      ['task', true],
      ['setting', false],
    ]);
    expect(again.events[1]?.data).toMatchObject({ who: 'ada', why: 'look closer', changes: [{ to: 5 }] });
    again.request.destroy();
    // From before what is kept: that something may be missing is said.
    for (const [id, gap] of [
      ['0-0', true],
      ['nonsense', true],
      [ofTask[1]!.id, false],
    ] as const) {
      const late = await listen('/v1/events?kinds=task', { 'last-event-id': id });
      await until(() => late.events.length > 0);
      expect([id, late.events[0]?.event === 'gap']).toEqual([id, gap]);
      late.request.destroy();
    }
    await expectProblem(call('GET', '/v1/events?kinds=none'), 400, 'SIRA_REQUEST_INVALID', /kinds/);
  });

  test('a reader that does not read is dropped; others and the kernel go on', async () => {
    const reading = await listen('/v1/events?kinds=decision');
    const { port } = new URL(running.http.url);
    const stuck = connect(Number(port), '127.0.0.1');
    stuck.on('error', () => {});
    stuck.write('GET /v1/events?kinds=decision HTTP/1.1\r\nhost: localhost\r\n\r\n');
    stuck.pause();
    const dropped = async () =>
      /sira_http_event_streams_dropped_total (\d+)/.exec(await running.http.metrics.registry.metrics())?.[1];
    await until(async () => /sira_http_event_streams 2/.test(await running.http.metrics.registry.metrics()));
    // As decisions come, only more of them than a test can make with tasks.
    const [kept] = running.http.activity.decisions.toArray().slice(-1);
    const event = { kind: 'decision', sequence: 1, index: 0, timeMicros: 1, data: kept! } as const;
    let told = 0;
    await until(async () => {
      for (let count = 0; count < 2000; count++, told++) running.http.activity.announce(event);
      await new Promise((resolve) => setImmediate(resolve));
      return (await dropped()) === '1';
    }, 20_000);
    await until(() => reading.events.length >= told, 20_000);
    expect((await submitter.run({ function: 'echo' })).outcome).toBe('completed');
    stuck.destroy();
    reading.request.destroy();
  });
});

describe('the service', () => {
  test('health and metrics: Prometheus naming, base units, few labels', async () => {
    expect(await ask('/health/live')).toEqual({ status: 'live' });
    expect(await ask('/health/ready')).toEqual({ status: 'ready' });
    await submitter.run({ function: 'echo' });
    const response = await running.http.server.inject('/metrics');
    expect(response.headers['content-type']).toMatch(/^text\/plain; version=0\.0\.4/);
    const lines = response.body.split('\n').filter((line) => /^sira_/.test(line));
    const value = (series: string): number =>
      Number(
        lines
          .find((line) => line.startsWith(`${series} `))
          ?.split(' ')
          .at(-1),
      );
    expect(value('sira_agents{state="ready"}')).toBe(3);
    expect(value('sira_topic_messages')).toBe(7);
    expect(value('sira_cpu_cores_capacity')).toBeCloseTo(6, 2);
    expect(value('sira_tasks_ended_total{outcome="completed"}')).toBeGreaterThanOrEqual(5);
    expect(value('sira_tasks_ended_total{outcome="cancelled"}')).toBe(1);
    // One failed, sixteen times.
    expect(value('sira_scheduler_decisions_total{outcome="placed",rule="in order"}')).toBe(
      value('sira_task_completion_seconds_count') + 16,
    );
    expect(value('sira_task_energy_joules_total')).toBeGreaterThan(0);
    expect(value('sira_journal_release_seconds_count')).toBeGreaterThan(20);
    expect(value('sira_kernel_inputs_total{kind="settingsAssigned"}')).toBeGreaterThan(2);
    const names = [...new Set(lines.map((line) => line.split(/[{ ]/)[0] as string))];
    for (const name of names) expect(name).toMatch(/^sira_[a-z_]+$/);
    for (const name of names) expect(name).not.toMatch(/micros|millis|mib/);
    const labels = new Set(lines.flatMap((line) => [...line.matchAll(/[{,]([a-z_]+)="/g)].map(([, label]) => label)));
    const known = [
      'anomaly',
      'code_hash',
      'kind',
      'le',
      'method',
      'outcome',
      'part',
      'reason',
      'route',
      'rule',
      'state',
      'status',
      'version',
    ];
    expect([...labels].filter((label) => !known.includes(label!))).toEqual([]);
    expect(response.body).toContain('process_cpu_seconds_total');
  });

  test('the OpenAPI document describes every route, and answers are as it says', async () => {
    const document = await ask('/openapi.json');
    expect(document.openapi).toBe('3.1.0');
    const operations = Object.entries<Answer>(document.paths).flatMap(([path, item]) =>
      Object.entries<Answer>(item).map(([method, operation]) => ({ path, method, operation })),
    );
    expect(operations.length).toBeGreaterThan(15);
    const ids = operations.map(({ operation }) => operation.operationId);
    expect(new Set(ids).size).toBe(ids.length);
    const ajv = new Ajv({ strict: false });
    const gets = operations.filter(({ path, method }) => method === 'get' && !/\{|events|metrics/.test(path));
    for (const { path, operation } of gets) {
      const { schema } = operation.responses['200'].content['application/json'];
      const validate = ajv.compile(schema);
      expect(validate(await ask(path)), `${path}: ${ajv.errorsText(validate.errors)}`).toBe(true);
    }
  });

  test('what no route takes is a problem too', async () => {
    await expectProblem(call('GET', '/v1/nothing'), 404, 'SIRA_NOT_FOUND', /no \/v1\/nothing/);
    await expectProblem(call('POST', '/v1/agents'), 405, 'SIRA_REQUEST_INVALID', /GET/);
    await expectProblem(call('GET', '/v1/agents?limit=0'), 400, 'SIRA_REQUEST_INVALID', />= 1/);
    await expectProblem(call('GET', '/v1/agents?limit=1001'), 400, 'SIRA_REQUEST_INVALID', /<= 1000/);
    await expectProblem(call('GET', '/v1/agents?what=1'), 400, 'SIRA_REQUEST_INVALID', /additional/);
    await expectProblem(call('GET', '/v1/agents/%ff'), 400, 'SIRA_REQUEST_INVALID', /./);
    const large = { values: { x: 'y'.repeat(300_000) }, who: 'ada', why: '' };
    await expectProblem(call('PATCH', '/v1/config', large), 413, 'SIRA_REQUEST_INVALID', /too large/);
    const broken = await running.http.server.inject({
      method: 'PATCH',
      url: '/v1/config',
      headers: { 'content-type': 'application/json' },
      payload: '{"values":',
    });
    expect([broken.statusCode, broken.json().code]).toEqual([400, 'SIRA_REQUEST_INVALID']);
  });

  test('pages elsewhere can neither speak through a reader’s browser nor frame the console', async () => {
    const { server } = running.http;
    const rebound = await server.inject({ url: '/v1/cluster', headers: { host: 'evil.example' } });
    expect([rebound.statusCode, rebound.json().code]).toEqual([400, 'SIRA_REQUEST_INVALID']);
    const plain = { method: 'POST', url: '/v1/config/rollback', payload: '{"version":0,"who":"x","why":""}' } as const;
    const simple = await server.inject({ ...plain, headers: { 'content-type': 'text/plain' } });
    expect(simple.statusCode).toBe(415);
    for (const headers of [{ origin: 'http://evil.example' }, { 'sec-fetch-site': 'cross-site' }]) {
      const blind = await server.inject({ method: 'POST', url: '/v1/agents/small/drain', headers });
      expect([blind.statusCode, blind.json().detail]).toEqual([400, 'pages of other sites change nothing here']);
    }
    expect((await ask('/v1/agents/small')).agent.state).toBe('ready');
    const page = await server.inject('/');
    expect(page.headers['content-security-policy']).toMatch(/default-src 'none'.*frame-ancestors 'none'/);
    expect(page.headers['access-control-allow-origin']).toBe(undefined);
  });

  test('a kernel that stops says so', async () => {
    const fields = { data: join(folder, 'other'), durability: 'processCrash' } as const;
    const addresses = { grpc: { address: '127.0.0.1:0' }, http: { address: '127.0.0.1:0' } };
    const other = await runKernel(startSettings({ ...fields, ...addresses }), '1.2.3', silentLogger);
    const stopping = other.live.stop();
    const ready = await other.http.server.inject('/health/ready');
    expect([ready.statusCode, ready.json().code]).toEqual([503, 'SIRA_LOG_CLOSED']);
    const reason = { value: 3, who: 'ada', why: '' };
    const refused = await other.http.server.inject({
      method: 'PUT',
      url: '/v1/config/scheduler.attemptsMax',
      payload: reason,
    });
    expect(refused.statusCode).toBe(503);
    expect((await other.http.server.inject('/v1/cluster')).json().journal.refusal).toBe('the kernel is stopping');
    await stopping;
    await other.stop();
    const taken = { grpc: { address: '127.0.0.1:0' }, http: { address: new URL(running.http.url).host } };
    await expect(runKernel(startSettings({ ...fields, ...taken }), '1.2.3', silentLogger)).rejects.toMatchObject({
      code: 'SIRA_ADDRESS_TAKEN',
    });
  });
});
