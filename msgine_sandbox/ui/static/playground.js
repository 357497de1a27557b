// The playground: a form for every operation, its response, and the same request as code.
import { knownAccount, wholeToken } from "./accounts.js";
import { sendRequest } from "./api.js";
import { CopyButton, Status, StatusCode } from "./components.js";
import { Estimate } from "./estimate.js";
import { buildRequest, initialValues, MAGIC_FIELDS, OPERATIONS } from "./operations.js";
import {
  changeForm, playgroundAddress, readForm, valuesOf, withValues,
} from "./playground_form.js";
import { useAddressedRequest } from "./playground_request.js";
import { html, useEffect, useMemo, useRef, useState } from "./preact.js";
import { LANGUAGES, requestSnippet } from "./snippets.js";
import { store } from "./store.js";

const NEW_TOKEN = "test_playground"; // while no account is chosen
const MULTILINE = new Set(["message", "text", "html", "body", "data"]);

export function Playground({ parameters }) {
  const [form, setForm] = useState(readForm);
  const change = (values) => setForm(changeForm(values));
  const isCall = (name) => Object.hasOwn(OPERATIONS, name);
  const id = [parameters.get("call"), form.call].find(isCall) ?? "sms";
  useEffect(() => store.set({ call: id }), [id]);
  const values = valuesOf(form, id);
  const { key } = form;
  const { account } = store;
  const own = account ? wholeToken(account) : NEW_TOKEN;
  const token = form.tokens[account?.id ?? ""] ?? own;
  const setToken = (text) =>
    change({ tokens: { ...form.tokens, [account?.id ?? ""]: text === own ? undefined : text } });
  const isOwn = account && (token === own || !own);
  const { request, problem } = useMemo(
    () => buildRequest(id, values, token, key), [id, values, token, key],
  );
  const { response, isSending, send, clear } = useResponse();

  const submit = (event) => {
    event.preventDefault();
    if (problem) return;
    send(request);
  };
  const fill = ({ call, values: given, token: other, key: itsKey }) => {
    const tokens = other ? { ...form.tokens, [account?.id ?? ""]: other } : form.tokens;
    const filled = withValues(form, call, { ...initialValues(call), ...given });
    change({ call, values: filled, tokens, key: itsKey ?? "" });
    clear();
  };
  useAddressedRequest(parameters, fill);
  const choose = (event) => {
    change({ call: event.target.value });
    location.hash = playgroundAddress(event.target.value);
    clear();
  };
  const setValue = (name, value) =>
    change({ values: withValues(form, id, { ...values, [name]: value }) });

  const { method, path, fields } = OPERATIONS[id];
  return html`<div class="page two">
    <section class="card" aria-labelledby="operation"><h2 id="operation">Try it out</h2>
      <form class="fields" onSubmit=${submit} data-testid="playground">
        <${OperationChoice} id=${id} choose=${choose} />
        <p class="operation"><strong>${method}</strong> <code>/api/v1${path}</code></p>
        <label>Token <span class="muted">${tokenHint(account, token, own)}</span>
          <input value=${token} onInput=${(event) => setToken(event.target.value)} required
            pattern="[\\x21-\\x7e]+" data-testid="token" /></label>
        ${fields.map((field) => html`<${Field} key=${`${id} ${field.name}`} field=${field}
          value=${values[field.name] ?? ""} setValue=${setValue} />`)}
        ${MAGIC_FIELDS[id] && html`<${MagicChoice} id=${id} setValue=${setValue} />`}
        ${method === "POST" && html`<label>Idempotency-Key <span class="muted">a header</span>
          <input value=${key} onInput=${(event) => change({ key: event.target.value })}
            data-testid="key" /></label>`}
        <${Estimate} request=${request} account=${isOwn ? account : accountOf(token)}
          recipients=${values[MAGIC_FIELDS[id]?.[0]] ?? ""} />
        ${problem && html`<p class="problem">${problem}</p>`}
        <button class="main" disabled=${isSending || Boolean(problem)} data-testid="send">
          ${isSending ? "Sending …" : "Send"}</button>
      </form></section>
    <div><${Response} response=${response} />
      <${Snippets} request=${request} /></div></div>`;
}

// A token that has no account yet is not named to the server, which would open one for each letter.
function accountOf(token) {
  return store.accounts.find((each) => each.token === token) ?? null;
}

function tokenHint(account, token, own) {
  if (!account) return "any text; it decides the account of the request";
  const { name } = knownAccount(account.id) ?? account;
  if (!own) return `the page only knows ${account.token}: enter the token of the chosen account`;
  return token === own ? `of the chosen account${name ? `, ${name}` : ""}`
    : `not of the chosen account, whose token is ${own}`;
}

// Send a request and keep its response; clear() also discards a response that is still to come.
function useResponse() {
  const [response, setResponse] = useState(null);
  const [isSending, setSending] = useState(false);
  const latest = useRef(0);
  const send = async (request) => {
    const number = (latest.current += 1);
    setSending(true);
    const received = await sendRequest(request).catch(() => ({ isLost: true }));
    if (number !== latest.current) return;
    setResponse(received);
    setSending(false);
  };
  const clear = () => {
    latest.current += 1;
    setSending(false);
    setResponse(null);
  };
  return { response, isSending, send, clear };
}

function OperationChoice({ id, choose }) {
  return html`<label>Operation <select value=${id} onChange=${choose} data-testid="call">
    ${Object.entries(OPERATIONS).map(([value, { name }]) => html`
      <option value=${value}>${name}</option>`)}</select></label>`;
}

function Field({ field: { name, hint }, value, setValue }) {
  const onInput = (event) => setValue(name, event.target.value);
  const testid = `field-${name}`;
  return html`<label>${name} <span class="muted">${hint}</span>
    ${MULTILINE.has(name)
      ? html`<textarea rows="3" value=${value} onInput=${onInput} data-testid=${testid}></textarea>`
      : html`<input value=${value} onInput=${onInput} data-testid=${testid} />`}</label>`;
}

function MagicChoice({ id, setValue }) {
  const [field, member] = MAGIC_FIELDS[id];
  const { magicRecipients } = store.definitions;
  const choose = ({ target }) => target.value && setValue(field, target.value);
  return html`<label>Magic recipients, each with an outcome of its own
    <select value="" onChange=${choose} data-testid="magic">
      <option value="">Choose one …</option>
      ${magicRecipients.map((recipient) => html`<option value=${recipient[member]}>
        ${recipient[member]}: ${recipient.what}</option>`)}</select></label>`;
}

function Response({ response }) {
  const card = useRef(null);
  useEffect(() => {
    if (response) card.current?.scrollIntoView({ block: "nearest" });
  }, [response]);
  const id = response && messageIdOf(response);
  return html`<section class="card" aria-labelledby="response" aria-live="polite" ref=${card}>
    <h2 id="response">Response</h2>
    ${!response && html`<p class="muted">It will be shown here, with its headers.</p>`}
    ${response?.isLost && html`<p class="problem" data-testid="answer-status">
      The connection was closed without a response.</p>`}
    ${response?.status && html`
      <p><span data-testid="answer-status"><${StatusCode} status=${response.status} /></span>
        ${" "}<span class="muted">${Math.round(response.milliseconds)} ms</span></p>
      ${id && html`<${SentMessage} id=${id} />`}
      <pre tabindex="0" aria-label="Body of the response" data-testid="answer-body">
        ${withLink(response.body, id)}</pre>
      <details open><summary>Headers</summary>
        <dl class="headers" data-testid="answer-headers">${response.headers.map(
          ([name, value]) => html`<dt>${name}</dt><dd>${value}</dd>`)}</dl></details>`}</section>`;
}

// The id of the message that a response is, or null.
function messageIdOf({ status, body }) {
  if (status >= 300) return null;
  try {
    const { id, channel } = JSON.parse(body);
    return channel && typeof id === "string" ? id : null;
  } catch {
    return null; // a fault can cut the response off
  }
}

// The message as it is now, where it is one of those that the page shows.
function SentMessage({ id }) {
  const message = store.list.byId.get(id);
  return html`<p data-testid="sent">Message <a href=${`#/inbox/${id}`}>${id}</a>${" "}
    ${message && html`<${Status} status=${message.status} />`}</p>`;
}

function withLink(body, id) {
  const at = id ? body.indexOf(id) : -1;
  if (at < 0) return body;
  const link = html`<a href=${`#/inbox/${id}`}>${id}</a>`;
  return [body.slice(0, at), link, body.slice(at + id.length)];
}

function Snippets({ request }) {
  const [language, setLanguage] = useState(LANGUAGES[0]);
  const text = request ? requestSnippet(language, request) : "";
  return html`<section class="card" aria-labelledby="snippets">
    <h2 id="snippets">The same request as code</h2>
    <div class="buttons">${LANGUAGES.map((name) => html`<button type="button"
        aria-pressed=${String(name === language)} onClick=${() => setLanguage(name)}
        data-testid=${`language-${name}`}>${name}</button>`)}
      <span class="apart"></span>
      <${CopyButton} label="Copy" text=${() => text} testid="copy-snippet" /></div>
    <pre tabindex="0" aria-label=${`The request in ${language}`} data-testid="snippet">${text}</pre>
  </section>`;
}
