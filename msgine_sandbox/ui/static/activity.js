// Messages and the refused calls among them, newest first.
import { AccountOf } from "./accounts.js";
import { StatusCode } from "./components.js";
import { clockNow, formatAge } from "./format.js";
import { html } from "./preact.js";
import { Reason, Recipients } from "./refusals.js";
import { store } from "./store.js";
import { previewText } from "./text.js";

// Ids grow with real time, and all alike: msg_018f3a5b00c1d2e3, req_018f3a5b00c1d2e4, and the UUID
// 018f3a5b-00c1-4d2e-8300-…, which has a 4 and an 8 in between.
function orderOf({ id }) {
  return id.includes("_") ? id.slice(4)
    : id.slice(0, 8) + id.slice(9, 13) + id.slice(15, 18) + id[20];
}

const NOTHING = { list: { items: [], isComplete: true }, shown: [] };

// What a search shows of one list; `isWanted` is whether it can find anything there.
export function partOf(list, matches, isWanted) {
  if (!isWanted) return NOTHING;
  return { list, shown: matches ? list.items.filter(matches) : list.items };
}

// Merge what is shown of both lists. Below the end of one that goes on, its items are not known
// yet, so that nothing of the other is shown there.
export function merge(messages, refusals) {
  const end = endOf([messages, refusals]);
  const known = ({ shown }) => (end ? shown.filter((item) => orderOf(item) >= end) : shown);
  const others = known(refusals);
  if (!others.length) return known(messages);
  const merged = [];
  let next = 0;
  for (const message of known(messages)) {
    const order = orderOf(message);
    while (next < others.length && orderOf(others[next]) > order) merged.push(others[next++]);
    merged.push(message);
  }
  return [...merged, ...others.slice(next)];
}

// Load more of the list that ends first.
export function loadOlder(parts) {
  const end = endOf(parts);
  for (const { list } of parts) if (end && orderOfLast(list) === end) store.loadOlder(list);
}

function endOf(parts) {
  return parts.map(({ list }) => orderOfLast(list)).sort().at(-1);
}

// The order of the last item below which the list goes on; "~" comes after all of them.
function orderOfLast({ items, isComplete }) {
  if (isComplete) return "";
  return items.length ? orderOf(items.at(-1)) : "~";
}

export function RefusedRow({ entry, href, isOpen }) {
  const { id, method, path, status, error, at, accountId } = entry;
  const age = formatAge(at, clockNow(store.clockOf(accountId)));
  return html`<a class="row refused" href=${href} data-testid="refused-row" data-id=${id}
      aria-current=${isOpen ? "true" : null}>
    <span class="who">${error?.code && html`<strong>${error.code}</strong>${" "}`}
      ${entry.to.length > 0 && html`to <${Recipients} entry=${entry} />`}</span>
    <span class="when" title=${at}>${age}</span>
    <span class="text"><${Reason} entry=${entry} /></span>
    <span class="states"><${StatusCode} status=${status} lost="lost" /></span>
    <span class="facts muted"><span>${method} ${previewText(path)}</span>
      <${AccountOf} entry=${entry} /></span></a>`;
}
