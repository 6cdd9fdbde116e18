// One calendar of the event queue: a stretch of time cut into days of equal width, each an unsorted list of events. Which
// events it takes, and when a day is taken out, is decided by `EventQueue`.

const dayCountMin = 64;
const dayCountMax = 2 ** 20;

export class Calendar {
  start = 0;
  /** The first time after the last day. */
  end = 0;
  /** Width of a day, a power of two so that a time's day is found by an exact multiplication; `start` is a multiple of it. */
  width = 1;
  inverseWidth = 1;
  dayCount = 0;
  /** The first day that has not been taken out. */
  day = 0;
  /** By day: its newest event, −1 if it has none. */
  heads = new Int32Array(0);

  /** Starts afresh with days for about `count` events from `from` to before `to`. All days taken out before must be empty. */
  open(from: number, to: number, count: number): void {
    const wanted = Math.min(Math.max(powerOfTwoAtLeast(count), dayCountMin), dayCountMax);
    this.width = powerOfTwoAtLeast((to - from) / wanted);
    this.inverseWidth = 1 / this.width;
    this.start = Math.floor(from * this.inverseWidth) * this.width;
    this.end = to;
    this.dayCount = Math.ceil((to - this.start) * this.inverseWidth);
    this.day = 0;
    if (this.heads.length < this.dayCount) this.heads = new Int32Array(powerOfTwoAtLeast(this.dayCount)).fill(-1);
  }

  /** The day of a time between `start` and `end`. */
  dayOf(time: number): number {
    return ((time - this.start) * this.inverseWidth) | 0;
  }

  /** When a day starts; for the day after the last, the calendar's end. */
  startOf(day: number): number {
    const start = this.start + day * this.width;
    return Math.min(start, this.end);
  }

  /** Adds an event, the newest of its day. */
  add(slot: number, time: number, nexts: Int32Array): void {
    const { heads } = this;
    const day = ((time - this.start) * this.inverseWidth) | 0;
    nexts[slot] = heads[day]!;
    heads[day] = slot;
  }
}

/** The least power of two that is not below `value`, at least 1. */
function powerOfTwoAtLeast(value: number): number {
  let power = 1;
  while (power < value) power *= 2;
  return power;
}
