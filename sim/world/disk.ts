// A simulated disk over the events of a simulation: folders that answer through the file port, each operation after its delay,
// with everything that a real disk does wrong: it fills up, slows down, fails, rots, and at a crash loses what was not synced
// or keeps a torn part of it. Every draw comes from the disk's own stream. `file-port.contract.ts` holds it to the port.

import { assert } from '../../core/base/assert.ts';
import type { RandomStream } from '../../core/base/random.ts';
import {
  type FileCompletion,
  type FileEntry,
  type FileFailure,
  type FileOperation,
  type FilePort,
  type FileRequest,
  isFileName,
} from '../../core/ports/file-port.ts';
import { sampleExponential } from '../engine/distributions.ts';
import { eventPriority } from '../engine/priority.ts';
import type { Simulation } from '../engine/simulation.ts';
import { sectorBytes } from './disk-file.ts';
import { DiskFolder } from './disk-folder.ts';
import { type DiskSpec, soundDisk } from './disk-spec.ts';
import { sampleLatency } from './latency.ts';

/** An operation on its way. */
interface Pending {
  readonly folderName: string;
  readonly folder: DiskFolder;
  readonly operation: FileOperation;
  readonly complete: (completion: FileCompletion) => void;
}

/** Beyond this many, lanes that are free are forgotten. */
const laneCountMax = 256;
const noBytes: Readonly<Uint8Array> = new Uint8Array(0);
const noEntries: readonly FileEntry[] = [];

export class Disk {
  private readonly simulation: Simulation;
  private spec: DiskSpec;
  private readonly random: RandomStream;
  private readonly folders = new Map<string, DiskFolder>();
  /** In order of submission. */
  private readonly pending = new Map<number, Pending>();
  /** When the last operation of a lane (a file, or the names of a folder) completes. */
  private laneFree = new Map<string, number>();
  private deviceFreeMicros = 0;
  private slowFromMicros: number;
  private slowUntilMicros: number;
  private nextTicket = 0;
  private readonly doneHandler: number;
  /** Everything takes this many times as long, 0 no time: a fault that is put on and taken off from outside. */
  slowness = 1;
  /** Bytes that all files together may hold; may be changed, as when an operator makes room. */
  capacityBytes: number;
  /** No room is left, whatever the capacity: likewise. */
  isFull = false;
  /** Every sync fails: likewise. */
  syncsFail = false;
  /** No less than {@link usedBytes}: what was used when it was counted last, and what was appended since. */
  private usedBytesMost = 0;
  /** Operations submitted, syncs among them, and bits flipped, so far. */
  operationCount = 0;
  syncCount = 0;
  flippedBits = 0;

  constructor(simulation: Simulation, spec: DiskSpec, random: RandomStream) {
    this.simulation = simulation;
    this.spec = spec;
    this.capacityBytes = spec.capacityBytes;
    this.random = random;
    this.doneHandler = simulation.defineHandler('disk done', (ticket) => this.finish(ticket));
    this.slowFromMicros = this.drawGap(spec.slowEpisodes.meanBetweenMicros);
    this.slowUntilMicros = this.slowFromMicros + this.drawGap(spec.slowEpisodes.meanLengthMicros);
    if (spec.bitRotMeanMicros !== Number.POSITIVE_INFINITY) {
      const rot = simulation.defineHandler('bit rot', () => {
        if (this.spec.bitRotMeanMicros === Number.POSITIVE_INFINITY) return;
        this.flipBits(1);
        simulation.schedule(
          simulation.nowMicros + 1 + this.drawGap(spec.bitRotMeanMicros),
          eventPriority.world,
          rot,
          0,
          undefined,
        );
      });
      const first = simulation.nowMicros + 1 + this.drawGap(spec.bitRotMeanMicros);
      simulation.schedule(first, eventPriority.world, rot, 0, undefined);
    }
  }

  /** A port onto a folder, made if it is not there. Several ports onto one folder see the same files. */
  open(folderName: string, complete: (completion: FileCompletion) => void): FilePort {
    let folder = this.folders.get(folderName);
    if (folder === undefined) {
      folder = new DiskFolder();
      this.folders.set(folderName, folder);
    }
    const owner = folder;
    return { submit: (operation) => this.submit({ folderName, folder: owner, operation, complete }) };
  }

  get usedBytes(): number {
    let used = 0;
    for (const folder of this.folders.values()) for (const file of folder.files()) used += file.sizeBytes;
    return used;
  }

  /** Power is gone. What was on its way is done in part or not at all, and no completion comes any more. */
  crash(): void {
    const halted = new Set<string>();
    for (const { folderName, folder, operation } of this.pending.values()) {
      // What waits for an operation that did not end has not begun.
      const lanes = lanesOf(operation.request).map((lane) => `${folderName}/${lane}`);
      if (lanes.every((lane) => !halted.has(lane))) this.interrupt(folder, operation.request);
      for (const lane of lanes) halted.add(lane);
    }
    this.pending.clear();
    this.laneFree = new Map();
    this.deviceFreeMicros = this.simulation.nowMicros;
    for (const folder of this.folders.values()) folder.crash(this.random);
    // A file that was cut, or removed, may be back as it was.
    this.usedBytesMost = this.usedBytes;
  }

  /** Flips `count` bits somewhere in what is on the device; fewer if there is nothing. */
  flipBits(count: number): void {
    for (let index = 0; index < count; index++) {
      const files = [...this.folders.values()].flatMap((folder) => folder.names().map((name) => folder.get(name)!));
      if (files.length > 0 && files[this.random.nextBelow(files.length)]!.flipBit(this.random)) this.flippedBits++;
    }
  }

  /** From now on nothing fails or slows down by itself. */
  calm(): void {
    const { syncFailure, readFailure, writeFailure, bitRotMeanMicros, slowEpisodes } = soundDisk;
    this.spec = { ...this.spec, syncFailure, readFailure, writeFailure, bitRotMeanMicros, slowEpisodes };
    this.slowFromMicros = Number.POSITIVE_INFINITY;
  }

  /** The content of a file as its readers see it, `undefined` if there is none: for tests and oracles. */
  contentOf(folderName: string, name: string): Uint8Array | undefined {
    const file = this.folders.get(folderName)?.get(name);
    return file?.read(0, file.sizeBytes);
  }

  private submit(pending: Pending): void {
    const { folderName } = pending;
    const { request } = pending.operation;
    for (const name of namesOf(request)) assert(isFileName(name), 'not a file name');
    this.operationCount++;
    if (request.kind === 'sync' || request.kind === 'syncFolder') this.syncCount++;
    let atMicros = this.simulation.nowMicros + Math.max(1, this.serviceMicros(request));
    const lanes = lanesOf(request).map((lane) => `${folderName}/${lane}`);
    for (const lane of lanes) atMicros = Math.max(atMicros, this.laneFree.get(lane) ?? 0);
    for (const lane of lanes) this.laneFree.set(lane, atMicros);
    if (this.laneFree.size > laneCountMax) this.forgetLanes();
    const ticket = this.nextTicket;
    this.nextTicket = (this.nextTicket + 1) % 2_000_000_000;
    this.pending.set(ticket, pending);
    this.simulation.schedule(atMicros, eventPriority.world, this.doneHandler, ticket, undefined);
  }

  private forgetLanes(): void {
    const now = this.simulation.nowMicros;
    for (const [lane, freeMicros] of this.laneFree) if (freeMicros <= now) this.laneFree.delete(lane);
  }

  private finish(ticket: number): void {
    const pending = this.pending.get(ticket);
    // A crash came before.
    if (pending === undefined) return;
    this.pending.delete(ticket);
    pending.complete(this.perform(pending.folder, pending.operation));
  }

  private perform(folder: DiskFolder, { id, request }: FileOperation): FileCompletion {
    const done = (bytes: Uint8Array = noBytes, entries = noEntries): FileCompletion => ({
      id,
      ok: true,
      bytes,
      entries,
    });
    const failed = (failure: FileFailure, reason: string): FileCompletion => ({ id, ok: false, failure, reason });
    const { random, spec } = this;
    if (request.kind === 'list') {
      const entries = folder.names().map((name) => ({ name, sizeBytes: folder.get(name)!.sizeBytes }));
      return done(noBytes, entries);
    }
    if (request.kind === 'syncFolder') {
      if (this.syncsFail || this.strikes(spec.syncFailure)) return failed('ioError', 'the folder could not be synced');
      folder.sync();
      return done();
    }
    const file = folder.get(request.file);
    if (request.kind === 'create') {
      if (file !== undefined) return failed('exists', `${request.file} exists`);
      if (this.isFull) return failed('full', 'no space left on the disk');
      folder.add(request.file);
      return done();
    }
    if (file === undefined) return failed('notFound', `no file ${request.file}`);
    const isChange = request.kind === 'truncate' || request.kind === 'rename' || request.kind === 'remove';
    if (isChange && this.strikes(spec.writeFailure))
      return failed('ioError', `${request.file}: ${request.kind} failed`);
    switch (request.kind) {
      case 'append': {
        if (this.strikes(spec.writeFailure)) {
          this.usedBytesMost += request.bytes.length;
          file.append(request.bytes.subarray(0, random.nextBelow(request.bytes.length + 1)));
          return failed('ioError', `${request.file}: write failed`);
        }
        // What a full disk still takes of an append is a matter of luck.
        const rest = this.isFull ? sectorBytes * random.nextBelow(3) : this.roomFor(request.bytes.length);
        const room = Math.max(0, rest);
        this.usedBytesMost += Math.min(room, request.bytes.length);
        if (request.bytes.length <= room && !this.isFull) {
          file.append(request.bytes);
          return done();
        }
        file.append(request.bytes.subarray(0, room - (room % sectorBytes)));
        return failed('full', `no space left on the disk for ${request.file}`);
      }
      case 'readAt':
        if (this.strikes(spec.readFailure)) return failed('ioError', `${request.file}: read failed`);
        return done(file.read(request.position, request.length));
      case 'sync':
        if (this.syncsFail || this.strikes(spec.syncFailure)) {
          file.failSync(random);
          return failed('ioError', `${request.file}: sync failed`);
        }
        file.sync();
        return done();
      case 'truncate':
        if (request.size > file.sizeBytes) return failed('ioError', `${request.file} is shorter than ${request.size}`);
        file.truncate(request.size);
        return done();
      case 'rename':
        folder.rename(request.file, request.to);
        return done();
      case 'remove':
        folder.remove(request.file);
        return done();
    }
  }

  /** Bytes of room: exact where they are fewer than `bytes`; many files are counted only when it matters. */
  private roomFor(bytes: number): number {
    if (this.capacityBytes - this.usedBytesMost < bytes) this.usedBytesMost = this.usedBytes;
    return this.capacityBytes - this.usedBytesMost;
  }

  /** At a crash, what was on its way may have begun. */
  private interrupt(folder: DiskFolder, request: FileRequest): void {
    const begun = this.random.nextBelow(2) === 0;
    if (!begun || request.kind === 'list' || request.kind === 'syncFolder' || request.kind === 'readAt') return;
    const file = folder.get(request.file);
    if (request.kind === 'create') {
      if (file === undefined) folder.add(request.file);
    } else if (file === undefined) return;
    else if (request.kind === 'append') {
      file.append(request.bytes.subarray(0, this.random.nextBelow(request.bytes.length + 1)));
    } else if (request.kind === 'truncate') file.truncate(Math.min(request.size, file.sizeBytes));
    else if (request.kind === 'rename') folder.rename(request.file, request.to);
    else if (request.kind === 'remove') folder.remove(request.file);
  }

  private strikes(share: number): boolean {
    return share > 0 && this.random.nextFloat() < share;
  }

  private serviceMicros(request: FileRequest): number {
    const { random, spec } = this;
    const now = this.simulation.nowMicros;
    const isSync = request.kind === 'sync' || request.kind === 'syncFolder';
    const isRead = request.kind === 'readAt' || request.kind === 'list';
    const latency = sampleLatency(random, isSync ? spec.syncLatency : isRead ? spec.readLatency : spec.writeLatency);
    const bytes = request.kind === 'append' ? request.bytes.length : request.kind === 'readAt' ? request.length : 0;
    // Two reasons to be slow do not multiply: what begins under both would take far longer than either lasts.
    const factor = this.slowness === 0 ? 0 : Math.max(this.slowness, this.episodeFactor(now));
    let transfer = 0;
    if (bytes > 0 && spec.bandwidthBytesPerSecond > 0) {
      const begin = Math.max(now, this.deviceFreeMicros);
      this.deviceFreeMicros = begin + Math.ceil((bytes * 1_000_000 * factor) / spec.bandwidthBytesPerSecond);
      transfer = this.deviceFreeMicros - now;
    }
    return transfer + Math.round(latency * factor);
  }

  private episodeFactor(now: number): number {
    const { meanBetweenMicros, meanLengthMicros, factor } = this.spec.slowEpisodes;
    while (now >= this.slowUntilMicros) {
      this.slowFromMicros = this.slowUntilMicros + this.drawGap(meanBetweenMicros);
      this.slowUntilMicros = this.slowFromMicros + 1 + this.drawGap(meanLengthMicros);
    }
    return now >= this.slowFromMicros ? factor : 1;
  }

  private drawGap(meanMicros: number): number {
    if (meanMicros === Number.POSITIVE_INFINITY) return meanMicros;
    return Math.round(sampleExponential(this.random, meanMicros));
  }
}

function namesOf(request: FileRequest): string[] {
  if (request.kind === 'list' || request.kind === 'syncFolder') return [];
  return request.kind === 'rename' ? [request.file, request.to] : [request.file];
}

/** What an operation is ordered by: its files, and `` for the names of the folder. */
function lanesOf(request: FileRequest): string[] {
  switch (request.kind) {
    case 'readAt':
      return [];
    case 'list':
    case 'syncFolder':
      return [''];
    case 'create':
    case 'rename':
    case 'remove':
      return ['', ...namesOf(request)];
    default:
      return [request.file];
  }
}
