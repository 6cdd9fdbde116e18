// What a submitter is told when it connects.

import type { ChannelCredentials, ClientDuplexStream } from '@grpc/grpc-js';
import type { AttachRequest, AttachResponse } from '../../proto/generated/sira/v1/submission_service.ts';
import type { TaskEnd } from './task.ts';

export interface SubmitterOptions {
  /** `host:port` of the kernel. */
  readonly address: string;
  /** Names the submitter across restarts; one process at a time. */
  readonly name: string;
  readonly credentials?: ChannelCredentials | undefined;
  /** How a stream is opened, instead of at the address. */
  readonly attach?: (() => ClientDuplexStream<AttachRequest, AttachResponse>) | undefined;
  /** Time until an unanswered message is sent again. */
  readonly retryMicros?: number | undefined;
  /** Submissions without an answer, beyond which `submit` waits. */
  readonly unansweredMax?: number | undefined;
  readonly messageBytesMax?: number | undefined;
  /** Told of every end before it is acknowledged, those of an earlier process included; what it throws stops the process. `offset`:
   *  its place among all ends, rising. */
  readonly ended?: ((end: TaskEnd, offset: number) => void) | undefined;
  /** Ends are acknowledged by {@link Submitter.acknowledge} alone, and so many may be unacknowledged. Left out: at once. */
  readonly endsUnacknowledgedMax?: number | undefined;
  readonly connection?: ((state: 'open' | 'closed' | 'rejected', reason: string) => void) | undefined;
}
