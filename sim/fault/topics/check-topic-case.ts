// One case of the durable topics under all oracles: the safety phase with its faults, then the liveness phase, in which everything
// must come to rest within the case's bound. What is found is a value, so that runners can count, shrink and compare it.

import { assert } from '../../../core/base/assert.ts';
import { SiraError } from '../../../core/base/errors.ts';
import { TopicBroker } from '../../../core/bus/topics/topic-broker.ts';
import type { TopicMachine } from '../../../core/bus/topics/topic-protocol.ts';
import {
  defaultTopicSettings,
  defaultTopicTerms,
  type TopicSettings,
} from '../../../core/bus/topics/topic-settings.ts';
import { TopicOracles } from '../../oracle/topic-oracles.ts';
import { OracleViolation } from '../../oracle/violation.ts';
import type { TopicCase } from '../../world/topic-case.ts';
import type { TopicObserver } from '../../world/topic-observer.ts';
import { TopicWorld } from '../../world/topic-world.ts';
import type { Finding } from '../check-case.ts';

export interface CheckedTopicCase {
  /** Over everything that the last process of the broker heard and said, and over what the disk did. */
  readonly digest: string;
  readonly simulatedMicros: number;
  readonly eventCount: number;
  /** Stored, delivered, acknowledged: the broker's words. */
  readonly published: number;
  readonly deliveries: number;
  readonly acknowledged: number;
  readonly finding: Finding | undefined;
}

export interface CheckTopicOptions {
  readonly observers?: readonly TopicObserver[] | undefined;
  /** Instead of the broker. */
  readonly create?: ((drawn: TopicCase) => TopicMachine) | undefined;
}

const stepMicros = 500_000;
const rotSettleMicros = 60_000_000;
/** Everything must be at rest for so many steps: what comes in between is told of too. */
const restSteps = 4;

export function settingsOf(drawn: TopicCase): TopicSettings {
  return { ...defaultTopicSettings, ...drawn.settings };
}

export function checkTopicCase(drawn: TopicCase, options: CheckTopicOptions = {}): CheckedTopicCase {
  const settings = settingsOf(drawn);
  const oracles = new TopicOracles({
    case: drawn,
    defaultTerms: defaultTopicTerms,
    replayGapMicrosMax: settings.replayGapMicrosMax,
    priorityPassesMax: settings.priorityPassesMax,
  });
  let world: TopicWorld | undefined;
  let finding: Finding | undefined;
  let hasCut = false;
  const cuts: TopicObserver = {
    opened: ({ cutBytes, earlierCutBytes }) => {
      hasCut ||= cutBytes + earlierCutBytes > 0 && (world?.disk.flippedBits ?? 0) > 0;
    },
  };
  try {
    world = new TopicWorld({
      case: drawn,
      create: options.create ?? (() => new TopicBroker(settings, drawn.seed)),
      observers: [cuts, oracles, ...(options.observers ?? [])],
      streamBegins: (stream) => oracles.streamBegins(stream),
    });
    finding = run(world, drawn, oracles);
  } catch (error) {
    finding = findingOf(error);
  }
  if (world !== undefined && finding !== undefined && isNamedRot(world, finding, hasCut)) finding = undefined;
  return {
    digest: `${world?.host.broker?.digest ?? ''}-${world?.disk.operationCount ?? 0}`,
    simulatedMicros: world?.simulation.nowMicros ?? 0,
    eventCount: world?.simulation.eventCount ?? 0,
    published: oracles.published,
    deliveries: oracles.deliveries,
    acknowledged: oracles.acknowledged,
    finding,
  };
}

/**
 * What is promised once a bit has flipped: nothing is ever given out that is not as it was sent, and what is damaged is named, or,
 * where nothing behind it proves that it is no torn tail, said to be cut. Who was told so knows that what was confirmed may be
 * lost, and with it anything that follows from that. That it goes on is promised no more.
 */
function isNamedRot({ disk, host }: TopicWorld, { oracle }: Finding, hasCut: boolean): boolean {
  if (disk.flippedBits === 0 || oracle === 'topic content' || oracle === 'assertion') return false;
  return hasCut || oracle === 'topic liveness' || isCorrupt(oracle) || isCorrupt(host.fault?.code);
}

function isCorrupt(code: string | undefined): boolean {
  return code === 'SIRA_LOG_CORRUPT';
}

function run(world: TopicWorld, drawn: TopicCase, oracles: TopicOracles): Finding | undefined {
  const { simulation, host } = world;
  simulation.runUntil(drawn.horizonMicros);
  world.calm();
  const { flippedBits } = world.disk;
  // After rot it need not go on: why wait for it for long.
  const settleMicros = flippedBits > 0 ? Math.min(rotSettleMicros, drawn.settleMicros) : drawn.settleMicros;
  const endMicros = drawn.horizonMicros + settleMicros;
  let rested = 0;
  for (let atMicros = drawn.horizonMicros; rested < restSteps; ) {
    atMicros += stepMicros;
    simulation.runUntil(atMicros);
    if (host.fault !== undefined) {
      const { code, reason, file } = host.fault;
      return {
        oracle: 'topic durability',
        what: `${code}: ${reason} (${file ?? ''}), on a disk that kept its word`,
        chain: [],
      };
    }
    const missing = missingOf(world, oracles);
    rested = missing === undefined ? rested + 1 : 0;
    if (missing !== undefined && atMicros >= endMicros) return { oracle: 'topic liveness', what: missing, chain: [] };
  }
  oracles.finish(simulation.nowMicros);
  return undefined;
}

function missingOf(world: TopicWorld, oracles: TopicOracles): string | undefined {
  if (!world.host.isUp) return 'the broker is not up';
  const producer = world.producers.find(({ isDone }) => !isDone);
  if (producer !== undefined)
    return `${producer.stream.producer} has ${producer.confirmed.floor - 1} of ${producer.stream.spec.messages} messages confirmed`;
  const groups = new Set(world.case.members.map(({ group }) => group.name));
  for (const group of groups) if (!oracles.book.groups.has(group)) return `${group} was never subscribed`;
  return oracles.missing();
}

export function findingOf(error: unknown): Finding {
  if (error instanceof OracleViolation)
    return { oracle: error.oracle, what: `${error.what}, at ${error.nowMicros} µs`, chain: error.chain };
  if (error instanceof SiraError) return { oracle: error.code, what: error.message, chain: [] };
  assert(error instanceof Error, 'what is thrown is an error');
  return {
    oracle: 'assertion',
    what: `${error.name}: ${error.message}`,
    chain: error.stack?.split('\n').slice(1, 6) ?? [],
  };
}
