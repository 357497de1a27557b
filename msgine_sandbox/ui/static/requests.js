// The journal: every request of a client, with what was wrong with it in its row.
import { AccountOf } from "./accounts.js";
import { BASE_PATH } from "./api.js";
import { StatusCode } from "./components.js";
import { formatCount, formatTime, plural, timeOfRow } from "./format.js";
import { useListKeys, VirtualList } from "./list.js";
import { html } from "./preact.js";
import { Reason, Recipients } from "./refusals.js";
import { Request } from "./request.js";
import { addressOf, replaceAddress, setParameter } from "./route.js";
import { parseRequestSearch } from "./search.js";
import { store } from "./store.js";
import { previewText } from "./text.js";

const ROW_HEIGHT = 3.9; // rem
const STATUS_FILTERS = ["2xx", "4xx", "429", "5xx", "none"];
const METHODS = ["GET", "POST", "DELETE"];

export function Requests({ id, parameters }) {
  const filters = Object.fromEntries(
    ["q", "status", "method", "warning"].map((name) => [name, parameters.get(name) ?? ""]),
  );
  const set = (name) => (event) =>
    setParameter("requests", id, parameters, name, event.target.value);
  const address = (entry) => addressOf("requests", entry?.id, parameters);
  const matches = parseRequestSearch(filters.q);
  const shown = store.requests.items.filter((entry) => hasStatus(entry, filters.status)
    && (!filters.method || entry.method === filters.method)
    && hasWarning(entry, filters.warning) && matches(entry));
  const isFiltered = Object.values(filters).some(Boolean);
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
      <${Filters} filters=${filters} set=${set} count=${countText(shown.length, isFiltered)} />
      ${shown.length || !store.requests.isComplete
        ? html`<${VirtualList} items=${shown} rowHeight=${ROW_HEIGHT} selected=${selected}
            onEnd=${() => store.loadOlder(store.requests)}
            label="Requests" testid="requests"
            row=${(entry) => html`<${Row} entry=${entry} href=${address(entry)}
              isOpen=${entry.id === id} />`} />`
        : html`<${Empty} isFiltered=${isFiltered} />`}
    </section>
    ${id && html`<${Request} key=${`${store.account?.id} ${id}`} id=${id}
      view="requests" viewName="Requests" />`}
  </div>`;
}

function Filters({ filters, set, count }) {
  const warnings = store.definitions.warnings.map(({ code }) => code).sort();
  const choice = (name, options) => html`<select value=${filters[name]} onChange=${set(name)}
      aria-label=${`Filter by ${name}`} data-testid=${`filter-${name}`}>
    ${options.map(([value, label = value]) => html`<option value=${value}>${label}</option>`)}
    </select>`;
  const each = (values) => values.map((value) => [value]);
  return html`<div class="bar">
    <input type="search" data-search data-testid="search" aria-label="Search the requests"
      placeholder="Search  /" value=${filters.q} onInput=${set("q")} />
    ${choice("status", [["", "any status"], ...each(STATUS_FILTERS)])}
    ${choice("method", [["", "any method"], ...each(METHODS)])}
    ${choice("warning", [["", "warned or not"], ["*", "warned"], ...each(warnings)])}
    <span class="muted" aria-live="polite" data-testid="total">${count}</span>
  </div>`;
}

function Empty({ isFiltered }) {
  if (isFiltered) {
    return html`<div class="empty" data-testid="empty"><h2>No matching requests</h2>
      <p><a href="#/requests">Show all requests</a></p></div>`;
  }
  return html`<div class="empty"><h2>No requests</h2>
    <p>Every request to <code>${location.origin}${BASE_PATH}</code> is recorded here with its
      response, and with warnings about what will cause trouble in production.</p></div>`;
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
  const { status, method, path, query, error, warnings, durationMs, at } = entry;
  const target = path.replace("/api/v1", "") + (query && `?${query}`);
  return html`<a class="row call" href=${href}
      aria-current=${isOpen ? "true" : null} data-testid="request-row">
    <${StatusCode} status=${status} lost="lost" />${" "}
    <span class="text"><strong>${method}</strong> ${previewText(target)}</span>
    <span class="when">
      ${warnings.length > 0
        && html`<span class="warned">${plural(warnings.length, "warning")}</span>`}
      ${" "}<span class="took">${formatMilliseconds(durationMs)}</span>${" "}
      <time title=${formatTime(at)}>${timeOfRow(at)}</time></span>
    <span class="facts muted">${" "}<${Recipients} entry=${entry} />
      ${error?.code && html`<span><strong>${error.code}</strong></span>`}
      <${AccountOf} entry=${entry} /><${Reason} entry=${entry} /></span></a>`;
}

function formatMilliseconds(duration) {
  return duration < 10 ? `${duration.toFixed(1)} ms` : `${formatCount(Math.round(duration))} ms`;
}
