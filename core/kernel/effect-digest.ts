// The running digest over effects: two runs that agree in it did the same things in the same order. Every field that a
// receiver could act upon is added, lists with their lengths; about 20 ns an effect, so that it is always on. Payloads are
// opaque to the broker: of those, only the kernel's own are added.

import { unreachable } from '../base/assert.ts';
import type { Digest } from '../base/digest.ts';
import { agentStateNumber } from '../registry/agent-state.ts';
import type { DecisionOutcome, DecisionRecord, DecisionRule } from '../scheduler/decision.ts';
import type { TaskOutcome } from '../scheduler/task.ts';
import type { Effect, TaskEnded } from './effects.ts';

const decisionOutcomeNumber: Readonly<Record<DecisionOutcome, number>> = {
  placed: 0,
  waits: 1,
  dropped: 2,
  'backs off': 3,
  evicts: 4,
};
const decisionRuleNumber: Readonly<Record<DecisionRule, number>> = {
  'in order': 0,
  backfilled: 1,
  'after eviction': 2,
  'incomplete gang': 3,
  shed: 4,
};
const taskOutcomeNumber: Readonly<Record<TaskOutcome, number>> = { completed: 0, failed: 1, dropped: 2, cancelled: 3 };

export function digestEffect(digest: Digest, effect: Effect): void {
  switch (effect.kind) {
    case 'dispatch':
      digest.addInt32(1);
      digest.addInt32(effect.agent);
      digest.addInteger(effect.task);
      digest.addInteger(effect.attempt);
      digest.addInteger(effect.incarnation);
      digest.addInteger(effect.order);
      digest.addInteger(effect.submitter);
      digest.addInteger(effect.submission);
      addMachines(digest, effect.machines, effect.deviceMasks);
      if (effect.checkpoint !== undefined) {
        digest.addInteger(effect.checkpoint.everyMicros);
        digest.addInteger(effect.checkpoint.resumeMicros);
      }
      return;
    case 'decisionMade':
      digest.addInt32(2);
      digestDecision(digest, effect.record);
      return;
    case 'submissionAccepted':
      digest.addInt32(3);
      digest.addInteger(effect.submitter);
      digest.addInteger(effect.submission);
      return;
    case 'resultRecorded':
    case 'stop':
      digest.addInt32(effect.kind === 'stop' ? 4 : 5);
      digest.addInteger(effect.task);
      digest.addInteger(effect.attempt);
      digest.addInt32(effect.agent);
      digest.addInteger(effect.incarnation);
      if (effect.kind === 'stop') digest.addInteger(effect.order);
      return;
    case 'deliver':
      digest.addInt32(6);
      digest.addText(effect.subscriber);
      // A subscription has one topic, which `subscribed` added.
      digest.addText(effect.subscription);
      digest.addInteger(effect.offset);
      digest.addInt32(effect.attempt);
      digest.addText(effect.producer);
      digest.addInteger(effect.sequence);
      if (effect.correlation !== null) {
        digest.addText(effect.correlation.role);
        digest.addText(effect.correlation.requester);
        digest.addInteger(effect.correlation.correlation);
      } else if (isTaskEnded(effect.payload)) digestTaskEnded(digest, effect.payload);
      return;
    case 'wakeAt':
      digest.addInt32(7);
      digest.addInteger(effect.timeMicros);
      return;
    case 'heartbeatsRecorded':
      digest.addInt32(8);
      digest.addInt32(effect.gateway);
      digest.addInteger(effect.batch);
      if (effect.terms !== undefined) {
        digest.addInteger(effect.terms.leaseMicros);
        digest.addInteger(effect.terms.heartbeatIntervalMicros);
      }
      return;
    case 'agentRegistered':
      digest.addInt32(9);
      digest.addInt32(effect.gateway);
      digest.addText(effect.name);
      digest.addInt32(effect.agent);
      digest.addInteger(effect.incarnation);
      digest.addInteger(effect.helloSentMicros);
      digest.addInteger(effect.leaseMicros);
      digest.addInteger(effect.heartbeatIntervalMicros);
      if (effect.disconnectGraceMicros !== undefined) digest.addInteger(effect.disconnectGraceMicros);
      digest.addInt32(effect.stop.length);
      for (const { task, attempt } of effect.stop) {
        digest.addInteger(task);
        digest.addInteger(attempt);
      }
      return;
    case 'agentRefused':
      digest.addInt32(10);
      digest.addInt32(effect.gateway);
      digest.addText(effect.name);
      digest.addInteger(effect.incarnation);
      digest.addText(effect.reason);
      return;
    case 'submissionRefused':
      digest.addInt32(11);
      digest.addInteger(effect.submitter);
      digest.addInteger(effect.submission);
      digest.addText(effect.code);
      digest.addText(effect.reason);
      if (effect.retryAfterMicros !== undefined) digest.addInteger(effect.retryAfterMicros);
      return;
    case 'agentStateChanged':
      digest.addInt32(12);
      digest.addInt32(effect.agent);
      digest.addInt32(agentStateNumber[effect.from] * 8 + agentStateNumber[effect.to]);
      digest.addText(effect.reason);
      return;
    case 'agentHeld':
      digest.addInt32(18);
      digest.addInt32(effect.agent);
      digest.addInt32((effect.cause === 'flapping' ? 0 : 2) + (effect.held ? 1 : 0));
      digest.addInteger(effect.untilMicros);
      return;
    case 'agentPower':
      digest.addInt32(26);
      digest.addInt32(effect.agent);
      digest.addInteger(effect.incarnation);
      digest.addInt32(effect.awake ? 1 : 0);
      return;
    case 'skillMeasured':
      digest.addInt32(19);
      digest.addInt32(effect.agent);
      digest.addText(effect.taskClass);
      digest.addFloat(effect.secondsPerUnit);
      digest.addFloat(effect.deviation);
      digest.addFloat(effect.success);
      return;
    case 'settingAnswered':
      digest.addInt32(17);
      digest.addText(effect.name);
      digest.addInt32(effect.version);
      digest.addText(effect.refusal);
      return;
    case 'rolloutChanged':
      digest.addInt32(40);
      digest.addInt32(effect.event.rollout);
      digest.addText(effect.event.to);
      digest.addText(effect.event.who);
      digest.addText(effect.event.why);
      digest.addInt32(effect.event.servesVersion);
      return;
    case 'policyAnswered':
      digest.addInt32(41);
      digest.addInt32(effect.rollout);
      digest.addText(effect.refusal);
      return;
    case 'subscribed':
      digest.addInt32(13);
      digest.addText(effect.subscription);
      digest.addText(effect.subscriber);
      digest.addText(effect.topic);
      digest.addInt32(effect.resumed ? 1 : 0);
      digest.addInteger(effect.offset);
      return;
    case 'published':
      digest.addInt32(14);
      digest.addText(effect.producer);
      digest.addInteger(effect.sequence);
      digest.addInteger(effect.offset);
      digest.addInt32(effect.duplicate ? 1 : 0);
      return;
    case 'refused':
      digest.addInt32(15);
      digest.addText(effect.input);
      digest.addText(effect.client);
      digest.addInteger(effect.sequence);
      digest.addText(effect.reason);
      return;
    case 'requestTimedOut':
      digest.addInt32(16);
      digest.addText(effect.requester);
      digest.addInteger(effect.correlation);
      return;
    default:
      unreachable(effect);
  }
}

function digestDecision(digest: Digest, record: DecisionRecord): void {
  digest.addInteger(record.decision);
  digest.addInteger(record.task);
  digest.addInteger(record.submission);
  digest.addInteger(record.attempt);
  digest.addInt32(record.kind);
  digest.addInt32(decisionOutcomeNumber[record.outcome] * 8 + decisionRuleNumber[record.rule]);
  addMachines(digest, record.machines, record.deviceMasks);
  digest.addInt32(record.ranked.length);
  for (const { machine, score, scores } of record.ranked) {
    digest.addInt32(machine);
    digest.addFloat(score);
    digest.addInt32(scores.length);
    // A single plug-in's score differs from the total by its weight alone.
    if (scores.length > 1) for (const part of scores) digest.addFloat(part);
  }
  digest.addInt32(record.feasibleCount);
  digest.addInt32(record.tieCount);
  digest.addInt32(record.reasonCounts.length);
  for (const count of record.reasonCounts) digest.addInt32(count);
  digest.addFloat(record.propensity);
  digest.addInt32(record.policyVersion);
  digest.addInt32(record.queueLength);
  if (record.rule === 'backfilled') digest.addFloat(record.shadowMicros);
  if (record.shadow !== undefined) digest.addInt32(record.shadow);
  if (record.victims !== undefined) {
    digest.addInt32(record.victims.length);
    for (const victim of record.victims) digest.addInteger(victim);
  }
}

function addMachines(digest: Digest, machines: readonly number[], deviceMasks: readonly number[]): void {
  digest.addInt32(machines.length);
  for (let position = 0; position < machines.length; position++) {
    digest.addInt32(machines[position] as number);
    digest.addInt32(deviceMasks[position] as number);
  }
}

function isTaskEnded(payload: unknown): payload is TaskEnded {
  return typeof payload === 'object' && payload !== null && 'outcome' in payload;
}

function digestTaskEnded(digest: Digest, ended: TaskEnded): void {
  digest.addInteger(ended.task);
  digest.addInteger(ended.submission);
  digest.addInt32(taskOutcomeNumber[ended.outcome]);
  digest.addInt32(ended.attempts);
  digest.addInteger(ended.attempt);
  digest.addInt32(ended.agent);
  digest.addInteger(ended.serviceMicros);
  if (ended.shed === true) digest.addInt32(1);
}
