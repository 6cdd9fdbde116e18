// The one table of operating errors. Each has a code that never changes, the HTTP and gRPC status that carry it, the exit
// code of the command line, and what the person who meets it should do. A test holds this table, its uses and
// reports/errors.md together.

interface ErrorEntry {
  /** HTTP status (RFC 9110). */
  readonly http: number;
  /** gRPC status code number (google.rpc.Code). */
  readonly grpc: number;
  /** Exit code of the command line: 2 is the user's mistake, 1 a failed run. */
  readonly exit: 1 | 2;
  /** What went wrong, in one sentence. */
  readonly summary: string;
  /** What to do about it. */
  readonly remedy: string;
}

const userMistake = (summary: string, remedy: string): ErrorEntry => ({ http: 400, grpc: 3, exit: 2, summary, remedy });
const failedRun = (summary: string, remedy: string): ErrorEntry => ({ http: 500, grpc: 13, exit: 1, summary, remedy });

/** Every coded error of the project. */
export const errorTable = {
  SIRA_USAGE: userMistake('The command line is wrong.', 'Run the command with --help.'),
  SIRA_FILE_MISSING: userMistake(
    'A file is missing or cannot be read.',
    'Check the path; relative paths start at the file that names them.',
  ),
  SIRA_YAML_MALFORMED: userMistake('A file is not valid YAML.', 'Mend the line and column named.'),
  SIRA_SCENARIO_INVALID: userMistake(
    'A scenario does not fit its schema.',
    'Mend the field named; `sira check FILE` checks without running.',
  ),
  SIRA_TRACE_MALFORMED: userMistake(
    'A trace has a row that cannot be read.',
    'Mend the line and field named, or fix the column map.',
  ),
  SIRA_POLICY_UNKNOWN: userMistake('No policy has this name.', 'Use one of the names that `sira policies` lists.'),
  SIRA_POLICY_INVALID: userMistake(
    'A learned policy cannot be read, or does not fit its place.',
    'Give an artifact that `sira train` wrote, for the queue order that names it.',
  ),
  SIRA_SETTING_INVALID: userMistake(
    'A setting is unknown or out of its bounds.',
    'Use a value within the bounds named.',
  ),
  SIRA_RUN_NOT_FOUND: userMistake(
    'There is no such run, or it has no such task.',
    'Give the folder that `sira run` printed, and a task that its tasks file lists.',
  ),
  SIRA_TENSOR_INVALID: userMistake(
    'A tensor has a wrong type, shape or extent.',
    'Check dtype, shape, strides and byte length.',
  ),
  SIRA_ORACLE_VIOLATED: failedRun(
    'The simulated kernel broke a promise.',
    'Run the printed command; it reproduces the failure.',
  ),
  SIRA_NOT_DETERMINISTIC: failedRun('Two runs of one seed differ.', 'See the first event that differs, printed above.'),
  SIRA_LIMIT_EXCEEDED: failedRun(
    'A simulation broke a limit on events per instant or causal depth.',
    'Look for a loop of messages at one instant, or raise the limit in the scenario.',
  ),
  SIRA_PROVISION_FAILED: failedRun(
    'A part that is installed separately could not be built or does not work.',
    'Do what the message names; what does not need that part works without it.',
  ),
  SIRA_QUEUE_FULL: {
    http: 429,
    grpc: 8,
    exit: 1,
    summary: 'A bounded queue is full.',
    remedy: 'Slow down, or raise the bound named.',
  },
  SIRA_MESSAGE_REFUSED: userMistake(
    'The broker refused a message.',
    'Mend what the reason names; sending the same again will not help.',
  ),
  SIRA_REQUEST_TIMED_OUT: {
    http: 504,
    grpc: 4,
    exit: 1,
    summary: 'A request had no reply in time.',
    remedy: 'See whether anybody serves the topic, or allow more time.',
  },
  SIRA_LOG_CORRUPT: {
    http: 500,
    grpc: 15,
    exit: 1,
    summary: 'A log or snapshot holds bytes that are not those written.',
    remedy:
      'Put back the file named from a copy. To accept the loss, move it and every later segment away: the log ends before it.',
  },
  SIRA_LOG_VERSION: {
    http: 500,
    grpc: 9,
    exit: 1,
    summary: 'A log or snapshot was written in a format that this version does not read.',
    remedy: 'Open it with the version of Sira that wrote it.',
  },
  SIRA_LOG_CLOSED: {
    http: 503,
    grpc: 14,
    exit: 1,
    summary: 'A log takes nothing now: it is opening, closed, or has failed.',
    remedy: 'Wait until it is open; after a failure open it again, which recovers what is on the disk.',
  },
  SIRA_OFFSET_GONE: {
    http: 410,
    grpc: 11,
    exit: 1,
    summary: 'The records asked for are no longer kept.',
    remedy: 'Read from the first offset kept, which is named, or keep records longer.',
  },
  SIRA_DISK_FULL: {
    http: 507,
    grpc: 8,
    exit: 1,
    summary: 'The disk has no room left.',
    remedy: 'Make room, or keep less; what waits is written once there is room.',
  },
  SIRA_DISK_FAILED: {
    http: 500,
    grpc: 14,
    exit: 1,
    summary: 'The disk failed to read or write.',
    remedy:
      'Look at the device and the permissions of the folder, then start again: opening recovers what is on the disk.',
  },
  SIRA_ADDRESS_TAKEN: {
    http: 500,
    grpc: 14,
    exit: 2,
    summary: 'The kernel cannot listen on an address.',
    remedy: 'Give another address, or stop what listens there.',
  },
  SIRA_DATA_LOCKED: {
    http: 409,
    grpc: 9,
    exit: 2,
    summary: 'The data folder belongs to a kernel that runs.',
    remedy: 'Stop that kernel, or give another folder.',
  },
  SIRA_REQUEST_INVALID: userMistake(
    'A request over HTTP does not fit its schema.',
    'Mend the field named; /openapi.json says what each route takes.',
  ),
  SIRA_NOT_FOUND: {
    http: 404,
    grpc: 5,
    exit: 2,
    summary: 'There is nothing of this name or number.',
    remedy: 'List what there is; tasks that ended long ago and old decisions are no longer kept.',
  },
  SIRA_WORK_FAILED: {
    http: 500,
    grpc: 13,
    exit: 1,
    summary: 'A piece of work ended without a result.',
    remedy: "Read the reason, which is the function's own, or the log of its agent.",
  },
  SIRA_VERSION_CONFLICT: {
    http: 409,
    grpc: 10,
    exit: 1,
    summary: 'The settings have changed since they were read.',
    remedy: 'Read them again, look at what changed, and repeat the change with their new version.',
  },
  SIRA_UNAUTHENTICATED: {
    http: 401,
    grpc: 16,
    exit: 1,
    summary: 'Nobody is known by what the request came with.',
    remedy: 'Connect with a certificate of the authority, or send a token (`sira certs` makes both).',
  },
  SIRA_POLICY_UNTRUSTED: {
    http: 403,
    grpc: 7,
    exit: 1,
    summary: 'A stored policy is not what was signed, or nobody who is trusted signed it.',
    remedy: 'Take the policy from where it was made again, or trust the key of whoever signed it.',
  },
  SIRA_ROLLOUT_REFUSED: {
    http: 409,
    grpc: 9,
    exit: 1,
    summary: 'A rollout of a policy cannot do this now.',
    remedy: 'Look at `sira policy list`: one candidate at a time goes through its stages, and some ends are final.',
  },
  SIRA_ADVICE_REFUSED: {
    http: 409,
    grpc: 9,
    exit: 1,
    summary: 'A recommendation cannot do this now.',
    remedy: 'Look at it again (`sira recommend show`): its state and its reasons say what can be done.',
  },
  SIRA_FORBIDDEN: {
    http: 403,
    grpc: 7,
    exit: 1,
    summary: 'Who asks has not the role for it, or speaks in the name of another.',
    remedy: 'Use an identity with the role named, or have one made by whoever keeps the authority.',
  },
  SIRA_RATE_EXCEEDED: {
    http: 429,
    grpc: 8,
    exit: 1,
    summary: 'Who asks does so too often, or too much at once.',
    remedy: 'Ask again later and less often, or raise the limit under `security.limits`.',
  },
  SIRA_LISTEN_INSECURE: userMistake(
    'The kernel would listen in the clear where other machines reach it.',
    'Make certificates with `sira certs init --host NAME` and name their folder (`security.folder`, --security); or say `security.clear: everywhere` where the network itself is trusted.',
  ),
  SIRA_KERNEL_UNREACHABLE: {
    http: 503,
    grpc: 14,
    exit: 1,
    summary: 'No kernel answers at an address.',
    remedy: 'Start one with `sira start`, or give its address with --url.',
  },
  SIRA_TELEMETRY_AWAY: {
    http: 503,
    grpc: 14,
    exit: 1,
    summary: 'The store of telemetry does not answer.',
    remedy: 'Start it (`npm run services` says whether it works); a kernel keeps its rows on the disk until then.',
  },
  SIRA_TELEMETRY_REFUSED: failedRun(
    'The store of telemetry refuses rows.',
    'Its tables differ from those of this version: see what it says, and give it a database of its own.',
  ),
  SIRA_TELEMETRY_TOO_FEW: failedRun(
    'Telemetry holds too few rows to learn from.',
    'Let the kernel work for longer, or see whether its rows arrive (`sira bottlenecks STORE`).',
  ),
  SIRA_DATASET_LEAKS: failedRun(
    'A feature of a dataset knows the future.',
    'Mend the feature named: it may read only what was known before the moment.',
  ),
  SIRA_DEFECT: failedRun(
    'Sira has met a defect of its own.',
    'Look at the log of the kernel, and report what it says.',
  ),
} as const satisfies Record<string, ErrorEntry>;

export type ErrorCode = keyof typeof errorTable;

/** Where an error was met: a file, a line and column in it, a field. */
export interface ErrorPlace {
  readonly file?: string | undefined;
  /** 1-based. */
  readonly line?: number | undefined;
  /** 1-based. */
  readonly column?: number | undefined;
  /** Dotted path of the field, such as `policies.2.place`. */
  readonly field?: string | undefined;
}

/** An operating error: `code` says what, `place` where, `remedy` what to do. */
export class SiraError extends Error {
  override readonly name = 'SiraError';
  readonly code: ErrorCode;
  readonly place: ErrorPlace;
  readonly remedy: string;

  /** `detail` says what exactly was wrong; `remedy` overrides the table's when something more precise is known. */
  constructor(code: ErrorCode, detail: string, place: ErrorPlace = {}, remedy?: string) {
    super(detail);
    this.code = code;
    this.place = place;
    this.remedy = remedy ?? errorTable[code].remedy;
  }

  get exitCode(): 1 | 2 {
    return errorTable[this.code].exit;
  }
}
