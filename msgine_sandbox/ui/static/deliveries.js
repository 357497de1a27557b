// The recipients of a message, and its timeline; what many recipients have in common is one line.
import { Decisions, Status, StatusCode, StatusCounts, Warnings } from "./components.js";
import { formatDuration, plural } from "./format.js";
import { html, useState } from "./preact.js";
import { visibleText } from "./text.js";

const FIRST_RECIPIENTS = 10; // besides those that failed

// Those that failed come first: among hundreds they are what one looks for.
export function Recipients({ message: { recipients } }) {
  const [isAll, setAll] = useState(recipients.length <= FIRST_RECIPIENTS);
  const isFailed = ({ status }) => status === "failed";
  const failed = recipients.filter(isFailed);
  const others = recipients.filter((each) => !isFailed(each));
  const shown = [...failed, ...(isAll ? others : others.slice(0, FIRST_RECIPIENTS))];
  return html`<h3>Recipients</h3>
    ${recipients.length > 1 && html`<p data-testid="recipient-counts">
      <${StatusCounts} recipients=${recipients} /></p>`}
    <ul class="recipients" data-testid="recipients">${shown.map((recipient) => html`
      <li><bdi>${visibleText(recipient.to)}</bdi> <${Status} status=${recipient.status} />
        ${recipient.reason && html`<span class="muted"> ${recipient.reason}</span>`}</li>`)}</ul>
    ${shown.length < recipients.length && html`<button type="button" data-testid="all-recipients"
      onClick=${() => setAll(true)}>Show all ${recipients.length}</button>`}`;
}

export function Timeline({ message: { recipients, timeline } }) {
  const reasons = new Map(recipients.map(({ to, reason }) => [to, reason]));
  return html`<h3>Timeline</h3>
    <ol class="timeline" data-testid="timeline">${groupsOf(timeline, reasons).map((group) => {
      const [{ type, at, to }] = group;
      return html`<li class=${`of-${type}`}>
        <time title=${at}>${timeSince(timeline[0].at, at)}</time>
        <div><${Group} entries=${group} reason=${reasons.get(to)} /></div></li>`;
    })}</ol>`;
}

// Return the entries in groups: of those that follow each other, the statuses that began at one
// time, and the attempts of one event that had the same result.
function groupsOf(timeline, reasons) {
  const groups = new Map();
  let run = 0;
  timeline.forEach((entry, n) => {
    const { type, at, status, event, url, attempt, error } = entry;
    if (type !== timeline[n - 1]?.type) run = n;
    const reason = status === "failed" && reasons.get(entry.to);
    const what = type === "status" ? [at, reason] : [event, url, attempt, error];
    const key = JSON.stringify([run, status, ...what]);
    if (!groups.has(key)) groups.set(key, []);
    groups.get(key).push(entry);
  });
  return [...groups.values()];
}

function timeSince(start, time) {
  const seconds = (Date.parse(time) - Date.parse(start)) / 1000;
  return seconds < 60 ? `${seconds.toFixed(1)} s` : formatDuration(seconds);
}

function Group({ entries, reason }) {
  const [{ type, to, status, event, url, attempt, attemptId, error, ...entry }] = entries;
  const { length } = entries;
  if (type === "request") {
    if (!entry.decisions) return "Accepted"; // the journal no longer has the request
    return html`<a href=${`#/requests/${entry.requestId}`}>Request</a> accepted
      <${Decisions} decisions=${entry.decisions} /><${Warnings} warnings=${entry.warnings} />`;
  }
  if (type === "status") {
    const text = html` became <${Status} status=${status} />
      ${status === "failed" && reason && html`<span class="muted"> ${reason}</span>`}`;
    if (length === 1) return html`<bdi>${visibleText(to)}</bdi>${text}`;
    return html`<${Fold} title=${html`${plural(length, "recipient")}${text}`} items=${entries}
      row=${(each) => html`<bdi>${visibleText(each.to)}</bdi>`} />`;
  }
  const text = html`<strong>${event}</strong> to ${visibleText(url)}, attempt ${attempt}:${" "}
    <${StatusCode} status=${status} />
    ${error && html`<span class="problem"> ${visibleText(error)}</span>`}`;
  if (length === 1) return html`${text} <a href=${`#/webhooks/${attemptId}`}>Details</a>`;
  return html`<${Fold} title=${html`${length} × ${text}`} items=${entries}
    row=${(each) => html`<a href=${`#/webhooks/${each.attemptId}`}>${each.attemptId}</a>`} />`;
}

// A line that can be opened; there may be hundreds of items, so they are made only then.
function Fold({ title, items, row }) {
  const [isOpen, setOpen] = useState(false);
  return html`<details onToggle=${(event) => setOpen(event.currentTarget.open)}>
    <summary>${title}</summary>
    ${isOpen && html`<ul>${items.map((each) => html`<li>${row(each)}</li>`)}</ul>`}</details>`;
}
