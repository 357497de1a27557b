// Webhooks: the endpoints of the chosen account, and every attempt to send one.
import { AccountOf } from "./accounts.js";
import { AttemptExchanges, StatusCode } from "./components.js";
import { formatCount, formatTime } from "./format.js";
import { html, useEffect, useState } from "./preact.js";
import { store } from "./store.js";
import { visibleText } from "./text.js";

const MORE_ATTEMPTS = 100;

export function Webhooks() {
  return html`<div class="page">
    <${Endpoints} key=${store.account?.id ?? ""} /><${Attempts} /></div>`;
}

function Endpoints() {
  const { account } = store;
  const [endpoints, setEndpoints] = useState(null);
  useEffect(() => {
    if (account) {
      store.control("GET", "/webhooks").then((found) => setEndpoints(found.endpoints), () => {});
    }
  }, [account?.id, store.changeCounts.webhooks]);

  // PUT replaces all endpoints. Read them again first, to keep what others changed meanwhile.
  const update = async (change) => {
    const present = await store.controlWithNotice("GET", "/webhooks");
    if (!present) return false;
    const body = { endpoints: change(present.endpoints) };
    const saved = await store.controlWithNotice("PUT", "/webhooks", body, "Endpoints changed");
    if (saved) setEndpoints(saved.endpoints);
    return Boolean(saved);
  };
  const add = (endpoint) => update((present) => [...present, endpoint]);
  const remove = ({ url }) => update((present) => present.filter((each) => each.url !== url));

  return html`<section class="card" aria-labelledby="endpoints"><h2 id="endpoints">Endpoints</h2>
    ${!account && html`<p>Endpoints belong to an account: choose one above. Below are the attempts
      of all accounts.</p>`}
    ${account && endpoints?.length === 0
      && html`<p class="muted">None: webhooks are only sent to the callbackUrl of a message.</p>`}
    ${account && endpoints && html`<ul class="rows" data-testid="endpoints">
        ${endpoints.map((endpoint) => html`<${Endpoint} endpoint=${endpoint} remove=${remove} />`)}
      </ul><${EndpointForm} add=${add} />`}
  </section>`;
}

function Endpoint({ endpoint, remove }) {
  const { url, events, secret } = endpoint;
  return html`<li class="split">
    <span><code>${visibleText(url)}</code>${" "}
      <span class="muted">${events.join(", ")}${secret ? ", signed" : ""}</span></span>
    <button type="button" aria-label=${`Remove ${url}`} onClick=${() => remove(endpoint)}>
      Remove</button></li>`;
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
  return html`<form onSubmit=${submit} class="fields wide">
    <label>URL <input name="url" type="url" required placeholder="http://localhost:3000/hooks"
      data-testid="endpoint-url" /></label>
    <label>Signing secret <input name="secret" placeholder="whsec_…" /></label>
    <fieldset><legend>Events</legend>
      ${store.definitions.events.map((name) => html`<label class="check">
        <input type="checkbox" name="event" value=${name} defaultChecked /> ${name}</label>`)}
    </fieldset>
    <button>Add endpoint</button></form>`;
}

function Attempts() {
  const [most, setMost] = useState(MORE_ATTEMPTS);
  const { items, total, isComplete } = store.attempts;
  const hasMore = items.length > most || !isComplete;
  const showMore = () => {
    setMost(most + MORE_ATTEMPTS);
    store.loadOlder(store.attempts);
  };
  return html`<section class="card" aria-labelledby="attempts">
    <h2 id="attempts">Attempts${" "}
      <span class="muted">${formatCount(total)} in total</span></h2>
    ${!items.length && html`<p class="muted">None yet. When a message is sent, delivered or failed,
      a webhook is sent to its callbackUrl or to the account's endpoints.</p>`}
    <ul class="rows" data-testid="attempts">
      ${items.slice(0, most).map((attempt) => html`
        <${Attempt} key=${attempt.id} attempt=${attempt} />`)}</ul>
    ${items.length > 0 && hasMore && html`<p><button type="button" data-testid="more"
      onClick=${showMore}>Show older attempts</button></p>`}
  </section>`;
}

function Attempt({ attempt }) {
  const { id, status, event, url, at, durationMs, messageId, error } = attempt;
  const resend = async () => {
    const path = `/webhooks/attempts/${id}/resend`;
    const sent = await store.controlWithNotice("POST", path, undefined, "Webhook sent again");
    // The feed may have brought it already.
    if (sent) store.attempts.add([sent]);
    store.scheduleRender();
  };
  return html`<li>
    <div class="split">
      <span><${StatusCode} status=${status} /> <strong>${event}</strong> ${visibleText(url)},
        ${" "}attempt ${attempt.attempt}
        <span class="muted"> ${formatTime(at)}, ${Math.round(durationMs)} ms</span>${" "}
        <${AccountOf} entry=${attempt} /></span>
      <span class="buttons"><a class="button" href=${`#/inbox/${messageId}`}>Message</a>
        <button type="button" onClick=${resend}>Send again</button></span></div>
    ${error && html`<p class="problem">${visibleText(error)}</p>`}
    <${AttemptExchanges} attempt=${attempt} /></li>`;
}
