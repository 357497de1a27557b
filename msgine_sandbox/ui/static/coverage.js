// Which documented behaviours the client has met, and which it has not yet.
import { html, useEffect, useState } from "./preact.js";
import { store } from "./store.js";

export function Coverage() {
  const [found, setFound] = useState(null);
  const newest = store.requests[0]?.id, tried = store.attempts[0]?.id;
  useEffect(() => {
    const soon = setTimeout(() => store.control("GET", "/coverage").then(setFound, () => {}), found ? 300 : 0);
    return () => clearTimeout(soon);
  }, [store.account?.id, store.loaded, newest, tried]);
  if (!found) return html`<div class="page" aria-busy="true"></div>`;
  const whose = store.account ? store.account.token : "all accounts";
  return html`<div class="page"><section class="card" aria-labelledby="met"><h2 id="met">Met by ${whose}${" "}
      <span class="quiet" data-testid="percent">${found.percent} %</span></h2>
    <progress max="100" value=${found.percent} aria-label="Coverage, in percent"></progress>
    <p class="quiet">What MsGine documents, and of the second generation what its SDKs show, and whether a client has met it here. Faults and magic numbers count: the client meets the same.</p>
    <${Behaviours} names=${found.met} kind="met" /></section>
    <section class="card" aria-labelledby="unmet"><h2 id="unmet">Not met yet</h2><${Behaviours} names=${found.unmet} kind="unmet" /></section></div>`;
}

function Behaviours({ names, kind }) {
  if (!names.length) return html`<p class="quiet">None.</p>`;
  return html`<ul class=${`behaviours ${kind}`} data-testid=${kind}>${names.map((each) => html`<li>${each}</li>`)}</ul>`;
}
