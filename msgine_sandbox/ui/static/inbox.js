// The inbox: every message and every refused call, newest first, and the open one beside them.
import { AccountOf } from "./accounts.js";
import { loadOlder, merge, partOf, RefusedRow } from "./activity.js";
import { BASE_PATH, sendRequest } from "./api.js";
import { CopyButton, StatusCounts } from "./components.js";
import { clockNow, formatAge, formatCount, plural } from "./format.js";
import { ignoresShortcuts } from "./keyboard.js";
import { lazy } from "./lazy.js";
import { useListKeys, VirtualList } from "./list.js";
import { Message } from "./message.js";
import { html, useEffect, useMemo, useState } from "./preact.js";
import { addressOf, replaceAddress, setParameter } from "./route.js";
import {
  EXAMPLES, kindsOf, parseRequestSearch, parseSearch, searchedTexts, serverParameters, withKind,
} from "./search.js";
import { store } from "./store.js";
import { previewText } from "./text.js";

const ROW_HEIGHT = 4.95; // rem
const WIDE_ROW_HEIGHT = 2.5; // of one line, where there is room for it
const WIDE = matchMedia("(min-width: 75rem)");
const SEARCH_AFTER_MS = 200; // without another key

const Request = lazy(() => import("./request.js"), "Request");

export function Inbox({ id, parameters }) {
  const query = parameters.get("q") ?? "";
  const setQuery = (text) => setParameter("inbox", id, parameters, "q", text);
  const address = (message) => addressOf("inbox", message?.id, parameters);
  const found = useServerSearch(query);
  const matches = useMemo(() => parseSearch(query, store.readMessages, found), [query, found]);
  const kinds = kindsOf(query);
  const list = useSearchedList(kinds.messages ? query : "");
  const messages = partOf(list, matches, kinds.messages);
  const refusals = partOf(store.refusals, query && parseRequestSearch(query), kinds.refusals);
  const shown = merge(messages, refusals);
  const isComplete = messages.list.isComplete && refusals.list.isComplete;
  const selected = shown.findIndex((message) => message.id === id);
  useInboxKeys(shown, selected, address);
  const key = `${store.account?.id} ${id}`;
  const isWide = useWidth() && !id;
  const marksNothing = !(matches ? messages.shown : store.messages).length;

  return html`<div class=${`panes ${id ? "opened" : ""}`}>
    <section class=${`inbox ${isWide ? "wide" : ""}`} aria-label="Inbox">
      <div class="bar">
        <input type="search" data-search data-testid="search" aria-label="Search the inbox"
          placeholder="Search  /" value=${query}
          onInput=${(event) => setQuery(event.target.value)} />
        <span class="muted" data-testid="total" aria-live="polite">
          ${countText(messages.shown, Boolean(matches), messages.list)}</span>
        ${store.refusals.total > 0 && html`<${KindChoice} kinds=${kinds}
          choose=${(kind) => setQuery(withKind(query, kind))} />`}
        <button type="button" onClick=${() => markRead(matches ? messages.shown : null)}
          disabled=${marksNothing} title=${marksNothing ? "No message to mark as read" : null}>
          ${matches ? "Mark these read" : "Mark all read"}</button>
      </div>
      ${shown.length || !isComplete
        ? html`<${VirtualList} items=${shown} selected=${selected}
            rowHeight=${isWide ? WIDE_ROW_HEIGHT : ROW_HEIGHT}
            label="Messages" testid="messages" onEnd=${() => loadOlder([messages, refusals])}
            row=${(item) => {
              const props = { href: address(item), isOpen: item.id === id };
              return item.method ? html`<${RefusedRow} entry=${item} ...${props} />`
                : html`<${Row} message=${item} ...${props} />`;
            }} />`
        : html`<${Empty} query=${query} search=${setQuery} />`}
    </section>
    ${id?.startsWith("req_")
      ? html`<${Request} key=${key} id=${id} view="inbox" viewName="Inbox" />`
      : id && html`<${Message} key=${key} id=${id} />`}
  </div>`;
}

// Whether a message fits into one line of the window.
function useWidth() {
  const [isWide, setWide] = useState(WIDE.matches);
  useEffect(() => {
    const onChange = () => setWide(WIDE.matches);
    WIDE.addEventListener("change", onChange);
    return () => WIDE.removeEventListener("change", onChange);
  }, []);
  return isWide;
}

function KindChoice({ kinds, choose }) {
  const refused = `${formatCount(store.refusals.total)} refused`;
  const kind = kinds.messages ? kinds.refusals ? "all" : "messages" : "refusals";
  return html`<select value=${kind} aria-label="Messages or refused calls" data-testid="kind"
      onChange=${(event) => choose(event.target.value)}>
    <option value="all">with ${refused}</option>
    <option value="messages">without ${refused}</option>
    <option value="refusals">only ${refused}</option></select>`;
}

// Return the list in which a query is searched: that of the server's search, where the page does
// not have all messages, once it is there.
function useSearchedList(query) {
  const { list, found } = store;
  const parameters = query && !list.isComplete ? serverParameters(query) : null;
  useEffect(() => {
    if (parameters === null) {
      store.found = null;
      return undefined;
    }
    const timer = setTimeout(() => store.search(parameters), SEARCH_AFTER_MS);
    return () => clearTimeout(timer);
  }, [parameters, list]);
  return parameters !== null && found?.parameters === parameters ? found : list;
}

// Return the ids that the server finds for the texts of a query, by text, where the page does not
// have the whole of some message.
function useServerSearch(query) {
  const [found, setFound] = useState(new Map());
  useEffect(() => {
    const texts = searchedTexts(query);
    if (!texts.length || !store.messages.some(({ truncated }) => truncated)) return undefined;
    let isCurrent = true;
    const search = async (text) => {
      const path = `/messages?view=summary&limit=1000&q=${encodeURIComponent(text)}`;
      const { data } = await store.control("GET", path);
      return [text, new Set(data.map(({ id }) => id))];
    };
    const timer = setTimeout(() => {
      Promise.all(texts.map(search)).then((all) => isCurrent && setFound(new Map(all)), () => {});
    }, SEARCH_AFTER_MS);
    return () => {
      isCurrent = false;
      clearTimeout(timer);
    };
  }, [query]);
  return found;
}

function countText(shown, isFiltered, list) {
  if (!store.isLoaded) return "Loading …";
  const { items, total, isComplete } = store.list;
  const all = plural(total, "message");
  if (isFiltered) return `${formatCount(shown.length)}${list.isComplete ? "" : "+"} of ${all}`;
  const isCut = isComplete && total > items.length;
  return isCut ? `${all}, the latest ${formatCount(items.length)} shown` : all;
}

// Mark some messages as read, or without any all that there are, those included that are not
// loaded.
function markRead(messages) {
  if (messages) store.readMessages.add(messages.map(({ id }) => id));
  else store.readMessages.addUpTo(store.messages[0].id, store.account?.id);
  store.scheduleRender();
}

function Row({ message, href, isOpen }) {
  const isUnread = !store.readMessages.has(message);
  const [recipient, ...others] = message.recipients;
  const title = message.subject ?? message.title;
  const age = formatAge(message.createdAt, clockNow(store.clockOf(message.accountId)));
  return html`<a class=${`row ${isUnread ? "unread" : ""}`} href=${href}
      data-testid="row" data-id=${message.id} aria-current=${isOpen ? "true" : null}>
    <span class="who"><bdi>${recipient ? previewText(recipient.to) : "no recipients"}</bdi>
      ${others.length > 0 && html` <span class="muted">and ${others.length} more</span>`}</span>
    <span class="when" title=${message.createdAt}>${age}</span>
    <span class="text" dir="auto">
      ${title && html`<strong><bdi>${previewText(title)}</bdi></strong> `}
      ${previewText(message.message)}</span>
    <span class="states">
      ${isUnread && html`<span class="dot" title="Unread">
        <span class="hidden">Unread</span></span>`}
      <${StatusCounts} recipients=${message.recipients} /></span>
    <span class="facts muted">${message.warnings > 0 && html`<span class="warned">
        ${plural(message.warnings, "warning")}</span> `}${message.channel}
      ${message.channel !== "push" && html` from <bdi>${previewText(message.from)}</bdi>`}
      ${message.segments > 1 && html` · ${plural(message.segments, "segment")}`}
      ${" "}· ${message.cost} ${message.currency}
      ${!store.account && " · "}<${AccountOf} entry=${message} /></span></a>`;
}

function Empty({ query, search }) {
  if (query) {
    return html`<div class="empty" data-testid="empty"><h2>No matching messages</h2>
      <p>Examples of searches: ${EXAMPLES.map((example) => html`<button type="button" class="hint"
        onClick=${() => search(example)}>${example}</button> `)}</p>
      <p><button type="button" onClick=${() => search("")}>Show all messages</button></p></div>`;
  }
  return html`<div class="empty" data-testid="empty"><h2>No messages yet</h2>
    <p>Send the first one. Any token works, and each token has an account of its own:</p>
    <pre tabindex="0" aria-label="The first message">${firstCommand()}</pre>
    <p class="buttons"><${CopyButton} label="Copy" text=${firstCommand} testid="copy-first" />
      <button type="button" onClick=${sendFirst} data-testid="send-first">Send it</button></p>
    <p>Or use the <a href="#/playground">playground</a>. An SDK only needs this base URL:${" "}
      <code>${location.origin}${BASE_PATH}</code></p></div>`;
}

const FIRST = {
  method: "POST",
  path: "/messages/sms",
  headers: { Authorization: "Bearer test_me", "Content-Type": "application/json" },
  body: '{"to": "+256701234567", "message": "Your code is 493817"}',
};

function firstCommand() {
  const headers = Object.entries(FIRST.headers).map((header) => `-H "${header.join(": ")}"`);
  const lines = [location.origin + BASE_PATH + FIRST.path, ...headers, `-d '${FIRST.body}'`];
  return `curl ${lines.join(" \\\n  ")}`;
}

function sendFirst() {
  sendRequest(FIRST).catch(() => store.notify("The sandbox is not responding", true));
}

function useInboxKeys(shown, selected, address) {
  const openMessage = (message) => openAddress(address(message), selected >= 0);
  useListKeys({
    items: shown,
    selected,
    open: openMessage,
    close: () => (location.hash = address(null)),
    focused: () => shown.findIndex(({ id }) => id === document.activeElement?.dataset?.id),
    onKey: (event) => {
      if (event.key !== "Enter") return;
      // In the search field, Enter opens the first match; otherwise it focuses the open message.
      if (event.target.matches("[data-search]") && shown.length) openMessage(shown[0]);
      else if (event.target === document.body && selected >= 0 && !ignoresShortcuts(event)) {
        document.querySelector(".message h2")?.focus();
      }
    },
  });
}

// From one message to the next, the history gets no entry.
function openAddress(address, isNext) {
  if (isNext) replaceAddress(address);
  else location.hash = address;
  document.activeElement?.blur(); // so that the shortcuts work again after the search field
}
