// A whole world of durable topics as data: what there is, what is published, who subscribes, and what befalls them. A seed draws
// one; a part can be taken out of it to see whether a failure stays.

import type { ReplayPosition, TopicTerms } from '../../core/bus/topics/topic-protocol.ts';
import type { TopicSettings } from '../../core/bus/topics/topic-settings.ts';
import type { NetworkSpec } from '../experiment/scenario.ts';
import type { DiskSpec } from './disk-spec.ts';
import type { TopicLinkSpec } from './topic-link.ts';
import type { TopicMemberSpec } from './topic-member.ts';
import type { TopicProducerSpec } from './topic-producer.ts';

/**
 * - `brokerCrash`: the power of the broker fails; it comes back after `forMicros`. - `brokerPause`: its process stands still.
 * - `diskSlow`: `factor` times as slow. - `diskFull`: no room. - `diskFails`: syncs fail.
 * - `partition`: `who` is cut off. - `linkBreak`: its connection breaks once. - `crash`, `hang`: of the producer or member `who`.
 */
export type TopicFaultKind =
  | 'brokerCrash'
  | 'brokerPause'
  | 'diskSlow'
  | 'diskFull'
  | 'diskFails'
  | 'partition'
  | 'linkBreak'
  | 'crash'
  | 'hang';

export interface TopicFault {
  readonly kind: TopicFaultKind;
  readonly atMicros: number;
  readonly forMicros: number;
  /** Of a producer or member; empty for the broker and its disk. */
  readonly who: string;
  readonly factor: number;
}

export interface TopicSeek {
  readonly atMicros: number;
  readonly group: string;
  readonly position: ReplayPosition;
}

/** A member unsubscribes, and comes back later. */
export interface TopicLeave {
  readonly atMicros: number;
  readonly forMicros: number;
  readonly member: string;
  /** The group ends with it, if it is the last one. */
  readonly endsGroup: boolean;
}

export interface TopicCase {
  readonly seed: number;
  /** What differs from the defaults. */
  readonly settings: Partial<TopicSettings>;
  readonly topics: readonly { readonly name: string; readonly terms: Partial<TopicTerms> }[];
  readonly producers: readonly TopicProducerSpec[];
  readonly members: readonly TopicMemberSpec[];
  readonly seeks: readonly TopicSeek[];
  /** None if left out. */
  readonly leaves?: readonly TopicLeave[] | undefined;
  readonly tensorLosses: readonly { readonly atMicros: number; readonly producer: string; readonly sequence: number }[];
  readonly network: NetworkSpec;
  readonly link: TopicLinkSpec;
  readonly reconnectMicros: number;
  readonly disk: DiskSpec;
  readonly maintainMicros: number;
  readonly faults: readonly TopicFault[];
  /** Here all faults are over, and nobody makes trouble any more. */
  readonly horizonMicros: number;
  /** Within this time after it everything must be delivered and settled. */
  readonly settleMicros: number;
}
