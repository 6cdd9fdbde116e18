// What is applied is led to its end: a policy through its rollout, everything through the window in which its effect is measured; then
// it is confirmed or taken back, and entered in the ledger.

import { join, resolve } from 'node:path';
import { commandPolicy } from '../../core/live/http/policy-routes.ts';
import type { HttpSources } from '../../core/live/http/views.ts';
import type { RecommendationSettings } from '../../core/live/start-settings.ts';
import type { Rollout } from '../../core/policy/rollout.ts';
import { endStages } from '../../core/policy/rollout-plan.ts';
import type { Profile } from '../../core/scheduler/framework.ts';
import { projectRoot } from '../../sim/experiment/project-root.ts';
import type { Gated, Measured } from './advice-job.ts';
import { type Configuration, changed, machinesBack } from './configuration.ts';
import { presentConfiguration } from './present-configuration.ts';
import { rolloutOf, takeBack } from './put-in-force.ts';
import { readRows } from './read-rows.ts';
import { realizedOf } from './realized.ts';
import type { Realized, Recommendation } from './recommendation.ts';
import type { RecommendationBook } from './recommendation-book.ts';
import type { Said } from './routes.ts';
import { failureOf, type SimulationDesk } from './simulation-desk.ts';

/** Who decides where no person does. */
export const adviser: Said = { who: 'adviser', why: '' };

export class FollowUp {
  private readonly sources: HttpSources;
  private readonly settings: RecommendationSettings;
  private readonly book: RecommendationBook;
  private readonly desk: SimulationDesk;
  /** Of those that are being measured. */
  private readonly measured = new Set<number>();
  /** Rollouts whose gates were asked by this process. */
  private readonly gated = new Set<number>();

  constructor(sources: HttpSources, settings: RecommendationSettings, book: RecommendationBook, desk: SimulationDesk) {
    this.sources = sources;
    this.settings = settings;
    this.book = book;
    this.desk = desk;
  }

  /** Time has passed. */
  look(one: Recommendation): void {
    const { id, state, applied } = one;
    if (state === 'applying') this.followRollout(one);
    if (state !== 'measuring' || this.measured.has(id)) return;
    if (this.sources.live.now() < (applied?.measureUntilMicros ?? 0)) return;
    this.measured.add(id);
    void this.measure(one).finally(() => this.measured.delete(id));
  }

  /** The gates of the rollout; what they say is the kernel's to weigh. */
  private gate(one: Recommendation, { rollout, candidate, incumbentVersion }: Rollout<Profile>): void {
    this.gated.add(rollout);
    const { good } = this.sources.live.kernel.control.rollouts.machine;
    const incumbent = good.find(({ version }) => version === incumbentVersion)?.policy;
    if (incumbent === undefined) return;
    const job = {
      ...({ kind: 'gate', incumbent, candidate: candidate.policy } as const),
      suite: join(projectRoot(), 'scenarios', 'gate'),
      journal: resolve(this.sources.live.options.dataFolder),
    };
    const tell = async (gated: Gated): Promise<void> => {
      for (const said of gated)
        if (rolloutOf(this.sources, one)?.rollout === rollout)
          await commandPolicy(
            this.sources,
            { ...adviser, why: `recommendation ${one.id}` },
            { command: 'witness', rollout, ...said },
          );
    };
    const failed = (error: Error): void =>
      this.sources.live.options.logger.warn({ rollout, reason: error.message }, 'the gates said nothing');
    try {
      this.desk.add(job, (answer) => {
        if (answer.kind === 'gated') tell(answer.gated).catch(failed);
        else if (answer.kind === 'failed') failed(failureOf(answer));
      });
    } catch (error) {
      // There is no room: they are asked later.
      this.gated.delete(rollout);
      failed(error as Error);
    }
  }

  private followRollout(one: Recommendation): void {
    const { id, applied, steps } = one;
    const rollout = rolloutOf(this.sources, one);
    if (rollout === undefined || applied === null) return;
    const { stage, paused, awaitsApproval } = rollout;
    if (stage === 'simulation' && !this.gated.has(rollout.rollout)) this.gate(one, rollout);
    if (stage === 'promoted') {
      const atMicros = this.sources.live.now();
      const why = `rollout ${rollout.rollout} is promoted`;
      const measureUntilMicros = atMicros + this.settings.measureMicros;
      const inForce = { ...applied, atMicros, measureUntilMicros };
      this.book.change(id, { state: 'measuring', steps: [], applied: inForce }, { ...adviser, why });
    } else if (endStages.includes(stage)) {
      const said = rollout.testimonies.find(({ verdict }) => verdict === 'fail');
      const because = said === undefined ? '' : `: ${said.witness}, ${said.evidence}`;
      const what = stage === 'rejected' ? 'rejected' : 'rolled back';
      const why = `rollout ${rollout.rollout} was ${what}${because}`.slice(0, 1000);
      this.book.change(id, { state: 'reverted', steps: [] }, { ...adviser, why });
    } else {
      const stands = awaitsApproval !== undefined || paused !== '' || stage === 'held';
      const undecided = rollout.testimonies.some(
        ({ verdict, witness }) => verdict === 'cannotTell' && witness === stage,
      );
      const words = `Rollout ${rollout.rollout} waits at "${stage}": look at \`sira policy list\`, then approve or reject it.`;
      const next = stands || undecided ? [words] : [];
      if (JSON.stringify(next) !== JSON.stringify(steps)) this.book.change(id, { steps: next });
    }
  }

  private async measure(one: Recommendation): Promise<void> {
    const { id, applied, evidence } = one;
    const { objective } = this.settings;
    try {
      const sinceMicros = applied?.atMicros ?? 0;
      const before = this.before(one);
      const { tasksMin, tasksMax, seeds, worthShare, harmShare, errorMax } = this.settings;
      const batches = await readRows(this.sources, sinceMicros, this.settings.tasksMax);
      const measured = await new Promise<Measured | { readonly reason: string }>((tell, fail) =>
        this.desk.add(
          {
            ...({ kind: 'measure', batches, sinceMicros, before, metric: objective } as const),
            fidelity: evidence?.fidelity ?? 0,
            rules: { objective, tasksMin, tasksMax, seeds, worthShare, harmShare, errorMax },
            folder: this.book.evidenceFolder(),
          },
          (answer) => {
            if (answer.kind === 'measured') tell(answer.measured);
            else if (answer.kind === 'failed') fail(failureOf(answer));
          },
        ),
      );
      // A person may have taken it back meanwhile.
      if (this.book.get(id).state === 'measuring') await this.conclude(one, realizedOf(one, objective, measured));
    } catch (error) {
      const { message } = error as Error;
      if (this.book.get(id).state === 'measuring')
        this.book.change(id, { state: 'unproven' }, { ...adviser, why: message });
    }
  }

  private async conclude(one: Recommendation, realized: Realized): Promise<void> {
    const { id, kind, title } = one;
    const { metric, verdict, change, reason } = realized;
    const expected = one.effects.find((effect) => effect.metric === metric)?.expected;
    if (verdict === 'cannotTell' || expected === undefined) {
      this.book.change(id, { state: 'unproven', realized }, { ...adviser, why: reason });
      return;
    }
    let outcome: Recommendation['state'] = 'confirmed';
    let why = reason;
    let steps: string[] = [];
    if (verdict === 'worse' && this.settings.reverts) {
      try {
        steps = await takeBack(this.sources, one, { ...adviser, why: reason });
        outcome = 'reverted';
      } catch (error) {
        outcome = 'unproven';
        why = `${reason}; it could not be taken back: ${(error as Error).message}`;
      }
    } else if (verdict === 'worse') outcome = 'unproven';
    this.book.change(id, { state: outcome, realized, steps }, { ...adviser, why });
    const covered = change >= expected.low && change <= expected.high;
    const atMicros = this.sources.live.now();
    this.book.note({ id, kind, title, metric, atMicros, expected, realized: change, covered, verdict, outcome });
  }

  /** The configuration that a change which is in force has replaced. */
  private before(one: Recommendation): Configuration {
    const { change, applied } = one;
    const present = presentConfiguration(this.sources.live);
    const { rollouts } = this.sources.live.kernel.control;
    const incumbent = rolloutOf(this.sources, one)?.incumbentVersion;
    const policy = rollouts.machine.good.find(({ version }) => version === incumbent)?.policy ?? present.policy;
    const settings = { ...present.settings, ...applied?.previous };
    const { machines } = change;
    const undone =
      machines === undefined ? present : changed(present, { machines: machinesBack(present.machines, machines) });
    return { ...(typeof undone === 'string' ? present : undone), policy, settings };
  }
}
