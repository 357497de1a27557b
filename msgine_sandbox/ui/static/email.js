// An email: rendered, as text, its source, its headers and its links, and what is wrong with it.
import { Links, localLinksText } from "./contents.js";
import { formatTime } from "./format.js";
import { HtmlSource } from "./html_source.js";
import { html, useEffect, useRef, useState } from "./preact.js";
import { ROOT } from "./root.js";
import { store } from "./store.js";
import { visibleText } from "./text.js";

const MOST_KILOBYTES = 102; // of HTML: Gmail cuts off the rest
const WIDTHS = { narrow: "Phone", wide: "Desktop" };
// Of the email that was shown last: the next one is looked at in the same way.
const chosen = { tab: null, width: "wide" };

export function Email({ message }) {
  const [, render] = useState(0);
  const tabs = tabsOf(message);
  const shown = chosen.tab in tabs ? chosen.tab : Object.keys(tabs)[0];
  const choose = (name, value) => {
    chosen[name] = value;
    render((count) => count + 1);
  };
  return html`<div class="email" data-testid="email">
    <h3 dir="auto">${visibleText(message.subject)}</h3>
    <${Checks} message=${message} />
    <div class="tabs"><${TabList} names=${Object.keys(tabs)} shown=${shown}
        choose=${(name) => choose("tab", name)} />
      ${shown === "Rendered" && Object.entries(WIDTHS).map(([width, label]) => html`
        <button type="button" aria-pressed=${String(width === chosen.width)}
          onClick=${() => choose("width", width)} data-testid=${width}>${label}</button>`)}</div>
    <div role="tabpanel" id="email-panel" aria-labelledby=${`tab-${shown}`}
      tabindex=${shown === "Headers" ? 0 : null}>${tabs[shown]()}</div></div>`;
}

// By name, the content of each tab that the email has something for.
function tabsOf(message) {
  const { id, html: source, links } = message;
  return {
    ...(source != null && { Rendered: () => html`<${Rendered} key=${id} id=${id} />` }),
    Text: () => html`<div class="bubble" dir="auto" tabindex="0" data-testid="text">
      ${visibleText(message.message)}</div>`,
    ...(source != null && { Source: () => html`<${HtmlSource} source=${source} />` }),
    Headers: () => html`<${Headers} message=${message} />`,
    ...(links.length && { Links: () => html`<${Links} links=${links} />` }),
  };
}

function TabList({ names, shown, choose }) {
  const onKeyDown = (event) => {
    const at = names.indexOf(shown);
    const last = names.length - 1;
    const to = {
      ArrowLeft: at ? at - 1 : last, ArrowRight: at < last ? at + 1 : 0, Home: 0, End: last,
    }[event.key];
    if (to === undefined) return;
    event.preventDefault(); // or the page would scroll
    choose(names[to]);
    event.currentTarget.children[to].focus();
  };
  return html`<div role="tablist" aria-label="Views of the email" onKeyDown=${onKeyDown}>
    ${names.map((name) => html`<button type="button" role="tab" id=${`tab-${name}`}
      aria-selected=${String(name === shown)} aria-controls="email-panel"
      tabindex=${name === shown ? 0 : -1} onClick=${() => choose(name)}>${name}</button>`)}</div>`;
}

// A frame of no origin, without scripts, whose content has a policy of its own. A frame cannot send
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
  }, [id]);
  // What is loaded after the email is what a link in it led to, which only a click does: an error,
  // because neither other sites nor the sandbox may be in this frame.
  const onLoad = ({ target }) => {
    if (loads.current++ === 0 || document.activeElement !== target) return;
    store.notify("Links do not open here: the tab Links has them");
    load();
  };
  return html`<div class=${`frame ${chosen.width}`}>
    ${url && html`<iframe key=${url} src=${url} sandbox="" referrerpolicy="same-origin"
      title="The email, rendered" onLoad=${onLoad} data-testid="rendered" />`}</div>`;
}

function Headers({ message }) {
  const { from, to, cc, bcc, subject, sentAt } = message;
  const headers = {
    From: from,
    To: to.join(", "),
    Cc: cc.join(", "),
    "Bcc, which no recipient sees": bcc.join(", "),
    Subject: subject,
    Date: sentAt ? formatTime(sentAt) : "not sent yet",
  };
  return html`<dl class="facts" data-testid="headers">${Object.entries(headers).map(
    ([name, value]) => value && html`<dt>${name}</dt><dd><bdi>${visibleText(value)}</bdi></dd>`,
  )}</dl>`;
}

// The three things that go wrong most often, in words.
function Checks({ message: { content, html: source, links } }) {
  const kilobytes = new TextEncoder().encode(source ?? "").length / 1024;
  const isCut = kilobytes > MOST_KILOBYTES;
  const size = `${kilobytes.toFixed(1)} KB of HTML`;
  const localLinks = localLinksText(links);
  const checks = [
    ...(source == null ? [] : [
      // The client sent no text where the text is taken out of the HTML.
      content === source
        ? [true, "No text part: mail programs without HTML show nothing, and filters rate it worse"]
        : [false, "Has a text part"],
      [isCut, isCut ? `${size}: Gmail cuts it off after ${MOST_KILOBYTES} KB` : size],
    ]),
    localLinks ? [true, localLinks] : [false, "No links to this machine"],
  ];
  return html`<ul class="checks" data-testid="checks">${checks.map(([isProblem, text]) => html`
    <li class=${isProblem ? "wrong" : null}>${visibleText(text)}</li>`)}</ul>`;
}
