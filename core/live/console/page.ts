// The console's page: its places, which the scripts in browser/ fill.

import { recommendationsSection } from './recommendations-section.ts';

/** `hasAdvice`: whether the kernel has the routes of recommendations. */
export const consolePage = (hasAdvice: boolean): string => `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Sira Kernel</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/console/style.css">
<script src="/console/echarts.js" defer></script>
<script src="/console/main.js" type="module"></script>
</head>
<body>
<header>
  <a class="brand" href="#overview">Sira Kernel <small id="version"></small></a>
  <nav aria-label="Views">
    <a href="#overview">Overview</a>
    <a href="#tasks">Tasks</a>
    <a href="#topics">Topics</a>
    <a href="#links">Links</a>
    <a href="#policies">Policies</a>
    ${hasAdvice ? '<a href="#recommendations">Recommendations</a>' : ''}
    <a href="#configuration">Configuration</a>
  </nav>
  <span id="policy" class="policy"></span>
  <span id="light" class="light" role="status">connecting</span>
</header>
<div id="refusal" class="banner" role="alert" hidden></div>
<div id="problem"></div>
<main>
  <section id="view-overview">
    <h1 class="hidden">Overview</h1>
    <dl id="figures" class="figures"></dl>
    <div class="columns">
      <div>
        <article>
          <div class="head"><h2>Fleet</h2><ul id="fleet-legend" class="legend"></ul></div>
          <p id="fleet-empty" class="quiet" hidden>No agent has registered yet. Agents connect to the gRPC address that <code>sira start</code> printed.</p>
          <div id="fleet-figure" hidden>
            <div class="map"><canvas id="fleet-map" tabindex="0" role="img"></canvas></div>
            <p id="fleet-hint" class="quiet" aria-live="polite">Point at an agent, or click for more.</p>
          </div>
        </article>
        <article><h2>Queue</h2><div id="queue-chart" class="chart" role="img" aria-label="Waiting and placed tasks over time"></div></article>
        <div class="pair">
          <article><h2>Ends a second</h2><div id="rate-chart" class="chart" role="img" aria-label="Completed and lost tasks a second"></div></article>
          <article><h2>In use</h2><div id="use-chart" class="chart" role="img" aria-label="Share of the resources in use"></div></article>
        </div>
      </div>
      <aside>
        <article class="decisions">
          <div class="head">
            <h2>Decisions</h2>
            <label class="hidden" for="decision-outcome">Outcome</label>
            <select id="decision-outcome">
              <option value="">all</option><option>placed</option><option>waits</option><option>backs off</option><option>evicts</option><option>dropped</option>
            </select>
            <label><input type="checkbox" id="decision-pause"> hold</label>
          </div>
          <p class="quiet">Click one to see why.</p>
          <p id="decisions-empty" class="quiet">Nothing has been decided yet.</p>
          <ol id="decisions" class="feed tall"></ol>
        </article>
        <article>
          <h2>Agents lately</h2>
          <p id="agent-events-empty" class="quiet">Nothing has changed since this page was opened.</p>
          <ol id="agent-events" class="events"></ol>
        </article>
      </aside>
    </div>
  </section>
  <section id="view-tasks" hidden>
    <div class="head">
      <h1>Tasks</h1>
      <label for="task-state" class="hidden">State</label>
      <select id="task-state"><option value="waiting">waiting</option><option value="placed" selected>placed</option><option value="ended">ended lately</option></select>
    </div>
    <article id="tasks-table"></article>
  </section>
  <section id="view-topics" hidden>
    <h1>Topics</h1>
    <article id="topics-table"></article>
  </section>
  <section id="view-links" hidden>
    <div class="head">
      <h1>Links</h1>
      <span id="links-note" class="quiet"></span>
      <label for="link-kind" class="hidden">Of whom</label>
      <select id="link-kind"><option value="">all</option><option value="agent">agents</option><option value="submitter">submitters</option><option value="topicClient">clients of topics</option></select>
    </div>
    <article>
      <p class="quiet">A small message goes out about once a second and is echoed: the other process is part of the way. What is unlike its peers, or unlike its own usual, comes first.</p>
      <div id="links-table"></div>
    </article>
  </section>
  <section id="view-policies" hidden>
    <h1>Policies</h1>
    <div class="columns">
      <div>
        <article><h2>Serving now</h2><div id="policy-serving"></div></article>
        <article><h2>Rollouts</h2><div id="policy-rollouts"></div></article>
      </div>
      <aside><article><h2>Who decided what</h2><ol id="policy-history" class="history"></ol></article></aside>
    </div>
  </section>
  ${hasAdvice ? recommendationsSection : ''}
  <section id="view-configuration" hidden>
    <div class="head"><h1>Configuration</h1><span id="setting-version" class="quiet"></span></div>
    <div id="setting-message"></div>
    <div class="columns">
      <div>
        <article>
          <div class="head tools">
            <label>Search <input id="setting-search" type="search" autocomplete="off"></label>
            <label>Your name <input id="setting-who" autocomplete="username" placeholder="console" maxlength="200"></label>
          </div>
          <p class="quiet">Click a value to change it. A change is journaled with your name and reason, and holds after restarts.</p>
          <div id="settings"></div>
        </article>
      </div>
      <aside><article><h2>History</h2><ol id="setting-history" class="history"></ol></article></aside>
    </div>
  </section>
</main>
<div id="drawer" class="drawer" role="dialog" aria-labelledby="drawer-title" hidden>
  <div class="head"><h2 id="drawer-title"></h2><button id="drawer-close" type="button" class="plain" aria-label="Close">Close</button></div>
  <div id="drawer-body"></div>
</div>
</body>
</html>
`;
