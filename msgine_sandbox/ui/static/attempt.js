// One attempt to send a webhook: its result, its signature, and when the webhook is sent again.
import { chooseOwner, shortTitle } from "./accounts.js";
import { Exchange, StatusCode } from "./components.js";
import { clockNow, formatLeft, formatTime } from "./format.js";
import { html, useEffect, useState } from "./preact.js";
import { addressOfList, replaceAddress } from "./route.js";
import { ROOT } from "./root.js";
import { store } from "./store.js";
import { visibleText } from "./text.js";

// When the webhook is sent again, such as "in 25 s"; what is over by then has been done, and a
// summary that was loaded before does not know of it.
export function nextAttempt({ nextAttemptAt, accountId }) {
  if (!nextAttemptAt) return null;
  const milliseconds = Date.parse(nextAttemptAt) - clockNow(store.clockOf(accountId));
  return milliseconds > 0 ? formatLeft(milliseconds / 1000) : null;
}

export function Attempt({ id, address }) {
  const { attempt, others } = useAttempt(id);
  if (!attempt) {
    return html`<section class="message" aria-label="Attempt"><p class="empty">
      ${attempt === null ? "Loading …" : "This attempt does not exist, or is no longer kept."}${" "}
      <a href="#/webhooks">Back</a></p></section>`;
  }
  const { event, status, url, messageId, account, at, durationMs, error, webhookId } = attempt;
  const resend = async () => {
    const path = `/webhooks/attempts/${id}/resend`;
    const sent = await store.controlWithNotice("POST", path, undefined, "Webhook sent again");
    if (!sent) return;
    for (const list of store.attemptLists) list.add([sent]); // the feed may have brought it already
    replaceAddress(address(sent));
  };
  const next = nextAttempt(attempt);
  return html`<section class="message" aria-label="Attempt" data-testid="attempt">
    <div class="bar"><a class="back" href=${addressOfList("webhooks")}>← Webhooks</a>
      <h2 tabindex="-1">${event}, attempt ${attempt.attempt}</h2>
      <${StatusCode} status=${status} /></div>
    ${error && html`<p class="problem">${visibleText(error)}</p>`}
    <div class="buttons">
      <button type="button" onClick=${resend} data-testid="resend">Send again</button>
    </div>
    <dl class="facts"><dt>URL</dt><dd>${visibleText(url)}</dd>
      <dt>Message</dt><dd><a href=${`#/inbox/${messageId}`}>${messageId}</a></dd>
      <dt>Account</dt><dd>${visibleText(shortTitle(attempt.accountId, account))}</dd>
      <dt>Sent</dt><dd>${formatTime(at)}, ${Math.round(durationMs)} ms</dd>
      <dt>Webhook</dt><dd data-testid="tries">${webhookId}
        ${others.map((each) => html` <a href=${address(each)} class="try"
            aria-current=${each.id === id ? "true" : null}>
          #${each.attempt} <${StatusCode} status=${each.status} /></a>`)}</dd>
      <dt>Next attempt</dt><dd data-testid="next-attempt">
        ${attempt.nextAttemptAt ? `${next ?? "now"}, ${formatTime(attempt.nextAttemptAt)}`
          : "none is planned"}</dd>
      <dt>Signature</dt><dd data-testid="signature"><${Signature} attempt=${attempt} /></dd></dl>
    <${Exchange} title="Webhook request" exchange=${attempt.request} isOpen />
    <${Exchange} title="Response" exchange=${attempt.response} isOpen />
  </section>`;
}

// What is right or wrong with it; the receiver's answer shows whether it verifies.
function Signature({ attempt: { signature, signedBy, status } }) {
  const isRight = signature === "right";
  const by = signedBy.length ? `: made with the secret of ${signedBy.join(", ")}`
    : " when it was sent; no endpoint has that secret now";
  const problem = isRight
    ? [400, 401, 403].includes(status) && "The receiver refused it: if because of the signature, "
      + "it has another secret, or verifies a body that it has parsed."
    : signature === "wrong" && status >= 200 && status < 300
      && "The receiver accepted it, so it does not verify signatures.";
  return html`${isRight ? ["right", visibleText(by)]
      : signature === "wrong" ? "wrong on purpose, by a fault or a magic recipient" : "none"}.${" "}
    ${problem && html`<strong class="problem">${problem}</strong> `}
    <a href=${`${ROOT}/docs/webhooks#verifying`}>How to verify</a>`;
}

// Return an attempt, null while it is being loaded, undefined where there is none; and all attempts
// of its webhook, the first one first.
function useAttempt(id) {
  const [found, setFound] = useState({ attempt: null, others: [] });
  useEffect(() => {
    const whole = `/webhooks/attempts/${id}`;
    let messageId = null;
    const load = async () => {
      try {
        const attempt = await store.control("GET", whole);
        store.set({ opened: attempt });
        ({ messageId } = attempt);
        const path = `/webhooks/attempts?view=summary&limit=1000&messageId=${messageId}`;
        const { data } = await store.control("GET", path);
        const others = data.filter(({ webhookId }) => webhookId === attempt.webhookId).reverse();
        setFound({ attempt, others });
      } catch (error) {
        if (error.status && !(await chooseOwner(whole))) {
          setFound({ attempt: undefined, others: [] });
        }
      }
    };
    const onChange = (changedIds) => {
      if (!changedIds || changedIds.has(messageId)) load();
    };
    load();
    store.changeListeners.add(onChange);
    return () => store.changeListeners.delete(onChange);
  }, [id, store.changeCounts.webhooks]);
  return found;
}
