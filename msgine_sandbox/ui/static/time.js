// Time: what is due next, with a way to go there, and moves of clocks that other views offer.
import { accountTitle, shortTitle } from "./accounts.js";
import { clockNow, formatDuration, formatLeft, formatTime, plural } from "./format.js";
import { html, useEffect, useState } from "./preact.js";
import { store } from "./store.js";
import { visibleText } from "./text.js";

const TICK_MS = 1000;
const SOON = 10; // seconds; what is due earlier comes by itself, and would only flicker
const FAR = 172_800; // seconds; of what is due later, a date says more
const MOST_NAMES = 3;
const LONGEST = 3650 * 86_400_000; // milliseconds of one move; the server allows ten years

// Render the calling component again every second.
export function useTick() {
  const [, tick] = useState(0);
  useEffect(() => {
    const ticking = setInterval(() => tick((count) => count + 1), TICK_MS);
    return () => clearInterval(ticking);
  }, []);
}

// Move the clock of the chosen account, or of all, or of a given one: `how` is a body of the
// control API, with one of `seconds`, `to` and `until`.
export async function advance(how, account = store.account) {
  const call = (method, path, body) =>
    store.controlWithNotice(method, `/clock${path}`, body, null, account);
  let performed = 0;
  let clock = how.to ? await call("GET", "") : null;
  while (clock && Date.parse(how.to) - Date.parse(clock.now) > LONGEST) {
    clock = await call("POST", "/advance", { seconds: LONGEST / 1000 });
    performed += clock?.performed ?? 0;
  }
  if (how.to && !clock) return;
  const moved = await call("POST", "/advance", how);
  if (!moved) return;
  const way = how.seconds ? `by ${formatDuration(how.seconds)}` : `to ${formatTime(moved.now)}`;
  store.notify(`Advanced ${way}: ${plural(performed + moved.performed, "step")} ran`);
}

// The bar above every view: whether clocks are frozen, and what is due next where that is not soon.
export function TimeBar({ clock }) {
  if (!clock) return null;
  const { next, frozen } = clock;
  const frozenAccounts = store.account ? [] : store.accounts.filter((each) => each.clock.frozen);
  const isDue = next && (frozen || next.inSeconds > SOON);
  if (!frozen && !frozenAccounts.length && !isDue) return null;
  const isFrozen = frozen || frozenAccounts.length > 0;
  return html`<section class=${isFrozen ? "frozen" : "due"} aria-label="Time">
    ${isFrozen && html`<span class=${frozen ? "" : "some"} role="status" data-testid="frozen">
      ${frozen ? html`<${WholeFrozen} />` : html`<${SomeFrozen} accounts=${frozenAccounts} />`}
      </span>`}
    ${isDue && html`<span class="next" data-testid="next">
      <${Next} next=${next} clock=${clock} /></span>`}
    ${(isDue || frozen) && html`<span class="moves">
      ${isDue && html`<button type="button" onClick=${() => goTo(next)} data-testid="go-next">
          Go<span class="roomy"> there</span></button>
        <button type="button" onClick=${() => advance({ until: "idle" })} data-testid="go-idle">
          <span class="roomy">Run </span><span class="first">until idle</span></button>`}
      ${frozen && html`<button type="button" title="Advance by 3 s"
          onClick=${() => advance({ seconds: 3 })}>+3 s</button>
        <button type="button" onClick=${() => store.controlWithNotice("POST", "/clock/resume")}>
          Resume</button>`}</span>`}</section>`;
}

function goTo({ at, inSeconds }) {
  return advance(inSeconds * 1000 > LONGEST ? { to: at } : { until: "next" });
}

// What is "roomy" is only read out on a narrow window; what is "first" begins the text there.
function WholeFrozen() {
  return html`<strong><span class="roomy">The clock is </span>
      <span class="first">frozen.</span></strong>
    <span class="roomy"> Nothing happens until it is advanced or resumed.</span>`;
}

function SomeFrozen({ accounts }) {
  const hiddenCount = accounts.length - MOST_NAMES;
  const choose = ({ id, token }) => store.chooseAccount({ id, token });
  return html`<strong>Frozen:</strong>
    ${accounts.slice(0, MOST_NAMES).map((each) => html` <button type="button"
      title=${accountTitle(each)} onClick=${() => choose(each)}>
      ${shortTitle(each.id, each.token)}</button>`)}
    ${hiddenCount > 0 && html` <span>and ${hiddenCount} more</span>`}
    <span class="roomy"> – nothing happens there until the clock is advanced or resumed.</span>`;
}

function Next({ next, clock }) {
  useTick();
  const { at, messageId, accountId } = next;
  const left = (Date.parse(at) - clockNow(store.clockOf(accountId) ?? clock)) / 1000;
  const when = left > FAR ? `on ${formatTime(at).slice(0, 16)}` : formatLeft(left);
  const owner = store.accounts.find(({ id }) => id === accountId);
  return html`<strong>Next:</strong>${" "}
    <span class="whom"><span class="roomy">the message to </span>
      <a href=${`#/inbox/${messageId}`}>${recipientOf(messageId)}</a>
      ${!store.account && owner && ` of ${shortTitle(accountId, owner.token)}`}</span>${" "}
    <span>${dueText(next)}</span>${" "}
    <time datetime=${at} title=${formatTime(at)}>${when}</time>`;
}

function dueText({ what, status, event, attempt }) {
  if (what === "webhook") return `has attempt ${attempt} of the webhook ${event}`;
  return what === "scheduled" ? "is sent" : `becomes ${status}`;
}

function recipientOf(messageId) {
  const message = store.messages.find(({ id }) => id === messageId);
  const [first, ...others] = message?.to ?? [];
  if (!first) return messageId;
  return html`${visibleText(first)}${others.length > 0 && ` and ${others.length} more`}`;
}

// In the pane of a message that is scheduled and not sent yet.
export function ScheduledTime({ message: { scheduledAt, status, accountId, account } }) {
  const go = () => advance({ to: scheduledAt }, { id: accountId, token: account });
  return html`${formatTime(scheduledAt)}
    ${status === "queued" && html` <button type="button" onClick=${go} data-testid="go-scheduled">
      Go to its time</button>`}`;
}
