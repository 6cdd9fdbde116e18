// The loop in order, on one live cluster: work is recorded, a policy is learned from its rows and goes live by evidence; then a bad one
// is caught. Each step is the part of the project that does it for people too; what is here is their order, and what they are told.

import { cpus } from 'node:os';
import { join } from 'node:path';
import { codeHash } from '../../core/live/code-hash.ts';
import type { Profile } from '../../core/scheduler/framework.ts';
import { drawWork, meanRate, meanServiceSeconds, takeWork, type WorkModel } from '../env/work-model.ts';
import { type ReplayGateReport, replayGate } from '../promote/replay-gate.ts';
import { type GateReport, simulationGate } from '../promote/simulation-gate.ts';
import { fitPhases } from './fit-phases.ts';
import { arrivalCounts, countSeconds } from './fit-world.ts';
import { writeSuite } from './gate-suite.ts';
import { judgeHeuristics } from './judge-heuristics.ts';
import {
  type LearnOptions,
  learnForecaster,
  learnWorld,
  type SignedArtifact,
  signPolicy,
  type TrainedPolicy,
  trainPolicy,
} from './learn-policy.ts';
import { type ClusterOptions, LiveCluster, loopRun } from './live-cluster.ts';
import { compareLive } from './live-gain.ts';
import { LoadPlayer, type PlayedTask, type PlayerOptions } from './load-player.ts';
import { type LoopResults, loopFormat } from './loop-results.ts';
import { type LoopRows, readLoopRows } from './loop-rows.ts';
import * as planted from './loop-sizes.ts';
import {
  forceThrough,
  letDrift,
  reversed,
  rowsOfRollback,
  serviceShift,
  type TrialStage,
  tryAtGate,
} from './loop-trials.ts';
import { PolicyDesk, type Proposal } from './policy-desk.ts';
import { watchRollout } from './watch-rollout.ts';

export interface StoryOptions extends LearnOptions {
  readonly store: string;
  readonly brief: boolean;
  readonly version: string;
  /** A step begins, a step has come to something. */
  readonly tell: (step: string, text: string) => void;
}

const policyName = 'loop-order';
const agentsAwayMillis = 6000;
/** Forecasts below which their coverage is not told. */
const judgedMin = 50;
const settleMicros = 20_000_000;
const rolloutSecondsMax = 240;
/** Times that more is recorded where the replay gate cannot tell. */
const recordsAgainMax = 2;

export class LoopStory implements TrialStage {
  readonly results: LoopResults;
  private readonly options: StoryOptions;
  private running: LiveCluster | undefined;
  readonly desk: PolicyDesk;
  readonly seed: number;
  private readonly begun = performance.now();
  private stepBegun = performance.now();
  private recorded: readonly PlayedTask[] = [];
  private rows: LoopRows | undefined;
  private signed: SignedArtifact | undefined;
  /** Of the policy that was promoted here. */
  private promoted: Partial<Profile> = {};
  private promotedVersion = 0;

  constructor(options: StoryOptions) {
    this.options = options;
    this.seed = options.seed;
    this.desk = new PolicyDesk(() => this.cluster.url, 'sira loop');
    const { command, seed, brief, store, version } = options;
    this.results = {
      ...{ format: loopFormat, command, seed, brief, store, version, codeHash: codeHash() },
      machine: `${cpus()[0]?.model ?? 'unknown'} × ${cpus().length}, Node ${process.version}`,
      ...{ startedAt: new Date().toISOString(), seconds: 0, cpuSeconds: 0, steps: [], succeeded: false },
    };
  }

  /** True if everything came as it should; throws what a step throws. */
  async run(): Promise<boolean> {
    await this.record();
    await this.learn();
    const trained = await this.train();
    if (!(await this.promote())) return false;
    await this.measureGain();
    const isCaught = await this.tryBad(trained);
    const isNoticed = await this.drift();
    await this.readBack();
    this.results.succeeded = isCaught && isNoticed;
    return this.results.succeeded;
  }

  /** Ends all that runs. */
  async stop(): Promise<void> {
    await this.running?.stop();
    this.results.seconds = (performance.now() - this.begun) / 1000;
    const { user, system } = process.cpuUsage();
    this.results.cpuSeconds = (user + system) / 1e6;
  }

  get cluster(): LiveCluster {
    return this.running as LiveCluster;
  }

  private async record(): Promise<void> {
    const { folder, store, seed, version, sizes } = this.options;
    const { plantedWork: work, agentNames: agents } = planted;
    const options: ClusterOptions = {
      ...{ folder: join(folder, 'live'), store, seed, version, agents, classes: work.classes.map(({ name }) => name) },
      ...{ cpuMilli: planted.agentCpuMilli, memoryMib: planted.agentMemoryMib },
    };
    await LiveCluster.start(options, (cluster) => {
      this.running = cluster;
    });
    this.step(
      'start',
      `a kernel and ${agents.flat().length} agents run; telemetry goes to ${this.cluster.storeAddress}`,
    );
    const tasks = takeWork(work, { seed }, { seconds: sizes.recordSeconds });
    const player = await LoadPlayer.start(tasks, this.player('recorder'));
    // Somebody's machine always dies; here it does at a known time, and the rows have to tell of it.
    const crash = new Promise((resolve) => setTimeout(resolve, 1000 * sizes.recordSeconds * 0.5)).then(() =>
      this.cluster.crashAgents(1, agentsAwayMillis),
    );
    this.recorded = await player.finish();
    await crash;
    const slots = (agents.flat().length * planted.agentCpuMilli) / planted.taskCpuMilli;
    const offeredLoad = (meanRate(work.arrivals) * meanServiceSeconds(work)) / slots;
    this.results.record = {
      tasks: tasks.length,
      refused: player.refusedCount,
      offeredLoad,
      seconds: sizes.recordSeconds,
    };
    const done = this.recorded.filter(({ outcome }) => outcome === 'completed').length;
    this.step(
      'record',
      `${tasks.length} tasks in ${sizes.recordSeconds} s, in rushes, at a load of ${offeredLoad.toFixed(2)}; one agent crashed meanwhile; ${done} completed`,
    );
  }

  private async learn(): Promise<void> {
    const { folder } = this.options;
    this.rows = await this.cluster.withRows((store) => readLoopRows(store, { run: loopRun }));
    const { tasks, sha256 } = this.rows;
    this.results.rowsSha256 = sha256;
    this.step(
      'rows',
      `${tasks.length} ended tasks read from ${this.cluster.storeAddress}; content ${sha256.slice(0, 12)}`,
    );
    const world = learnWorld(this.rows, this.options);
    this.results.world = world;
    const submitted = tasks.map(({ submittedMicros }) => submittedMicros).sort((left, right) => left - right);
    const counts = arrivalCounts(submitted, countSeconds);
    const { rushShare } = fitPhases(counts, countSeconds);
    this.results.arrivals = { intervalSeconds: countSeconds, counts: [...counts], rushShare: [...rushShare] };
    this.results.services = world.work.classes.map(({ name }) => ({
      name,
      seconds: tasks
        .filter(({ taskClass, outcome }) => taskClass === name && outcome === 'completed')
        .map(({ serviceSeconds }) => serviceSeconds)
        .sort((left, right) => left - right),
    }));
    this.step('fit', tellFit(world.work, planted.plantedWork, world.outages.count));
    const { error, persistenceError, coverage, judgedFrom, forecasts } = learnForecaster(this.rows, this.options);
    this.results.forecaster = { error, persistenceError, coverage, judgedFrom, forecasts };
    // Of a few seconds an interval proves nothing.
    const held =
      forecasts.length < judgedMin ? '' : `; ${percent(coverage)} of ${forecasts.length} within the 90% interval`;
    this.step(
      'forecast',
      `arrivals a quarter of a second ahead: error ${error.toFixed(2)} tasks, persistence ${persistenceError.toFixed(2)}${held}`,
    );
    writeSuite(join(folder, 'suite'), world, { seed: this.options.seed, ...this.options.sizes.suite });
  }

  private async train(): Promise<TrainedPolicy> {
    const { folder, seed } = this.options;
    const trained = await trainPolicy(this.options);
    const heuristics = judgeHeuristics(join(folder, 'training.yaml'));
    const lineage = { seed, rowsSha256: this.results.rowsSha256 as string, codeHash: this.results.codeHash };
    this.signed = signPolicy(trained, policyName, lineage, this.options);
    const { hash } = this.signed;
    const { testMean, curve, seconds, weightsSha256 } = trained;
    this.results.training = { testMean, heuristics, curve, seconds, weightsSha256, policyHash: hash };
    const others = Object.entries(heuristics).map(([name, value]) => `${name} ${value.toFixed(2)}`);
    this.step(
      'train',
      `mean slowdown ${testMean.toFixed(2)} on unseen episodes, ${others.join(', ')}; signed as ${hash.slice(0, 12)}`,
    );
    return trained;
  }

  private async promote(): Promise<boolean> {
    const { seed } = this.options;
    const { hash, store, publicKey } = this.signed as SignedArtifact;
    const { weights } = store.get(hash, [publicKey]);
    const policy = { order: 'learned', artifact: Buffer.from(weights as Uint8Array).toString('base64') };
    const rollout = await this.desk.propose(
      { name: policyName, policy, artifact: hash, plan: this.plan() },
      'the loop',
    );
    const gate = await this.gate(policy, policyName);
    this.results.gate = gate;
    await this.desk.witness(rollout, 'simulation', gate.verdict, gateEvidence(gate));
    this.step(
      'simulation gate',
      `${gate.verdict}: ${gate.reasons[0]} (${gate.scenarios.length} scenarios, digest ${gate.digest.slice(0, 12)})`,
    );
    if (gate.verdict !== 'pass') return false;
    const replay = await this.lookAtRecord(policy);
    this.results.replay = replay;
    await this.desk.witness(rollout, 'replay', replay.verdict, `${replay.reason}, ${replay.tasks} tasks`);
    this.step(
      'replay gate',
      `${replay.verdict}: ${replay.reason}; the simulator is off by ${percent(replay.errorMax)} at most`,
    );
    if (replay.verdict !== 'pass') return false;
    const work = drawWork(planted.plantedWork, { seed: seed + 1 });
    const watched = await watchRollout(this.desk, rollout, work, this.player('canary'), rolloutSecondsMax);
    const { stage, testimonies, canary } = watched.rollout;
    const evidence = testimonies.find(({ witness }) => witness === 'canary')?.evidence ?? 'the canary said nothing';
    const { points, seconds, played } = watched;
    this.results.promotion = { rollout, stage, points, evidence, seconds, tasks: played.length };
    this.step('shadow and canary', `${stage}: ${evidence}; harm ${canary?.harmTasks.toFixed(1) ?? '–'} tasks`);
    if (stage === 'promoted') this.promoted = policy;
    this.promotedVersion = watched.rollout.candidate.version;
    return stage === 'promoted';
  }

  /** The replay gate. A machine that did much else while it was recorded cannot be simulated well: then more is recorded. */
  private async lookAtRecord(policy: Partial<Profile>): Promise<ReplayGateReport> {
    const { seed, sizes } = this.options;
    const look = (): ReplayGateReport => replayGate([{ folder: this.cluster.journal, codeHash: undefined }], policy);
    let replay = look();
    for (let again = 1; replay.verdict === 'cannotTell' && again <= recordsAgainMax; again++) {
      this.step('replay gate', `cannot tell: ${replay.reason}; more is recorded`);
      const tasks = takeWork(planted.plantedWork, { seed: seed + 1000 * again }, { seconds: sizes.recordSeconds });
      const player = await LoadPlayer.start(tasks, this.player(`recorder-${again}`));
      await player.finish();
      replay = look();
    }
    return replay;
  }

  private async measureGain(): Promise<void> {
    const { seed, sizes } = this.options;
    const tasks = takeWork(planted.plantedWork, { seed }, { seconds: sizes.gainSeconds });
    const player = await LoadPlayer.start(tasks, this.player('again'));
    const gain = compareLive(this.recorded, await player.finish());
    if (gain === undefined) return;
    this.results.gain = gain;
    const { change, low, high, before, after } = gain;
    this.step(
      'gain',
      `${gain.tasks} tasks again: slowdown ${signed(change)} (95%: ${signed(low)} to ${signed(high)}), mean response ${before.responseSeconds.toFixed(2)} s → ${after.responseSeconds.toFixed(2)} s, p99 ${before.responseP99Seconds.toFixed(1)} s → ${after.responseP99Seconds.toFixed(1)} s`,
    );
  }

  private async tryBad({ weights }: TrainedPolicy): Promise<boolean> {
    const policy = reversed(weights);
    const bad = await tryAtGate(this, policy);
    this.results.bad = bad;
    this.step('bad candidate', `simulation gate ${bad.gate.verdict}: ${bad.gate.reasons[0]}; ${bad.stage}`);
    const forced = await forceThrough(this, policy, this.results.gain?.after.slowdown ?? 2);
    this.results.forced = forced;
    const { stage, evidence, candidateTasks, harmTasks } = forced;
    this.step(
      'bad, by force',
      `${stage}: ${evidence}, after ${candidateTasks} tasks of its own; harm ${harmTasks.toFixed(0)} tasks`,
    );
    return bad.stage === 'rejected' && stage === 'rolledBack';
  }

  private async drift(): Promise<boolean> {
    const drift = await letDrift(this, this.results.promotion?.rollout as number);
    this.results.drift = drift;
    const { stage, evidence, noticedSeconds, serves, servesVersion } = drift;
    const when = noticedSeconds === undefined ? '' : ` after ${noticedSeconds.toFixed(1)} s`;
    this.step('drift', `${stage}${when}: ${evidence}; ${serves} (version ${servesVersion}) serves`);
    return stage === 'rolledBack';
  }

  /** What the rows say of both rollbacks. */
  private async readBack(): Promise<void> {
    const { forced, drift, promotion } = this.results;
    const history = await this.desk.history();
    this.results.history = history;
    const ofRollout = (number: number | undefined) =>
      history.findLast(({ rollout, to }) => rollout === number && to === 'rolledBack');
    await this.cluster.withRows(async (store) => {
      const [first, second] = [ofRollout(forced?.rollout), ofRollout(promotion?.rollout)];
      if (forced !== undefined && first !== undefined)
        this.results.forced = { ...forced, ...(await rowsOfRollback(store, first, forced.version)) };
      if (drift === undefined || second === undefined) return;
      const after = await readLoopRows(store, { run: loopRun, fromMicros: drift.beganMicros });
      const { rollbackSeconds } = await rowsOfRollback(store, second, this.promotedVersion);
      this.results.drift = { ...drift, rollbackSeconds, rowsShift: serviceShift(this.rows as LoopRows, after) };
    });
    const told = (seconds: number | undefined): string =>
      seconds === undefined ? 'unknown' : `${(1000 * seconds).toFixed(0)} ms`;
    this.step(
      'rows again',
      `from the breach to a decision of the policy before: ${told(this.results.forced?.rollbackSeconds)} and ${told(this.results.drift?.rollbackSeconds)}; service times shifted by ${this.results.drift?.rowsShift?.toFixed(2) ?? '–'}`,
    );
  }

  async gate(policy: Partial<Profile>, name: string): Promise<GateReport> {
    const { serves } = await this.desk.read();
    const base = { order: 'fcfs', place: 'first-fit', unplaced: 'skip', backfill: 'none', overtakeMax: 0 } as const;
    // Over HTTP a learned policy's weights are told by their hash alone.
    const before = { ...base, ...serves.policy, ...this.promoted };
    const suite = join(this.options.folder, 'suite');
    const { seeds, seedsMax } = this.options.sizes.suite;
    const judge = (count: number): Promise<GateReport> =>
      simulationGate(
        { ...before, name: 'incumbent' },
        { ...before, ...policy, name },
        // Starting threads takes longer than runs as small as these.
        { suite, seeds: count, workers: 0 },
      );
    const first = await judge(seeds);
    return first.verdict === 'cannotTell' ? judge(seedsMax) : first;
  }

  plan(changes: Proposal['plan'] = {}): Proposal['plan'] {
    const { sizes } = this.options;
    const { slowdownFloorSeconds } = planted;
    return {
      shadowDecisions: sizes.shadowDecisions,
      lookMicros: 100_000,
      drift: { windowTasks: sizes.windowTasks },
      ...changes,
      canary: { ...sizes.canary, settleMicros, slowdownFloorMicros: 1e6 * slowdownFloorSeconds, ...changes.canary },
    };
  }

  player(name: string): PlayerOptions {
    return { address: this.cluster.address, name, cpuMilli: planted.taskCpuMilli, memoryMib: planted.taskMemoryMib };
  }

  private step(name: string, told: string): void {
    const now = performance.now();
    this.results.steps.push({ name, told, seconds: (now - this.stepBegun) / 1000 });
    this.stepBegun = now;
    this.options.tell(name, told);
  }
}

function gateEvidence({ reasons, digest }: GateReport): string {
  return `${reasons.join('; ')} (digest ${digest.slice(0, 16)})`;
}

function tellFit(fitted: WorkModel, { arrivals: was }: WorkModel, outages: number): string {
  const { arrivals, classes } = fitted;
  const rates = `calm ${arrivals.calmPerSecond.toFixed(1)}/s and rush ${arrivals.rushPerSecond.toFixed(1)}/s`;
  const truth = `${was.calmPerSecond} and ${was.rushPerSecond}`;
  const services = classes.map(({ name, medianSeconds }) => `${name} ${(1000 * medianSeconds).toFixed(0)} ms`);
  return `arrivals ${rates} (truth: ${truth}); services ${services.join(', ')}; ${outages} outages`;
}

function percent(share: number): string {
  return `${(100 * share).toFixed(0)}%`;
}

function signed(change: number): string {
  return `${change > 0 ? '+' : '−'}${Math.abs(100 * change).toFixed(1)}%`;
}
