// What a task asks of one machine, interned: tasks that ask for the same thing share one `RequestKind`, so that scores and
// the list of waiting tasks can be kept per kind instead of per task.

import { assert } from '../base/assert.ts';

/** Resources that a task asks for on each of its machines. */
export interface ResourceRequest {
  /** Thousandths of a CPU core. */
  readonly cpuMilli: number;
  /** MiB of memory. */
  readonly memoryMib: number;
  /** Number of GPU devices; 0 asks for none. */
  readonly gpuCount: number;
  /** Thousandths of each device asked for: 1 to 1000, 1000 is a whole device; more than one device means whole ones. */
  readonly gpuMilli: number;
  /** Names of the GPU models that will do; empty means any. */
  readonly gpuModels: readonly string[];
  /** Number of machines that the task spans at once, at least 1. */
  readonly machineCount: number;
}

/** An interned request. `id` counts from 0 in order of first sight. */
export interface RequestKind {
  readonly id: number;
  readonly cpuMilli: number;
  readonly memoryMib: number;
  readonly gpuCount: number;
  readonly gpuMilli: number;
  /** `gpuCount · gpuMilli`: GPU milli asked for on each machine. */
  readonly gpuTotalMilli: number;
  /** One bit per GPU model that will do; 0 means any. See {@link ModelTable}. */
  readonly gpuModelMask: number;
  readonly machineCount: number;
  /** Class of the work, a number of the table of skills; 0 or left out for none. Tasks that ask for the same but are of different
   *  classes are different kinds: agents serve them differently. */
  readonly taskClass?: number | undefined;
  /** The agents of its machines must declare this skill; left out if any will do. */
  readonly skill?: string | undefined;
}

/** Kinds of requests that are kept although nobody uses them; the table is never larger than this, or than twice those in use. */
export const requestKindsMin = 16_384;

/** GPU models that a mask can tell apart. */
export const modelCountMax = 30;

/** GPU model names and their bits. */
export class ModelTable {
  readonly names: string[] = [];

  /** The model's index, adding it if new; −1 for the empty name (no GPU). */
  intern(name: string): number {
    if (name === '') return -1;
    const known = this.names.indexOf(name);
    if (known >= 0) return known;
    if (this.names.length >= modelCountMax) throw new RangeError(`more than ${modelCountMax} GPU models`);
    return this.names.push(name) - 1;
  }

  mask(names: readonly string[]): number {
    let mask = 0;
    for (const name of names) mask |= 1 << this.intern(name);
    return mask;
  }
}

/** In a form that JSON carries; the kinds stand apart. */
export interface RequestKindsState {
  readonly nextId: number;
  readonly crowdedAt: number;
}

/**
 * Interns requests. The order of first sight fixes the ids, so it is deterministic. However many different requests are made, the
 * table is bounded: when it is crowded, {@link RequestKindTable.keepOnly} forgets those that nobody uses, which is looked for again
 * only when it has grown to twice what was left. A request that comes again after that is a new kind, with a new id.
 */
export class RequestKindTable {
  private readonly byId = new Map<number, RequestKind>();
  private readonly byKey = new Map<string, RequestKind>();
  private readonly models: ModelTable;
  private readonly kindsMin: number;
  private nextId = 0;
  private crowdedAt: number;
  /** Workloads share request objects between tasks of a kind; the cache spares those the key. */
  private readonly lately = new WeakMap<ResourceRequest, RequestKind>();

  /** `kindsMin`: so many are always kept. */
  constructor(models: ModelTable, kindsMin = requestKindsMin) {
    this.models = models;
    this.kindsMin = kindsMin;
    this.crowdedAt = kindsMin;
  }

  /** In order of first sight. */
  get all(): Iterable<RequestKind> {
    return this.byId.values();
  }

  get size(): number {
    return this.byId.size;
  }

  /** There are so many that those without use should be forgotten. */
  get isCrowded(): boolean {
    return this.byId.size >= this.crowdedAt;
  }

  find(id: number): RequestKind | undefined {
    return this.byId.get(id);
  }

  /** `skill`: see {@link RequestKind}. */
  intern(request: ResourceRequest, taskClass = 0, skill = ''): RequestKind {
    const lately = this.lately.get(request);
    const isSame = lately !== undefined && (lately.taskClass ?? 0) === taskClass && (lately.skill ?? '') === skill;
    if (isSame && this.byId.has(lately.id)) return lately;
    const mask = this.models.mask(request.gpuModels);
    const gpuMilli = request.gpuCount === 0 ? 0 : request.gpuMilli;
    const kind: RequestKind = {
      id: this.nextId,
      cpuMilli: request.cpuMilli,
      memoryMib: request.memoryMib,
      gpuCount: request.gpuCount,
      gpuMilli,
      gpuTotalMilli: request.gpuCount * gpuMilli,
      gpuModelMask: request.gpuCount === 0 ? 0 : mask,
      machineCount: request.machineCount,
      taskClass,
      ...(skill === '' ? {} : { skill }),
    };
    const key = keyOf(kind);
    const known = this.byKey.get(key);
    if (known !== undefined) {
      this.lately.set(request, known);
      return known;
    }
    this.add(key, kind);
    this.lately.set(request, kind);
    return kind;
  }

  /** Forgets all kinds but those `used`. */
  keepOnly(used: ReadonlySet<RequestKind>): void {
    for (const [id, kind] of this.byId) {
      if (used.has(kind)) continue;
      this.byId.delete(id);
      this.byKey.delete(keyOf(kind));
    }
    this.crowdedAt = Math.max(this.kindsMin, 2 * this.byId.size);
  }

  save(): RequestKindsState {
    return { nextId: this.nextId, crowdedAt: this.crowdedAt };
  }

  /** Takes kinds from a snapshot, in the order of their ids; without `state`, one of before kinds were forgotten. */
  restore(kinds: Iterable<RequestKind>, state: RequestKindsState | undefined): void {
    for (const kind of kinds) this.add(keyOf(kind), kind);
    if (state === undefined) return;
    this.nextId = state.nextId;
    this.crowdedAt = state.crowdedAt;
  }

  private add(key: string, kind: RequestKind): void {
    assert(kind.id >= this.nextId, 'kinds are numbered in order');
    this.nextId = kind.id + 1;
    this.byId.set(kind.id, kind);
    this.byKey.set(key, kind);
  }
}

function keyOf(kind: RequestKind): string {
  return `${kind.cpuMilli} ${kind.memoryMib} ${kind.gpuCount} ${kind.gpuMilli} ${kind.gpuModelMask} ${kind.machineCount} ${kind.taskClass ?? 0} ${kind.skill ?? ''}`;
}
