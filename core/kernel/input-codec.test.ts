import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeInput, encodeInput } from './input-codec.ts';
import type { InputBody } from './inputs.ts';
import { helloFrom, submissionOf } from './kernel-driver.ts';

const number = fc.oneof(
  fc.integer(),
  fc.nat(300),
  fc.maxSafeInteger(),
  fc.double(),
  fc.constantFrom(0, -0, 199, 200, 255, 256, -1, 2 ** 53 - 1, -(2 ** 53 - 1), 2 ** 53, Number.NaN, Number.MIN_VALUE),
);
/** Every sequence of code units, lone surrogates included. */
const text = fc.oneof(
  fc.string(),
  fc.array(fc.integer({ min: 0, max: 0xffff })).map((units) => String.fromCharCode(...units)),
  fc.constant('__proto__'),
);
const optional = <T>(of: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> => fc.option(of, { nil: undefined });
const plain: fc.Arbitrary<unknown> = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    fc.constantFrom(undefined, null, true, false),
    number,
    text,
    fc.array(tie('value'), { maxLength: 4 }),
    fc.array(fc.tuple(text, tie('value')), { maxLength: 4 }).map((entries) => Object.fromEntries(entries)),
  ),
})).value as fc.Arbitrary<unknown>;
const column = (count: number): fc.Arbitrary<Int32Array> =>
  fc
    .array(fc.oneof(fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }), fc.constantFrom(1, 1, 1, 2)), {
      minLength: count,
      maxLength: count,
    })
    .map((values) => Int32Array.from(values));

const speaker = { agent: number, incarnation: number, task: number, attempt: number };
const produced = {
  timeMicros: number,
  producer: text,
  sequence: number,
  settledSequence: optional(number),
  payload: plain,
};
const client = { timeMicros: number, subscriber: text };
const request = fc.record({
  cpuMilli: number,
  memoryMib: number,
  gpuCount: number,
  gpuMilli: number,
  gpuModels: fc.array(text),
  machineCount: number,
});

const bodies: { readonly [Kind in InputBody['kind']]: fc.Arbitrary<Omit<Extract<InputBody, { kind: Kind }>, 'kind'>> } =
  {
    agentPowerChanged: fc.record({ agent: number, incarnation: number, awake: fc.boolean() }),
    agentHello: fc.record({
      gateway: number,
      name: text,
      incarnation: number,
      resources: fc.record({ cpuMilli: number, memoryMib: number, gpuCount: number, gpuModel: text }),
      capabilities: fc.oneof(fc.array(number), fc.dictionary(text, number)),
      attributes: fc.dictionary(text, fc.oneof(text, number)),
      sentMicros: number,
      connection: number,
      running: fc.array(fc.record({ task: number, attempt: number })),
    }),
    heartbeats: fc.nat(40).chain((count) =>
      fc.record({
        gateway: number,
        batch: number,
        count: fc.constant(count),
        agents: column(count),
        incarnations: column(count),
      }),
    ),
    agentDisconnected: fc.record({ agent: number, incarnation: number, connection: number }),
    agentDraining: fc.record({ agent: number, incarnation: number }),
    taskSubmitted: fc.record({
      submitter: number,
      submission: number,
      settled: number,
      request,
      estimateMicros: number,
      priority: number,
      tenant: text,
      gang: optional(fc.record({ name: text, size: number })),
      checkpointMicros: optional(number),
      taskClass: optional(text),
      skill: optional(text),
      size: optional(number),
    }),
    taskCancelled: fc.record({ submitter: number, submission: number }),
    dispatchAccepted: fc.record(speaker),
    taskProgressed: fc.record({ ...speaker, progressMicros: number }),
    taskFinished: fc.record({
      ...speaker,
      outcome: fc.constantFrom('completed', 'failed', 'stopped'),
      serviceMicros: number,
      progressMicros: optional(number),
      joules: optional(number),
      queueMicros: optional(number),
    }),
    settingChanged: fc.record({ name: text, value: number, who: text, why: text }),
    policyCommanded: fc.record({
      command: fc.record({ command: fc.constant('pause' as const), rollout: number }),
      who: text,
      why: text,
    }),
    settingsAssigned: fc.record({
      values: fc.dictionary(text, fc.oneof(number, fc.boolean(), text)),
      who: text,
      why: text,
    }),
    resumed: fc.record({ pausedMicros: number }),
    timeReached: fc.record({}),
    instantEnded: fc.record({}),
    subscribe: fc.record({
      ...client,
      subscription: text,
      topic: text,
      mode: fc.constantFrom('exclusive', 'shared'),
      start: fc.constantFrom('earliest', 'next'),
      inFlightMax: number,
    }),
    unsubscribe: fc.record({ ...client, subscription: text }),
    publish: fc.record({ ...produced, topic: text }) as fc.Arbitrary<
      Omit<Extract<InputBody, { kind: 'publish' }>, 'kind'>
    >,
    acknowledge: fc.record({ ...client, subscription: text, offset: number, cumulative: fc.boolean() }),
    subscriberConnected: fc.record(client),
    subscriberDisconnected: fc.record(client),
    request: fc.record({ ...produced, topic: text, replyTopic: text, timeoutMicros: number }) as fc.Arbitrary<
      Omit<Extract<InputBody, { kind: 'request' }>, 'kind'>
    >,
    reply: fc.record({ ...produced, requester: text, correlation: number }) as fc.Arbitrary<
      Omit<Extract<InputBody, { kind: 'reply' }>, 'kind'>
    >,
  };

const kinds = Object.keys(bodies) as InputBody['kind'][];
const anyInput: fc.Arbitrary<InputBody> = fc.oneof(
  ...kinds.map((kind) => (bodies[kind] as fc.Arbitrary<object>).map((fields) => ({ kind, ...fields }) as InputBody)),
);

describe('inputs as bytes', () => {
  it.each(kinds)('%s comes back as it was', (kind) => {
    fc.assert(
      fc.property(bodies[kind] as fc.Arbitrary<object>, (fields) => {
        const body = { kind, ...fields } as InputBody;
        const bytes = encodeInput(body);
        const decoded = decodeInput(bytes);
        expect(decoded).toEqual({ ok: true, value: body });
        if (decoded.ok) expect(encodeInput(decoded.value)).toEqual(bytes);
      }),
      { numRuns: 60 },
    );
  });

  it('takes a few bytes for what comes often', () => {
    const everybody = Int32Array.from({ length: 1200 }, (_, agent) => agent);
    const beats: InputBody = {
      kind: 'heartbeats',
      gateway: 0,
      batch: 100_000,
      agents: everybody,
      incarnations: everybody.map(() => 1),
      count: 1200,
    };
    const sizes = {
      heartbeats: encodeInput(beats).length,
      submission: encodeInput(submissionOf(123_456)).length,
      hello: encodeInput(helloFrom('agent-1')).length,
      instantEnded: encodeInput({ kind: 'instantEnded' }).length,
    };
    expect(sizes).toEqual({ heartbeats: 28, submission: 36, hello: 27, instantEnded: 2 });
  });

  it('leaves out beats beyond the count', () => {
    const agents = Int32Array.of(3, 4, 5);
    const decoded = decodeInput(
      encodeInput({ kind: 'heartbeats', gateway: 0, batch: 1, agents, incarnations: agents, count: 2 }),
    );
    expect(decoded).toMatchObject({ value: { agents: Int32Array.of(3, 4), count: 2 } });
  });
});

describe('malformed bytes', () => {
  it('answer with a code, whatever they are', () => {
    const codes = new Set<string>();
    const look = (bytes: Uint8Array): void => {
      const decoded = decodeInput(bytes);
      if (decoded.ok) expect(decodeInput(encodeInput(decoded.value)).ok).toBe(true);
      else codes.add(decoded.code);
    };
    fc.assert(fc.property(fc.uint8Array(), look), { numRuns: 300 });
    fc.assert(
      fc.property(anyInput, fc.nat(), fc.nat(255), fc.boolean(), (body, at, value, cuts) => {
        const bytes = encodeInput(body);
        const place = at % bytes.length;
        if (cuts) {
          const decoded = decodeInput(bytes.subarray(0, place));
          expect(decoded.ok, 'a part is no whole').toBe(false);
        }
        bytes[place] = value;
        look(bytes);
      }),
      { numRuns: 500 },
    );
    expect([...codes].sort()).toEqual(['SIRA_LOG_CORRUPT', 'SIRA_LOG_VERSION']);
  });

  it('reads what earlier versions wrote: the first knew no classes, sizes and joules, the second no skills', () => {
    const submission = encodeInput(submissionOf(7, { checkpointMicros: 5 }));
    const value = submissionOf(7, { checkpointMicros: 5 });
    for (const [version, missing] of [
      [1, 3],
      [2, 1],
    ] as const) {
      const old = submission.slice(0, -missing);
      old[0] = version;
      expect(decodeInput(old)).toEqual({ ok: true, value });
      old[0] = version + 1;
      expect(decodeInput(old), 'a later one must have them').toMatchObject({ ok: false, code: 'SIRA_LOG_CORRUPT' });
    }
    const later = submission.slice();
    later[0] = 5;
    expect(decodeInput(later)).toMatchObject({ ok: false, code: 'SIRA_LOG_VERSION' });
  });

  it('is anything that has bytes to spare', () => {
    const bytes = encodeInput({ kind: 'instantEnded' });
    expect(decodeInput(Uint8Array.of(...bytes, 0))).toMatchObject({ ok: false, code: 'SIRA_LOG_CORRUPT' });
  });
});
