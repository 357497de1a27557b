// What a send of the playground would be answered, as the server says while one types.
import { callControlApi } from "./api.js";
import { plural } from "./format.js";
import { html, useEffect, useState } from "./preact.js";
import { store } from "./store.js";
import { visibleText } from "./text.js";

const AFTER_MS = 250; // without another key
const SENDS = /^\/(messages\/sms|developers\/(sms|email|push))$/;

// Without an account, it is about a new one.
export function Estimate({ request, account, recipients }) {
  const [estimate, setEstimate] = useState(null);
  const isSend = request?.method === "POST" && SENDS.test(request.path);
  useEffect(() => {
    if (!isSend) {
      setEstimate(null);
      return undefined;
    }
    let isCurrent = true;
    const load = async () => {
      const body = { path: request.path, body: JSON.parse(request.body) };
      const found = await callControlApi("POST", "/messages/estimate", { account, body })
        .catch(() => null);
      if (isCurrent) setEstimate(found);
    };
    const timer = setTimeout(load, AFTER_MS);
    return () => {
      isCurrent = false;
      clearTimeout(timer);
    };
  }, [isSend, request?.path, request?.body, account?.id, store.changeCounts.account]);
  if (!isSend || !estimate) return null;
  const { error, warnings } = estimate;
  const magic = magicOf(recipients);
  return html`<div role="status" data-testid="estimate">
    ${error
      ? html`<p class="problem">It would be refused: ${estimate.status} ${error.code}.${" "}
          ${visibleText(error.message)}</p>`
      : html`<p>${estimateText(estimate)}</p>`}
    ${magic && html`<p>${magic.number}: ${magic.what}</p>`}
    ${warnings.length > 0 && html`<p class="muted">With ${plural(warnings.length, "warning")}:${" "}
      ${warnings.map(({ code }) => code).join(", ")}</p>`}</div>`;
}

function estimateText({ characters, segments, encoding, recipients, cost, currency }) {
  const parts = [plural(characters, "character")];
  if (segments !== undefined) parts.push(`${plural(segments, "segment")} of ${encoding}`);
  return [...parts, plural(recipients, "recipient"), `${cost} ${currency}`].join(" · ");
}

// The first magic recipient: the estimate does not know which sends such numbers refuse.
function magicOf(recipients) {
  const { definitions } = store;
  const names = recipients.split(",").map((each) => definitions.magicName(each.trim()));
  return definitions.magicRecipients.find(({ name }) => names.includes(name));
}
