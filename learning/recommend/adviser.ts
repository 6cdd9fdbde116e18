// The adviser of a live kernel: looks at its telemetry from time to time or when asked, has candidates simulated on another thread,
// and leads what a person applies to its end: the effect is measured over a window, held against what was predicted, taken back if
// it is worse than the interval allows, and entered in the ledger. It gives the kernel inputs only on a person's word, or to take
// back; one piece of advice is tried at a time, or nobody could tell their effects apart.

import { join, resolve } from 'node:path';
import { SiraError } from '../../core/base/errors.ts';
import { formatDuration } from '../../core/base/time.ts';
import type { HttpSources } from '../../core/live/http/views.ts';
import type { RecommendationSettings } from '../../core/live/start-settings.ts';
import type { AdviceAnswer, AnalyseJob, JudgedCandidate } from './advice-job.ts';
import { type Candidate, kindOf, meansOf } from './candidates.ts';
import { changed, rulesDigest } from './configuration.ts';
import { adviser, FollowUp } from './follow-up.ts';
import { ledgerOf, wideningOf } from './ledger.ts';
import { presentConfiguration } from './present-configuration.ts';
import { previousValues, putInForce, rolloutOf, stepsFor, takeBack } from './put-in-force.ts';
import { readRows } from './read-rows.ts';
import {
  type AnalysisView,
  type Change,
  type Ledger,
  type Recommendation,
  recommendationKinds,
} from './recommendation.ts';
import { RecommendationBook, requireState } from './recommendation-book.ts';
import type { Advice, Said } from './routes.ts';
import { failureOf, SimulationDesk } from './simulation-desk.ts';

const tickMillis = 250;
/** Recommendations that wait for the simulator at once. */
const simulatingMax = 16;

export class Adviser implements Advice {
  private readonly sources: HttpSources;
  private readonly settings: RecommendationSettings;
  private readonly book: RecommendationBook;
  private readonly desk = new SimulationDesk();
  private readonly timer: NodeJS.Timeout;
  private standing: AnalysisView = { state: 'none', atMicros: 0, sentence: '' };
  private readonly followUp: FollowUp;
  private nextMicros: number;
  /** Those that are being put in force. */
  private readonly inFlight = new Set<number>();

  /** Throws SIRA_LOG_CORRUPT, SIRA_LOG_VERSION for a file that it cannot read. */
  constructor(sources: HttpSources, settings: RecommendationSettings) {
    this.sources = sources;
    this.settings = settings;
    this.book = new RecommendationBook(join(resolve(sources.live.options.dataFolder), 'recommendations'), () =>
      sources.live.now(),
    );
    this.resume();
    this.followUp = new FollowUp(sources, settings, this.book, this.desk);
    this.nextMicros = sources.live.now() + settings.everyMicros;
    this.timer = setInterval(() => this.tick(), tickMillis);
    this.timer.unref();
  }

  async close(): Promise<void> {
    clearInterval(this.timer);
    await this.desk.close();
    await this.book.saved().catch(() => {});
  }

  get analysis(): AnalysisView {
    return this.standing;
  }

  list(): readonly Recommendation[] {
    return this.book.list();
  }

  get(id: number): Recommendation {
    return this.book.get(id);
  }

  ledger(): Ledger {
    return ledgerOf(this.book.entries());
  }

  analyse(): AnalysisView {
    if (this.standing.state === 'running') return this.standing;
    this.nextMicros = this.sources.live.now() + this.settings.everyMicros;
    this.standing = { state: 'running', atMicros: this.sources.live.now(), sentence: '' };
    void this.begin(undefined);
    return this.standing;
  }

  whatIf(change: Change, said: Said): Recommendation {
    const problem = changed(presentConfiguration(this.sources.live), change);
    if (typeof problem === 'string') throw new SiraError('SIRA_ADVICE_REFUSED', problem);
    this.requireRoom();
    const candidate: Candidate = {
      ...{ kind: kindOf(change), change, title: titleOf(change), finding: `asked for by ${said.who}` },
    };
    const asked = this.addSimulating(candidate, true, said);
    void this.begin([asked]);
    return asked;
  }

  simulate(id: number, said: Said): Recommendation {
    const one = this.book.get(id);
    requireState(one, 'be simulated', 'recommended', 'notRecommended', 'expired', 'failed');
    if (one.kind === 'doNothing' || one.kind === 'cannotTell')
      throw new SiraError('SIRA_ADVICE_REFUSED', 'it changes nothing that could be simulated');
    this.requireRoom();
    const expiresMicros = this.sources.live.now() + this.settings.expireMicros;
    const again = this.book.change(id, { state: 'simulating', progress: 0, reasons: [], expiresMicros }, said);
    void this.begin([again]);
    return again;
  }

  async apply(id: number, said: Said): Promise<Recommendation> {
    const one = this.book.get(id);
    requireState(one, 'be applied', 'recommended', 'awaitsPerson');
    const other = this.book.list().find(({ state }) => state === 'applying' || state === 'measuring');
    if (other !== undefined)
      throw new SiraError('SIRA_ADVICE_REFUSED', `recommendation ${other.id} is ${other.state}: one at a time`);
    if (one.state === 'awaitsPerson') {
      const done = { ...this.window(), previous: {}, rollout: null, ...said };
      return this.book.change(id, { state: 'measuring', applied: done }, said);
    }
    if (one.evidence?.present !== rulesDigest(presentConfiguration(this.sources.live)))
      throw new SiraError(
        'SIRA_ADVICE_REFUSED',
        'policy or settings have changed since it was simulated',
        {},
        'Have it simulated again (`sira recommend simulate`), and look at what it would do now.',
      );
    if (one.means === 'byHand') return this.book.change(id, { state: 'awaitsPerson' }, said);
    // Nobody else applies it meanwhile.
    const state = one.means === 'rollout' ? 'applying' : 'measuring';
    const applied = { ...this.window(), previous: previousValues(this.sources, one.change), rollout: null, ...said };
    this.book.change(id, { state, applied }, said);
    this.inFlight.add(id);
    try {
      // What it changes must be known before it is changed: a kernel that stops in between can still take it back.
      await this.book.saved();
      const rollout = await putInForce(this.sources, one, said, this.settings.plan);
      const now = { ...applied, ...this.window(), rollout };
      this.book.change(id, { applied: now }, { ...adviser, why: 'the kernel has it on its disk' });
      return this.book.get(id);
    } catch (error) {
      this.book.change(id, { state: 'recommended', applied: null }, { ...adviser, why: (error as Error).message });
      throw error;
    } finally {
      this.inFlight.delete(id);
    }
  }

  dismiss(id: number, said: Said): Recommendation {
    const open = ['simulating', 'recommended', 'notRecommended', 'answered', 'awaitsPerson'] as const;
    requireState(this.book.get(id), 'be dismissed', ...open);
    return this.book.change(id, { state: 'dismissed' }, said);
  }

  async rollback(id: number, said: Said): Promise<Recommendation> {
    const one = this.book.get(id);
    requireState(one, 'be rolled back', 'applying', 'measuring', 'confirmed', 'unproven');
    if (this.inFlight.has(id)) throw new SiraError('SIRA_ADVICE_REFUSED', `recommendation ${id} is being applied`);
    const steps = await takeBack(this.sources, one, said);
    return this.book.change(id, { state: 'rolledBack', steps }, said);
  }

  /** A process before this one stopped in the midst of something. */
  private resume(): void {
    for (const one of this.book.list()) {
      const { id, state, applied, change } = one;
      if (state === 'simulating') {
        const reasons = ['the kernel was started anew while it was simulated'];
        this.book.change(id, { state: 'failed', reasons }, adviser);
      }
      const now = previousValues(this.sources, change);
      const isUnchanged =
        change.settings !== undefined &&
        Object.entries(applied?.previous ?? {}).every(([name, value]) => now[name] === value);
      const isNotProposed = state === 'applying' && rolloutOf(this.sources, one) === undefined;
      if ((state === 'measuring' && isUnchanged) || isNotProposed) {
        const why = 'the kernel stopped before it was in force';
        this.book.change(id, { state: 'recommended', applied: null }, { ...adviser, why });
      }
    }
  }

  /** In which the effect of what is in force from now on is measured. */
  private window(): { readonly atMicros: number; readonly measureUntilMicros: number } {
    const atMicros = this.sources.live.now();
    return { atMicros, measureUntilMicros: atMicros + this.settings.measureMicros };
  }

  private requireRoom(): void {
    const waiting = this.book.list().filter(({ state }) => state === 'simulating').length;
    if (waiting >= simulatingMax)
      throw new SiraError('SIRA_QUEUE_FULL', `${waiting} recommendations are being simulated`);
  }

  private tick(): void {
    const now = this.sources.live.now();
    for (const one of this.book.list()) {
      const { id, state, expiresMicros } = one;
      if (state === 'recommended' && now > expiresMicros)
        this.book.change(id, { state: 'expired' }, { ...adviser, why: 'nobody decided in time' });
      else if (!this.inFlight.has(id)) this.followUp.look(one);
    }
    const isDue = this.settings.everyMicros > 0 && now >= this.nextMicros;
    const isBusy = this.book.list().some(({ state }) => state === 'applying' || state === 'measuring');
    if (isDue && !isBusy) this.analyse();
  }

  /** Reads the rows and has them analysed: for these, or for what the rules find. */
  private async begin(asked: readonly Recommendation[] | undefined): Promise<void> {
    const ids = asked?.map(({ id }) => id) ?? [];
    // A person may have dismissed it meanwhile, and the book may have let it go.
    const isStill = (id: number | undefined): id is number =>
      this.book.list().some((one) => one.id === id && one.state === 'simulating');
    try {
      const { tasksMin, tasksMax, seeds, worthShare, harmShare, errorMax, objective } = this.settings;
      const until = this.sources.live.now();
      const batches = await readRows(this.sources, until - this.settings.windowMicros, tasksMax);
      const job: AnalyseJob = {
        kind: 'analyse',
        batches,
        run: this.sources.telemetry?.settings.run ?? '',
        present: presentConfiguration(this.sources.live),
        rules: { objective, tasksMin, tasksMax, seeds, worthShare, harmShare, errorMax },
        folder: this.book.evidenceFolder(),
        candidates: asked?.map(({ kind, title, finding, change }) => ({ kind, title, finding, change })),
        widenings: Object.fromEntries(
          recommendationKinds.map((kind) => [kind, wideningOf(this.book.entries(kind))] as const),
        ),
      };
      let ratios: ReadonlyMap<string, number> = new Map();
      this.desk.add(job, (answer) => {
        switch (answer.kind) {
          case 'found':
            ratios = answer.estimateRatios;
            if (asked !== undefined) return;
            this.standing = { ...this.standing, sentence: answer.sentence };
            this.supersede();
            for (const candidate of answer.candidates) ids.push(this.addSimulating(candidate, false, adviser).id);
            return;
          case 'progress': {
            const id = ids[answer.index];
            if (isStill(id)) this.book.change(id, { progress: answer.share });
            return;
          }
          case 'judged': {
            const id = ids[answer.index];
            if (isStill(id)) this.judged(id, answer.judged, ratios);
            return;
          }
          case 'done':
            if (asked === undefined) this.analysed(answer);
            else
              for (const id of ids)
                if (isStill(id))
                  this.book.change(
                    id,
                    { state: 'notRecommended', progress: 1, reasons: [`cannot tell: ${answer.sentence}`] },
                    { ...adviser, why: answer.sentence },
                  );
            return;
          case 'failed':
            this.broke(asked === undefined, ids.filter(isStill), failureOf(answer));
            return;
        }
      });
    } catch (error) {
      this.broke(asked === undefined, ids.filter(isStill), error as Error);
    }
  }

  private addSimulating(candidate: Candidate, isWhatIf: boolean, said: Said): Recommendation {
    const expiresMicros = this.sources.live.now() + this.settings.expireMicros;
    const means = meansOf(candidate.change);
    return this.book.add({ ...candidate, means, state: 'simulating', isWhatIf, expiresMicros }, said);
  }

  private judged(id: number, { isGood, ...judged }: JudgedCandidate, ratios: ReadonlyMap<string, number>): void {
    const state = isGood ? 'recommended' : 'notRecommended';
    const why = judged.reasons[0] ?? '';
    const steps = stepsFor(this.book.get(id).change, this.sources, ratios);
    this.book.change(id, { state, ...judged, progress: 1, steps }, { ...adviser, why });
  }

  private analysed({ answer, sentence, reasons, evidence }: Extract<AdviceAnswer, { readonly kind: 'done' }>): void {
    this.standing = { ...this.standing, state: 'done', sentence };
    if (answer === 'advice') return;
    // "Cannot tell" comes before anything was found.
    if (answer === 'cannotTell') this.supersede();
    const title = answer === 'doNothing' ? 'Leave everything as it is' : 'Nobody can tell';
    this.book.add(
      {
        ...{ kind: answer, state: 'answered', title, finding: sentence, reasons: [...reasons], evidence, change: {} },
        ...{ means: 'nothing', progress: 1, expiresMicros: this.sources.live.now() + this.settings.expireMicros },
      },
      adviser,
    );
  }

  /** What earlier analyses said of a present that has passed. */
  private supersede(): void {
    for (const { id, state, isWhatIf } of this.book.list())
      if (!isWhatIf && (state === 'recommended' || state === 'answered'))
        this.book.change(id, { state: 'expired' }, { ...adviser, why: 'a later analysis has taken its place' });
  }

  private broke(isAnalysis: boolean, ids: readonly number[], error: Error): void {
    this.sources.live.options.logger.warn({ reason: error.message }, 'a simulation for advice failed');
    if (isAnalysis && error instanceof SiraError && error.code === 'SIRA_TELEMETRY_AWAY') {
      this.analysed({ kind: 'done', answer: 'cannotTell', sentence: error.message, reasons: [], evidence: null });
      return;
    }
    if (isAnalysis) this.standing = { ...this.standing, state: 'failed', sentence: error.message };
    for (const id of ids)
      this.book.change(id, { state: 'failed', reasons: [error.message] }, { ...adviser, why: error.message });
  }
}

function titleOf({ policy, settings, machines, sleep, retrain }: Change): string {
  const told = (values: object): string[] =>
    Object.entries(values).map(([name, value]) => {
      if (name.endsWith('Micros')) return `${name}=${formatDuration(value)}`;
      return `${name}=${typeof value === 'object' ? JSON.stringify(value) : value}`;
    });
  const { add, remove, resize } = machines ?? {};
  return [
    ...told(policy ?? {}),
    ...told(settings ?? {}),
    ...(add === undefined ? [] : [add === 1 ? 'one more machine' : `${add} more machines`]),
    ...(remove === undefined ? [] : [`without ${remove.join(', ')}`]),
    ...(resize === undefined ? [] : [`${resize.agents.join(', ')} with ${resize.factor} times the cores and memory`]),
    ...(sleep === undefined ? [] : [`idle machines sleep after ${formatDuration(sleep.afterMicros)}`]),
    ...(retrain === undefined ? [] : ['run times learnt anew']),
  ]
    .join(', ')
    .slice(0, 200);
}
