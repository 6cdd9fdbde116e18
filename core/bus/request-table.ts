// Requests that wait for their reply: found by (requester, correlation), and by the earliest time-out.

import { assert } from '../base/assert.ts';
import type { DeadlineEntry } from './deadline-heap.ts';
import { DeadlineHeap } from './deadline-heap.ts';

export interface WaitingRequest extends DeadlineEntry {
  readonly requester: string;
  readonly correlation: number;
  readonly replyTopic: string;
}

export interface SavedRequest {
  readonly id: number;
  readonly requester: string;
  readonly correlation: number;
  readonly replyTopic: string;
  readonly deadlineMicros: number;
}

export interface RequestTableState {
  readonly nextId: number;
  readonly requests: readonly SavedRequest[];
}

export class RequestTable {
  size = 0;
  private nextId = 0;
  private readonly heap = new DeadlineHeap<WaitingRequest>();
  private readonly byRequester = new Map<string, Map<number, WaitingRequest>>();

  /** Time of the earliest time-out, Infinity if nothing waits. */
  get earliestMicros(): number {
    return this.heap.first?.heapKey ?? Number.POSITIVE_INFINITY;
  }

  get first(): WaitingRequest | undefined {
    return this.heap.first;
  }

  add(requester: string, correlation: number, replyTopic: string, deadlineMicros: number): void {
    this.insert({ id: this.nextId++, requester, correlation, replyTopic, heapKey: 0, heapIndex: -1 }, deadlineMicros);
  }

  find(requester: string, correlation: number): WaitingRequest | undefined {
    return this.byRequester.get(requester)?.get(correlation);
  }

  remove(request: WaitingRequest): void {
    const own = this.byRequester.get(request.requester);
    assert(own?.delete(request.correlation) === true, 'no such request');
    if (own.size === 0) this.byRequester.delete(request.requester);
    this.heap.remove(request);
    this.size--;
  }

  /** Looks at all of them. */
  awaitsReplyOn(topic: string): boolean {
    for (const own of this.byRequester.values())
      for (const { replyTopic } of own.values()) if (replyTopic === topic) return true;
    return false;
  }

  shiftTimers(byMicros: number): void {
    this.heap.shift(byMicros);
  }

  save(): RequestTableState {
    const requests: SavedRequest[] = [];
    for (const own of this.byRequester.values()) {
      for (const { id, requester, correlation, replyTopic, heapKey } of own.values()) {
        requests.push({ id, requester, correlation, replyTopic, deadlineMicros: heapKey });
      }
    }
    return { nextId: this.nextId, requests };
  }

  /** On a fresh table. */
  restore(state: RequestTableState): void {
    this.nextId = state.nextId;
    for (const { id, requester, correlation, replyTopic, deadlineMicros } of state.requests) {
      this.insert({ id, requester, correlation, replyTopic, heapKey: 0, heapIndex: -1 }, deadlineMicros);
    }
  }

  private insert(request: WaitingRequest, deadlineMicros: number): void {
    let own = this.byRequester.get(request.requester);
    if (own === undefined) {
      own = new Map();
      this.byRequester.set(request.requester, own);
    }
    assert(!own.has(request.correlation), 'the request waits already');
    own.set(request.correlation, request);
    this.heap.add(request, deadlineMicros);
    this.size++;
  }
}
