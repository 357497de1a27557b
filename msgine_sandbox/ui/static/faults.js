// Faults: a form that adds one, and the list of those that are active.
import { plural } from "./format.js";
import { html, useEffect, useState } from "./preact.js";
import { store } from "./store.js";
import { visibleText } from "./text.js";

const OUTCOMES = {
  failed: "sent, then failed",
  refused: "failed without being sent",
  sent: "stay sent",
  pending: "stay pending",
  delivered: "delivered",
};

// What a fault can do: its name, and its `effect` for the control API.
const EFFECTS = {
  status: ["Respond with an error status", (form) => ({ status: Number(form.get("status")) })],
  message: [
    "Respond with an error without the envelope",
    (form) => ({ status: Number(form.get("status")), envelope: false }),
  ],
  before: ["Close the connection before the request is processed", () => ({ drop: "before" })],
  after: ["Close the connection after the message is accepted", () => ({ drop: "after" })],
  delay: ["Delay the response", (form) => ({ delay: Number(form.get("delay")) })],
  malformed: ["Respond with malformed JSON", () => ({ malformed: true })],
  delivery: ["Decide how messages are delivered", deliveryEffect],
  duplicate: ["Send webhooks twice", () => ({ webhook: "duplicate" })],
  reorder: ["Send the message.sent webhook last", () => ({ webhook: "reorder" })],
  lose: ["Do not send webhooks", () => ({ webhook: "lose" })],
  "wrong-signature": [
    "Sign webhooks with a wrong signature", () => ({ webhook: "wrong-signature" }),
  ],
};

function deliveryEffect(form) {
  const effect = { delivery: form.get("outcome") };
  if (form.get("reason")) effect.reason = form.get("reason");
  if (form.get("after")) effect.after = Number(form.get("after"));
  return effect;
}

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
      ${faults.map((fault) => html`<${Fault} fault=${fault} remove=${remove} />`)}</ul>
    ${!faults.length && html`<p class="muted">None.</p>`}</section>`;
}

function FaultForm({ add }) {
  const [kind, setKind] = useState("status");
  const submit = (event) => {
    event.preventDefault();
    const form = new FormData(event.target);
    const effect = EFFECTS[kind][1](form);
    const match = {};
    if (form.get("to")) match.to = form.get("to").trim();
    if (form.get("path")) match.path = form.get("path").trim();
    if (form.get("channel")) match.channel = form.get("channel");
    const fault = { effect, match, times: Number(form.get("times")) || null };
    if (form.get("probability")) fault.probability = Number(form.get("probability")) / 100;
    add(fault);
  };
  return html`<form class="fields wide" onSubmit=${submit}>
    <label>Effect <select value=${kind} onChange=${(event) => setKind(event.target.value)}
        data-testid="fault-kind">
      ${Object.entries(EFFECTS).map(([value, [name]]) => html`
        <option value=${value}>${name}</option>`)}</select></label>
    ${["status", "message"].includes(kind) && html`<label>Status <input name="status" type="number"
      min="400" max="599" defaultValue="503" required data-testid="fault-status" /></label>`}
    ${kind === "delay" && html`<label>Seconds <input name="delay" type="number" min="0.001"
      max="600" step="any" defaultValue="5" required /></label>`}
    ${kind === "delivery" && html`<${DeliveryFields} />`}
    <label>How many times (empty: until removed) <input name="times" type="number" min="1"
      data-testid="fault-times" /></label>
    <label>Only for recipients <input name="to" placeholder="+25670* or *@example.com" /></label>
    ${isOfRequests(kind) && html`<label>Only for paths
      <input name="path" placeholder="/messages/sms or /developers/*" /></label>`}
    <label>Probability in percent (empty: 100) <input name="probability" type="number" min="0"
      max="100" step="any" /></label>
    <button data-testid="fault-add">Add fault</button></form>`;
}

// Deliveries and webhooks have no path of the API.
function isOfRequests(kind) {
  const { delivery, webhook } = EFFECTS[kind][1](new FormData());
  return delivery === undefined && webhook === undefined;
}

// Each change shows what the new outcome has: only failures have a reason, and `pending` no end.
function DeliveryFields() {
  const [outcome, setOutcome] = useState("failed");
  const [channel, setChannel] = useState("");
  const { channels, reasons } = store.definitions;
  const usual = channels.filter(({ name }) => !channel || name === channel)
    .flatMap(({ name }) => reasons.usual[name]);
  return html`
    <label>Outcome <select name="outcome" value=${outcome} data-testid="fault-outcome"
        onChange=${(event) => setOutcome(event.target.value)}>
      ${Object.entries(OUTCOMES).map(([value, name]) => html`
        <option value=${value}>${name}</option>`)}</select></label>
    <label>Only for the channel <select name="channel" value=${channel}
        onChange=${(event) => setChannel(event.target.value)}>
      <option value="">all</option>
      ${channels.map(({ name, title }) => html`
        <option value=${name}>${title}</option>`)}</select></label>
    ${["failed", "refused"].includes(outcome) && html`<label>Reason (empty: the usual one)
      <input name="reason" maxlength="200" list="fault-reasons" data-testid="fault-reason" />
      <datalist id="fault-reasons">${[...new Set(usual)].map((reason) => html`
        <option value=${reason} />`)}</datalist></label>`}
    ${outcome !== "pending" && html`<label>Seconds to the last status (empty: as usual)
      <input name="after" type="number" min="0" step="any" /></label>`}`;
}

function Fault({ fault, remove }) {
  const { id, effect, match, magic, hits, left } = fault;
  const remaining = left === null ? "until removed" : left === 0 ? "used up" : `${left} left`;
  const origin = magic ? "from a magic number, " : "";
  return html`<li class=${`split ${left === 0 ? "spent" : ""}`}>
    <span><code>${JSON.stringify(effect)}</code>${" "}
      ${Object.keys(match).length > 0
        && html`<code>${visibleText(JSON.stringify(match))}</code>`}
      <span class="muted"> ${origin}applied ${plural(hits, "time")}, ${remaining}</span></span>
    <button type="button" aria-label=${`Remove ${id}`} onClick=${() => remove(fault)}
      data-testid="fault-remove">Remove</button></li>`;
}
