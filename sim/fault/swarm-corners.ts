// Draws corners that chance alone seldom reaches, because several things must come together within a moment: an answer that is
// on its way for longer than the lease that it grants, heartbeats of a former life that come after the next one has begun and
// ended, hellos that overtake each other, time-outs that are shortened while somebody waits for them. Each has a random stream of its own, so that the case
// underneath stays what its seed always drew.

import { RandomStream } from '../../core/base/random.ts';
import { microsPerMilli, microsPerMinute, microsPerSecond } from '../../core/base/time.ts';
import type { FaultSpec } from '../experiment/scenario.ts';
import type { MachineSpec, WorkloadTask } from '../workload/workload.ts';
import type { SettingChange, SwarmCase } from './swarm.ts';

export function withCorners(drawn: SwarmCase): SwarmCase {
  let more = drawn;
  const answers = new RandomStream(drawn.seed, 'swarm.lateAnswers');
  if (answers.nextFloat() < 0.06) more = withLateAnswers(more, answers);
  const beats = new RandomStream(drawn.seed, 'swarm.staleBeats');
  if (beats.nextFloat() < 0.06) more = withStaleBeats(more, beats);
  const waits = new RandomStream(drawn.seed, 'swarm.shortenedWaits');
  if (waits.nextFloat() < 0.06) more = withShortenedWaits(more, waits);
  const connections = new RandomStream(drawn.seed, 'swarm.reconnects');
  const restarts = new RandomStream(drawn.seed, 'swarm.quickRestarts');
  if (connections.nextFloat() < 0.08) more = withReconnects(more, connections);
  else if (restarts.nextFloat() < 0.05) more = withQuickRestarts(more, restarts);
  const skills = new RandomStream(drawn.seed, 'swarm.skills');
  if (skills.nextFloat() < 0.08) more = withSkills(more, skills);
  return more;
}

/** The network of a case in which it is known when a message arrives. */
function punctual({ network }: SwarmCase): SwarmCase['network'] {
  const latency = { distribution: 'constant', meanMicros: 50 * microsPerMilli, sigma: 0 } as const;
  return { ...network, latency, loss: Math.min(network.loss, 0.02) };
}

function spanOf({ tasks }: SwarmCase): number {
  return (tasks.at(-1) as WorkloadTask).arrivalMicros;
}

function on(kind: FaultSpec['kind'], atMicros: number, forMicros: number, name?: string): FaultSpec {
  return { kind, atMicros, forMicros, machines: name === undefined ? [] : [name], factor: 1 };
}

/** Connections of agents and of the submitter that break and are made anew, many times, some of them while the agent drains. On one
 *  connection nothing is overtaken. */
function withReconnects(drawn: SwarmCase, random: RandomStream): SwarmCase {
  const network = { ...punctual(drawn), reordering: 0, loss: drawn.network.loss };
  const faults: FaultSpec[] = [];
  const spanMicros = spanOf(drawn) + microsPerMinute;
  for (let left = 5 + random.nextBelow(20); left > 0; left--) {
    const machines = [(drawn.machines[random.nextBelow(drawn.machines.length)] as MachineSpec).name];
    const ofAll = random.nextFloat() < 0.2 ? { share: 1 } : machines;
    const atMicros = random.nextBelow(spanMicros);
    if (random.nextFloat() < 0.3) faults.push(on('submitterReconnect', atMicros, 1));
    else faults.push({ kind: 'reconnect', atMicros, forMicros: 1, machines: ofAll, factor: 1 });
  }
  for (let count = random.nextBelow(3); count > 0; count--) {
    const { name } = drawn.machines[random.nextBelow(drawn.machines.length)] as MachineSpec;
    const atMicros = random.nextBelow(spanMicros);
    faults.push(on('drain', atMicros, 2 * microsPerMinute, name));
    for (const later of [10, 40, 70])
      faults.push(on('reconnect', atMicros + (later + random.nextBelow(20)) * microsPerSecond, 1, name));
  }
  return { ...drawn, network, faults: [...drawn.faults, ...faults] };
}

/** Machines that restart twice within a moment, on a network on which one message overtakes another: what the former life said comes
 *  after what the next one says. */
function withQuickRestarts(drawn: SwarmCase, random: RandomStream): SwarmCase {
  const latency = { distribution: 'exponential', meanMicros: drawn.heartbeat.leaseMicros / 40, sigma: 0 } as const;
  const faults: FaultSpec[] = [];
  for (let atMicros = 0; faults.length < 24; ) {
    atMicros += 1 + random.nextBelow(microsPerMinute);
    if (atMicros > spanOf(drawn)) break;
    const { name } = drawn.machines[random.nextBelow(drawn.machines.length)] as MachineSpec;
    const aliveMicros = 1 + random.nextBelow(latency.meanMicros);
    faults.push(
      on('crash', atMicros, 10 * microsPerMilli, name),
      on('crash', atMicros + 10 * microsPerMilli + aliveMicros, 10 * microsPerMilli, name),
    );
  }
  const network = { ...drawn.network, latency, reordering: 0.4 };
  return { ...drawn, network, faults: [...drawn.faults, ...faults] };
}

/** Agents that declare one skill or another, and tasks that ask for one: such that any one machine may be gone. */
function withSkills(drawn: SwarmCase, random: RandomStream): SwarmCase {
  const machines = drawn.machines.map((spec) => {
    const skills = {
      ...(spec.gpuCount > 0 ? { see: 1 } : {}),
      ...(spec.gpuModel === 'T4' ? {} : { talk: 1 }),
    };
    return { ...spec, skills };
  });
  const tasks = drawn.tasks.map((task): WorkloadTask => {
    const { gpuCount, gpuModels, machineCount } = task.request;
    if (task.gang !== undefined || random.nextFloat() < 0.5) return task;
    const mayTalk = !gpuModels.includes('T4') && (gpuCount === 0 || machineCount === 1);
    return { ...task, skill: mayTalk && random.nextFloat() < 0.5 ? 'talk' : 'see' };
  });
  return { ...drawn, machines, tasks };
}

/** Machines that restart, and whose link is clogged as soon as their hello has left: the answer, and the work that is sent after it,
 *  come when the lease is over. */
function withLateAnswers(drawn: SwarmCase, random: RandomStream): SwarmCase {
  const heartbeat = { intervalMicros: microsPerSecond, leaseMicros: 5 * microsPerSecond };
  const network = punctual(drawn);
  const faults: FaultSpec[] = [];
  for (let atMicros = 10 * microsPerSecond; faults.length < 24 && atMicros < spanOf(drawn); ) {
    const { name } = drawn.machines[random.nextBelow(drawn.machines.length)] as MachineSpec;
    const forMicros = microsPerSecond;
    const clogMicros = atMicros + forMicros + network.latency.meanMicros / 2;
    const clogged = heartbeat.leaseMicros + microsPerSecond / 2 + random.nextBelow(2 * microsPerSecond);
    faults.push(on('crash', atMicros, forMicros, name), on('clog', clogMicros, clogged, name));
    atMicros += 2 * heartbeat.leaseMicros + random.nextBelow(4 * heartbeat.leaseMicros);
  }
  return { ...drawn, heartbeat, network, faults: [...drawn.faults, ...faults] };
}

/** The gateway's link is clogged while machines die, come back, and die again before they have sent a heartbeat: those of their
 *  former life come last of all. */
function withStaleBeats(drawn: SwarmCase, random: RandomStream): SwarmCase {
  const heartbeat = { intervalMicros: 4 * microsPerSecond, leaseMicros: 32 * microsPerSecond };
  const { intervalMicros, leaseMicros } = heartbeat;
  const faults: FaultSpec[] = [];
  for (let index = 1; faults.length < 18 && index * 3 * leaseMicros < spanOf(drawn) + leaseMicros; index++) {
    const { name } = drawn.machines[random.nextBelow(drawn.machines.length)] as MachineSpec;
    // Three leases are whole intervals: just before a heartbeat, and just after it.
    const clogMicros = index * 3 * leaseMicros - microsPerSecond / 2;
    const crashMicros = clogMicros + microsPerSecond + random.nextBelow(microsPerSecond);
    const clogged = 2 * intervalMicros + random.nextBelow(2 * intervalMicros);
    faults.push(
      on('gatewayClog', clogMicros, clogged),
      on('crash', crashMicros, 300 * microsPerMilli, name),
      on('crash', crashMicros + microsPerSecond, 2 * leaseMicros, name),
    );
  }
  return { ...drawn, heartbeat, network: punctual(drawn), faults: [...drawn.faults, ...faults] };
}

/** Tasks that wait for a member of their gang that never comes, and a time-out that is made shorter than they have waited. */
function withShortenedWaits(drawn: SwarmCase, random: RandomStream): SwarmCase {
  // How often a task may be overtaken, and whose share is due, is followed task by task.
  if (drawn.profile.overtakeMax > 0 || drawn.profile.order === 'drf') return drawn;
  const tasks = [...drawn.tasks];
  const settingChanges: SettingChange[] = [...(drawn.settingChanges ?? [])];
  const name = 'scheduler.gangTimeoutMicros';
  for (let count = 0; count < 3; count++) {
    const index = random.nextBelow(tasks.length);
    const task = tasks[index] as WorkloadTask;
    if (task.gang !== undefined || task.request.machineCount > 1) continue;
    tasks[index] = { ...task, gang: { name: `alone-${index}`, size: 2 } };
    const atMicros = task.arrivalMicros + microsPerMinute + 1 + random.nextBelow(3 * microsPerMinute);
    settingChanges.push(
      { atMicros, name, value: microsPerMinute },
      // Those who come later wait for long again.
      { atMicros: atMicros + microsPerMinute, name, value: 10 * microsPerMinute },
    );
  }
  return { ...drawn, tasks, settingChanges };
}
