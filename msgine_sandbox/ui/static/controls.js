// Time, faults, the account, and a new beginning.
import { accountNow, clock, duration, many } from "./format.js";
import { html, useEffect, useState } from "./preact.js";
import { store } from "./store.js";
import { visible } from "./text.js";

const UNITS = { seconds: 1, minutes: 60, hours: 3600, days: 86400 };
const TIERS = ["free", "starter", "professional", "unlimited"];
const CHANNELS = ["sms", "email", "push"];
const SCOPES = ["FULL_ACCESS", "READ_MESSAGES", "SEND_SMS", "SEND_EMAIL", "SEND_PUSH"];

export function Controls() {
  const own = store.accounts.find((each) => each.id === store.account?.id);
  const whose = store.account ? `of ${own?.token ?? store.account.token}` : "of the whole sandbox";
  return html`<div class="page">
    <${Clock} whose=${whose} /><${Faults} whose=${whose} /><${Account} /><${Reset} whose=${whose} /></div>`;
}

function Clock({ whose }) {
  const known = store.clock;
  const advance = async (seconds) => {
    const done = await store.act("POST", "/clock/advance", { seconds });
    if (done) store.say(`${duration(seconds)} later: ${many(done.performed, "step")} happened`);
  };
  const entered = (event) => {
    event.preventDefault();
    const form = new FormData(event.target);
    advance(Number(form.get("amount")) * UNITS[form.get("unit")]);
  };
  return html`<section class="card" aria-labelledby="clock"><h2 id="clock">Clock <span class="quiet">${whose}</span></h2>
    ${known && html`<dl class="facts" data-testid="clock-facts"><dt>Now</dt><dd>${clock(new Date(accountNow(known)).toISOString())}
        ${known.frozen && html` <strong class="status failed">frozen</strong>`}</dd>
      <dt>Ahead</dt><dd>${known.aheadSeconds >= 1 ? `${duration(known.aheadSeconds)} ahead of real time` : "It is real time"}</dd></dl>`}
    <form class="buttons" onSubmit=${entered}>
      <label>Advance by <input name="amount" type="number" min="0" step="any" defaultValue="1" required data-testid="advance-amount" /></label>
      <label><span class="hidden">Unit</span><select name="unit" data-testid="advance-unit">${Object.keys(UNITS).map((each) => html`<option value=${each} selected=${each === "minutes"}>${each}</option>`)}</select></label>
      <button data-testid="advance">Advance</button>
      <button type="button" onClick=${() => advance(3)} data-testid="advance-3">+3 s</button>
      <button type="button" onClick=${() => advance(3600)}>+1 h</button>
      <button type="button" onClick=${() => advance(86400)}>+1 d</button>
      ${known?.frozen
        ? html`<button type="button" onClick=${() => store.act("POST", "/clock/resume", undefined, "The clock runs")} data-testid="resume">Resume</button>`
        : html`<button type="button" onClick=${() => store.act("POST", "/clock/freeze", undefined, "The clock is frozen")} data-testid="freeze">Freeze</button>`}
    </form></section>`;
}

// Faults

const EFFECTS = {
  status: ["Answer with a status", (form) => ({ status: Number(form.get("status")) })],
  before: ["Drop the connection before anything is done", () => ({ drop: "before" })],
  after: ["Drop the connection after the message is accepted", () => ({ drop: "after" })],
  delay: ["Answer late", (form) => ({ delay: Number(form.get("delay")) })],
  malformed: ["Answer with broken JSON", () => ({ malformed: true })],
  duplicate: ["Send webhooks twice", () => ({ webhook: "duplicate" })],
  reorder: ["Send the webhook of sent last", () => ({ webhook: "reorder" })],
  lose: ["Lose webhooks", () => ({ webhook: "lose" })],
  "wrong-signature": ["Sign webhooks wrongly", () => ({ webhook: "wrong-signature" })],
};

function Faults({ whose }) {
  const [faults, setFaults] = useState([]);
  const [kind, setKind] = useState("status");
  const look = () => store.control("GET", "/faults").then((found) => setFaults(found.data), () => {});
  useEffect(() => {
    look();
  }, [store.account?.id, store.requests[0]?.id, store.attempts[0]?.id]); // what a request or a webhook met is counted

  const add = async (event) => {
    event.preventDefault();
    const form = new FormData(event.target);
    const effect = EFFECTS[kind][1](form);
    const match = {};
    if (form.get("to")) match.to = form.get("to").trim();
    if (form.get("path") && !effect.webhook) match.path = form.get("path").trim();
    const times = Number(form.get("times")) || null;
    if (await store.act("POST", "/faults", { effect, match, times }, "The fault was added")) look();
  };
  const remove = async (id) => {
    if (await store.act("DELETE", `/faults/${id}`, undefined, "The fault was removed")) look();
  };
  return html`<section class="card" aria-labelledby="faults"><h2 id="faults">Faults <span class="quiet">${whose}</span></h2>
    <form class="fields wide" onSubmit=${add}>
      <label>What goes wrong <select value=${kind} onChange=${(event) => setKind(event.target.value)} data-testid="fault-kind">
        ${Object.entries(EFFECTS).map(([each, [name]]) => html`<option value=${each}>${name}</option>`)}</select></label>
      ${kind === "status" && html`<label>Status <input name="status" type="number" min="400" max="599" defaultValue="503" required data-testid="fault-status" /></label>`}
      ${kind === "delay" && html`<label>Seconds <input name="delay" type="number" min="0.001" max="600" step="any" defaultValue="5" required /></label>`}
      <label>How often; empty is until removed <input name="times" type="number" min="1" data-testid="fault-times" /></label>
      <label>Only to <input name="to" placeholder="+25670* or *@example.com" /></label>
      <label>Only on <input name="path" placeholder="/messages/sms or /developers/*" /></label>
      <button data-testid="fault-add">Add the fault</button></form>
    <ul class="rows" data-testid="faults">${faults.map((each) => html`<li class="split">
      <span><code>${JSON.stringify(each.effect)}</code> ${Object.keys(each.match).length > 0 && html`<code>${visible(JSON.stringify(each.match))}</code>`}
        <span class="quiet"> ${each.magic ? "magic, " : ""}acted ${many(each.hits, "time")}, ${each.left === null ? "until removed" : `${each.left} left`}</span></span>
      <button type="button" aria-label=${`Remove ${each.id}`} onClick=${() => remove(each.id)} data-testid="fault-remove">Remove</button></li>`)}</ul>
    ${!faults.length && html`<p class="quiet">All goes well.</p>`}</section>`;
}

// The account

function Account() {
  const account = store.accounts.find((each) => each.id === store.account?.id);
  if (!account) {
    return html`<section class="card" aria-labelledby="terms"><h2 id="terms">Account</h2>
      <p>${store.accounts.length ? "Choose an account above to see its tier, windows, scopes and prices." : "There is none yet: the first request with a token opens one."}</p></section>`;
  }
  const change = (body) => store.act("PATCH", "/account", body, "The account was changed");
  const save = (event) => {
    event.preventDefault();
    const form = new FormData(event.target);
    const developerPrices = Object.fromEntries(CHANNELS.map((each) => [each, Number(form.get(each))]));
    change({ senderId: form.get("senderId"), price: Number(form.get("price")), developerPrices, scopes: form.getAll("scope") });
  };
  return html`<section class="card" aria-labelledby="terms"><h2 id="terms">Account <span class="quiet">${account.token}</span></h2>
    <dl class="facts" data-testid="windows">${Object.entries(account.windows).map(([name, window]) => html`
      <dt>A ${name}</dt><dd>${window ? html`<meter min="0" max=${window.limit} value=${window.remaining} aria-label=${`Requests left in the ${name}`}></meter>
        ${window.remaining} of ${window.limit} requests left` : "no limit"}</dd>`)}</dl>
    <div class="buttons"><label>Tier <select value=${account.tier} onChange=${(event) => change({ tier: event.target.value })} data-testid="tier">
      ${TIERS.map((each) => html`<option value=${each}>${each}</option>`)}</select></label></div>
    <form class="fields wide" onSubmit=${save} key=${`${account.id} ${account.scopes} ${account.senderId} ${account.price} ${Object.values(account.developerPrices)}`}>
      <label>Sender ID <input name="senderId" defaultValue=${account.senderId} required maxlength="11" /></label>
      <label>Price of an SMS, ${account.currency} <input name="price" type="number" min="0" step="any" defaultValue=${account.price} required /></label>
      ${CHANNELS.map((each) => html`<label>Price in the second generation, ${each}, UGX <input name=${each} type="number" min="0" step="any" defaultValue=${account.developerPrices[each]} required /></label>`)}
      <fieldset><legend>Scopes</legend>${SCOPES.map((each) => html`<label class="check"><input type="checkbox" name="scope" value=${each} defaultChecked=${account.scopes.includes(each)} /> ${each}</label>`)}</fieldset>
      <button data-testid="save-account">Save</button></form></section>`;
}

function Reset({ whose }) {
  const [asked, setAsked] = useState(false);
  const reset = async () => {
    setAsked(false);
    if (await store.act("POST", "/reset", undefined, "All is as new")) store.start();
  };
  return html`<section class="card" aria-labelledby="reset"><h2 id="reset">Begin anew <span class="quiet">${whose}</span></h2>
    <p>Forgets messages, keys, rate windows, clock, faults, endpoints, devices, journal and coverage.</p>
    <div class="buttons">${asked
      ? html`<button type="button" class="danger" onClick=${reset} data-testid="reset-really">Yes, forget all that</button>
          <button type="button" onClick=${() => setAsked(false)}>No</button>`
      : html`<button type="button" onClick=${() => setAsked(true)} data-testid="reset">Reset …</button>`}</div></section>`;
}
