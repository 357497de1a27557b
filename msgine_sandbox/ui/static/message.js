// One message: what a phone would show, what it cost and why, and all that happened to it.
import { clock, duration, many, money } from "./format.js";
import { Code, Copy, Exchange, Status, Warnings } from "./parts.js";
import { html, useEffect, useRef, useState } from "./preact.js";
import { curlOf, pytestOf } from "./snippets.js";
import { store } from "./store.js";
import { characterName, visible } from "./text.js";

const WAY = { queued: "pending", pending: "sent", sent: "delivered" };

export function Message({ id }) {
  const [message, setMessage] = useState(null);
  const [attempts, setAttempts] = useState([]);
  const [missing, setMissing] = useState(false);
  const wanted = useRef(null);

  const look = async () => {
    try {
      const [found, tries] = await Promise.all([
        store.control("GET", `/messages/${encodeURIComponent(id)}`),
        store.control("GET", `/webhooks/attempts?messageId=${id}&limit=1000`),
      ]);
      setMessage(found);
      setAttempts(tries.data);
      setMissing(false);
    } catch (problem) {
      if (problem.status === 404) setMissing(true);
    }
  };
  useEffect(() => {
    store.read.add([id]);
    store.changed();
    look();
    const heard = (touched) => {
      if (touched && !touched.has(id)) return;
      wanted.current ??= setTimeout(() => {
        wanted.current = null;
        look();
      }, 60);
    };
    store.about.add(heard);
    return () => store.about.delete(heard);
  }, [id]);

  if (missing) {
    return html`<section class="message" aria-label="Message"><p class="empty">That message is not there.
      <a href="#/inbox">Back to the inbox</a></p></section>`;
  }
  if (!message) return html`<section class="message" aria-label="Message" aria-busy="true"></section>`;
  return html`<section class="message" aria-label="Message" data-testid="message">
    <div class="bar"><a class="back" href="#/inbox">← Inbox</a>
      <h2 tabindex="-1">${message.channel === "sms" ? "SMS" : message.channel === "email" ? "Email" : "Push"}
        <span class="quiet"> ${message.id}</span></h2>
      <${Status} status=${message.status} /></div>
    <${Shown} message=${message} />
    <div class="buttons">
      <button type="button" onClick=${() => bring(message, "delivered", look)} data-testid="deliver"
        disabled=${!some(message, ["queued", "pending", "sent"])}>Deliver</button>
      <button type="button" onClick=${() => bring(message, "failed", look)} data-testid="fail"
        disabled=${!some(message, ["queued", "pending", "sent"])}>Fail</button>
      <${Copy} label="Copy as curl" text=${() => curlOf(message)} testid="copy-curl" />
      <${Copy} label="Copy as pytest" text=${() => pytestOf(message)} testid="copy-pytest" />
    </div>
    <${Facts} message=${message} />
    <${Recipients} message=${message} />
    <${Timeline} message=${message} attempts=${attempts} look=${look} />
  </section>`;
}

function Shown({ message }) {
  const { channel, parts, unicodeBecauseOf } = message;
  const title = message.subject ?? message.title;
  return html`<div class=${`phone ${channel}`}>
    <p class="sender"><bdi>${visible(message.from)}</bdi></p>
    ${title && html`<h3><bdi>${visible(title)}</bdi></h3>`}
    ${channel === "sms" && parts.length > 1
      ? html`<div class="bubble" data-testid="text">${parts.map((part, n) => html`<span class="segment" data-testid="segment">
          <span class="number">${n + 1}</span><bdi>${visible(part, n === firstWith(parts, unicodeBecauseOf) ? unicodeBecauseOf : null)}</bdi></span>`)}</div>`
      : html`<div class="bubble" data-testid="text"><bdi>${visible(message.message, unicodeBecauseOf)}</bdi></div>`}
    ${message.html != null && html`<details><summary>HTML, as it was sent</summary><pre tabindex="0" aria-label="HTML">${visible(message.html)}</pre></details>`}
    ${message.imageUrl && html`<p class="quiet">Image, not loaded: ${visible(message.imageUrl)}</p>`}
    ${message.data && Object.keys(message.data).length > 0 && html`<pre tabindex="0" aria-label="Data">${visible(JSON.stringify(message.data, null, 2))}</pre>`}
  </div>`;
}

function firstWith(parts, character) {
  return character ? parts.findIndex((part) => part.includes(character)) : -1;
}

function Facts({ message }) {
  const { segments, encoding, unicodeBecauseOf: forced } = message;
  const facts = [
    ["Cost", money(message.cost, message.currency)
      + (message.channel === "sms" ? ` in the first generation, ${money(message.developerCost, message.developerCurrency)} in the second` : "")],
    ["Sent by", html`account <code>${message.account}</code>, <a href=${`#/requests/${message.requestId}`}>${message.requestId}</a>`],
    ["Accepted", clock(message.createdAt)],
  ];
  if (message.scheduledAt) facts.push(["For", clock(message.scheduledAt)]);
  if (message.sentAt) facts.push(["Sent", clock(message.sentAt)]);
  if (segments) {
    facts.unshift(["Segments", html`${many(segments, "segment")} of ${encoding}${forced && html`, because of${" "}
      <strong>${visible(forced)}</strong> (${characterName(forced)})`}`]);
  }
  if (message.callbackUrl) facts.push(["callbackUrl", visible(message.callbackUrl)]);
  for (const name of ["cc", "bcc"]) if (message[name]?.length) facts.push([name, visible(message[name].join(", "))]);
  if (message.topic) facts.push(["Topic", visible(message.topic)]);
  return html`<dl class="facts" data-testid="facts">${facts.map(([name, what]) => html`<dt>${name}</dt><dd>${what}</dd>`)}</dl>`;
}

function Recipients({ message }) {
  return html`<h3>Recipients</h3><ul class="recipients" data-testid="recipients">${message.recipients.map((each) => html`
    <li><bdi>${visible(each.to)}</bdi> <${Status} status=${each.status} />
      ${each.reason && html`<span class="quiet"> ${each.reason}</span>`}</li>`)}</ul>`;
}

function Timeline({ message, attempts, look }) {
  const tries = new Map(attempts.map((each) => [each.id, each]));
  const [first] = message.timeline;
  const resend = async (attempt) => {
    const again = await store.act("POST", `/webhooks/attempts/${attempt.id}/resend`, undefined, "The webhook was sent again");
    if (again) look();
  };
  return html`<h3>Timeline</h3><ol class="timeline" data-testid="timeline">${message.timeline.map((entry) => html`
    <li class=${`of-${entry.type}`}><time title=${entry.at}>${since(first.at, entry.at)}</time>
      <div><${Entry} entry=${entry} attempt=${tries.get(entry.attemptId)} resend=${resend} /></div></li>`)}</ol>`;
}

function since(first, at) {
  const seconds = (Date.parse(at) - Date.parse(first)) / 1000;
  return seconds < 60 ? `${seconds.toFixed(1)} s` : duration(seconds);
}

function Entry({ entry, attempt, resend }) {
  if (entry.type === "status") {
    return html`<bdi>${visible(entry.to)}</bdi> became <${Status} status=${entry.status} />`;
  }
  if (entry.type === "request") {
    if (!entry.decisions) return "Accepted";
    return html`<a href=${`#/requests/${entry.requestId}`}>Request</a> accepted
      <${Decisions} decisions=${entry.decisions} /><${Warnings} warnings=${entry.warnings} />`;
  }
  return html`<strong>${entry.event}</strong> to ${visible(entry.url)}, try ${entry.attempt}: <${Code} status=${entry.status} />
    ${attempt && html` <span class="quiet">${Math.round(attempt.durationMs)} ms</span>`}
    ${entry.error && html`<p class="problem">${visible(entry.error)}</p>`}
    ${attempt && html`<div class="buttons"><button type="button" onClick=${() => resend(attempt)} data-testid="resend">Send again</button></div>
      <${Exchange} title="Webhook sent" exchange=${attempt.request} /><${Exchange} title="Answer" exchange=${attempt.response} />`}`;
}

export function Decisions({ decisions }) {
  if (!decisions?.length) return null;
  return html`<ul class="decisions" data-testid="decisions">${decisions.map((each) => html`<li>${visible(decided(each))}</li>`)}</ul>`;
}

function decided({ by, outcome, spelling, remaining, limit, retryAfter, id, effect, key }) {
  if (by === "auth") return `Credential ${outcome}${spelling ? `, as ${spelling}` : ""}`;
  if (by === "window") return `Rate limit: ${outcome}, ${remaining} of ${limit} left${retryAfter ? `, wait ${retryAfter} s` : ""}`;
  if (by === "fault") return `Fault ${id}: ${JSON.stringify(effect)}`;
  return `Idempotency key ${key}: ${outcome === "replayed" ? "answered as the first time" : "seen for the first time"}`;
}

function some(message, statuses) {
  return message.recipients.some((each) => statuses.includes(each.status));
}

// Who is still on the way goes on, step by step, as the lifecycle has it: all at once where all stand
// at the same place.
async function bring(message, goal, look) {
  const moving = message.recipients.filter((each) => WAY[each.status]);
  const together = moving.length === message.recipients.length && new Set(moving.map((each) => each.status)).size === 1;
  for (const { to, status } of together ? [{ status: moving[0].status }] : moving) {
    for (let at = status; WAY[at];) {
      at = goal === "failed" && at !== "queued" ? "failed" : WAY[at];
      if (!(await store.act("POST", `/messages/${message.id}/status`, { status: at, to }))) break;
    }
  }
  look();
}
