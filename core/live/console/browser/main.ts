// The console: what the kernel tells, as it tells it. Events come over one stream; what they do not say is asked for again every
// two seconds while somebody looks. Nothing is fetched from anywhere but the kernel.

import { ask, type Cluster, type Decision, type Fleet, type Sample, type Task, type Topic } from './api.ts';
import { Charts } from './charts.ts';
import { ConfigView } from './config-view.ts';
import { byId, clock, count, duration, h, plural, replace } from './dom.ts';
import { Drawer, problemBox, table } from './drawer.ts';
import { Explainer } from './explain.ts';
import { FleetMap } from './fleet-map.ts';
import { drawLinks } from './links-view.ts';
import { PoliciesView } from './policies-view.ts';
import { RecommendationsView } from './recommendations-view.ts';

const refreshMillis = 2000;
const decisionsShown = 80;

const drawer = new Drawer();
const explainer = new Explainer(drawer);
const charts = new Charts();
const fleetMap = new FleetMap((name) => explainer.agent(name));
const config = new ConfigView();
const policies = new PoliciesView(drawer);
// Where the kernel has its routes.
const recommendations =
  document.getElementById('view-recommendations') === null ? undefined : new RecommendationsView(drawer);
const feed = byId('decisions');
const outcomeFilter = byId<HTMLSelectElement>('decision-outcome');
const pause = byId<HTMLInputElement>('decision-pause');
const newDecisions: Decision[] = [];
let decisionsAsked = false;

async function refresh(): Promise<void> {
  try {
    const [cluster, fleet] = await Promise.all([ask<Cluster>('/v1/cluster'), ask<Fleet>('/v1/cluster/fleet')]);
    drawCluster(cluster);
    fleetMap.show(fleet);
    const isEmpty = fleet.total === 0;
    byId('fleet-empty').hidden = !isEmpty;
    byId('fleet-figure').hidden = isEmpty;
    await views[shownView()]?.();
    replace(byId('problem'));
  } catch (error) {
    replace(byId('problem'), problemBox(error));
  }
}

function drawCluster(cluster: Cluster): void {
  const { states, total } = cluster.agents;
  const alive = total - (states.dead ?? 0);
  const rates = charts.rates();
  byId('version').textContent = cluster.version;
  byId('policy').textContent = `${cluster.policy.order} · ${cluster.policy.place}`;
  byId('policy').title = 'Queue order and placement';
  const figures: readonly (readonly [string, string, string])[] = [
    ['Agents alive', count(alive), total === alive ? 'all that ever registered' : `${count(total - alive)} dead`],
    ['Waiting', count(cluster.tasks.waiting), plural(cluster.tasks.placed, 'placed task')],
    ['Completed', `${count(rates.completed)}/s`, 'over ten seconds'],
    ['Decisions', `${count(rates.decisions)}/s`, 'over ten seconds'],
    [
      'Inputs journaled',
      count(cluster.journal.sequence),
      cluster.journal.held === 0 ? 'all on the disk' : `${cluster.journal.held} on the way`,
    ],
    [
      'Up',
      duration(cluster.nowMicros - cluster.startedMicros),
      cluster.durability === 'powerFailure' ? 'outlives loss of power' : 'outlives its process',
    ],
  ];
  replace(
    byId('figures'),
    figures.map(([name, value, note]) => h('div', {}, h('dt', {}, name), h('dd', {}, value, h('small', {}, note)))),
  );
  replace(
    byId('fleet-legend'),
    Object.entries(states).map(([state, agents]) =>
      h('li', { class: agents === 0 ? 'none' : '' }, h('i', { class: `dot is-${state}` }), `${state} ${count(agents)}`),
    ),
  );
  byId('refusal').hidden = cluster.journal.refusal === '';
  byId('refusal').textContent = `The kernel takes nothing now: ${cluster.journal.refusal}`;
}

async function drawTasks(): Promise<void> {
  const state = byId<HTMLSelectElement>('task-state').value;
  const { tasks, next } = await ask<{ tasks: readonly Task[]; next: number | null }>(
    `/v1/tasks?state=${state}&limit=200`,
  );
  const note = next === null ? '' : 'There are more; these are the first 200.';
  replace(
    byId('tasks-table'),
    tasks.length === 0
      ? h(
          'p',
          { class: 'quiet' },
          state === 'ended' ? 'No task has ended since this process began.' : `No task is ${state}.`,
        )
      : explainer.taskTable(tasks),
    h('p', { class: 'quiet' }, note),
  );
}

async function drawTopics(): Promise<void> {
  const { topics, next } = await ask<{ topics: readonly Topic[]; next: number | null }>('/v1/topics?limit=200');
  const rows = topics.flatMap(({ name, startOffset, endOffset, groups }) => {
    const kept = count(endOffset - startOffset);
    if (groups.length === 0)
      return [[h('b', {}, name), kept, count(endOffset), h('span', { class: 'quiet' }, 'no group'), '', '', '', '']];
    return groups.map((group, index) => [
      index === 0 ? h('b', {}, name) : '',
      index === 0 ? kept : '',
      index === 0 ? count(endOffset) : '',
      group.name,
      group.mode,
      count(group.members),
      count(group.offset),
      group.lag === 0 ? '0' : h('b', {}, count(group.lag)),
    ]);
  });
  const heads = ['topic', 'messages kept', 'end', 'group', 'mode', 'members', 'settled up to', 'behind'];
  replace(
    byId('topics-table'),
    rows.length === 0 ? h('p', { class: 'quiet' }, 'There is no topic yet.') : table('Topics', heads, rows),
    next === null ? null : h('p', { class: 'quiet' }, 'There are more; these are the first 200.'),
  );
}

function drawDecisions(): void {
  decisionsAsked = false;
  const wanted = outcomeFilter.value;
  const fresh = newDecisions.splice(0).filter(({ outcome }) => wanted === '' || outcome === wanted);
  if (pause.checked || fresh.length === 0) return;
  byId('decisions-empty').hidden = true;
  // Only what will be seen is made.
  for (const decision of fresh.slice(-decisionsShown)) feed.prepend(explainer.decisionItem(decision));
  while (feed.children.length > decisionsShown) feed.lastElementChild?.remove();
}

async function loadDecisions(): Promise<void> {
  const filter = outcomeFilter.value === '' ? '' : `&outcome=${encodeURIComponent(outcomeFilter.value)}`;
  const { decisions } = await ask<{ decisions: readonly Decision[] }>(`/v1/decisions?limit=${decisionsShown}${filter}`);
  replace(
    feed,
    decisions.map((decision) => explainer.decisionItem(decision)),
  );
  byId('decisions-empty').hidden = decisions.length > 0;
}

function listen(): void {
  const stream = new EventSource('/v1/events?kinds=decision,setting,agent,sample');
  const light = byId('light');
  const connected = (isConnected: boolean): void => {
    light.className = isConnected ? 'light on' : 'light';
    light.textContent = isConnected ? 'live' : 'no connection; trying again';
  };
  stream.addEventListener('open', () => connected(true));
  stream.addEventListener('error', () => {
    connected(false);
    // A browser gives up for good on some failures.
    if (stream.readyState !== EventSource.CLOSED) return;
    setTimeout(() => void start(), refreshMillis);
  });
  // Something may have been missed, as when the kernel was started again.
  stream.addEventListener('gap', () => {
    void loadDecisions();
    void config.load();
  });
  stream.addEventListener('sample', ({ data }) => charts.add(JSON.parse(data) as Sample));
  stream.addEventListener('setting', () => void config.load());
  stream.addEventListener('agent', ({ data }) => agentChanged(JSON.parse(data)));
  stream.addEventListener('decision', ({ data }) => {
    newDecisions.push(JSON.parse(data) as Decision);
    if (newDecisions.length > 1000) newDecisions.shift();
    if (decisionsAsked || document.hidden) return;
    decisionsAsked = true;
    setTimeout(drawDecisions, 250);
  });
}

interface AgentEvent {
  readonly name: string;
  readonly change: string;
  readonly to?: string;
  readonly reason?: string;
  readonly cause?: string;
  readonly timeMicros: number;
}

function agentChanged({ name, change, to, reason, cause, timeMicros }: AgentEvent): void {
  const words =
    change === 'state' ? `${to} (${reason})` : change === 'registered' ? 'registered' : `${change}: ${cause}`;
  const list = byId('agent-events');
  byId('agent-events-empty').hidden = true;
  const link = h('button', { type: 'button', class: 'link', onclick: () => explainer.agent(name) }, name);
  list.prepend(h('li', {}, h('time', {}, clock(timeMicros)), link, h('span', {}, ` ${words}`)));
  while (list.children.length > 30) list.lastElementChild?.remove();
}

/** Views that are asked for again while somebody looks. */
const views: Readonly<Record<string, () => Promise<void>>> = {
  tasks: drawTasks,
  topics: drawTopics,
  links: drawLinks,
  policies: () => policies.draw(),
  ...(recommendations === undefined ? {} : { recommendations: () => recommendations.draw() }),
};

function shownView(): string {
  const wanted = location.hash.slice(1);
  return document.getElementById(`view-${wanted}`) === null ? 'overview' : wanted;
}

function route(): void {
  const wanted = shownView();
  for (const view of document.querySelectorAll<HTMLElement>('main > section'))
    view.hidden = view.id !== `view-${wanted}`;
  for (const link of document.querySelectorAll('nav a'))
    if (link.getAttribute('href') === `#${wanted}`) link.setAttribute('aria-current', 'page');
    else link.removeAttribute('aria-current');
  void views[wanted]?.().catch(() => {});
  scrollTo(0, 0);
}

async function start(): Promise<void> {
  try {
    const [{ samples }] = await Promise.all([
      ask<{ samples: readonly Sample[] }>('/v1/cluster/samples'),
      loadDecisions(),
      config.load(),
    ]);
    charts.replace(samples);
    listen();
  } catch (error) {
    replace(byId('problem'), problemBox(error));
    setTimeout(() => void start(), refreshMillis);
  }
  await refresh();
  document.documentElement.dataset.ready = 'true';
}

addEventListener('hashchange', route);
outcomeFilter.addEventListener('change', () => void loadDecisions());
byId('task-state').addEventListener('change', () => void drawTasks());
byId('link-kind').addEventListener('change', () => void drawLinks());
setInterval(() => {
  if (!document.hidden) void refresh();
}, refreshMillis);
route();
void start();
