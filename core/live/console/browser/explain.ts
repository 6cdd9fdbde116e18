// What the panel says of a decision ("why here?"), a task and an agent.

import { type Agent, ask, type Decision, type ExplainedDecision, type Skill, type Task } from './api.ts';
import { type Child, clock, count, duration, h, percent, plural, short } from './dom.ts';
import { badge, type Drawer, facts, problemBox, table } from './drawer.ts';

export class Explainer {
  private readonly drawer: Drawer;

  constructor(drawer: Drawer) {
    this.drawer = drawer;
  }

  decision(number: number): void {
    void this.drawer.open(`Decision ${number}`, async () => {
      const decision = await ask<ExplainedDecision>(`/v1/decisions/${number}`);
      return [
        h('p', { class: 'why' }, badge(decision.outcome), ` ${decision.why}`),
        facts([
          ['task', this.taskLink(decision.task)],
          ['when', clock(decision.timeMicros)],
          ['rule', decision.rule],
          ['agents that fit', count(decision.feasibleCount)],
          ['at the best score', count(decision.tieCount)],
          ['waiting then', plural(decision.queueLength, 'task')],
          ['probability of this choice', percent(decision.propensity)],
        ]),
        ...this.ranking(decision),
        ...ruledOut(decision),
      ];
    });
  }

  task(number: number): void {
    void this.drawer.open(`Task ${number}`, async () => {
      const { task, decisions } = await ask<{ task: Task; decisions: Decision[] }>(`/v1/tasks/${number}`);
      const { request } = task;
      return [
        h('p', { class: 'why' }, badge(task.outcome ?? task.state), ` ${this.lifeOf(task)}`),
        facts([
          ['submitted', clock(task.submittedMicros)],
          ['waited', duration(task.placedMicros === null ? null : task.placedMicros - task.submittedMicros)],
          ['time of the work', duration(task.serviceMicros)],
          ['attempts', count(task.attempts)],
          ['priority', count(task.priority)],
          ...(task.tenant === '' ? [] : ([['tenant', task.tenant]] as const)),
          ...(task.joules === null ? [] : ([['energy', `${short(task.joules)} J`]] as const)),
          ...(request === undefined ? [] : ([['asks for', requestText(request)]] as const)),
        ]),
        h('h3', {}, 'Decisions'),
        decisions.length === 0 ? h('p', { class: 'quiet' }, 'None is kept.') : this.decisionList(decisions),
        task.state === 'ended'
          ? null
          : this.action('Cancel the task', `/v1/tasks/${number}/cancel`, () => this.task(number)),
      ];
    });
  }

  agent(name: string): void {
    void this.drawer.open(name, async () => {
      const path = `/v1/agents/${encodeURIComponent(name)}`;
      const { agent, tasks, skills } = await ask<{ agent: Agent; tasks: Task[]; skills: Skill[] }>(path);
      const { resources } = agent;
      const gpus = resources.gpuFreeMilli.map((free) => percent(1 - free / 1000)).join(', ');
      return [
        h('p', { class: 'why' }, badge(agent.state), agent.connected ? ' connected here' : ' no stream here'),
        facts([
          ['takes work', agent.takesWork ? 'yes' : ['no', ...agent.holds].join(', ')],
          ['cores in use', shareText(resources.cpuMilli - resources.cpuFreeMilli, resources.cpuMilli, 1000, 'cores')],
          ['memory in use', shareText(resources.memoryMib - resources.memoryFreeMib, resources.memoryMib, 1024, 'GiB')],
          ...(resources.gpuCount === 0
            ? []
            : ([['accelerators in use', `${gpus} of ${resources.gpuCount} ${resources.gpuModel}`]] as const)),
          ['load it reports', agent.load === null ? '–' : percent(agent.load)],
          ['suspicion (phi)', short(agent.suspicion)],
        ]),
        h('h3', {}, plural(tasks.length, 'task')),
        tasks.length === 0 ? h('p', { class: 'quiet' }, 'It has nothing to do.') : this.taskTable(tasks),
        h('h3', {}, 'What it is believed to be able to do'),
        skills.length === 0
          ? h('p', { class: 'quiet' }, 'Nothing is measured yet: tasks name no class.')
          : table(
              'Skills',
              ['class', 'seconds a unit', '95%', 'success', 'outcomes'],
              skills.map((skill) => [
                skill.taskClass,
                short(skill.seconds),
                `${short(skill.secondsLow)} to ${short(skill.secondsHigh)}`,
                percent(skill.success),
                count(skill.outcomeCount),
              ]),
            ),
        agent.state === 'dead' || agent.state === 'draining'
          ? null
          : this.action('Drain the agent', `${path}/drain`, () => this.agent(name)),
      ];
    });
  }

  taskTable(tasks: readonly Task[]): HTMLElement {
    return table(
      'Tasks',
      ['task', 'state', 'agent', 'submitted', 'waited', 'work', 'attempts'],
      tasks.map((task) => [
        this.taskLink(task.task),
        badge(task.outcome ?? task.state),
        this.agentLinks(task.agents),
        clock(task.submittedMicros),
        duration(task.placedMicros === null ? null : task.placedMicros - task.submittedMicros),
        duration(task.serviceMicros),
        count(task.attempts),
      ]),
    );
  }

  decisionList(decisions: readonly Decision[]): HTMLElement {
    return h(
      'ol',
      { class: 'feed' },
      decisions.map((decision) => this.decisionItem(decision)),
    );
  }

  decisionItem(decision: Decision): HTMLElement {
    return h(
      'li',
      {},
      h(
        'button',
        { type: 'button', class: 'decision', onclick: () => this.decision(decision.decision) },
        h('time', {}, clock(decision.timeMicros)),
        badge(decision.outcome),
        h('b', {}, `task ${decision.task}`),
        h('span', { class: 'words' }, decision.why),
      ),
    );
  }

  taskLink(task: number): HTMLElement {
    return h('button', { type: 'button', class: 'link', onclick: () => this.task(task) }, String(task));
  }

  private agentLinks(names: readonly string[]): HTMLElement {
    return h(
      'span',
      {},
      names.map((name) => h('button', { type: 'button', class: 'link', onclick: () => this.agent(name) }, name)),
    );
  }

  private lifeOf(task: Task): string {
    const where = task.agents.length === 0 ? '' : ` on ${task.agents.join(', ')}`;
    if (task.state === 'waiting') return 'It waits to be placed.';
    if (task.state !== 'ended') return `It is ${task.state === 'running' ? 'at work' : 'being handed over'}${where}.`;
    return `It ended${where}.`;
  }

  private ranking({ ranked }: ExplainedDecision): Child[] {
    if (ranked.length === 0) return [];
    const scores = ranked.map(({ score }) => score ?? 0);
    const least = Math.min(...scores);
    const span = Math.max(...scores) - least;
    const plugins = ranked[0]?.scores.map(({ plugin }) => plugin) ?? [];
    return [
      h('h3', {}, 'The winner and the runners-up'),
      h('p', { class: 'quiet' }, `Scored by ${plugins.join(', ')}; longer is better.`),
      h(
        'ol',
        { class: 'bars' },
        ranked.map(({ agent, score, scores: parts }, index) =>
          h(
            'li',
            {
              class: index === 0 ? 'winner' : '',
              title: parts.map(({ plugin, value }) => `${plugin} ${short(value)}`).join(', '),
            },
            this.agentLinks([agent]),
            // What is common to all says nothing: bars show the differences.
            h(
              'span',
              { class: 'bar' },
              h('i', { style: `width:${span === 0 ? 100 : 8 + (92 * ((score ?? 0) - least)) / span}%` }),
            ),
            h('span', { class: 'number' }, short(score)),
          ),
        ),
      ),
    ];
  }

  private action(label: string, path: string, then: () => void): HTMLElement {
    const place = h('div', { class: 'actions' });
    const button = h('button', { type: 'button', class: 'plain' }, label);
    let isSure = false;
    button.addEventListener('click', async () => {
      if (!isSure) {
        isSure = true;
        button.textContent = `${label}: sure?`;
        button.classList.add('danger');
        return;
      }
      try {
        await ask(path, 'POST');
        then();
      } catch (error) {
        place.append(problemBox(error));
      }
    });
    place.append(button);
    return place;
  }
}

function ruledOut({ filtered }: ExplainedDecision): Child[] {
  if (filtered.length === 0) return [];
  const most = Math.max(...filtered.map(({ count: agents }) => agents));
  return [
    h('h3', {}, 'Agents ruled out'),
    h(
      'ul',
      { class: 'bars' },
      filtered.map(({ reason, count: agents }) =>
        h(
          'li',
          {},
          h('span', {}, reason),
          h('span', { class: 'bar' }, h('i', { class: 'out', style: `width:${(100 * agents) / most}%` })),
          h('span', { class: 'number' }, count(agents)),
        ),
      ),
    ),
  ];
}

function requestText(request: NonNullable<Task['request']>): string {
  const parts = [`${short(request.cpuMilli / 1000)} cores`];
  if (request.memoryMib > 0) parts.push(`${short(request.memoryMib / 1024)} GiB`);
  if (request.gpuCount > 0) parts.push(`${request.gpuCount} × ${request.gpuMilli / 10}% accelerator`);
  if (request.skill !== '') parts.push(`skill ${request.skill}`);
  return parts.join(', ');
}

function shareText(used: number, of: number, unit: number, name: string): string {
  return `${short(used / unit)} of ${short(of / unit)} ${name}`;
}
