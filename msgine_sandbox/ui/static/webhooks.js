// Webhooks: who is told, and every try.
import { clock } from "./format.js";
import { Code, Exchange } from "./parts.js";
import { html, useEffect, useState } from "./preact.js";
import { store } from "./store.js";
import { visible } from "./text.js";

const EVENTS = ["message.sent", "message.delivered", "message.failed"];
const SHOWN = 200;

export function Webhooks() {
  return html`<div class="page"><${Endpoints} key=${store.account?.id ?? ""} /><${Attempts} /></div>`;
}

function Endpoints() {
  const { account } = store;
  const [endpoints, setEndpoints] = useState(null);
  useEffect(() => {
    if (account) store.control("GET", "/webhooks").then((found) => setEndpoints(found.endpoints), () => {});
  }, [account?.id]);

  // What others have changed meanwhile stays: it is read again before it is written.
  const replace = async (change) => {
    const present = await store.act("GET", "/webhooks");
    const done = present && await store.act("PUT", "/webhooks", { endpoints: change(present.endpoints) }, "The endpoints were changed");
    if (done) setEndpoints(done.endpoints);
    return done;
  };
  const add = async (event) => {
    event.preventDefault();
    const { target } = event;
    const form = new FormData(target);
    const events = form.getAll("event");
    const fresh = { url: form.get("url"), events: events.length ? events : EVENTS, secret: form.get("secret") || null };
    if (await replace((known) => [...known, fresh])) target.reset();
  };
  return html`<section class="card" aria-labelledby="endpoints"><h2 id="endpoints">Endpoints</h2>
    ${!account && html`<p>Endpoints belong to an account: choose one above. Below are all accounts' tries.</p>`}
    ${account && endpoints?.length === 0 && html`<p class="quiet">Nobody is told yet, but for a message's own callbackUrl.</p>`}
    ${account && endpoints && html`<ul class="rows" data-testid="endpoints">${endpoints.map((each) => html`<li class="split">
        <span><code>${visible(each.url)}</code> <span class="quiet">${each.events.join(", ")}${each.secret ? ", signed" : ""}</span></span>
        <button type="button" aria-label=${`Remove ${each.url}`} onClick=${() => replace((known) => known.filter((one) => one.url !== each.url))}>Remove</button></li>`)}</ul>
      <form onSubmit=${add} class="fields wide">
        <label>URL <input name="url" type="url" required placeholder="http://localhost:3000/hooks" data-testid="endpoint-url" /></label>
        <label>Secret, to sign with <input name="secret" placeholder="whsec_…" /></label>
        <fieldset><legend>Events</legend>${EVENTS.map((each) => html`<label class="check"><input type="checkbox" name="event" value=${each} defaultChecked /> ${each}</label>`)}</fieldset>
        <button>Add the endpoint</button></form>`}
  </section>`;
}

function Attempts() {
  const shown = store.attempts.slice(0, SHOWN);
  const resend = async (attempt) => {
    const again = await store.act("POST", `/webhooks/attempts/${attempt.id}/resend`, undefined, "The webhook was sent again");
    if (again && !store.attempts.some((each) => each.id === again.id)) store.set({ attempts: [again, ...store.attempts] });
  };
  return html`<section class="card" aria-labelledby="attempts"><h2 id="attempts">Tries <span class="quiet">${store.attemptTotal.toLocaleString("en")} in all</span></h2>
    ${!shown.length && html`<p class="quiet">None yet. A message that is sent, delivered or failed is told to its callbackUrl, or to the account's endpoints.</p>`}
    <ul class="rows" data-testid="attempts">${shown.map((each) => html`<li key=${each.id}>
      <div class="split"><span><${Code} status=${each.status} /> <strong>${each.event}</strong> ${visible(each.url)}, try ${each.attempt}
        <span class="quiet"> ${clock(each.at)}, ${Math.round(each.durationMs)} ms</span></span>
        <span class="buttons"><a class="button" href=${`#/inbox/${each.messageId}`}>Message</a>
          <button type="button" onClick=${() => resend(each)}>Send again</button></span></div>
      ${each.error && html`<p class="problem">${visible(each.error)}</p>`}
      <${Exchange} title="Webhook sent" exchange=${each.request} /><${Exchange} title="Answer" exchange=${each.response} /></li>`)}</ul>
    ${store.attempts.length > SHOWN && html`<p class="quiet">The latest ${SHOWN} are shown; each message has its own.</p>`}
  </section>`;
}
