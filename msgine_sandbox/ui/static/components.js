// Components that several views use.
import { effectText, magicText } from "./effects.js";
import { colouredJson } from "./json.js";
import { html, useState } from "./preact.js";
import { ROOT } from "./root.js";
import { visibleText } from "./text.js";

const UNLIMITED = 2 ** 31 - 1; // what the tier without a limit says

// The status of a message or of a recipient.
export function Status({ status }) {
  return html`<span class=${`status ${status}`} data-testid="status">${status}</span>`;
}

// The statuses of recipients, each once with how many have it.
export function StatusCounts({ recipients }) {
  const counts = new Map();
  for (const { status } of recipients) counts.set(status, (counts.get(status) ?? 0) + 1);
  return [...counts].map(([status, count]) => html`<${Status} status=${status} />
    ${count > 1 && html`<span class="muted times">×${count}</span>`}`);
}

// The status code of a response; null where there was none.
export function StatusCode({ status, lost = "no response" }) {
  const kind = status === null ? "none" : `c${Math.floor(status / 100)}`;
  return html`<span class=${`code ${kind}`}>${status ?? lost}</span>`;
}

export function CopyButton({ text, label, testid }) {
  const [outcome, setOutcome] = useState(null);
  const copy = async () => {
    setOutcome((await copyText(await text())) ? "Copied" : "Copying failed");
    setTimeout(() => setOutcome(null), 1500);
  };
  return html`<button type="button" onClick=${copy} data-testid=${testid}>
    ${outcome ?? label}</button>`;
}

// A button for what cannot be undone: it is done after a second one.
export function ConfirmButton({ label, sure, run, testid }) {
  const [isAsking, setAsking] = useState(false);
  const answer = (isSure) => () => {
    setAsking(false);
    if (isSure) run();
  };
  if (!isAsking) {
    return html`<button type="button" onClick=${() => setAsking(true)} data-testid=${testid}>
      ${label}</button>`;
  }
  return html`<button type="button" class="danger" onClick=${answer(true)}
      data-testid=${`${testid}-really`}>${sure}</button>
    <button type="button" onClick=${answer(false)}>Cancel</button>`;
}

// Return whether the text is in the clipboard.
async function copyText(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    // Browsers have no clipboard API on plain HTTP, except on localhost.
    const area = document.createElement("textarea");
    area.value = text;
    document.body.append(area);
    area.select();
    const isCopied = document.execCommand("copy");
    area.remove();
    return isCopied;
  }
}

export function Warnings({ warnings }) {
  if (!warnings?.length) return null;
  return html`<ul class="warnings" data-testid="warnings">${warnings.map((warning) => html`<li>
    <strong>${warning.code}</strong> ${visibleText(warning.message)}
    <p>${warning.advice}${" "}
      <a href=${ROOT + warning.docs}>More about ${warning.code}</a></p></li>`)}</ul>`;
}

// What the sandbox decided about a request, in the order of the decisions.
export function Decisions({ decisions }) {
  if (!decisions?.length) return null;
  return html`<ul class="decisions" data-testid="decisions">
    ${decisions.map((decision) => html`<li>${decisionText(decision)}</li>`)}</ul>`;
}

function decisionText(decision) {
  const { by, outcome, id, effect, key, magic, to, rule } = decision;
  const fault = (name) => html`<a href="#/controls">${name}</a>`; // which lists them
  if (by === "auth") {
    return `Credential ${outcome}${decision.spelling ? ` (${decision.spelling})` : ""}`;
  }
  if (by === "window") {
    const { remaining, limit, retryAfter, reason } = decision;
    const wait = retryAfter ? `, retry after ${retryAfter} s` : "";
    const why = reason ? `. ${reason}` : "";
    const left = limit >= UNLIMITED ? "no limit" : `${remaining} of ${limit} left`;
    return `Rate limit: ${outcome}, ${left}${wait}${why}`;
  }
  if (by === "fault") {
    const origin = magic ? [visibleText(magicText(magic))] : ["Fault ", fault(id)];
    return [...origin, ": ", visibleText(effectText(effect))];
  }
  if (by === "delivery") {
    const origin = rule.startsWith("flt_") ? fault(rule) : `the magic recipient ${rule}`;
    return ["Delivery to ", visibleText(to), `: ${outcome}, by `, origin];
  }
  const isReplayed = outcome === "replayed";
  const text = isReplayed ? "stored response returned" : "first use";
  return visibleText(`Idempotency key ${key}: ${text}`);
}

// The headers and the body of a request or a response; null is none.
export function Exchange({ title, exchange, isOpen, onToggle }) {
  if (!exchange) return html`<p class="muted">${title}: none</p>`;
  return html`<details open=${isOpen} onToggle=${(event) => onToggle?.(event.currentTarget.open)}>
    <summary>${title}</summary>
    <${ExchangeContent} title=${title} exchange=${exchange} /></details>`;
}

function ExchangeContent({ title, exchange: { headers, body, truncated } }) {
  return html`
    <dl class="headers">${Object.entries(headers).map(([name, value]) => html`
      <dt>${visibleText(name)}</dt><dd>${visibleText(value)}</dd>`)}</dl>
    <div class="body">
      ${body && html`<${CopyButton} label="Copy body" text=${() => body} testid="copy-body" />`}
      <pre tabindex="0" aria-label=${`${title}, body`}>
        ${body ? colouredJson(body) : "(empty)"}</pre></div>
    ${truncated && html`<p class="muted">The rest of the body was not stored.</p>`}`;
}
