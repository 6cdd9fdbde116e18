// Numbers that wait for an answer, all equally long, so that the queue stays sorted by itself. Numbers may grow without end
// (attempts, submissions): whether one still waits is the owner's to say, and one answered meanwhile is skipped in its turn.

interface Waiting {
  readonly id: number;
  readonly deadlineMicros: number;
}

export class RetryQueue {
  private items: Waiting[] = [];
  private first = 0;

  /** Costs no search as long as deadlines do not fall from one call to the next; they do when the wait was shortened. */
  add(id: number, deadlineMicros: number): void {
    let position = this.items.length;
    while (position > this.first && (this.items[position - 1] as Waiting).deadlineMicros > deadlineMicros) position--;
    if (position === this.items.length) this.items.push({ id, deadlineMicros });
    else this.items.splice(position, 0, { id, deadlineMicros });
  }

  /** Deadline of the first id for which `waits` still holds, `Infinity` if none does. Forgets those answered before it. */
  nextDeadline(waits: (id: number) => boolean): number {
    while (this.first < this.items.length) {
      const item = this.items[this.first] as Waiting;
      if (waits(item.id)) return item.deadlineMicros;
      this.dropFirst();
    }
    return Number.POSITIVE_INFINITY;
  }

  /** Takes out the first id if it is due, or −1. */
  takeDue(nowMicros: number): number {
    const item = this.items[this.first];
    if (item === undefined || item.deadlineMicros > nowMicros) return -1;
    this.dropFirst();
    return item.id;
  }

  save(): readonly Waiting[] {
    return this.items.slice(this.first);
  }

  restore(items: readonly Waiting[]): void {
    this.items = [...items];
    this.first = 0;
  }

  private dropFirst(): void {
    this.first++;
    // Not sooner, though the queue is empty after most answers: an array emptied by its length allocates anew.
    if (this.first > 1024 && this.first * 2 > this.items.length) {
      this.items = this.items.slice(this.first);
      this.first = 0;
    }
  }
}
