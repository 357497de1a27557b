// Faults: a form that adds one, and the list of those that there are.
import { shortTitle } from "./accounts.js";
import { effectText, groupOf, KINDS, magicText, matchText } from "./effects.js";
import { plural } from "./format.js";
import { html, useEffect, useState } from "./preact.js";
import { store } from "./store.js";
import { visibleText } from "./text.js";

const MATCHES = { Requests: "to path method", Deliveries: "to channel", Webhooks: "to event" };
const METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"];
const NUMBER = { type: "number", step: "any", min: 0 };
const COUNT = { type: "number", min: 1 };

// By the name of a field of the control API: its label, and the attributes of its input, or its
// options. What is left empty is not sent.
const FIELDS = {
  status: ["Status", { type: "number", min: 400, max: 599, defaultValue: 503, required: true }],
  code: ["Code (empty: that of the status)", {}],
  retryAfter: ["Retry-After in seconds", { type: "number", min: 0 }],
  reason: ["Reason (empty: the usual one)", { maxlength: 200, list: "fault-reasons" }],
  after: ["Seconds to the last status (empty: as usual)", NUMBER],
  delay: ["Delay in seconds", NUMBER],
  commit: ["Process the request first", { type: "checkbox" }],
  to: ["Only for recipients", { placeholder: "+25670* or *@example.com" }],
  path: ["Only for paths", { placeholder: "/messages/sms or /developers/*" }],
  method: ["Only for the method", METHODS],
  channel: ["Only for the channel", () => store.definitions.channels.map(({ name }) => name)],
  event: ["Only for the event", () => store.definitions.events],
  times: ["How many times (empty: until removed)", COUNT],
  probability: ["Probability in percent (empty: 100)", { ...NUMBER, max: 100 }],
  seed: ["Seed of the probability", { type: "number" }],
};

export function Faults({ scope }) {
  const [faults, setFaults] = useState([]);
  const refresh = () =>
    store.control("GET", "/faults").then((found) => setFaults(found.data), () => {});
  // Every request and every webhook may have been counted as a hit of a fault.
  useEffect(() => {
    refresh();
  }, [store.account?.id, store.requests.items[0]?.id, store.attempts.items[0]?.id,
    store.changeCounts.faults]);

  const add = async (fault) => {
    if (await store.controlWithNotice("POST", "/faults", fault, "Fault added")) refresh();
  };
  const remove = async ({ id }) => {
    const path = `/faults/${id}`;
    if (await store.controlWithNotice("DELETE", path, undefined, "Fault removed")) refresh();
  };
  return html`<section class="card" aria-labelledby="faults">
    <h2 id="faults">Faults <span class="muted">${scope}</span></h2>
    <${FaultForm} add=${add} />
    <ul class="rows" data-testid="faults">
      ${faults.map((fault) => html`<${Fault} key=${fault.id} fault=${fault} remove=${remove} />`)}
    </ul>
    ${!faults.length && html`<p class="muted">None.</p>`}</section>`;
}

function FaultForm({ add }) {
  const [[group, kind], setKind] = useState(["Requests", "status"]);
  const [, effect, names] = KINDS[group][kind];
  const effects = names.split(" ").filter(Boolean);
  const matches = MATCHES[group].split(" ");
  const submit = (event) => {
    event.preventDefault();
    const form = new FormData(event.target);
    const values = (some) => Object.fromEntries(some.flatMap((name) => {
      const text = form.get(name)?.trim();
      const { type } = FIELDS[name][1];
      return text ? [[name, type === "number" ? Number(text) : type ? true : text]] : [];
    }));
    const often = values(["times", "probability", "seed"]);
    if (often.probability !== undefined) often.probability /= 100;
    add({ effect: { ...effect, ...values(effects) }, match: values(matches), ...often });
  };
  const field = (name) => html`<${Field} key=${name} name=${name}
    isRequired=${name === "delay" && ["delay", "late"].includes(kind)} />`;
  return html`<form class="fields wide" onSubmit=${submit}>
    <label>Effect <select value=${`${group} ${kind}`} data-testid="fault-kind"
        onChange=${(event) => setKind(event.target.value.split(" "))}>
      ${Object.entries(KINDS).map(([label, kinds]) => html`<optgroup label=${label}>
        ${Object.entries(kinds).map(([name, [words]]) => html`
          <option value=${`${label} ${name}`}>${words}</option>`)}</optgroup>`)}</select></label>
    ${[...effects, ...matches, "times", "probability", "seed"].map(field)}
    ${effects.includes("reason") && html`<datalist id="fault-reasons">
      ${[...new Set(Object.values(store.definitions.reasons.usual).flat())].map((reason) => html`
        <option value=${reason} />`)}</datalist>`}
    <button data-testid="fault-add">Add fault</button></form>`;
}

function Field({ name, isRequired }) {
  const [label, given] = FIELDS[name];
  const attributes = { name, "data-testid": `fault-${name}` };
  const options = typeof given === "function" ? given() : given;
  if (Array.isArray(options)) {
    return html`<label>${label} <select ...${attributes}><option value="">all</option>
      ${options.map((value) => html`<option value=${value}>${value}</option>`)}</select></label>`;
  }
  const input = html`<input ...${attributes} required=${isRequired} ...${options} />`;
  if (options.type === "checkbox") return html`<label class="check">${input} ${label}</label>`;
  return html`<label>${label} ${input}</label>`;
}

function Fault({ fault, remove }) {
  const { id, effect, match, magic, hits, left, times, probability, account, accountId } = fault;
  const remaining = left === null ? "until removed" : left === 0 ? "spent"
    : `${left} of ${times} left`;
  const subject = magic ? magicText(match.to) : groupOf(effect);
  return html`<li class=${`split ${left === 0 ? "spent" : ""}`}>
    <span>${visibleText(`${subject}: ${effectText(effect)}`)}
      ${!magic && matchText(match) && html` <code>${visibleText(matchText(match))}</code>`}<br />
      <small class="muted">${remaining}, applied ${plural(hits, "time")}
        ${probability < 1 && `, with a probability of ${Number((probability * 100).toFixed(4))} %`}
        ${!store.account
          && [", ", account ? visibleText(shortTitle(accountId, account)) : "for all accounts"]},
        ${" "}${id}</small></span>
    <button type="button" aria-label=${`Remove ${id}`} onClick=${() => remove(fault)}
      data-testid="fault-remove">Remove</button></li>`;
}
