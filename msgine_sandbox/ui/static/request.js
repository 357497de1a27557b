// One request of the journal: why it was refused, its decisions, and both bodies.
import { chooseOwner } from "./accounts.js";
import { CopyButton, Decisions, Exchange, StatusCode, Warnings } from "./components.js";
import { formatTime } from "./format.js";
import { addressOfRequest } from "./playground_request.js";
import { html, useEffect, useState } from "./preact.js";
import { addressOfList } from "./route.js";
import { entryAsCurl } from "./snippets.js";
import { store } from "./store.js";
import { visibleText } from "./text.js";

const closed = new Set(); // titles of what somebody has closed, until the page is loaded again

// `view` is that of the list beside it.
export function Request({ id, view, viewName }) {
  const entry = useEntry(id);
  if (!entry) {
    return html`<section class="message" aria-label="Request"><p class="empty">
      ${entry === null ? "Loading …"
        : "This request does not exist, or is no longer in the journal."}${" "}
      <a href=${addressOfList(view)}>Back</a></p></section>`;
  }
  return html`<section class="message" aria-label="Request" data-testid="request">
    <div class="bar"><a class="back" href=${addressOfList(view)}>← ${viewName}</a>
      <h2 tabindex="-1">${entry.method} ${visibleText(entry.path)}</h2>
      <${StatusCode} status=${entry.status} /></div>
    <${Refusal} error=${entry.error} />
    <${Warnings} warnings=${entry.warnings} />
    <${Actions} entry=${entry} />
    <dl class="facts"><dt>Request</dt><dd>${view === "requests" ? entry.id
      : html`<a href=${`#/requests/${entry.id}`}>${entry.id}</a>`}</dd>
      <dt>Received</dt><dd>${formatTime(entry.at)}</dd>
      <dt>Duration</dt><dd>${entry.durationMs} ms</dd>
      <dt>Account</dt><dd>${entry.account ?? "none"}</dd>
      ${entry.query && html`<dt>Query</dt><dd>${visibleText(entry.query)}</dd>`}
      ${entry.messageId && html`<dt>Message</dt>
        <dd><a href=${`#/inbox/${entry.messageId}`}>${entry.messageId}</a></dd>`}</dl>
    <h3>Decisions</h3><${Decisions} decisions=${entry.decisions} />
    ${["Request", "Response"].map((title) => html`<${Exchange} title=${title}
      exchange=${entry[title.toLowerCase()]} isOpen=${!closed.has(title)}
      onToggle=${(isOpen) => (isOpen ? closed.delete(title) : closed.add(title))} />`)}
  </section>`;
}

function Refusal({ error }) {
  if (!error) return null;
  const facts = ["code", "field", "value", "expected", "reason"].filter((name) => error[name]);
  return html`<div class="refusal" data-testid="refusal">
    ${error.message && html`<strong>${visibleText(error.message)}</strong>`}
    <dl>${facts.map((name) => html`<dt>${name}</dt><dd>${visibleText(error[name])}</dd>`)}</dl>
  </div>`;
}

function Actions({ entry }) {
  const address = addressOfRequest(entry);
  return html`<div class="buttons">
    ${!entry.request.truncated && html`<${CopyButton} label="Copy as curl" testid="copy-curl"
      text=${() => entryAsCurl(entry)} />`}
    ${address && html`<a class="button" href=${address} data-testid="open-playground">
      Open in playground</a>`}</div>`;
}

// Return the entry of the journal, null while it is being loaded, undefined where there is none.
function useEntry(id) {
  const [entry, setEntry] = useState(null);
  useEffect(() => {
    const load = async () => {
      const path = `/requests/${encodeURIComponent(id)}`;
      try {
        const opened = await store.control("GET", path);
        setEntry(opened);
        store.set({ opened });
      } catch (error) {
        if (error.status && !(await chooseOwner(path))) setEntry(undefined);
      }
    };
    const onChange = (changedIds) => {
      if (!changedIds || changedIds.has(id)) load();
    };
    load();
    store.changeListeners.add(onChange);
    return () => store.changeListeners.delete(onChange);
  }, [id]);
  return entry;
}
