// What a swarm over the durable topics has reached: what was drawn, what the broker heard and said, and the paths between that
// matter. The names are a list, so that what was never reached is named as well.

import type { RefusedEffect, TopicEffect, TopicInput, TopicsReport } from '../../../core/bus/topics/topic-protocol.ts';
import type { TopicCase, TopicFaultKind } from '../../world/topic-case.ts';
import type { TopicObserver } from '../../world/topic-observer.ts';

// Tables whose keys the compiler holds to the types: a new kind cannot be forgotten here.
const inputs: Readonly<Record<TopicInput['kind'], true>> = {
  unsubscribe: true,
  createTopic: true,
  publish: true,
  subscriberConnected: true,
  subscriberDisconnected: true,
  subscribe: true,
  grant: true,
  acknowledge: true,
  reject: true,
  extend: true,
  commit: true,
  seek: true,
  tensorOwned: true,
  tensorLost: true,
  tensorReleased: true,
};
const effects: Readonly<Record<Exclude<TopicEffect['kind'], 'file'>, true>> = {
  groupEnded: true,
  topicsOpened: true,
  topicsFailed: true,
  topicsStalled: true,
  topicCreated: true,
  published: true,
  subscribed: true,
  deliver: true,
  revoked: true,
  cursorMoved: true,
  committed: true,
  lateDropped: true,
  deadLettered: true,
  skipped: true,
  tensorKept: true,
  tensorReleased: true,
  tensorLost: true,
  refused: true,
};
const faults: Readonly<Record<TopicFaultKind, true>> = {
  brokerCrash: true,
  brokerPause: true,
  diskSlow: true,
  diskFull: true,
  diskFails: true,
  partition: true,
  linkBreak: true,
  crash: true,
  hang: true,
};

export const topicReachable: Readonly<Record<string, readonly string[]>> = {
  'fault drawn': Object.keys(faults),
  'fault begun while the broker was busy': ['brokerCrash', 'diskFull', 'diskFails'],
  'mode drawn': ['exclusive', 'shared', 'keyOrdered'],
  'start drawn': ['earliest', 'latest', 'offset', 'time'],
  'feature drawn': [
    ...['keys', 'one hot key', 'priorities', 'deadlines', 'delays', 'tensors', 'original speed', 'commits', 'results'],
    ...['poison', 'deadly messages', 'dead-letter topic', 'compaction', 'retention by age', 'retention by size'],
    ...['retention overrides groups', 'bounded backlog refuses', 'bounded backlog drops', 'little credit', 'seeks'],
    ...['small segments', 'slow members', 'producers that forget', 'loss', 'duplication', 'reordering'],
    ...[
      'breaking connections',
      'failing syncs',
      'failing reads',
      'failing writes',
      'bit rot',
      'leaving',
      'ends of groups',
    ],
  ],
  'broker heard': Object.keys(inputs),
  'broker said': Object.keys(effects),
  refused: ['SIRA_QUEUE_FULL', 'SIRA_MESSAGE_REFUSED'],
  messages: ['published', 'delivered', 'acknowledged'],
  branch: [
    'publication repeated',
    'delivered again',
    'delivered again after a crash',
    'group resumed',
    'commit repeated',
    'commit finished by recovery',
    'torn tail cut at opening',
    'opened again with groups',
    'skipped for retention',
    'skipped for backlog',
    'delivery with a lost tensor',
    'tensor released at the end of its lease',
    'tensor released as done',
    'tensor released as lost',
    'dead letter rejected',
    'dead letter timed out',
    'dead letter disconnected',
    'delivered late in the topic by priority',
    'seek answered',
  ],
};

export class TopicReach implements TopicObserver {
  /** Times by `group: name`. */
  readonly seen = new Map<string, number>();
  private openings = 0;
  private published = 0;
  private readonly highest = new Map<string, number>();
  private readonly epochs = new Map<string, number>();

  note(name: string, times = 1): void {
    this.seen.set(name, (this.seen.get(name) ?? 0) + times);
  }

  heard({ kind }: TopicInput): void {
    // The frequent ones are counted elsewhere.
    if (kind === 'acknowledge' || kind === 'publish') this.counts[kind]++;
    else this.note(`broker heard: ${kind}`);
  }

  said(effect: TopicEffect): void {
    switch (effect.kind) {
      case 'published':
        this.counts.published++;
        if (effect.duplicate) this.counts.repeated++;
        else this.published++;
        return;
      case 'deliver': {
        this.counts.deliver++;
        const { attempt, group, lostTensors, message } = effect;
        if (attempt > 1) this.branch(this.openings > 1 ? 'delivered again after a crash' : 'delivered again');
        if (lostTensors.length > 0) this.branch('delivery with a lost tensor');
        const highest = this.highest.get(group) ?? -1;
        if (message.offset > highest) this.highest.set(group, message.offset);
        else if (attempt === 1 && this.openings === 1) this.branch('delivered late in the topic by priority');
        return;
      }
      case 'cursorMoved':
        this.note('broker said: cursorMoved');
        if (effect.epoch > (this.epochs.get(effect.group) ?? 0)) {
          this.epochs.set(effect.group, effect.epoch);
          this.branch('seek answered');
        }
        return;
      case 'subscribed':
        if (effect.resumed) this.branch('group resumed');
        break;
      case 'committed':
        if (effect.duplicate) this.branch('commit repeated');
        break;
      case 'skipped':
        this.branch(`skipped for ${effect.cause}`);
        break;
      case 'tensorReleased':
        this.branch(
          effect.cause === 'leaseEnd'
            ? 'tensor released at the end of its lease'
            : `tensor released as ${effect.cause}`,
        );
        break;
      case 'deadLettered':
        this.branch(`dead letter ${effect.cause === 'timedOut' ? 'timed out' : effect.cause}`);
        break;
      case 'refused':
        this.refused(effect);
        break;
      default:
        break;
    }
    this.note(`broker said: ${effect.kind}`);
  }

  opened(report: TopicsReport): void {
    this.openings++;
    if (report.commitsFinished > 0) this.branch('commit finished by recovery');
    if (report.cutBytes > 0) this.branch('torn tail cut at opening');
    if (this.openings > 1 && report.groups > 0) this.branch('opened again with groups');
  }

  faultChanged(fault: string, active: boolean): void {
    const kind = fault.split(' ')[0];
    if (active && this.published > 0) this.note(`fault begun while the broker was busy: ${kind}`);
  }

  /** At the end: what was counted in numbers. */
  finish(published: number, delivered: number, acknowledged: number): void {
    const { counts } = this;
    const times: [string, number][] = [
      ['broker heard: publish', counts.publish],
      ['broker heard: acknowledge', counts.acknowledge],
      ['broker said: published', counts.published],
      ['broker said: deliver', counts.deliver],
      ['branch: publication repeated', counts.repeated],
      ['messages: published', published],
      ['messages: delivered', delivered],
      ['messages: acknowledged', acknowledged],
    ];
    for (const [name, count] of times) if (count > 0) this.note(name, count);
  }

  private readonly counts = { publish: 0, acknowledge: 0, published: 0, repeated: 0, deliver: 0 };

  private branch(name: string): void {
    this.note(`branch: ${name}`);
  }

  private refused({ code, input }: RefusedEffect): void {
    this.note(`refused: ${code}`);
    this.note(`input refused: ${input}`);
  }
}

/** What a case draws, as `group: name`. */
export function topicFacts(drawn: TopicCase): string[] {
  const facts = new Set<string>();
  const feature = (holds: boolean, name: string): void => {
    if (holds) facts.add(`feature drawn: ${name}`);
  };
  for (const { kind } of drawn.faults) facts.add(`fault drawn: ${kind}`);
  for (const { group, settlesBy, windowMessages, slowShare } of drawn.members) {
    facts.add(`mode drawn: ${group.mode}`);
    const { start } = group;
    facts.add(`start drawn: ${typeof start === 'string' ? start : 'offset' in start ? 'offset' : 'time'}`);
    feature(group.speed === 'original', 'original speed');
    feature(settlesBy === 'commit', 'commits');
    feature(group.resultTopic !== '', 'results');
    feature(group.rejectShare > 0, 'poison');
    feature(group.deadlyShare > 0, 'deadly messages');
    feature(windowMessages < 4, 'little credit');
    feature(slowShare > 0, 'slow members');
  }
  for (const { stream, forgets } of drawn.producers) {
    feature(stream.keys > 0, 'keys');
    feature(stream.keys > 1 && stream.hotShare > 0.5, 'one hot key');
    feature(stream.prioritized, 'priorities');
    feature(stream.deadlineShare > 0, 'deadlines');
    feature(stream.delayShare > 0, 'delays');
    feature(stream.tensorEvery > 0, 'tensors');
    feature(forgets, 'producers that forget');
  }
  for (const { terms } of drawn.topics) {
    const isBounded = (terms.backlogMessagesMax ?? Number.POSITIVE_INFINITY) < Number.POSITIVE_INFINITY;
    feature((terms.deadLetterTopic ?? '') !== '', 'dead-letter topic');
    feature(terms.compaction === true, 'compaction');
    feature((terms.retainMicros ?? 0) < Number.POSITIVE_INFINITY, 'retention by age');
    feature((terms.retainBytesMax ?? Number.POSITIVE_INFINITY) < Number.POSITIVE_INFINITY, 'retention by size');
    feature(terms.retentionOverridesGroups === true, 'retention overrides groups');
    feature(isBounded && terms.whenFull === 'refuse', 'bounded backlog refuses');
    feature(isBounded && terms.whenFull === 'dropOldest', 'bounded backlog drops');
  }
  const { network, link, disk, seeks, settings } = drawn;
  feature(seeks.length > 0, 'seeks');
  feature((settings.log?.segmentBytesMax ?? 2 ** 26) <= 4096, 'small segments');
  feature(network.loss > 0, 'loss');
  feature(network.duplication > 0, 'duplication');
  feature(network.reordering > 0, 'reordering');
  feature(link.breakShare > 0, 'breaking connections');
  feature(disk.syncFailure > 0, 'failing syncs');
  feature(disk.readFailure > 0, 'failing reads');
  feature(disk.writeFailure > 0, 'failing writes');
  feature(disk.bitRotMeanMicros < Number.POSITIVE_INFINITY, 'bit rot');
  feature((drawn.leaves ?? []).length > 0, 'leaving');
  feature(
    (drawn.leaves ?? []).some(({ endsGroup }) => endsGroup),
    'ends of groups',
  );
  return [...facts];
}
