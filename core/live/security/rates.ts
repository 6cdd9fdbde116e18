// How much one caller may ask for: token buckets by identity and by address, in a table of bounded size. Messages of a stream that
// come too fast are read later, so that the sender waits and nothing is lost; calls and requests that come too fast are refused.

export interface CallRate {
  readonly perSecond: number;
  /** At once, after a rest. */
  readonly burst: number;
}

export interface RateLimits {
  /** Streams, unary calls and HTTP requests. */
  readonly calls: CallRate;
  /** Messages on streams. */
  readonly messages: CallRate;
  /** Denials, after which an address is not listened to for a while. */
  readonly denials: CallRate;
  /** Streams of one caller at once. */
  readonly streamsMax: number;
  /** HTTP connections of one address at once. */
  readonly connectionsMax: number;
  /** Callers remembered. */
  readonly callersMax: number;
  /** Time within which a stream has said its first message. */
  readonly firstMessageMillis: number;
}

export const defaultRateLimits: RateLimits = {
  calls: { perSecond: 500, burst: 5000 },
  messages: { perSecond: 20_000, burst: 40_000 },
  denials: { perSecond: 5, burst: 100 },
  streamsMax: 4096,
  connectionsMax: 512,
  callersMax: 10_000,
  firstMessageMillis: 10_000,
};

/** A token bucket on the monotonic clock. */
export class RateBucket {
  private readonly rate: CallRate;
  private tokens: number;
  private atMillis: number;

  constructor(rate: CallRate, nowMillis = performance.now()) {
    this.rate = rate;
    this.tokens = rate.burst;
    this.atMillis = nowMillis;
  }

  /** Takes one; false if there is none. */
  take(nowMillis = performance.now()): boolean {
    this.fill(nowMillis);
    if (this.tokens < 1) return false;
    this.tokens--;
    return true;
  }

  /** Takes one that may not be there yet, and says in how many milliseconds it will be. */
  reserve(nowMillis = performance.now()): number {
    this.fill(nowMillis);
    this.tokens--;
    return this.tokens >= 0 ? 0 : (-this.tokens * 1000) / this.rate.perSecond;
  }

  /** Whether one is there. */
  has(nowMillis = performance.now()): boolean {
    this.fill(nowMillis);
    return this.tokens >= 1;
  }

  private fill(nowMillis: number): void {
    const gained = (Math.max(0, nowMillis - this.atMillis) / 1000) * this.rate.perSecond;
    this.tokens = Math.min(this.rate.burst, this.tokens + gained);
    this.atMillis = nowMillis;
  }
}

/** What is remembered of one caller. */
export interface Caller {
  readonly calls: RateBucket;
  readonly messages: RateBucket;
  readonly denials: RateBucket;
  streams: number;
}

export class Callers {
  private readonly limits: RateLimits;
  private readonly byKey = new Map<string, Caller>();

  constructor(limits: RateLimits) {
    this.limits = limits;
  }

  get size(): number {
    return this.byKey.size;
  }

  /** By identity, or by address where none is known. */
  of(key: string): Caller {
    let caller = this.byKey.get(key);
    // The order of the map is that of the latest use.
    if (caller !== undefined) this.byKey.delete(key);
    else {
      const { calls, messages, denials } = this.limits;
      caller = {
        calls: new RateBucket(calls),
        messages: new RateBucket(messages),
        denials: new RateBucket(denials),
        streams: 0,
      };
      if (this.byKey.size >= this.limits.callersMax) this.forgetOne();
    }
    this.byKey.set(key, caller);
    return caller;
  }

  /** The one unseen for longest; those with open streams stay if any other is near. */
  private forgetOne(): void {
    let looked = 0;
    let first: string | undefined;
    for (const [key, { streams }] of this.byKey) {
      first ??= key;
      if (streams === 0 || ++looked > 64) {
        this.byKey.delete(streams === 0 ? key : first);
        return;
      }
    }
    if (first !== undefined) this.byKey.delete(first);
  }
}

/** One caller for all addresses that one host may take: of IPv6 the first 64 bits, of IPv4 all. */
export function addressKey(address: string): string {
  const plain = address.replace(/^::ffff:(?=\d+\.)/, '');
  if (!plain.includes(':')) return `address ${plain}`;
  const [head = '', tail] = plain.split('::');
  const parts = head === '' ? [] : head.split(':');
  const rest = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = tail === undefined ? 0 : Math.max(0, 8 - parts.length - rest.length);
  return `address ${[...parts, ...new Array<string>(zeros).fill('0'), ...rest].slice(0, 4).join(':')}::/64`;
}
