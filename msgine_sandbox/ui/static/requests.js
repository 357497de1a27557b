// The journal: every request of a client with its response, its decisions and its warnings.
import { AccountOf } from "./accounts.js";
import { BASE_PATH } from "./api.js";
import { Decisions, Exchange, StatusCode, Warnings } from "./components.js";
import { formatCount, formatTime, plural } from "./format.js";
import { useListKeys, VirtualList } from "./list.js";
import { html, useEffect, useState } from "./preact.js";
import { addressOf, addressOfList, replaceAddress, setParameter } from "./route.js";
import { store } from "./store.js";
import { previewText, visibleText } from "./text.js";

const ROW_HEIGHT = 2.95; // rem
const STATUS_FILTERS = ["2xx", "4xx", "429", "5xx", "none"];

export function Requests({ id, parameters }) {
  const status = parameters.get("status") ?? "";
  const warning = parameters.get("warning") ?? "";
  const set = (name) => (value) => setParameter("requests", id, parameters, name, value);
  const address = (entry) => addressOf("requests", entry?.id, parameters);
  const shown = store.requests.items.filter(
    (entry) => hasStatus(entry, status) && hasWarning(entry, warning),
  );
  const selected = shown.findIndex((entry) => entry.id === id);
  useListKeys({
    items: shown,
    selected,
    open: (entry) => {
      if (selected >= 0) replaceAddress(address(entry));
      else location.hash = address(entry);
    },
    close: () => (location.hash = address(null)),
  });

  return html`<div class=${`panes ${id ? "opened" : ""}`}>
    <section class="inbox" aria-label="Requests">
      <${Filters} status=${status} setStatus=${set("status")}
        warning=${warning} setWarning=${set("warning")}
        count=${countText(shown.length, Boolean(status || warning))} />
      ${shown.length || !store.requests.isComplete
        ? html`<${VirtualList} items=${shown} rowHeight=${ROW_HEIGHT} selected=${selected}
            onEnd=${() => store.loadOlder(store.requests)}
            label="Requests" testid="requests"
            row=${(entry) => html`<${Row} entry=${entry} href=${address(entry)}
              isOpen=${entry.id === id} />`} />`
        : html`<div class="empty"><h2>No requests</h2>
            <p>Every request to <code>${location.origin}${BASE_PATH}</code> is recorded here with
              its response, and warnings about what will cause trouble in production.</p></div>`}
    </section>
    ${id && html`<${Request} key=${id} id=${id} />`}
  </div>`;
}

function Filters({ status, setStatus, warning, setWarning, count }) {
  const codes = store.definitions.warnings.map(({ code }) => code);
  const option = (value) => html`<option value=${value}>${value}</option>`;
  return html`<div class="bar">
    <label>Status <select value=${status} data-testid="filter-status"
        onChange=${(event) => setStatus(event.target.value)}>
      <option value="">any</option>${STATUS_FILTERS.map(option)}</select></label>
    <label>Warning <select value=${warning} data-testid="filter-warning"
        onChange=${(event) => setWarning(event.target.value)}>
      <option value="">any or none</option><option value="*">any</option>
      ${codes.sort().map(option)}</select></label>
    <span class="muted" aria-live="polite" data-testid="total">${count}</span>
  </div>`;
}

function countText(count, isFiltered) {
  const { items, total, isComplete } = store.requests;
  const all = plural(total, "request");
  if (isFiltered) return `${formatCount(count)}${isComplete ? "" : "+"} of ${all}`;
  const isCut = isComplete && total > items.length;
  return isCut ? `${all}, the latest ${formatCount(items.length)} shown` : all;
}

// A request has no status where the connection was closed without a response.
function hasStatus({ status }, wanted) {
  if (!wanted) return true;
  if (wanted === "none") return status === null;
  return wanted.endsWith("xx") ? String(status)[0] === wanted[0] : String(status) === wanted;
}

function hasWarning({ warnings }, wanted) {
  if (!wanted) return true;
  return wanted === "*" ? warnings.length > 0 : warnings.some(({ code }) => code === wanted);
}

function Row({ entry, href, isOpen }) {
  const target = entry.path + (entry.query && `?${entry.query}`);
  return html`<a class="row line" href=${href}
      aria-current=${isOpen ? "true" : null} data-testid="request-row">
    <${StatusCode} status=${entry.status} />${" "}
    <span class="text"><strong>${entry.method}</strong> ${previewText(target)}</span>
    <${AccountOf} entry=${entry} />
    ${entry.warnings.length > 0
      && html`<span class="warned">${plural(entry.warnings.length, "warning")}</span>`}
    <span class="when">${timeOfRow(entry.at)}</span></a>`;
}

// With the date, unless it is that of today: accounts have clocks of their own.
export function timeOfRow(at) {
  const isToday = at.slice(0, 10) === new Date().toISOString().slice(0, 10);
  return isToday ? formatTime(at).slice(11) : formatTime(at);
}

function Request({ id }) {
  const entry = useEntry(id);
  if (!entry) {
    return html`<section class="message" aria-label="Request"><p class="empty">
      ${entry === null ? "Loading …" : "This request is no longer in the journal."}${" "}
      <a href="#/requests">Back</a></p></section>`;
  }
  return html`<section class="message" aria-label="Request" data-testid="request">
    <div class="bar"><a class="back" href=${addressOfList("requests")}>← Requests</a>
      <h2 tabindex="-1">${entry.method} ${visibleText(entry.path)}</h2>
      <${StatusCode} status=${entry.status} /></div>
    <${Warnings} warnings=${entry.warnings} />
    <dl class="facts"><dt>Request</dt><dd>${entry.id}</dd>
      <dt>Received</dt><dd>${formatTime(entry.at)}</dd>
      <dt>Duration</dt><dd>${entry.durationMs} ms</dd>
      <dt>Account</dt><dd>${entry.account ?? "none"}</dd>
      ${entry.query && html`<dt>Query</dt><dd>${visibleText(entry.query)}</dd>`}
      ${entry.messageId && html`<dt>Message</dt>
        <dd><a href=${`#/inbox/${entry.messageId}`}>${entry.messageId}</a></dd>`}</dl>
    <h3>Decisions</h3><${Decisions} decisions=${entry.decisions} />
    <${Exchange} title="Request" exchange=${entry.request} />
    <${Exchange} title="Response" exchange=${entry.response} />
  </section>`;
}

// Return the entry of the journal, null while it is being loaded, undefined where there is none.
function useEntry(id) {
  const [entry, setEntry] = useState(null);
  useEffect(() => {
    const load = () => store.control("GET", `/requests/${encodeURIComponent(id)}`)
      .then(setEntry, (error) => error.status && setEntry(undefined));
    const onChange = (changedIds) => {
      if (!changedIds || changedIds.has(id)) load();
    };
    load();
    store.changeListeners.add(onChange);
    return () => store.changeListeners.delete(onChange);
  }, [id]);
  return entry;
}
