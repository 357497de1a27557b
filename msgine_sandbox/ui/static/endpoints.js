// Webhook endpoints: of the chosen account with a form, else of all accounts.
import { shortTitle } from "./accounts.js";
import { callControlApi } from "./api.js";
import { CopyButton } from "./components.js";
import { html, useEffect, useState } from "./preact.js";
import { store } from "./store.js";
import { visibleText } from "./text.js";

export function Endpoints() {
  const { account } = store;
  const [endpoints, setEndpoints] = useState(null);
  const refresh = () =>
    store.control("GET", "/webhooks").then((found) => setEndpoints(found.endpoints), () => {});
  useEffect(() => {
    refresh();
  }, [store.changeCounts.webhooks]);

  // PUT replaces all endpoints of an account. Read them again first, to keep what others changed
  // meanwhile.
  const update = async (id, change) => {
    const call = (method, body) =>
      callControlApi(method, "/webhooks", { account: { id }, body });
    try {
      const present = await call("GET");
      await call("PUT", { endpoints: change(present.endpoints) });
      store.notify("Endpoints changed");
      await refresh();
      return true;
    } catch (error) {
      store.notify(error.status ? error.message : "The sandbox is not responding", true);
      return false;
    }
  };
  const add = (endpoint) => update(account.id, (present) => [...present, endpoint]);
  const remove = ({ url, accountId }) => update(accountId ?? account.id, (present) =>
    present.filter((each) => each.url !== url));

  return html`<section class="message" aria-labelledby="endpoints">
    <div class="bar"><h2 id="endpoints">Endpoints${" "}
      <span class="muted">${account ? `of ${account.token}` : "of all accounts"}</span></h2></div>
    ${endpoints?.length === 0
      && html`<p class="muted">None: webhooks are only sent to the callbackUrl of a message.</p>`}
    <ul class="rows" data-testid="endpoints">${endpoints?.map((endpoint) => html`
      <${Endpoint} endpoint=${endpoint} remove=${remove} />`)}</ul>
    ${account ? html`<${EndpointForm} add=${add} />`
      : html`<p class="muted">Choose an account above to add one.</p>`}
  </section>`;
}

function Endpoint({ endpoint, remove }) {
  const { url, events, secret, previousSecret, account, accountId } = endpoint;
  const isAll = events.length === store.definitions.events.length;
  const signed = secret && `, signed${previousSecret ? " with two secrets" : ""}`;
  return html`<li class="split">
    <span><code>${visibleText(url)}</code><br />
      <span class="muted">${account && [visibleText(shortTitle(accountId, account)), ": "]}
        ${isAll ? "all events" : events.join(", ")}
        ${signed || ", not signed"}</span></span>
    <span class="buttons">
      ${secret && html`<${CopyButton} label="Copy secret" text=${() => secret} />`}
      <button type="button" aria-label=${`Remove ${url}`} onClick=${() => remove(endpoint)}>
        Remove</button></span></li>`;
}

function EndpointForm({ add }) {
  const submit = async (event) => {
    event.preventDefault();
    const { target } = event;
    const form = new FormData(target);
    const events = form.getAll("event");
    const endpoint = {
      url: form.get("url"),
      events: events.length ? events : undefined, // left out of the body, which means all
      secret: form.get("secret") || null,
    };
    if (await add(endpoint)) target.reset();
  };
  return html`<form onSubmit=${submit} class="fields">
    <label>URL <input name="url" type="url" required placeholder="http://localhost:3000/hooks"
      data-testid="endpoint-url" /></label>
    <label>Signing secret <input name="secret" placeholder="whsec_…" /></label>
    <fieldset><legend>Events</legend>
      ${store.definitions.events.map((name) => html`<label class="check">
        <input type="checkbox" name="event" value=${name} defaultChecked /> ${name}</label>`)}
    </fieldset>
    <button>Add endpoint</button></form>`;
}
