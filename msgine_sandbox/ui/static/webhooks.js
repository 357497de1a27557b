// Webhooks: every attempt to send one, newest first, and beside them the open one or the endpoints.
import { AccountOf } from "./accounts.js";
import { Attempt, nextAttempt } from "./attempt.js";
import { StatusCode } from "./components.js";
import { Endpoints } from "./endpoints.js";
import { EntryList } from "./entry_list.js";
import { formatCount, plural, timeOfRow } from "./format.js";
import { useListKeys, VirtualList } from "./list.js";
import { html, useEffect, useState } from "./preact.js";
import { addressOf, replaceAddress, setParameter } from "./route.js";
import { store } from "./store.js";
import { previewText } from "./text.js";

const PATH = "/webhooks/attempts";
const ROW_HEIGHT = 2.4; // rem
const SEARCH_AFTER_MS = 200; // without another key
const STATUSES = ["failed", "succeeded", "2xx", "3xx", "4xx", "5xx", "none"];

export function Webhooks({ id, parameters }) {
  const set = (name) => (event) =>
    setParameter("webhooks", id, parameters, name, event.target.value);
  const address = (attempt) => addressOf("webhooks", attempt?.id, parameters);
  const filter = filterOf(parameters);
  const { items, total, isComplete } = useAttempts(filter);
  const list = store.foundAttempts ?? store.attempts;
  const selected = items.findIndex((attempt) => attempt.id === id);
  useListKeys({
    items,
    selected,
    open: (attempt) => {
      if (selected >= 0) replaceAddress(address(attempt));
      else location.hash = address(attempt);
    },
    close: () => (location.hash = address(null)),
  });
  const isCut = isComplete && total > items.length;
  const count = plural(total, "attempt")
    + (isCut ? `, the latest ${formatCount(items.length)} shown` : "");

  return html`<div class=${`panes hooks ${id ? "opened" : ""}`}>
    <section class="inbox" aria-label="Attempts" data-testid="attempts">
      <${Filters} parameters=${parameters} set=${set} count=${count} />
      ${items.length || !isComplete
        ? html`<${VirtualList} items=${items} rowHeight=${ROW_HEIGHT} selected=${selected}
            onEnd=${() => store.loadOlder(list)} label="Attempts" testid="attempt-list"
            row=${(attempt) => html`<${Row} attempt=${attempt} href=${address(attempt)}
              isOpen=${attempt.id === id} />`} />`
        : html`<div class="empty">${filter
            ? html`<p>No attempt matches. <a href="#/webhooks">Show all</a></p>`
            : html`<h2>No webhooks yet</h2><p>When a message is sent, delivered or failed, a webhook
                is sent to its <code>callbackUrl</code> or to the account's endpoints.</p>`}</div>`}
    </section>
    ${id ? html`<${Attempt} key=${id} id=${id} address=${address} />`
      : html`<${Endpoints} key=${store.account?.id ?? ""} />`}
  </div>`;
}

// The filters as parameters of the control API.
function filterOf(parameters) {
  const filter = new URLSearchParams();
  for (const name of ["status", "event", "url"]) {
    const value = parameters.get(name);
    const isOutcome = ["failed", "succeeded"].includes(value);
    if (value) filter.set(name === "status" && isOutcome ? "outcome" : name, value);
  }
  return filter.toString();
}

// Whether an attempt is one that the server finds for a filter.
function matcherOf(filter) {
  const { status, outcome, event, url = "" } = Object.fromEntries(new URLSearchParams(filter));
  const isOfClass = status?.endsWith("xx");
  const fits = (code) => (isOfClass ? code[0] === status[0] : code === status);
  return (attempt) => (!event || attempt.event === event)
    && (!outcome || (outcome === "failed") === isFailed(attempt))
    && (!status || fits(String(attempt.status ?? "none")))
    && attempt.url.toLowerCase().includes(url.toLowerCase());
}

function isFailed({ status, error }) {
  return Boolean(error) || !(status >= 200 && status < 300);
}

// Return the list of the page, or that of a filter, which the server searches once no further key
// is pressed.
function useAttempts(filter) {
  const { attempts } = store;
  const [, render] = useState();
  useEffect(() => {
    const find = () => {
      store.foundAttempts = filter ? new EntryList(PATH, filter, matcherOf(filter)) : null;
      render({});
    };
    const timer = setTimeout(find, filter && store.foundAttempts ? SEARCH_AFTER_MS : 0);
    return () => clearTimeout(timer);
  }, [filter, attempts]);
  useEffect(() => () => (store.foundAttempts = null), []);
  const { foundAttempts } = store;
  return (filter ? foundAttempts : attempts) ?? { items: [], total: 0, isComplete: false };
}

function Filters({ parameters, set, count }) {
  const value = (name) => parameters.get(name) ?? "";
  const codes = store.attempts.items.map(({ status }) => String(status ?? "none"));
  const select = (name, options) => html`<select value=${value(name)} onChange=${set(name)}
      aria-label=${`Filter by ${name}`} data-testid=${`filter-${name}`}>
    <option value="">any ${name}</option>
    ${[...new Set([...options, value(name)])].filter(Boolean).map((each) => html`
      <option value=${each}>${each}</option>`)}</select>`;
  return html`<div class="bar">
    <input type="search" data-search aria-label="Search the URLs" placeholder="URL  /"
      value=${value("url")} onInput=${set("url")} data-testid="filter-url" />
    ${select("status", [...STATUSES, ...codes])}
    ${select("event", store.definitions.events)}
    <span class="muted" aria-live="polite" data-testid="total">${count}</span></div>`;
}

function Row({ attempt, href, isOpen }) {
  const { status, event, url, messageId, durationMs, error, signature, at } = attempt;
  const next = nextAttempt(attempt);
  const isPlain = !next && !error && signature !== "wrong"; // else the URL gives way to the reason
  return html`<a class="row attempt" href=${href} aria-current=${isOpen ? "true" : null}
      data-testid="attempt-row">
    <span><${StatusCode} status=${status} /></span>
    <span class="event"><span class="more">message.</span>${event.replace("message.", "")}</span>
    <span class="text" title=${url}>
      <span class=${isPlain ? "" : "more"}>${previewText(url.replace(/^https?:\/\//, ""))} </span>
      ${next && html`<span class="warned">again ${next}</span> `}
      ${signature === "wrong" && html`<span class="warned">signature wrong (on purpose)</span> `}
      ${error && html`<span class="problem">${previewText(error)}</span>`}</span>
    <span class="id text muted">${messageId}</span>
    <span class="number" title=${`Attempt ${attempt.attempt}`}>#${attempt.attempt}</span>
    <span class="more number">${Math.round(durationMs)} ms</span>
    <${AccountOf} entry=${attempt} />
    <span class="when">${timeOfRow(at)}</span></a>`;
}
