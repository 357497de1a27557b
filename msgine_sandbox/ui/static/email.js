// An email: rendered, as text, its source, headers and links, and what is wrong with it in words.
import { Links, localLinksText } from "./contents.js";
import { formatTime } from "./format.js";
import { HtmlSource } from "./html_source.js";
import { html, useEffect, useRef, useState } from "./preact.js";
import { ROOT } from "./root.js";
import { store } from "./store.js";
import { visibleText } from "./text.js";

const MOST_KILOBYTES = 102; // of HTML: Gmail cuts off the rest
const WIDTHS = { narrow: "Phone", wide: "Desktop" };
const chosen = { view: null, width: "wide" }; // the next email is looked at in the same way

export function Email({ message }) {
  const [, render] = useState(0);
  const views = viewsOf(message);
  const shown = chosen.view in views ? chosen.view : Object.keys(views)[0];
  const choose = (choice) => {
    Object.assign(chosen, choice);
    render((count) => count + 1);
  };
  return html`<div class="email" data-testid="email">
    <h3 dir="auto">${visibleText(message.subject)}</h3>
    <${Checks} message=${message} />
    <div class="tabs">
      <${Tabs} names=${Object.keys(views)} shown=${shown} choose=${(view) => choose({ view })} />
      ${shown === "Rendered" && Object.entries(WIDTHS).map(([width, label]) => html`
        <button type="button" aria-pressed=${String(width === chosen.width)} data-testid=${width}
          onClick=${() => choose({ width })}>${label}</button>`)}</div>
    <div role="tabpanel" id="panel" aria-labelledby=${`tab-${shown}`}
      tabindex=${shown === "Headers" ? 0 : null}>${views[shown]()}</div></div>`;
}

// The views that the email has something for.
function viewsOf(message) {
  const { id, content, html: source, links } = message;
  const hasHtml = source != null;
  return {
    ...(hasHtml && { Rendered: () => html`<${Rendered} key=${id} id=${id} />` }),
    Text: () => html`${content === source && html`<p class="muted">Taken out of the HTML:</p>`}
      <div class="bubble" dir="auto" tabindex="0" data-testid="text">
        ${visibleText(message.message)}</div>`,
    ...(hasHtml && { Source: () => html`<${HtmlSource} source=${source} />` }),
    Headers: () => html`<${Headers} message=${message} />`,
    ...(links.length && { Links: () => html`<${Links} links=${links} />` }),
  };
}

function Tabs({ names, shown, choose }) {
  const onKeyDown = (event) => {
    const { length } = names;
    const at = names.indexOf(shown);
    const keys = { ArrowLeft: at + length - 1, ArrowRight: at + 1, Home: 0, End: length - 1 };
    if (!(event.key in keys)) return;
    const to = keys[event.key] % length;
    event.preventDefault(); // or the page would scroll
    choose(names[to]);
    event.currentTarget.children[to].focus();
  };
  return html`<div role="tablist" aria-label="Views of the email" onKeyDown=${onKeyDown}>
    ${names.map((name) => html`<button type="button" role="tab" id=${`tab-${name}`}
      aria-selected=${String(name === shown)} aria-controls="panel"
      tabindex=${name === shown ? 0 : -1} onClick=${() => choose(name)}>${name}</button>`)}</div>`;
}

// A frame without scripts and of no origin, whose content has a policy of its own. It cannot send
// a control token, so its address has a ticket.
function Rendered({ id }) {
  const [url, setUrl] = useState(null);
  const loads = useRef(0);
  const load = async () => {
    try {
      const ticket = await store.control("POST", `/messages/${id}/ticket`);
      loads.current = 0;
      setUrl(ROOT + ticket.url);
    } catch (error) {
      store.notify(error.message, true);
    }
  };
  useEffect(() => {
    load();
  }, []);
  // What is loaded after the email is an error: what a link led to, which may not be in the frame.
  const onLoad = ({ target }) => {
    if (loads.current++ === 0 || document.activeElement !== target) return;
    store.notify("Links do not open here: the tab Links has them");
    load();
  };
  return html`<div class=${`frame ${chosen.width}`}>
    ${url && html`<iframe key=${url} src=${url} sandbox="" title="The email, rendered"
      onLoad=${onLoad} data-testid="rendered" />`}</div>`;
}

function Headers({ message: { from, to, cc, bcc, subject, sentAt } }) {
  const headers = {
    From: from,
    To: to.join(", "),
    Cc: cc.join(", "),
    "Bcc, which no recipient sees": bcc.join(", "),
    Subject: subject,
    Date: sentAt ? formatTime(sentAt) : "not sent yet",
  };
  return html`<dl data-testid="headers">${Object.entries(headers).map(([name, value]) => value
    && html`<dt>${name}</dt><dd><bdi>${visibleText(value)}</bdi></dd>`)}</dl>`;
}

function Checks({ message: { content, html: source, links } }) {
  const checks = []; // what is wrong, or else what is right
  if (source != null) {
    // Where the client sent no text, `content` is the HTML.
    checks.push(content === source
      ? ["No text part: mail programs without HTML show nothing, and filters rate it worse"]
      : [null, "Has a text part"]);
    const kilobytes = new TextEncoder().encode(source).length / 1024;
    const size = `${kilobytes.toFixed(1)} KB of HTML`;
    const isCut = kilobytes > MOST_KILOBYTES;
    checks.push([isCut && `${size}: Gmail cuts it off after ${MOST_KILOBYTES} KB`, size]);
  }
  checks.push([localLinksText(links), "No links to this machine"]);
  return html`<ul class="checks" data-testid="checks">${checks.map(([wrong, right]) => html`
    <li class=${wrong ? "wrong" : null}>${visibleText(wrong || right)}</li>`)}</ul>`;
}
