// What stands behind the figures: the slowest tasks, the guards, the experiment, how the statistics are made, the digests that
// prove a rerun identical, and the scenario's text.

import type { PolicyResult, ResultDocument, RunDigest } from '../../sim/experiment/results.ts';
import { formatDuration, joinWords, plural } from '../format.ts';
import { guardBound, guardSentence } from '../guards.ts';
import type { Ranking } from '../ranking.ts';
import { html, type Markup } from './html.ts';
import { policyLooks } from './theme.ts';

export function slowestSection(document: ResultDocument, ranking: Ranking): Markup | false {
  const looks = policyLooks(document);
  const policies = ranking.policies.map(({ policy }) => policy).filter(({ slowest }) => slowest.length > 0);
  if (policies.length === 0) return false;
  const table = (
    policy: PolicyResult,
  ) => html`<div class="table" tabindex="0" role="region" aria-label="Slowest tasks of ${policy.name}, scrollable"><table>
<caption><span>The tasks that waited longest under ${policy.name}. <code>sira explain RUN --task ID</code> tells the whole story of one.</span></caption>
<thead><tr><th scope="col" class="text">Task</th><th scope="col">ID</th><th scope="col">Seed</th><th scope="col">Wait</th><th scope="col">Run</th><th scope="col" class="text">Asked for</th><th scope="col" class="text">Why it waited</th></tr></thead>
<tbody>${policy.slowest.map(
    (task) =>
      html`<tr><th scope="row">${task.task}</th><td>${task.id}</td><td>${task.seed}</td><td>${formatDuration(task.waitSeconds)}</td><td>${formatDuration(task.runSeconds)}</td><td class="text few">${task.request}</td><td class="text wrap">${task.reason}</td></tr>`,
  )}</tbody></table></div>`;
  return html`<section id="slowest"><h2>Slowest tasks, and why they waited</h2>
${policies.map(
  (policy, place) =>
    html`<details${place === 0 && html` open`}><summary><span class="swatch" style="--c:${looks.get(policy.name)!.color}"></span>${policy.name} <span class="unsure">· longest ${formatDuration(Math.max(...policy.slowest.map(({ waitSeconds }) => waitSeconds)))}</span></summary>${table(policy)}</details>`,
)}
</section>
`;
}

export function guardsSection(document: ResultDocument): Markup | false {
  if (document.guards.length === 0) return false;
  return html`<section id="guards"><h2>Guards</h2>
<div class="table"><table><caption><span>Bounds that the scenario sets, checked on each policy’s mean over seeds.</span></caption>
<thead><tr><th scope="col" class="text">Guard</th><th scope="col" class="text">Result</th></tr></thead>
<tbody>${document.guards.map((guard) => {
    const kept = guard.violations.length === 0;
    return html`<tr><th scope="row">${guardBound(document, guard)}</th><td class="text wrap ${kept ? 'better' : 'worse'}">${kept ? 'kept by every policy' : guardSentence(document, guard).replace(/^.*: /, 'broken by ').replace(/\.$/, '')}</td></tr>`;
  })}</tbody></table></div></section>
`;
}

export function experimentSection(document: ResultDocument): Markup {
  const { cluster, scenario } = document;
  const models = Object.entries(cluster.models).sort(([a, left], [b, right]) => right - left || (a < b ? -1 : 1));
  const rows: [string, Markup | string][] = [
    ['Scenario', html`<code>${scenario.file}</code>`],
    [
      'Cluster',
      [
        plural(cluster.machines, 'machine'),
        ...(cluster.gpus > 0 ? [plural(cluster.gpus, 'GPU')] : []),
        ...(cluster.cpuCores > 0 ? [plural(Math.round(cluster.cpuCores), 'CPU core')] : []),
      ].join(', '),
    ],
    ...(models.length > 0
      ? [
          [
            'Machines by model',
            models.map(([model, count]) => `${count.toLocaleString('en-US')} × ${model}`).join(', '),
          ] as [string, string],
        ]
      : []),
    ['Seeds', document.seeds.join(', ')],
    [
      'Window',
      `${formatDuration(document.measuredSeconds)} measured${document.warmUpSeconds > 0 ? ` after ${formatDuration(document.warmUpSeconds)} of warm-up` : ', no warm-up'}`,
    ],
    ['Baseline', document.baseline],
    ['Made', `${document.createdAt}, Sira ${document.siraVersion}, in ${formatDuration(document.wallSeconds)}`],
    ['Content hash', html`<span class="hash">${scenario.contentHash}</span>`],
  ];
  return html`<section id="experiment"><h2>What was run</h2>
<dl class="setting">${rows.map(([name, value]) => html`<dt>${name}</dt><dd>${value}</dd>`)}</dl>
${document.notes.length > 0 && html`<h3 style="margin-top:20px">Notes</h3><ul class="notes">${document.notes.map((note) => html`<li>${note}</li>`)}</ul>`}
<h3 style="margin-top:20px">Policies</h3>
<dl class="setting">${document.policies.map((policy) => html`<dt>${policy.name}</dt><dd>${policy.description}</dd>`)}</dl>
<h3 style="margin-top:20px">Run it again</h3>
<div class="command"><code id="command">${document.command}</code><button type="button" class="copy" data-copy="command">Copy</button></div>
</section>
`;
}

export function methodSection(document: ResultDocument): Markup {
  const growing = document.policies.filter(({ stationary }) => !stationary).map(({ name }) => name);
  return html`<section id="method"><h2>How to read the numbers</h2>
<ul class="notes">
<li>Intervals are Student’s t over ${plural(document.seeds.length, 'seed')}, at 95%, each on its own. One seed gives every policy the same arrivals, so policies are compared by their differences seed by seed, which removes what the seeds have in common.</li>
<li>“Shown to be better” means p &lt; 0.05 of the paired t test after Holm’s correction: over the policies where they are compared with the baseline, over a policy’s rivals where it is ranked. So the policies of rank 1 contain the truly best one with 95% confidence, although the leader was picked from the same data. Everything else is “cannot tell”, which is not “equal”.</li>
<li>${growing.length > 0 ? `Queues that still grew: ${joinWords(growing)}. Their waits are a matter of the window’s length.` : 'No queue grew over the measured window.'}</li>
<li>These are simulated outcomes. How far the simulator is from a live cluster was not measured for this scenario, so a difference here is evidence about the model and a reason to try the policy, not yet a promise.</li>
</ul></section>
`;
}

export function digestsSection(document: ResultDocument): Markup {
  const total = (key: 'placements' | 'kernelInputs' | 'kernelTimers' | 'kernelEffects' | 'wallSeconds') =>
    document.policies.reduce((sum, { runs }) => sum + runs.reduce((inner, run) => inner + run[key], 0), 0);
  const placements = total('placements');
  const kernelEvents = total('kernelInputs') + total('kernelTimers') + total('kernelEffects');
  const wall = total('wallSeconds');
  const count = (value: number) => Math.round(value).toLocaleString('en-US');
  const rows = document.policies.flatMap((policy) => policy.runs.map((run) => ({ policy: policy.name, run })));
  const cells = (run: RunDigest) =>
    [run.placements, run.kernelInputs, run.kernelTimers, run.kernelEffects, run.simulatedEvents].map(
      (value) => html`<td>${count(value)}</td>`,
    );
  return html`<section id="digests"><h2>Digests</h2>
<p>${plural(rows.length, 'run')}, ${count(placements)} placements${placements > 0 && `, ${(kernelEvents / placements).toFixed(1)} kernel events a placement`}${wall > 0 && `, ${count(kernelEvents / wall)} kernel events a second of run time`}. A rerun is identical if, and only if, its digests are.</p>
<details><summary>${plural(rows.length, 'run')}</summary><div class="table" tabindex="0" role="region" aria-label="Digests, scrollable"><table>
<caption><span>One row a policy and seed. The digest covers every effect of the kernel, in order.</span></caption>
<thead><tr><th scope="col" class="text">Policy</th><th scope="col">Seed</th><th scope="col" class="text">Digest</th><th scope="col">Placements</th><th scope="col">Kernel inputs</th><th scope="col">Timers</th><th scope="col">Effects</th><th scope="col">Simulated events</th><th scope="col">Run time<small>s</small></th></tr></thead>
<tbody>${rows.map(({ policy, run }) => html`<tr><th scope="row">${policy}</th><td>${run.seed}</td><td class="text hash">${run.digest}</td>${cells(run)}<td>${run.wallSeconds.toFixed(2)}</td></tr>`)}</tbody></table></div></details>
</section>
`;
}

export function sourceSection(document: ResultDocument): Markup {
  return html`<section id="scenario"><h2>Scenario</h2>
<pre tabindex="0" aria-label="The scenario as YAML"><code>${document.scenario.source}</code></pre>
</section>
`;
}
