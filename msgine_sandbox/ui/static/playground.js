// The playground: a form for every operation, its response, and the same request in five languages.
import { sendRequest } from "./api.js";
import { playgroundToken } from "./browser_storage.js";
import { CopyButton, StatusCode } from "./components.js";
import { buildRequest, initialValues, MAGIC_FIELDS, OPERATIONS } from "./operations.js";
import { useAddressedCall } from "./playground_request.js";
import { html, useMemo, useRef, useState } from "./preact.js";
import { LANGUAGES, requestSnippet } from "./snippets.js";
import { store } from "./store.js";

const FIRST = "sms";
const MULTILINE = new Set(["message", "text", "html", "body", "data"]);

export function Playground({ parameters }) {
  const [id, setId] = useState(FIRST);
  const [values, setValues] = useState(initialValues(FIRST));
  const [token, setToken] = useState(playgroundToken.get() ?? "test_playground");
  const [key, setKey] = useState("");
  const { request, problem } = useMemo(
    () => buildRequest(id, values, token, key), [id, values, token, key],
  );
  const { response, isSending, send, clear } = useResponse();

  const submit = (event) => {
    event.preventDefault();
    if (problem) return;
    playgroundToken.set(token);
    send(request);
  };
  const fill = ({ call, values: given, token: own, key: ownKey }) => {
    setId(call);
    setValues(given ?? initialValues(call));
    if (own) setToken(own);
    setKey(ownKey ?? "");
    clear();
  };
  const choose = (event) => {
    fill({ call: event.target.value });
    location.hash = `#/playground?call=${event.target.value}`;
  };
  useAddressedCall(parameters, id, fill);
  const setValue = (name, value) => setValues({ ...values, [name]: value });

  const { method, path, fields } = OPERATIONS[id];
  return html`<div class="page two">
    <section class="card" aria-labelledby="operation"><h2 id="operation">Try it out</h2>
      <form class="fields" onSubmit=${submit} data-testid="playground">
        <${OperationChoice} id=${id} choose=${choose} />
        <p class="operation"><strong>${method}</strong> <code>/api/v1${path}</code></p>
        <label>Token <span class="muted">any text; it decides the account of the request,
          independently of the account above</span>
          <input value=${token} onInput=${(event) => setToken(event.target.value)} required
            pattern="[\\x21-\\x7e]+" data-testid="token" /></label>
        ${fields.map((field) => html`<${Field} key=${`${id} ${field.name}`} field=${field}
          value=${values[field.name] ?? ""} setValue=${setValue} />`)}
        ${MAGIC_FIELDS[id] && html`<${MagicChoice} id=${id} setValue=${setValue} />`}
        ${method === "POST" && html`<label>Idempotency-Key <span class="muted">a header</span>
          <input value=${key} onInput=${(event) => setKey(event.target.value)} data-testid="key" />
          </label>`}
        ${problem && html`<p class="problem">${problem}</p>`}
        <button class="main" disabled=${isSending || Boolean(problem)} data-testid="send">
          ${isSending ? "Sending …" : "Send"}</button>
      </form></section>
    <div><${Response} response=${response} /><${Snippets} request=${request} /></div></div>`;
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
  return html`<section class="card" aria-labelledby="response" aria-live="polite">
    <h2 id="response">Response</h2>
    ${!response && html`<p class="muted">It will be shown here, with its headers.</p>`}
    ${response?.isLost && html`<p class="problem" data-testid="answer-status">
      The connection was closed without a response.</p>`}
    ${response?.status && html`
      <p><span data-testid="answer-status"><${StatusCode} status=${response.status} /></span>
        ${" "}<span class="muted">${Math.round(response.milliseconds)} ms</span></p>
      <details open><summary>Headers</summary>
        <dl class="headers" data-testid="answer-headers">${response.headers.map(
          ([name, value]) => html`<dt>${name}</dt><dd>${value}</dd>`)}</dl></details>
      <pre tabindex="0" aria-label="Body of the response" data-testid="answer-body">
        ${response.body}</pre>`}</section>`;
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
