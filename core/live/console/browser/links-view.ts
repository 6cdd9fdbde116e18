// The links to agents, submitters and clients of topics: what is unusual comes first, and says in words what it is.

import { ask, type Link, type LinkPage } from './api.ts';
import { byId, type Child, count, duration, h, moment, plural, replace } from './dom.ts';
import { table } from './drawer.ts';

const linksShown = 200;

const words: Readonly<Record<string, string>> = {
  lossy: 'loses messages',
  slow: 'slower than its peers',
  slower: 'slower than usual',
};

/** `3.2 MB/s`. */
function rate(bytesPerSecond: number | null): string {
  if (bytesPerSecond === null) return '–';
  if (bytesPerSecond < 1000) return `${Math.round(bytesPerSecond)} B/s`;
  const units = ['kB/s', 'MB/s', 'GB/s', 'TB/s'];
  let value = bytesPerSecond / 1000;
  let unit = 0;
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${Number(value.toPrecision(3))} ${units[unit]}`;
}

function lossText({ loss, lostCount }: Link): string {
  if (lostCount === 0) return '0%';
  return `${Number((100 * loss).toPrecision(2))}%`;
}

function state(link: Link): Child[] {
  if (!link.connected) return [h('span', { class: 'badge' }, 'no stream')];
  if (link.anomalies.length > 0)
    return link.anomalies.map((anomaly) => h('span', { class: 'badge is-suspect' }, words[anomaly] ?? anomaly));
  if (!link.echoes)
    return [h('span', { class: 'badge', title: 'The other side does not answer pings' }, 'not measured')];
  return [h('span', { class: 'badge is-completed' }, 'good')];
}

function row(link: Link): Child[] {
  const { kind, name, agents, address, connections, sinceMicros, roundTripMicros, roundTripMicrosMin } = link;
  const title = `${address}, connected ${plural(connections, 'time')}, last at ${moment(sinceMicros)}`;
  const more = agents > 1 ? h('small', {}, ` and ${count(agents - 1)} more`) : null;
  const isMeasured = roundTripMicros !== null;
  return [
    h('span', { title }, h('b', {}, name), more),
    kind === 'topicClient' ? 'client of topics' : kind,
    h('span', {}, state(link)),
    duration(roundTripMicros),
    duration(roundTripMicrosMin),
    isMeasured ? duration(link.jitterMicros) : '–',
    isMeasured ? lossText(link) : '–',
    rate(link.bytesPerSecond),
  ];
}

export async function drawLinks(): Promise<void> {
  const kind = byId<HTMLSelectElement>('link-kind').value;
  const filter = kind === '' ? '' : `&kind=${kind}`;
  const [unusual, all] = await Promise.all([
    ask<LinkPage>(`/v1/links?anomalous=true&limit=${linksShown}${filter}`),
    ask<LinkPage>(`/v1/links?anomalous=false&limit=${linksShown}${filter}`),
  ]);
  const links = [...unusual.links, ...all.links].slice(0, linksShown);
  const total = unusual.total + all.total;
  const flagged = unusual.links.filter(({ connected }) => connected).length;
  byId('links-note').textContent =
    total === 0 ? '' : `${plural(total, 'link')}, ${flagged === 0 ? 'none unusual' : `${count(flagged)} unusual`}`;
  const heads = ['link', 'of', 'state', 'round trip', 'least', 'jitter', 'loss', 'throughput'];
  replace(
    byId('links-table'),
    links.length === 0
      ? h('p', { class: 'quiet' }, 'Nobody has connected yet.')
      : table('Links', heads, links.map(row)),
    total > links.length ? h('p', { class: 'quiet' }, `There are more; these are the first ${linksShown}.`) : null,
  );
}
