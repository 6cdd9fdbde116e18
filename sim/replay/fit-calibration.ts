// From the record of a live kernel to the few numbers with which the simulator speaks of the same agents. The kernel's own clock alone
// is read, and the service that agents measured as a length: no two clocks are compared. How a trip divides into its two ways is
// not seen; to the kernel it makes no difference.

import {
  type Calibration,
  calibrationShares,
  type MeasuredService,
  type MeasuredTrips,
  quantilesOf,
} from '../world/calibration.ts';
import type { RecordedWorld } from './recorded-world.ts';
import type { TaskTime } from './task-times.ts';

/** One task with its agent, as far as it tells something: it completed at the first attempt. */
interface Service {
  readonly time: TaskTime;
  readonly agent: number;
  readonly host: string;
  /** Tasks that the agent had already. */
  held: number;
  /** Where the kernel's clock stood when the work ended and had begun, about. */
  endMicros: number;
  beginMicros: number;
  totalMicros: number;
  /** Time with 0, 1, 2 … others on the host. */
  readonly exposure: number[];
}

export interface Fit {
  readonly calibration: Calibration;
  /** Tasks that were looked at. */
  readonly count: number;
}

const heldMax = 8;
const othersMax = 16;
/** Fewer tasks say nothing of a tail; they go with those before them. */
const tripsMin = 30;
const classMin = 10;
const exposureShareMin = 0.005;
/** Work of one agent that overlaps by less is taken for work one after the other. */
const overlapMax = 0.1;
const rounds = 60;

export function fitCalibration(recorded: RecordedWorld): Fit {
  const services = servicesOf(recorded);
  const lanes = lanesOf(services);
  if (lanes === 1) oneByOne(services);
  const trips = tripsOf(services);
  exposures(services);
  const { contention, service } = fitService(services);
  return { calibration: { lanes, trips, contention, service }, count: services.length };
}

/** How long each completed task of the record would have taken with nothing beside it, by its name in the recorded world. */
export function aloneMicros(recorded: RecordedWorld, { lanes, contention }: Calibration): Map<string, number> {
  const services = servicesOf(recorded);
  if (lanes === 1) oneByOne(services);
  exposures(services);
  return new Map(
    services.map(({ time: { submitted, serviceMicros }, exposure }) => {
      const whole = exposure.reduce((sum, each) => sum + each, 0);
      const alone = exposure.reduce((sum, each, others) => sum + each / paceAt(contention, others), 0);
      const micros = whole > 0 ? serviceMicros * (alone / whole) : serviceMicros;
      return [`${submitted.submitter}/${submitted.submission}`, Math.max(1, Math.round(micros))];
    }),
  );
}

function servicesOf({ times, machines, nameOfAgent }: RecordedWorld): Service[] {
  const hosts = new Map(
    machines.map(({ name, host }) => [name, host === undefined ? `machine ${name}` : `host ${host}`]),
  );
  const services: Service[] = [];
  for (const time of times.all) {
    const { instantMicros, begunMicros, endedMicros, serviceMicros, queueMicros, attempts, agent } = time;
    if (time.outcome !== 'completed' || attempts !== 1 || endedMicros < 0 || begunMicros < instantMicros) continue;
    const totalMicros = Math.max(0, endedMicros - instantMicros - serviceMicros - queueMicros);
    const reportMicros = Math.max(0, totalMicros - (begunMicros - instantMicros) / 2);
    const endMicros = endedMicros - reportMicros;
    const host = hosts.get(nameOfAgent[agent] ?? '') ?? '';
    services.push({
      ...{ time, agent, host, held: 0, endMicros, beginMicros: endMicros - serviceMicros, totalMicros },
      exposure: [],
    });
  }
  const byAgent = groupsOf(services, ({ agent }) => String(agent));
  for (const group of byAgent) {
    group.sort((left, right) => left.time.instantMicros - right.time.instantMicros);
    let present: Service[] = [];
    for (const each of group) {
      present = present.filter(({ time }) => time.endedMicros > each.time.instantMicros);
      each.held = present.length;
      present.push(each);
    }
  }
  return services;
}

/** 1 if agents do one piece of work after the other, whatever they hold. */
function lanesOf(services: readonly Service[]): number {
  let overlapMicros = 0;
  let wholeMicros = 0;
  let count = 0;
  for (const group of groupsOf(services, ({ agent }) => String(agent))) {
    group.sort((left, right) => laneEndOf(left) - laneEndOf(right));
    group.forEach((each, index) => {
      if (each.held === 0 || index === 0) return;
      const before = group[index - 1] as Service;
      count++;
      const beginMicros = each.time.endedMicros - each.time.serviceMicros;
      const beforeMicros = laneEndOf(before);
      overlapMicros += Math.max(0, Math.min(beforeMicros - beginMicros, each.time.serviceMicros));
      wholeMicros += each.time.serviceMicros;
    });
  }
  return count >= tripsMin && overlapMicros <= overlapMax * wholeMicros ? 1 : 0;
}

/** Of work that was behind other work, the end is where its result was heard: all of its overhead came before. */
function laneEndOf({ held, endMicros, time }: Service): number {
  return held === 0 ? endMicros : time.endedMicros;
}

/** Who waited for the work before it has its time from that one's end on, and all of its overhead before its begin. */
function oneByOne(services: readonly Service[]): void {
  for (const group of groupsOf(services, ({ agent }) => String(agent))) {
    group.sort((left, right) => laneEndOf(left) - laneEndOf(right));
    let beforeMicros = Number.NEGATIVE_INFINITY;
    for (const each of group) {
      const { endedMicros, instantMicros, serviceMicros } = each.time;
      if (each.held > 0) {
        each.totalMicros = Math.max(0, endedMicros - Math.max(instantMicros, beforeMicros) - serviceMicros);
        each.endMicros = endedMicros;
        each.beginMicros = endedMicros - serviceMicros;
      }
      beforeMicros = each.endMicros;
    }
  }
}

function tripsOf(services: readonly Service[]): MeasuredTrips[] {
  const trips: MeasuredTrips[] = [];
  for (let held = 0; held <= heldMax; held++) {
    const isLast = services.filter((each) => each.held > held).length < tripsMin || held === heldMax;
    const group = services.filter((each) => (isLast ? each.held >= held : each.held === held));
    // Too few of their own: those of one fewer stand for them.
    if (group.length > 0 && (group.length >= tripsMin || held === 0))
      trips.push({
        ...{ held, count: group.length },
        acceptMicros: rounded(group.map(({ time }) => time.begunMicros - time.instantMicros)),
        totalMicros: rounded(group.map(({ totalMicros }) => totalMicros)),
      });
    else if (held > 0 && trips[held - 1] !== undefined)
      trips.push({ ...(trips[held - 1] as MeasuredTrips), held, count: 0 });
    if (isLast) break;
  }
  return trips;
}

/** For each piece of work, how long it ran beside how many others of its host. */
function exposures(services: readonly Service[]): void {
  for (const group of groupsOf(services, ({ host }) => host)) {
    const changes = group.flatMap((service) => [
      { atMicros: service.beginMicros, service, begins: true },
      { atMicros: service.endMicros, service, begins: false },
    ]);
    changes.sort((left, right) => left.atMicros - right.atMicros || Number(left.begins) - Number(right.begins));
    const running = new Set<Service>();
    let sinceMicros = 0;
    for (const { atMicros, service, begins } of changes) {
      const others = Math.min(othersMax, running.size - 1);
      for (const { exposure } of running) {
        while (exposure.length <= others) exposure.push(0);
        exposure[others]! += atMicros - sinceMicros;
      }
      sinceMicros = atMicros;
      if (begins) running.add(service);
      else running.delete(service);
    }
  }
}

/** Work goes at a rate that hangs on the others beside it, and takes its class's share of its estimate at the rate that it has alone.
 *  Rates and shares are improved in turn until each explains the time that was spent: at the end, of the time with n others as
 *  much was too slow as was too fast. */
function fitService(services: readonly Service[]): Pick<Calibration, 'contention' | 'service'> {
  const used = services.filter(({ time, exposure }) => time.serviceMicros > 0 && exposure.some((each) => each > 0));
  const classes = groupsOf(used, ({ time }) => time.submitted.taskClass ?? '');
  const spent: number[] = [];
  for (const { exposure } of used)
    exposure.forEach((each, others) => {
      spent[others] = (spent[others] ?? 0) + each;
    });
  const whole = spent.reduce((sum, each) => sum + (each ?? 0), 0);
  const levels = Array.from(spent, (each) => (each ?? 0) >= exposureShareMin * whole);
  const rates = levels.map(() => 1);
  const alone = ({ exposure }: Service): number =>
    exposure.reduce((sum, each, others) => sum + each * (rates[others] as number), 0);
  const ratioOf = (service: Service): number => alone(service) / service.time.submitted.estimateMicros;
  for (let round = 0; round < rounds; round++) {
    const wanted = rates.map(() => 0);
    for (const group of classes) {
      const share = middleOf(group.map(ratioOf));
      for (const service of group) {
        const explained = (share * service.time.submitted.estimateMicros) / alone(service);
        service.exposure.forEach((each, others) => {
          wanted[others]! += each * explained;
        });
      }
    }
    rates.forEach((rate, others) => {
      if (levels[others])
        rates[others] = rate * Math.max(0.5, Math.min(2, (wanted[others] as number) / (spent[others] as number)));
    });
    const first = levels.indexOf(true);
    const scale = rates[Math.max(0, first)] as number;
    rates.forEach((rate, others) => {
      if (levels[others]) rates[others] = rate / scale;
      else rates[others] = others < first ? 1 : (rates[others - 1] ?? 1);
    });
  }
  while (levels.length > 1 && levels.at(-1) === false) {
    levels.pop();
    rates.pop();
  }
  const service: Record<string, MeasuredService> = {};
  for (const group of classes) {
    if (group.length < classMin) continue;
    const ratio = ascending(group.map((each) => ratioOf(each)));
    service[group[0]?.time.submitted.taskClass ?? ''] = {
      count: group.length,
      ratio: quantilesOf(ratio).map((each) => Number(each.toPrecision(5))),
    };
  }
  const contention = rates.length === 0 ? [1] : rates.map((rate) => Number((1 / rate).toPrecision(4)));
  return { contention, service };
}

function paceAt(contention: readonly number[], others: number): number {
  return contention[Math.min(others, contention.length - 1)] ?? 1;
}

function groupsOf<T>(values: readonly T[], keyOf: (value: T) => string): T[][] {
  const groups = new Map<string, T[]>();
  for (const value of values) {
    const key = keyOf(value);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [value]);
    else group.push(value);
  }
  return [...groups.values()];
}

function ascending(values: number[]): number[] {
  return values.sort((left, right) => left - right);
}

function middleOf(values: number[]): number {
  return quantilesOf(ascending(values))[calibrationShares.indexOf(0.5)] ?? 1;
}

function rounded(values: number[]): number[] {
  return quantilesOf(ascending(values)).map(Math.round);
}
