// Small things that several views show.
import { laidOut } from "./json.js";
import { html, useState } from "./preact.js";
import { visible } from "./text.js";

export function Status({ status }) {
  return html`<span class=${`status ${status}`} data-testid="status">${status}</span>`;
}

export function Code({ status }) {
  const kind = status === null ? "lost" : `c${Math.floor(status / 100)}`;
  return html`<span class=${`code ${kind}`}>${status ?? "no answer"}</span>`;
}

export function Copy({ text, label, testid }) {
  const [done, setDone] = useState(false);
  const copy = async () => {
    await copied(text());
    setDone(true);
    setTimeout(() => setDone(false), 1500);
  };
  return html`<button type="button" onClick=${copy} data-testid=${testid}>${done ? "Copied" : label}</button>`;
}

async function copied(text) {
  try {
    await navigator.clipboard.writeText(text);
  } catch { // plain http on another host's name has no clipboard
    const area = document.createElement("textarea");
    area.value = text;
    document.body.append(area);
    area.select();
    document.execCommand("copy");
    area.remove();
  }
}

export function Warnings({ warnings }) {
  if (!warnings?.length) return null;
  return html`<ul class="warnings" data-testid="warnings">${warnings.map((each) => html`<li>
    <strong>${each.code}</strong> ${visible(each.message)} <em>${ADVICE[each.code] ?? ""}</em>
    <span class="quiet"> More: ${each.docs}</span></li>`)}</ul>`;
}

// What to do, in a sentence; the documentation says more.
const ADVICE = {
  "retried-too-early": "Wait as long as Retry-After says.",
  "post-retried-without-idempotency-key": "Give each send an Idempotency-Key, the same on every try.",
  "idempotency-key-reused-with-another-body": "Make a new key for each new message.",
  "bearer-missing": "Send Authorization: Bearer TOKEN.",
  "unknown-field": "Check the spelling: the real service ignores it as well.",
  "number-not-mobile": "Ask people for a mobile number.",
  "text-forced-to-ucs2": "Replace the character, or plan for the price.",
  "webhook-slow": "Answer at once, and work afterwards.",
  "webhook-failed": "Answer 2xx once you have stored the event.",
  "webhook-localhost-in-container": "Write host.docker.internal instead of localhost.",
  "looks-live": "Keep production tokens out of tests.",
  "polls-instead-of-webhook": "Set a callbackUrl, or an endpoint of the account.",
};

export function Exchange({ title, exchange }) {
  if (!exchange) return html`<p class="quiet">${title}: none</p>`;
  return html`<details><summary>${title}</summary>
    <dl class="headers">${Object.entries(exchange.headers).map(([name, value]) => html`
      <dt>${visible(name)}</dt><dd>${visible(value)}</dd>`)}</dl>
    <pre tabindex="0" aria-label=${`${title}, body`}>${visible(laidOut(exchange.body) || "(empty)")}</pre>
    ${exchange.truncated && html`<p class="quiet">The rest of the body is not kept.</p>`}</details>`;
}
