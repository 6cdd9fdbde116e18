// The best few of many rows, kept in a bounded heap whose top is the worst of them. Best is the higher score, then the lower
// row: a total order, so that the result does not depend on the order of the offers.

export interface RankedRow {
  readonly row: number;
  readonly score: number;
}

export class BestRows {
  private readonly limit: number;
  private readonly rows: Int32Array;
  private readonly scores: Float64Array;
  private count = 0;

  constructor(limit: number) {
    this.limit = limit;
    this.rows = new Int32Array(limit);
    this.scores = new Float64Array(limit);
  }

  get isFull(): boolean {
    return this.count === this.limit;
  }

  /** The score that a row after all that were offered must exceed to be among the best. */
  get bound(): number {
    if (this.count < this.limit) return Number.NEGATIVE_INFINITY;
    return this.limit > 0 ? (this.scores[0] as number) : Number.POSITIVE_INFINITY;
  }

  /** Scores must be numbers, not NaN. */
  offer(row: number, score: number): void {
    if (this.count < this.limit) {
      this.siftUp(this.count++, row, score);
    } else if (this.limit > 0 && worse(this.scores[0] as number, this.rows[0] as number, score, row)) {
      this.siftDown(row, score);
    }
  }

  /** Best first. */
  sorted(): RankedRow[] {
    const ranked: RankedRow[] = [];
    for (let index = 0; index < this.count; index++) {
      ranked.push({ row: this.rows[index] as number, score: this.scores[index] as number });
    }
    return ranked.sort((left, right) => right.score - left.score || left.row - right.row);
  }

  private siftUp(from: number, row: number, score: number): void {
    let index = from;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (!worse(score, row, this.scores[parent] as number, this.rows[parent] as number)) break;
      this.rows[index] = this.rows[parent] as number;
      this.scores[index] = this.scores[parent] as number;
      index = parent;
    }
    this.rows[index] = row;
    this.scores[index] = score;
  }

  private siftDown(row: number, score: number): void {
    let index = 0;
    for (;;) {
      let child = 2 * index + 1;
      if (child >= this.count) break;
      const right = child + 1;
      if (right < this.count && this.isWorse(right, child)) child = right;
      if (!worse(this.scores[child] as number, this.rows[child] as number, score, row)) break;
      this.rows[index] = this.rows[child] as number;
      this.scores[index] = this.scores[child] as number;
      index = child;
    }
    this.rows[index] = row;
    this.scores[index] = score;
  }

  private isWorse(left: number, right: number): boolean {
    return worse(
      this.scores[left] as number,
      this.rows[left] as number,
      this.scores[right] as number,
      this.rows[right] as number,
    );
  }
}

function worse(leftScore: number, leftRow: number, rightScore: number, rightRow: number): boolean {
  return leftScore < rightScore || (leftScore === rightScore && leftRow > rightRow);
}
