// Which documented behaviours clients have met in this sandbox, and how to meet the others.
import { accountTitle, knownAccount } from "./accounts.js";
import { OPERATIONS } from "./operations.js";
import { openPlayground } from "./playground_form.js";
import { html, useEffect, useState } from "./preact.js";
import { store } from "./store.js";

const REFRESH_MS = 300; // one request for several events that come close together

export function Coverage() {
  const [coverage, setCoverage] = useState(null);
  useEffect(() => {
    const load = () => store.control("GET", "/coverage").then(setCoverage, () => {});
    const timer = setTimeout(load, coverage ? REFRESH_MS : 0);
    return () => clearTimeout(timer);
  }, [store.account?.id, store.isLoaded, store.requests.items[0]?.id, store.attempts.items[0]?.id]);
  if (!coverage) return html`<div class="page" aria-busy="true"></div>`;
  const { percent, met, unmet } = coverage;
  return html`<div class="page">
    <section class="card" aria-labelledby="met">
      <h2 id="met">Met by ${titleOf(store.account)}${" "}
        <span class="muted" data-testid="percent">${percent} %</span></h2>
      <progress max="100" value=${percent} aria-label="Coverage, in percent"></progress>
      <p class="muted">The behaviours that MsGine documents for the Messages API, and those that its
        SDKs show for the Developers API. Behaviours met through faults and magic recipients count
        as well, because a client sees no difference.</p>
      <${Behaviours} names=${met} kind="met" /></section>
    <section class="card" aria-labelledby="unmet"><h2 id="unmet">Not met yet</h2>
      <${Behaviours} names=${unmet} kind="unmet" /></section></div>`;
}

function titleOf(account) {
  return account ? accountTitle(knownAccount(account.id) ?? account) : "all accounts";
}

function Behaviours({ names, kind }) {
  if (!names.length) return html`<p class="muted">None.</p>`;
  return html`<ul class=${`behaviours ${kind}`} data-testid=${kind}>
    ${names.map((name) => html`<li key=${name}>${name}
      ${kind === "unmet" && html`<${Way} name=${name} />`}</li>`)}</ul>`;
}

function Way({ name }) {
  const { method, path, fields, hint, key } =
    store.definitions.ways.find((way) => way.name === name) ?? {};
  const call = Object.keys(OPERATIONS).find((each) =>
    OPERATIONS[each].method === method && OPERATIONS[each].path === path);
  if (!call) return null;
  const [newest] = call === "message" ? store.messages : [];
  const open = () => openPlayground(call, { id: newest?.id, ...fields }, key);
  return html` <button type="button" class="hint" aria-label=${`Try ${name}`} onClick=${open}
      data-testid="way">Try it</button>
    ${hint && html` <span class="muted">${hint}</span>`}`;
}
