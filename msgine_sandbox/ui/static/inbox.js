// The inbox: every message, newest first, live; and one of them beside it.
import { accountNow, age, many, money } from "./format.js";
import { isElsewhere, stepped } from "./keys.js";
import { List } from "./list.js";
import { Message } from "./message.js";
import { Status } from "./parts.js";
import { html, useEffect, useMemo, useState } from "./preact.js";
import { HINTS, matcher } from "./query.js";
import { store } from "./store.js";
import { glimpse } from "./text.js";

const HEIGHT = 4.95; // rem a row

export function Inbox({ id }) {
  const [query, setQuery] = useState("");
  const fits = useMemo(() => matcher(query, store.read), [query]);
  const shown = fits ? store.messages.filter(fits) : store.messages;
  const at = shown.findIndex((each) => each.id === id);
  useKeys(shown, at);

  return html`<div class=${`panes ${id ? "opened" : ""}`}>
    <section class="inbox" aria-label="Inbox">
      <div class="bar">
        <input type="search" data-search data-testid="search" aria-label="Search the inbox" placeholder="Search  /"
          value=${query} onInput=${(event) => setQuery(event.target.value)} />
        <span class="quiet" data-testid="total" aria-live="polite">${told(shown, fits)}</span>
        <button type="button" onClick=${() => readAll(shown)} disabled=${!store.messages.length}>Mark all read</button>
      </div>
      ${shown.length || !store.loaded
        ? html`<${List} items=${shown} rem=${HEIGHT} selected=${at} label="Messages" testid="messages"
            row=${(message) => html`<${Row} message=${message} opened=${message.id === id} />`} />`
        : html`<${Empty} query=${query} search=${setQuery} />`}
    </section>
    ${id && html`<${Message} key=${`${store.account?.id} ${id}`} id=${id} />`}
  </div>`;
}

function Row({ message, opened }) {
  const unread = !store.read.has(message.id);
  const { recipients } = message;
  const [recipient] = recipients;
  const title = message.subject ?? message.title;
  return html`<a class=${`row ${unread ? "unread" : ""}`} href=${`#/inbox/${message.id}`} data-testid="row"
      data-id=${message.id} aria-current=${opened ? "true" : null}>
    <span class="who"><bdi>${recipient ? glimpse(recipient.to) : "nobody"}</bdi>
      ${recipients.length > 1 && html` <span class="quiet">and ${recipients.length - 1} more</span>`}</span>
    <span class="when" title=${message.createdAt}>${age(message.createdAt, accountNow(store.clockOf(message.accountId)))}</span>
    <span class="said">${title && html`<strong><bdi>${glimpse(title)}</bdi></strong> `}<bdi>${glimpse(message.message)}</bdi></span>
    <span class="facts">
      ${unread && html`<span class="dot" title="Unread"><span class="hidden">Unread</span></span>`}
      <${Statuses} recipients=${recipients} />
      <span class="quiet"> ${message.channel}${message.channel !== "push" && html` from <bdi>${glimpse(message.from)}</bdi>`}
        ${message.segments > 1 && html` · ${many(message.segments, "segment")}`} · ${money(message.cost, message.currency)}</span>
    </span></a>`;
}

function Statuses({ recipients }) {
  const counts = new Map();
  for (const { status } of recipients) counts.set(status, (counts.get(status) ?? 0) + 1);
  return [...counts].map(([status, count]) => html`<${Status} status=${status} />${count > 1 && html`<span class="quiet times">×${count}</span>`}`);
}

function Empty({ query, search }) {
  if (query) {
    return html`<div class="empty" data-testid="empty"><h2>Nothing fits</h2>
      <p>One may search for ${HINTS.map((hint) => html`<button type="button" class="hint" onClick=${() => search(hint)}>${hint}</button> `)}</p>
      <p><button type="button" onClick=${() => search("")}>Show all messages</button></p></div>`;
  }
  return html`<div class="empty" data-testid="empty"><h2>No messages yet</h2>
    <p>Send the first one. Any token works, and opens an account of its own:</p>
    <pre tabindex="0" aria-label="The first message">${first()}</pre>
    <p>Or use the <a href="#/playground">playground</a>. An SDK needs only this as its base URL:
      <code>${location.origin}/api/v1</code></p></div>`;
}

function first() {
  return `curl ${location.origin}/api/v1/messages/sms \\
  -H "Authorization: Bearer test_me" \\
  -H "Content-Type: application/json" \\
  -d '{"to": "+256701234567", "message": "Your code is 493817"}'`;
}

function told(shown, fits) {
  if (!store.loaded) return "Loading …";
  if (fits) return `${shown.length.toLocaleString("en")} of ${many(store.messages.length, "message")}`;
  const more = store.total > store.messages.length ? `, the latest ${store.messages.length.toLocaleString("en")} shown` : "";
  return many(store.total, "message") + more;
}

function readAll(shown) {
  store.read.add(shown.map((each) => each.id));
  store.changed();
}

function useKeys(shown, at) {
  useEffect(() => {
    const pressed = (event) => {
      if (event.key === "Enter" && event.target.matches("[data-search]")) open(shown[0]);
      if (isElsewhere(event)) return;
      const from = at < 0 ? shown.findIndex((each) => each.id === document.activeElement?.dataset?.id) : at;
      open(shown[stepped(event.key, from, shown.length)]);
      if (event.key === "Escape") location.hash = "#/inbox";
      else if (event.key === "Enter" && event.target === document.body && at >= 0) {
        document.querySelector("[data-testid=message] h2")?.focus();
      }
    };
    addEventListener("keydown", pressed);
    return () => removeEventListener("keydown", pressed);
  });
}

function open(message) {
  if (!message) return;
  location.hash = `#/inbox/${message.id}`;
  document.activeElement?.blur();
}
