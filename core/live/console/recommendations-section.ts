// The console's place for recommendations, for kernels that have their routes.

import { kernelSettingTable } from '../../config/kernel-setting-table.ts';
import { placements, queueOrders } from '../../scheduler/catalogue.ts';

const options = (names: readonly string[]): string => names.map((name) => `<option value="${name}">`).join('');
const numericSettings = Object.entries(kernelSettingTable)
  .filter(([, { type }]) => type === 'integer' || type === 'number')
  .map(([name]) => name);

const select = (name: string, choices: Readonly<Record<string, string>>): string =>
  `<label for="advice-${name}" class="hidden">Of which ${name}</label><select id="advice-${name}"><option value="">any ${name}</option>${Object.entries(
    choices,
  )
    .map(([value, words]) => `<option value="${value}">${words}</option>`)
    .join('')}</select>`;

const kinds = {
  policy: 'policy',
  limits: 'limits',
  machines: 'machines',
  power: 'power',
  retrain: 'retrain',
  doNothing: 'do nothing',
  cannotTell: 'cannot tell',
};
const states = {
  recommended: 'recommended',
  simulating: 'simulating',
  awaitsPerson: 'awaits a person',
  applying: 'applying',
  measuring: 'measuring',
  confirmed: 'confirmed',
  reverted: 'reverted',
  rolledBack: 'rolled back',
  notRecommended: 'not recommended',
  dismissed: 'dismissed',
  expired: 'expired',
};

export const recommendationsSection = `
  <section id="view-recommendations" hidden>
    <div class="head">
      <h1>Recommendations</h1>
      ${select('state', states)}${select('kind', kinds)}${select('risk', { low: 'low', medium: 'medium', high: 'high' })}
      <button id="advice-look" type="button" class="plain">Look now</button>
    </div>
    <p id="advice-analysis" class="quiet" aria-live="polite"></p>
    <div id="advice-message"></div>
    <div class="advice">
      <aside>
        <article><ol id="advice-list" class="advice-list"></ol></article>
      </aside>
      <article id="recommendation-detail"></article>
      <article class="advice-ask">
        <h2>What if …?</h2>
        <p class="quiet">A change of your own is simulated as the kernel's are, and changes nothing.</p>
        <form id="what-if" class="why-form">
          <label>What <select id="what-if-what">
            <option value="order">another queue order</option><option value="place">another placement</option>
            <option value="setting">another value of a setting</option><option value="add">more machines</option>
            <option value="remove">fewer machines</option><option value="sleep">idle machines sleep</option>
            <option value="retrain">run times learnt anew</option>
          </select></label>
          <label id="what-if-setting-label" hidden>Setting <input id="what-if-setting" list="what-if-settings" autocomplete="off" maxlength="200"></label>
          <label id="what-if-value-label"><span id="what-if-value-name">Value</span><input id="what-if-value" autocomplete="off" maxlength="1000"></label>
          <label>Why <input id="what-if-why" autocomplete="off" maxlength="1000"></label>
          <div><button id="what-if-ask" class="primary">Simulate</button></div>
        </form>
        <div id="what-if-message"></div>
        <datalist id="what-if-orders">${options(Object.keys(queueOrders))}</datalist>
        <datalist id="what-if-placements">${options(Object.keys(placements))}</datalist>
        <datalist id="what-if-settings">${options(numericSettings)}</datalist>
      </article>
      <article class="advice-ledger"><h2>How good past advice was</h2><div id="advice-ledger"></div></article>
    </div>
  </section>`;
