// The recommendations that there are, and the ledger of those that were followed: one file in the kernel's data folder, written anew
// and put in place at once, so that a crash leaves the one before. Bounded: the oldest that are over go, with their files.

import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { open, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { SiraError } from '../../core/base/errors.ts';
import {
  endStates,
  type LedgerEntry,
  type Recommendation,
  type RecommendationKind,
  type RecommendationState,
} from './recommendation.ts';
import type { Said } from './routes.ts';

const format = 'sira recommendations 1';
const recommendationsMax = 200;
const ledgerMax = 1000;
const historyMax = 50;
/** Folders of evidence that are kept. */
const foldersMax = 24;

interface Kept {
  readonly format: string;
  readonly nextId: number;
  readonly nextFolder: number;
  readonly recommendations: readonly Recommendation[];
  readonly ledger: readonly LedgerEntry[];
}

export type NewRecommendation = Pick<Recommendation, 'kind' | 'state' | 'title' | 'finding' | 'change' | 'means'> &
  Partial<Omit<Recommendation, 'id' | 'version' | 'history'>> & { readonly expiresMicros: number };

export class RecommendationBook {
  readonly folder: string;
  private readonly now: () => number;
  private nextId = 1;
  private nextFolder = 1;
  /** Oldest first. */
  private recommendations: Recommendation[] = [];
  private readonly ledger: LedgerEntry[] = [];
  /** The latest writing, and whether another follows it already. */
  private last: Promise<void> = Promise.resolve();
  private isWaiting = false;
  private failure: SiraError | undefined;

  /** Throws SIRA_LOG_CORRUPT if the file is not what was written. */
  constructor(folder: string, now: () => number) {
    this.folder = folder;
    this.now = now;
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const file = join(folder, 'recommendations.json');
    if (!existsSync(file)) return;
    let kept: Kept;
    try {
      kept = JSON.parse(readFileSync(file, 'utf8')) as Kept;
    } catch (error) {
      throw new SiraError('SIRA_LOG_CORRUPT', (error as Error).message, { file });
    }
    if (kept.format !== format) throw new SiraError('SIRA_LOG_VERSION', `it is not "${format}"`, { file });
    this.nextId = kept.nextId;
    this.nextFolder = kept.nextFolder;
    this.recommendations = [...kept.recommendations];
    this.ledger.push(...kept.ledger);
  }

  /** Newest first. */
  list(): readonly Recommendation[] {
    return [...this.recommendations].reverse();
  }

  /** Throws SIRA_NOT_FOUND. */
  get(id: number): Recommendation {
    const found = this.recommendations.find((one) => one.id === id);
    if (found === undefined) throw new SiraError('SIRA_NOT_FOUND', `there is no recommendation ${id}`);
    return found;
  }

  /** Oldest first. */
  entries(kind?: RecommendationKind): readonly LedgerEntry[] {
    return kind === undefined ? this.ledger : this.ledger.filter((entry) => entry.kind === kind);
  }

  add(fresh: NewRecommendation, { who, why }: Said): Recommendation {
    const atMicros = this.now();
    const one: Recommendation = {
      ...{ progress: 0, reasons: [], isWhatIf: false, effects: [], evidence: null, risk: null, steps: [] },
      ...{ applied: null, realized: null, createdMicros: atMicros, updatedMicros: atMicros },
      ...fresh,
      ...{ id: this.nextId++, version: 1, history: [{ atMicros, state: fresh.state, who, why }] },
    };
    this.recommendations.push(one);
    this.forget();
    this.save();
    return one;
  }

  /** A step to another state is kept in the history. */
  change(id: number, to: Partial<Omit<Recommendation, 'id' | 'version' | 'history'>>, said?: Said): Recommendation {
    const before = this.get(id);
    const atMicros = this.now();
    const state = to.state ?? before.state;
    const history =
      said === undefined ? before.history : [...before.history, { atMicros, state, ...said }].slice(-historyMax);
    const after = { ...before, ...to, version: before.version + 1, updatedMicros: atMicros, history };
    this.recommendations = this.recommendations.map((one) => (one.id === id ? after : one));
    if (said !== undefined) this.save();
    return after;
  }

  note(entry: LedgerEntry): void {
    this.ledger.push(entry);
    this.ledger.splice(0, this.ledger.length - ledgerMax);
    this.save();
  }

  /** A fresh folder for files of evidence. */
  evidenceFolder(): string {
    const folder = join(this.folder, `analysis-${this.nextFolder++}`);
    this.save();
    return folder;
  }

  private forget(): void {
    while (this.recommendations.length > recommendationsMax) {
      const oldest = this.recommendations.findIndex(({ state }) => endStates.includes(state));
      this.recommendations.splice(Math.max(0, oldest), 1);
    }
    const numbers = readdirSync(this.folder).flatMap((name) => {
      const [, number] = /^analysis-(\d+)$/.exec(name) ?? [];
      return number === undefined ? [] : [Number(number)];
    });
    const surplus = numbers.sort((left, right) => right - left).slice(foldersMax);
    for (const number of surplus) {
      const folder = join(this.folder, `analysis-${number}`);
      const isNeeded = this.recommendations.some(
        ({ state, evidence }) =>
          !endStates.includes(state) && evidence?.files.some(({ file }) => file.startsWith(`${folder}/`)) === true,
      );
      if (!isNeeded) rmSync(folder, { recursive: true, force: true });
    }
  }

  /** Resolves when all that has changed so far is on the disk. Rejects if the disk does not take it. */
  async saved(): Promise<void> {
    await this.last;
    if (this.failure !== undefined) throw this.failure;
  }

  /** Nobody waits for the disk; what changes while it writes goes along with the next file. */
  private save(): void {
    if (this.isWaiting) return;
    this.isWaiting = true;
    this.last = this.last.then(async () => {
      this.isWaiting = false;
      try {
        await this.write();
        this.failure = undefined;
      } catch (error) {
        this.failure = new SiraError('SIRA_DISK_FAILED', (error as Error).message, { file: this.folder });
      }
    });
  }

  private async write(): Promise<void> {
    const { nextId, nextFolder, recommendations, ledger } = this;
    const kept: Kept = { format, nextId, nextFolder, recommendations, ledger };
    const file = join(this.folder, 'recommendations.json');
    const handle = await open(`${file}.new`, 'w', 0o600);
    try {
      await handle.writeFile(JSON.stringify(kept));
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(`${file}.new`, file);
  }
}

/** Throws SIRA_ADVICE_REFUSED unless it is in one of these states. */
export function requireState(one: Recommendation, word: string, ...states: readonly RecommendationState[]): void {
  if (states.includes(one.state)) return;
  const reasons = one.reasons.length === 0 ? '' : `: ${one.reasons[0]}`;
  throw new SiraError('SIRA_ADVICE_REFUSED', `recommendation ${one.id} is ${one.state}${reasons}; it cannot ${word}`);
}
