// The settings of the chosen account: tier, rate limits, sender ID, prices and scopes.
import { accountTitle } from "./accounts.js";
import { html } from "./preact.js";
import { store } from "./store.js";

const save = (body) => store.controlWithNotice("PATCH", "/account", body, "Account changed");

export function AccountSettings() {
  const account = store.accounts.find(({ id }) => id === store.account?.id);
  const { definitions } = store;
  // Without the definitions, saving would remove all scopes.
  if (!account || !definitions.isLoaded) {
    const hint = store.accounts.length
      ? "Choose an account above to see its tier, rate limits, scopes and prices."
      : "None yet: the first request with a token creates its account.";
    return html`<section class="card" aria-labelledby="account"><h2 id="account">Account</h2>
      <p>${hint}</p></section>`;
  }
  return html`<section class="card" aria-labelledby="account">
    <h2 id="account">Account <span class="muted">${accountTitle(account)}</span></h2>
    <${RateLimits} windows=${account.windows} />
    <div class="buttons"><label>Tier <select value=${account.tier} data-testid="tier"
        onChange=${(event) => save({ tier: event.target.value })}>
      ${definitions.tiers.map((tier) => html`<option value=${tier}>${tier}</option>`)}
    </select></label></div>
    <${AccountForm} key=${formKey(account)} account=${account} />
  </section>`;
}

function RateLimits({ windows }) {
  return html`<dl class="facts" data-testid="windows">
    ${Object.entries(windows).map(([unit, window]) => html`<dt>Per ${unit}</dt>
      <dd>${window ? html`<${RateLimit} unit=${unit} window=${window} />` : "no limit"}</dd>`)}
  </dl>`;
}

function RateLimit({ unit, window: { limit, remaining } }) {
  return html`<meter min="0" max=${limit} value=${remaining}
      aria-label=${`Requests left per ${unit}`}></meter>
    ${remaining} of ${limit} requests left`;
}

// The fields have no state of their own, so a form with a new key shows what was saved elsewhere.
function formKey({ id, name, senderId, price, developerPrices, scopes }) {
  return JSON.stringify([id, name, senderId, price, developerPrices, scopes]);
}

function AccountForm({ account }) {
  const { senderId, price, currency, developerPrices, scopes } = account;
  const { definitions } = store;
  const submit = (event) => {
    event.preventDefault();
    const form = new FormData(event.target);
    save({
      name: form.get("name").trim() || null,
      senderId: form.get("senderId"),
      price: Number(form.get("price")),
      developerPrices: Object.fromEntries(
        definitions.channels.map(({ name }) => [name, Number(form.get(name))]),
      ),
      scopes: form.getAll("scope"),
    });
  };
  return html`<form class="fields wide" onSubmit=${submit}>
    <label>Name <span class="muted">what you call this account</span>
      <input name="name" defaultValue=${account.name ?? ""} maxlength="64"
        data-testid="account-name" /></label>
    <label>Sender ID <input name="senderId" defaultValue=${senderId} required maxlength="11" />
    </label>
    <${Price} label=${`Messages API price, SMS, ${currency}`} name="price" value=${price} />
    ${definitions.channels.map(({ name, title }) => html`<${Price} name=${name}
      label=${`Developers API price, ${title}, UGX`} value=${developerPrices[name]} />`)}
    <fieldset><legend>Scopes</legend>${definitions.scopes.map((scope) => html`
      <label class="check"><input type="checkbox" name="scope" value=${scope}
        defaultChecked=${scopes.includes(scope)} />${" "}${scope}</label>`)}</fieldset>
    <button data-testid="save-account">Save</button></form>`;
}

function Price({ label, name, value }) {
  return html`<label>${label} <input name=${name} type="number" min="0" step="any"
    defaultValue=${value} required /></label>`;
}
