// The journal: what clients asked, what they were answered, and what is wrong with it.
import { clock, many } from "./format.js";
import { isElsewhere, stepped } from "./keys.js";
import { List } from "./list.js";
import { Decisions } from "./message.js";
import { Code, Exchange, Warnings } from "./parts.js";
import { html, useEffect, useState } from "./preact.js";
import { store } from "./store.js";
import { glimpse, visible } from "./text.js";

const HEIGHT = 2.95; // rem a row

export function Requests({ id }) {
  const [status, setStatus] = useState("");
  const [warning, setWarning] = useState("");
  const codes = [...new Set(store.requests.flatMap((each) => each.warnings.map((one) => one.code)))].sort();
  const shown = store.requests.filter((each) => fits(each, status, warning));
  const at = shown.findIndex((each) => each.id === id);
  useKeys(shown, at);

  return html`<div class=${`panes ${id ? "opened" : ""}`}>
    <section class="inbox" aria-label="Requests">
      <div class="bar">
        <label>Status <select value=${status} onChange=${(event) => setStatus(event.target.value)} data-testid="filter-status">
          <option value="">any</option>${["2xx", "4xx", "429", "5xx", "none"].map((each) => html`<option value=${each}>${each}</option>`)}</select></label>
        <label>Warning <select value=${warning} onChange=${(event) => setWarning(event.target.value)} data-testid="filter-warning">
          <option value="">any or none</option><option value="*">any</option>${codes.map((each) => html`<option value=${each}>${each}</option>`)}</select></label>
        <span class="quiet" aria-live="polite" data-testid="total">${told(shown.length, status || warning)}</span>
      </div>
      ${shown.length
        ? html`<${List} items=${shown} rem=${HEIGHT} selected=${at} label="Requests" testid="requests"
            row=${(entry) => html`<${Row} entry=${entry} opened=${entry.id === id} />`} />`
        : html`<div class="empty"><h2>No requests</h2><p>Every call below <code>${location.origin}/api/v1</code> is written down
            here, with its answer, and with a warning for what will hurt in production.</p></div>`}
    </section>
    ${id && html`<${Request} key=${id} id=${id} />`}
  </div>`;
}

function told(count, filtered) {
  const { requests, requestTotal } = store;
  if (filtered) return `${count.toLocaleString("en")} of ${many(requests.length, "request")}`;
  return many(requestTotal, "request") + (requestTotal > requests.length ? `, the latest ${requests.length.toLocaleString("en")} shown` : "");
}

function fits({ status, warnings }, wanted, code) {
  const right = !wanted || (wanted === "none" ? status === null : wanted.endsWith("xx") ? String(status)[0] === wanted[0] : String(status) === wanted);
  return right && (!code || (code === "*" ? warnings.length > 0 : warnings.some((each) => each.code === code)));
}

function Row({ entry, opened }) {
  return html`<a class="row line" href=${`#/requests/${entry.id}`} aria-current=${opened ? "true" : null} data-testid="request-row">
    <${Code} status=${entry.status} /> <span class="said"><strong>${entry.method}</strong> ${glimpse(entry.path + (entry.query && `?${entry.query}`))}</span>
    ${entry.warnings.length > 0 && html`<span class="warned">${many(entry.warnings.length, "warning")}</span>`}
    <span class="when">${clock(entry.at).slice(11)}</span></a>`;
}

function Request({ id }) {
  const known = store.requests.find((each) => each.id === id);
  const [found, setFound] = useState(null);
  useEffect(() => {
    if (!known) store.control("GET", `/requests/${encodeURIComponent(id)}`).then(setFound, () => setFound(false));
  }, [id]);
  const entry = known ?? found;
  if (!entry) {
    return html`<section class="message" aria-label="Request"><p class="empty">${found === false ? "The journal does not have that request any more." : "Loading …"}
      <a href="#/requests">Back</a></p></section>`;
  }
  return html`<section class="message" aria-label="Request" data-testid="request">
    <div class="bar"><a class="back" href="#/requests">← Requests</a>
      <h2 tabindex="-1">${entry.method} ${visible(entry.path)}</h2><${Code} status=${entry.status} /></div>
    <${Warnings} warnings=${entry.warnings} />
    <dl class="facts"><dt>Request</dt><dd>${entry.id}</dd><dt>At</dt><dd>${clock(entry.at)}</dd>
      <dt>Took</dt><dd>${entry.durationMs} ms</dd><dt>Account</dt><dd>${entry.account ?? "nobody"}</dd>
      ${entry.query && html`<dt>Query</dt><dd>${visible(entry.query)}</dd>`}
      ${entry.messageId && html`<dt>Message</dt><dd><a href=${`#/inbox/${entry.messageId}`}>${entry.messageId}</a></dd>`}</dl>
    <h3>Decided on the way</h3><${Decisions} decisions=${entry.decisions} />
    <${Exchange} title="Request" exchange=${entry.request} /><${Exchange} title="Answer" exchange=${entry.response} />
  </section>`;
}

function useKeys(shown, at) {
  useEffect(() => {
    const pressed = (event) => {
      if (isElsewhere(event)) return;
      const next = shown[stepped(event.key, at, shown.length)];
      if (next) location.hash = `#/requests/${next.id}`;
      else if (event.key === "Escape") location.hash = "#/requests";
    };
    addEventListener("keydown", pressed);
    return () => removeEventListener("keydown", pressed);
  });
}
