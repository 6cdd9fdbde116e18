// The page of the availability study, in Markdown: the figures beside their goals, what was assumed, what was played, and what
// the figures hang on.

import { microsPerMilli, microsPerSecond } from '../../core/base/time.ts';
import {
  type Between,
  type FaultClass,
  faultClasses,
  type Repair,
} from '../../sim/experiment/availability/fault-model.ts';
import { defaultStudy } from '../../sim/experiment/availability/fleet.ts';
import { markdownTable } from '../tables/markdown.ts';
import { checkList } from '../tables/table.ts';
import type { StudyOptions } from './study-plan.ts';
import type { Figures, StudyFigures, Times } from './study-results.ts';

export const title = 'Availability over simulated years';
export const figureFile = 'availability.svg';
const yearSeconds = 365 * 86_400;

export function availabilityPage(
  figures: StudyFigures,
  options: StudyOptions,
  command: string,
  digest: string,
  eventCount: number,
): string {
  const { all, lives, years, causes, responses, controls, variants, servedShare, checks } = figures;
  const { fleet, requests, heartbeat } = defaultStudy;
  const { low, high, mean } = servedShare;
  const interval =
    low === null || high === null ? '' : `, 95% interval ${percent(low, 7)} to ${percent(Math.min(1, high), 7)}`;
  const playedShare = all.playedRequests / all.requests;
  return `# ${title}

Made by \`${command}\`. Digest over all that was played: \`${digest}\`; the same command over the same code gives the same page.

${lives.length} independent ${lives.length === 1 ? 'life' : 'lives'} of ${options.years} ${options.years === 1 ? 'year' : 'years'} of one small fleet under the fault model below, with the true kernel, its journal on
a simulated disk, its agents and its submitter. Served: ${percent(mean, 7)} of the requests${interval}.

${checkList(checks)}

![${title}](${figureFile})

## What was asked of the fleet

- ${fleet.racks} racks of ${fleet.machinesPerRack} machines on ${fleet.feeds} power feeds; a machine holds one request at a time. The kernel stands on the first feed; a standby with a mirror of its disk takes over.
- ${requests.ratePerSecond} requests a second (Poisson), service lognormal with median ${seconds(requests.serviceMedianMicros)} and σ ${requests.serviceSigma}, at most ${seconds(requests.serviceMaxMicros)}: about 40% of the fleet is busy, so that half of it can do the work.
- A request is **served** if its submitter has the result within ${seconds(requests.promiseMicros)} of asking, four times the longest service. What is asked while the kernel is down waits in the submitter, and counts as late if it comes too late. **Lost** is what the kernel had accepted and never ended.
- Heartbeats every ${seconds(heartbeat.intervalMicros)}, leases of ${seconds(heartbeat.leaseMicros)}, retries after ${seconds(defaultStudy.settings['dispatch.retryMicros'] as number)}; agents more than ${defaultStudy.settings['health.slowFactor']} times as slow as their peers are ejected (\`health.slowFactor\`); the clocks of the kernel's two hosts agree within ${(defaultStudy.settings['registry.clockErrorMicros'] as number) / microsPerMilli} ms (\`registry.clockErrorMicros\`). The other settings are the defaults.
- **Recovery** is the time from a fault to the displaced work running elsewhere: what was lost with a machine, given to one that no longer answered, or given up by an agent whose lease ran out. A request that was asked after the fault counts from its asking.

## Lives

${markdownTable(
  [
    'life',
    'requests',
    'not served',
    'lost',
    'served',
    'recoveries',
    'median s',
    'p99 s',
    'worst s',
    'kernel outages',
    'worst s',
  ],
  lives.map((life) => [
    ...row(life),
    ...times(life.recovery),
    String(life.kernelOutage.count),
    fixed(life.kernelOutage.worstSeconds),
  ]),
)}

Years of ${lives[0]?.name}:

${markdownTable(
  ['year', 'requests', 'not served', 'lost', 'served', 'recoveries', 'median s', 'p99 s', 'worst s'],
  (years[0] ?? []).map((year) => [...row(year), ...times(year.recovery)]),
)}

The years of the other lives are in [availability.json](availability.json).

## What was in the way

A decade of the fleet, mean over the lives. *Down time* is how long nothing at all would have to be served to miss as many requests.

${markdownTable(
  ['cause', 'faults', 'lasted, h', 'not served', 'down time, s a year', 'displaced', 'median s', 'worst s'],
  causes.map(({ cause, faults, lastedHours, notServed, equivalentSecondsPerYear, recovery }) => [
    cause,
    faults.toFixed(1),
    lastedHours.toFixed(1),
    notServed.toFixed(1),
    equivalentSecondsPerYear.toFixed(2),
    String(recovery.count),
    fixed(recovery.medianSeconds),
    fixed(recovery.worstSeconds),
  ]),
)}

The kernel's process or its host was down ${all.kernelOutage.count} times (median ${fixed(all.kernelOutage.medianSeconds)} s, p99 ${fixed(all.kernelOutage.p99Seconds)} s, worst ${fixed(all.kernelOutage.worstSeconds)} s from the fault to inputs being
taken again, recovery from the disk included), the gateway ${all.gatewayOutage.count} times (worst ${fixed(all.gatewayOutage.worstSeconds)} s).

How long answers took:

${markdownTable(
  ['within', 'share of all requests'],
  responses.map(({ withinSeconds, share }) => [`${withinSeconds} s`, percent(share, 6)]),
)}

## What it hangs on

The faults of the first life's first ${options.variantYears === 1 ? 'year' : `${options.variantYears} years`} again, under other settings.

${
  variants.length === 0
    ? 'Left out of this run (`--variant-years 0`).'
    : markdownTable(
        ['settings', 'requests', 'not served', 'lost', 'served', 'recoveries', 'median s', 'p99 s', 'worst s'],
        variants.map((variant) => [...row(variant), ...times(variant.recovery)]),
      )
}

A lease is the time that a dead machine keeps its work; it is also the time that agents go on working through an outage of the kernel.
Short ones make recovery fast, and let more work be given up while the kernel or the gateway is away. What no setting mends is
a missing standby: without one the kernel would be away as long as any machine that restarts, ${(4.2 * meanHours('machine restarts')).toFixed(1)} h a year by the table below,
at best ${percent(1 - (4.2 * 3600 * meanHours('machine restarts')) / yearSeconds, 3)} (computed, not played). And one gateway is one point of failure: while it is away the kernel hears of nobody,
suspects the whole fleet after three heartbeats, and places nothing new until it is back.

## The fault model

Assumptions, rounded from published studies as remembered; times between failures count from the last repair.

${markdownTable(
  ['what fails', 'each', 'mean time between', 'repair', 'source'],
  faultClasses.map((one) => [
    one.name + factorText(one),
    one.unit,
    betweenText(one.between),
    one.repair.map(repairText).join('; '),
    one.source,
  ]),
)}

Left out: a disk that fills up (the volume is the kernel's own, and its journal is bounded), rot (the kernel says what is damaged and
does not start), the submitter's own link, mistakes of operators, planned upgrades. A kernel's recovery is charged what its disk takes,
not the processor time of the replay: at most 60 s of inputs, some milliseconds.

## What was played

Playing every second of a decade would play mostly nothing. Simulated event by event is every stretch in which something changes, from half
a minute before each fault to at least 80 s after its end, and on until no request has waited for more than 20 s and none was late for a
minute; slow and lossy machines all the while. That is ${all.playedRequests.toLocaleString('en')} requests (${percent(playedShare, 3)} of all) and ${eventCount.toLocaleString('en')} events. In the calm between, the same machines are up,
nothing is queued and nothing fails: its requests are counted as served, at the stated rate.

Two things stand behind that. The test \`sim/experiment/availability/availability.test.ts\` plays hours with hundreds of times as many faults both ways, windows alone and
everything, and compares them request by request. And here ${controls.playedRequests.toLocaleString('en')} requests in stretches drawn from the calm were played as a control: ${controls.notServed} not
served, the longest answered after ${controls.longestSeconds.toFixed(1)} s.
`;
}

function row(figures: Figures): string[] {
  return [
    figures.name,
    Math.round(figures.requests).toLocaleString('en'),
    String(figures.notServed),
    String(figures.lost),
    percent(figures.servedShare, 7),
  ];
}

function times({ count, medianSeconds, p99Seconds, worstSeconds }: Times): string[] {
  return [String(count), fixed(medianSeconds), fixed(p99Seconds), fixed(worstSeconds)];
}

function fixed(value: number | null): string {
  return value === null ? '–' : value.toFixed(1);
}

function percent(share: number, digits = 5): string {
  return `${(100 * share).toFixed(digits)}%`;
}

function seconds(micros: number): string {
  return `${micros / microsPerSecond} s`;
}

function factorText({ effect, factor }: FaultClass): string {
  return effect === 'slow' || effect === 'diskSlow' ? `, × ${factor}` : effect === 'lossy' ? `, ${100 * factor}%` : '';
}

function betweenText(between: Between): string {
  const shape = between.distribution === 'weibull' ? `, Weibull ${between.shape}` : '';
  return `${spanText(between.meanMicros)}${shape}`;
}

function repairText(repair: Repair): string {
  const share = repair.share === 1 ? '' : `${Math.round(100 * repair.share)}%: `;
  if ('uniform' in repair) return `${share}${spanText(repair.uniform[0])} to ${spanText(repair.uniform[1])}`;
  const { medianMicros, sigma, maxMicros } = repair.lognormal;
  return `${share}lognormal, median ${spanText(medianMicros)}, σ ${sigma}, at most ${spanText(maxMicros)}`;
}

function spanText(micros: number): string {
  const inSeconds = micros / microsPerSecond;
  if (inSeconds >= 0.9 * yearSeconds) {
    const inYears = Number((inSeconds / yearSeconds).toPrecision(2));
    return `${inYears} ${inYears === 1 ? 'year' : 'years'}`;
  }
  if (inSeconds >= 86_400) return `${Math.round(inSeconds / 86_400)} d`;
  if (inSeconds >= 3600) return `${Number((inSeconds / 3600).toPrecision(2))} h`;
  if (inSeconds >= 60) return `${Math.round(inSeconds / 60)} min`;
  return `${inSeconds} s`;
}

/** Mean repair of a class, hours; lognormal parts without their cut. */
function meanHours(name: string): number {
  const found = faultClasses.find((one) => one.name === name) as FaultClass;
  let micros = 0;
  for (const part of found.repair) {
    if ('uniform' in part) micros += (part.share * (part.uniform[0] + part.uniform[1])) / 2;
    else micros += part.share * part.lognormal.medianMicros * Math.exp(part.lognormal.sigma ** 2 / 2);
  }
  return micros / microsPerSecond / 3600;
}
