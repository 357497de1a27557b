// The documented page's "Try it out": forms for every call, the answer, and the call in five languages.
import { ask } from "./calls.js";
import { Code, Copy } from "./parts.js";
import { html, useEffect, useMemo, useRef, useState } from "./preact.js";
import { NAMES, snippet } from "./snippets.js";
import { store } from "./store.js";

const SMS = [["to", "one or several, with commas", "+256701234567"], ["message", "the text", "Hello from MsGine!"], ["from", "sender ID"], ["callbackUrl", "where its webhooks go"]];
const LATER = [["scheduledFor", "ISO 8601 with Z"], ["idempotencyKey", "at most 64 characters"]];
const PAGE = [["page", "from 1"], ["limit", "at most 100"]];

// Each call: its name, what it is, and its fields: name, hint and what stands in it at first.
const CALLS = {
  sms: ["Send an SMS", "POST", "/messages/sms", SMS],
  messages: ["List messages", "GET", "/messages", PAGE],
  message: ["Read a message", "GET", "/messages/{id}", [["id", "msg_…"]]],
  developerSms: ["Send an SMS, second generation", "POST", "/developers/sms", [...SMS, ...LATER]],
  email: ["Send an email", "POST", "/developers/email", [["from", "address, or Name <address>", "Shop <shop@example.com>"], ["to", "one or several, with commas", "jane@example.com"], ["cc", ""], ["bcc", ""], ["subject", "", "Your order"], ["text", "", "It is on its way"], ["html", ""], ...LATER]],
  push: ["Send a push", "POST", "/developers/push", [["title", "", "Your order"], ["body", "", "It is on its way"], ["tokens", "one or several, with commas", "token-of-a-phone"], ["userIds", "as well or instead"], ["topic", "wins over both"], ["data", "JSON of strings"], ["imageUrl", ""], ...LATER]],
  device: ["Register a device", "POST", "/developers/push/device", [["token", "", "token-of-a-phone"], ["platform", "android, ios or web", "android"]]],
  removal: ["Remove a device", "DELETE", "/developers/push/device", [["token", "", "token-of-a-phone"]]],
  smsHistory: ["SMS history", "GET", "/developers/sms/history", PAGE],
  emailHistory: ["Email history", "GET", "/developers/email/history", PAGE],
  pushHistory: ["Push history", "GET", "/developers/push/history", PAGE],
  any: ["Read any message, second generation", "GET", "/developers/{id}", [["id", "msg_…"]]],
  overview: ["Analytics overview", "GET", "/developers/analytics/overview", [["from", "a date"], ["to", "a date"]]],
  daily: ["Analytics by day", "GET", "/developers/analytics/daily", [["days", "1 to 90"]]],
};
const PRINTABLE = /^[\x21-\x7e]*$/;
const LISTS = new Set(["tokens", "userIds"]);
const LONG = new Set(["message", "text", "html", "body", "data"]);
const MAGIC = { sms: ["to", "number"], developerSms: ["to", "number"], email: ["to", "address"], push: ["tokens", "token"] };

export function Playground() {
  const [chosen, choose] = useState("sms");
  const [values, setValues] = useState(starting("sms"));
  const [token, setToken] = useState(sessionStorage.getItem("msgine-token") ?? "test_playground");
  const [key, setKey] = useState("");
  const [answer, setAnswer] = useState(null);
  const [busy, setBusy] = useState(false);
  const [, method, , fields] = CALLS[chosen];
  const { call, problem } = useMemo(() => built(chosen, values, token, key), [chosen, values, token, key]);

  const asked = useRef(0); // an answer that comes late is not that of another call
  const send = async (event) => {
    event.preventDefault();
    if (problem) return;
    const mine = (asked.current += 1);
    sessionStorage.setItem("msgine-token", token);
    setBusy(true);
    const answered = await ask(call).catch(() => ({ lost: true }));
    if (mine !== asked.current) return;
    setAnswer(answered);
    setBusy(false);
  };
  const pick = (event) => {
    asked.current += 1;
    setBusy(false);
    choose(event.target.value);
    setValues(starting(event.target.value));
    setAnswer(null);
  };
  const change = (name) => (event) => setValues({ ...values, [name]: event.target.value });

  return html`<div class="page two">
    <section class="card" aria-labelledby="call"><h2 id="call">Try it out</h2>
      <form class="fields" onSubmit=${send} data-testid="playground">
        <label>Call <select value=${chosen} onChange=${pick} data-testid="call">${Object.entries(CALLS).map(([id, [name]]) => html`<option value=${id}>${name}</option>`)}</select></label>
        <p class="call"><strong>${method}</strong> <code>/api/v1${CALLS[chosen][2]}</code></p>
        <label>Token <span class="quiet">any text; it is the account, whichever is chosen above</span> <input value=${token} onInput=${(event) => setToken(event.target.value)} required pattern="[\\x21-\\x7e]+" data-testid="token" /></label>
        ${fields.map(([name, hint]) => html`<label key=${`${chosen} ${name}`}>${name} <span class="quiet">${hint}</span>
          ${LONG.has(name)
            ? html`<textarea rows="3" value=${values[name] ?? ""} onInput=${change(name)} data-testid=${`field-${name}`}></textarea>`
            : html`<input value=${values[name] ?? ""} onInput=${change(name)} data-testid=${`field-${name}`} />`}</label>`)}
        ${MAGIC[chosen] && html`<${Magic} kind=${MAGIC[chosen][1]} pick=${(to) => setValues({ ...values, [MAGIC[chosen][0]]: to })} />`}
        ${method === "POST" && html`<label>Idempotency-Key <span class="quiet">a header</span><input value=${key} onInput=${(event) => setKey(event.target.value)} data-testid="key" /></label>`}
        ${problem && html`<p class="problem">${problem}</p>`}
        <button class="main" disabled=${busy || Boolean(problem)} data-testid="send">${busy ? "Sending …" : "Send"}</button>
      </form></section>
    <div><${Answer} answer=${answer} /><${Same} call=${call} /></div></div>`;
}

function Magic({ kind, pick }) {
  const [magic, setMagic] = useState([]);
  useEffect(() => {
    store.control("GET", "/magic").then((found) => setMagic(found.data), () => {});
  }, [store.link]);
  return html`<label>Magic recipients, which decide what happens
    <select value="" onChange=${(event) => event.target.value && pick(event.target.value)} data-testid="magic">
      <option value="">Pick one …</option>${magic.map((each) => html`<option value=${each[kind]}>${each[kind]}: ${each.what}</option>`)}</select></label>`;
}

function Answer({ answer }) {
  return html`<section class="card" aria-labelledby="answer" aria-live="polite"><h2 id="answer">Answer</h2>
    ${!answer && html`<p class="quiet">It comes here, with its headers.</p>`}
    ${answer?.lost && html`<p class="problem" data-testid="answer-status">The connection was closed without an answer.</p>`}
    ${answer?.status && html`<p><span data-testid="answer-status"><${Code} status=${answer.status} /></span> <span class="quiet">${Math.round(answer.milliseconds)} ms</span></p>
      <details open><summary>Headers</summary><dl class="headers" data-testid="answer-headers">${answer.headers.map(([name, value]) => html`<dt>${name}</dt><dd>${value}</dd>`)}</dl></details>
      <pre tabindex="0" aria-label="Body of the answer" data-testid="answer-body">${answer.body}</pre>`}</section>`;
}

function Same({ call }) {
  const [language, setLanguage] = useState(NAMES[0]);
  const text = call ? snippet(language, call) : "";
  return html`<section class="card" aria-labelledby="same"><h2 id="same">The same call</h2>
    <div class="buttons">${NAMES.map((each) => html`<button type="button" aria-pressed=${each === language ? "true" : "false"}
      onClick=${() => setLanguage(each)} data-testid=${`language-${each}`}>${each}</button>`)}
      <span class="apart"></span><${Copy} label="Copy" text=${() => text} testid="copy-snippet" /></div>
    <pre tabindex="0" aria-label=${`The call in ${language}`} data-testid="snippet">${text}</pre></section>`;
}

function starting(id) {
  return Object.fromEntries(CALLS[id][3].map(([name, , value = ""]) => [name, value]));
}

// The call as it will be made, or what keeps it from being made; what is empty is left out.
function built(id, values, token, key) {
  const [, method, pattern, fields] = CALLS[id];
  const given = fields.map(([name]) => [name, values[name] ?? ""]).filter(([, value]) => value !== "");
  // Each generation's clients send their credential in their own way.
  const headers = pattern.startsWith("/developers") ? { "X-Api-Key": token } : { Authorization: `Bearer ${token}` };
  if (method !== "GET") headers["Content-Type"] = "application/json";
  if (method === "POST" && key) headers["Idempotency-Key"] = key;
  if (!PRINTABLE.test(token + key)) return { call: null, problem: "Token and key are headers: printable ASCII without spaces" };
  try {
    if (method === "GET") return { call: { method, path: pathOf(pattern, values.id, given), headers } };
    const body = Object.fromEntries(given.map(([name, value]) => [name, typed(id, name, value)]));
    return { call: { method, path: pattern, headers, body: JSON.stringify(body) } };
  } catch (problem) {
    return { call: null, problem: problem.message };
  }
}

function pathOf(pattern, id, given) {
  if (pattern.includes("{id}")) {
    if (!/^\w+$/.test(id?.trim() ?? "")) throw new Error("An id has letters, digits and _, such as msg_018f3a5b00c1d2e3");
    return pattern.replace("{id}", id.trim());
  }
  const query = new URLSearchParams(given);
  return pattern + (query.size ? `?${query}` : "");
}

function typed(id, name, value) {
  if (name === "data") {
    try {
      return JSON.parse(value);
    } catch {
      throw new Error('data must be JSON, such as {"order": "1042"}');
    }
  }
  const parts = value.split(",").map((each) => each.trim());
  if (LISTS.has(name)) return parts;
  // The first generation takes an array where the second takes commas.
  return id === "sms" && name === "to" && parts.length > 1 ? parts : value;
}
