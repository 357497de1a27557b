// One message: its text as on a phone, its cost, its recipients, and its timeline.
import { accountTitle, chooseOwner, knownAccount } from "./accounts.js";
import { ConfirmButton, CopyButton, Status } from "./components.js";
import { Codes, Links, localLinksText } from "./contents.js";
import { Recipients, Timeline } from "./deliveries.js";
import { formatTime, plural } from "./format.js";
import { lazy } from "./lazy.js";
import { html, useEffect, useRef, useState } from "./preact.js";
import { addressOfList } from "./route.js";
import { isCopyable, messageAsCurl } from "./snippets.js";
import { store } from "./store.js";
import { characterName, visibleText } from "./text.js";
import { ScheduledTime } from "./time.js";

const REFRESH_MS = 60; // one request for several events that come close together

const Email = lazy(() => import("./email.js"), "Email");

export function Message({ id }) {
  const { message, problem, refresh } = useMessage(id);
  // What has been loaded stays while the sandbox is not responding.
  if (!message || (problem && !problem.isLost)) return html`<${NoMessage} problem=${problem} />`;
  return html`<section class="message" aria-label="Message" data-testid="message">
    <div class="bar"><a class="back" href=${addressOfList("inbox")}>← Inbox</a>
      <h2 tabindex="-1">${store.definitions.channelTitle(message.channel)}
        <span class="muted"> ${message.id}</span></h2>
      <${Status} status=${message.status} /></div>
    <${Codes} codes=${message.codes} />
    ${message.channel === "email" ? html`<${Email} message=${message} />`
      : html`<${Preview} message=${message} />`}
    <${Actions} message=${message} refresh=${refresh} />
    <${Facts} message=${message} />
    <${Recipients} message=${message} />
    <${Timeline} message=${message} />
  </section>`;
}

// Instead of a message that is not there, or not yet.
function NoMessage({ problem }) {
  if (!problem) {
    return html`<section class="message" aria-label="Message" aria-busy="true">
      <p class="empty">Loading …</p></section>`;
  }
  return html`<section class="message" aria-label="Message"><div class="empty">
    <p>${problem.isLost ? "The sandbox is not responding. The message will be shown once it does."
      : "This message does not exist."}</p>
    <p><a href="#/inbox">Back to the inbox</a></p></div></section>`;
}

// Load the message, again after every event that concerns it, and mark it as read.
function useMessage(id) {
  const [message, setMessage] = useState(null);
  const [problem, setProblem] = useState(null);
  const timer = useRef(null);

  const refresh = async () => {
    const path = encodeURIComponent(id);
    try {
      const opened = await store.control("GET", `/messages/${path}`);
      setMessage(opened);
      store.set({ opened });
      setProblem(null);
    } catch (error) {
      // 400: the id in the address of the page is none.
      if ([400, 404].includes(error.status)) {
        if (!(await chooseOwner(`/messages/${path}`))) setProblem({});
      } else if (!error.status) setProblem({ isLost: true });
    }
  };
  useEffect(() => {
    store.readMessages.add([id]);
    store.scheduleRender();
    refresh();
    const onChange = (changedIds) => {
      if (changedIds && !changedIds.has(id)) return;
      timer.current ??= setTimeout(() => {
        timer.current = null;
        refresh();
      }, REFRESH_MS);
    };
    store.changeListeners.add(onChange);
    return () => {
      clearTimeout(timer.current); // or it would look in an account that was chosen meanwhile
      store.changeListeners.delete(onChange);
    };
  }, [id]);
  return { message, problem, refresh };
}

function Preview({ message }) {
  const { channel, data, imageUrl, links, title } = message;
  const problem = localLinksText(links);
  return html`<div class=${`phone ${channel}`}>
    <p class="sender"><bdi>${visibleText(message.from)}</bdi></p>
    ${title && html`<h3 dir="auto">${visibleText(title)}</h3>`}
    <div class="bubble" dir="auto" data-testid="text"><${MessageText} message=${message} /></div>
    ${imageUrl && html`<p class="muted">Image, not loaded: ${visibleText(imageUrl)}</p>`}
    ${data && Object.keys(data).length > 0 && html`<pre tabindex="0" aria-label="Data">
      ${visibleText(JSON.stringify(data, null, 2))}</pre>`}
  </div>
  ${links?.length > 0 && html`<${Links} links=${links} />`}
  ${problem && html`<p class="problem">${visibleText(problem)}</p>`}`;
}

// The segments of a long SMS are marked one by one. They are one text: isolated from each other,
// those of an Arabic one would stand in the order of a text from left to right.
function MessageText({ message: { channel, message, parts, unicodeBecauseOf } }) {
  if (channel !== "sms" || parts.length <= 1) {
    return visibleText(message, unicodeBecauseOf);
  }
  const marked = unicodeBecauseOf ? parts.findIndex((part) => part.includes(unicodeBecauseOf)) : -1;
  return parts.map((part, n) => html`<span class="segment" data-testid="segment">
    <span class="number">${n + 1}</span>
    ${visibleText(part, n === marked ? unicodeBecauseOf : null)}</span>`);
}

function Actions({ message, refresh }) {
  const isFinished = !message.recipients.some(canMove);
  const move = (status) => moveTo(message, status).then(refresh);
  const remove = async () => {
    const path = `/messages/${message.id}`;
    const isDone = await store.controlWithNotice("DELETE", path, undefined, "Message deleted");
    if (isDone) location.hash = addressOfList("inbox");
  };
  return html`<div class="buttons">
    <button type="button" onClick=${() => move("delivered")} disabled=${isFinished}
      data-testid="deliver">Deliver</button>
    <button type="button" onClick=${() => move("failed")} disabled=${isFinished}
      data-testid="fail">Fail</button>
    ${isCopyable(message) && html`
      <${CopyButton} label="Copy as curl" text=${() => messageAsCurl(message)} testid="copy-curl" />
      <${CopyButton} label="Copy as pytest" testid="copy-pytest"
        text=${() => asTest(message)} />`}
    <${ConfirmButton} label="Delete …" sure="Yes, delete this message" run=${remove}
      testid="delete" />
  </div>`;
}

async function asTest(message) {
  const { messageAsTest } = await import("./message_test.js");
  return messageAsTest(message, store.definitions);
}

function canMove({ status }) {
  return store.definitions.nextStatuses(status).length > 0;
}

// Move every unfinished recipient to a status, through the statuses before it. Recipients of one
// status are moved by one request for all of them, which a message to hundreds needs.
async function moveTo(message, goal) {
  const unfinished = message.recipients.filter(canMove);
  const statuses = new Set(unfinished.map(({ status }) => status));
  const isUniform = unfinished.length === message.recipients.length && statuses.size === 1;
  for (const { to, status } of isUniform ? [{ status: unfinished[0].status }] : unfinished) {
    for (const next of statusesUntil(goal, status)) {
      const body = { status: next, to };
      if (!(await store.controlWithNotice("POST", `/messages/${message.id}/status`, body))) break;
    }
  }
}

// Return the statuses that follow one, up to the goal if it can be reached.
function statusesUntil(goal, status) {
  const { definitions } = store;
  const path = [];
  let next = definitions.nextStatuses(status);
  while (next.length) {
    path.push(next.includes(goal) ? goal : next[0]);
    next = definitions.nextStatuses(path.at(-1));
  }
  return path;
}

function Facts({ message }) {
  const facts = [
    ...(message.segments ? [["Segments", segmentsText(message)]] : []),
    ["Cost", costText(message)],
    ["Sent by", html`account <code>${visibleText(ownerTitle(message))}</code>,${" "}
      <a href=${`#/requests/${message.requestId}`}>${message.requestId}</a>`],
    ["Accepted", formatTime(message.createdAt)],
  ];
  if (message.scheduledAt) {
    facts.push(["Scheduled for", html`<${ScheduledTime} message=${message} />`]);
  }
  if (message.sentAt) facts.push(["Sent", formatTime(message.sentAt)]);
  if (message.callbackUrl) facts.push(["callbackUrl", visibleText(message.callbackUrl)]);
  if (message.topic) facts.push(["Topic", visibleText(message.topic)]);
  return html`<dl class="facts" data-testid="facts">
    ${facts.map(([name, value]) => html`<dt>${name}</dt><dd>${value}</dd>`)}</dl>`;
}

function ownerTitle({ accountId, account }) {
  return accountTitle(knownAccount(accountId) ?? { token: account });
}

function segmentsText({ segments, encoding, unicodeBecauseOf }) {
  const text = `${plural(segments, "segment")} of ${encoding}`;
  if (!unicodeBecauseOf) return text;
  return html`${text}, because of${" "}
    <strong>${visibleText(unicodeBecauseOf)}</strong> (${characterName(unicodeBecauseOf)})`;
}

// An SMS can be sent through both APIs, which have prices of their own.
function costText(message) {
  const { channel, cost, currency, developerCost, developerCurrency } = message;
  const text = `${cost} ${currency}`;
  if (channel !== "sms") return text;
  return `${text} (Messages API), ${developerCost} ${developerCurrency} (Developers API)`;
}
