// The page: which view is shown, what stands around it, and the keys.
import { rememberControlToken } from "./calls.js";
import { Controls } from "./controls.js";
import { Coverage } from "./coverage.js";
import { accountNow, clock, duration } from "./format.js";
import { Inbox } from "./inbox.js";
import { isElsewhere } from "./keys.js";
import { Playground } from "./playground.js";
import { html, render, useEffect, useErrorBoundary, useRef, useState } from "./preact.js";
import { Requests } from "./requests.js";
import { store, useStore } from "./store.js";
import { Webhooks } from "./webhooks.js";

const VIEWS = {
  inbox: ["Inbox", Inbox], requests: ["Requests", Requests], webhooks: ["Webhooks", Webhooks],
  controls: ["Controls", Controls], playground: ["Playground", Playground], coverage: ["Coverage", Coverage],
};
const ID = /^(msg|req)_[0-9a-f]{16}$/;
const KEYS = [
  ["/", "search"], ["j, k", "next, previous"], ["Enter", "open"], ["Esc", "back, or out of a field"],
  ["1 to 6", "the views, from left to right"], ["?", "these keys"],
];

function route() {
  const [, view, id] = location.hash.split("/");
  return { view: Object.hasOwn(VIEWS, view ?? "") ? view : "inbox", id: ID.test(id ?? "") ? id : null };
}

function App() {
  const state = useStore();
  const [where, go] = useState(route());
  const [help, setHelp] = useState(false);

  useEffect(() => {
    const moved = () => go(route());
    const pressed = (event) => shortcut(event, setHelp);
    addEventListener("hashchange", moved);
    addEventListener("keydown", pressed);
    return () => {
      removeEventListener("hashchange", moved);
      removeEventListener("keydown", pressed);
    };
  }, []);

  const unread = state.messages.filter((each) => !state.read.has(each.id)).length;
  useEffect(() => {
    document.title = `${unread ? `(${unread}) ` : ""}${VIEWS[where.view][0]} · msgine-sandbox`;
  });

  const View = VIEWS[where.view][1];
  return html`
    <header class="top">
      <a class="brand" href="#/inbox"><img src="/ui/icon.svg" alt="" width="24" height="24" /> msgine-sandbox</a>
      <nav aria-label="Views">${Object.entries(VIEWS).map(([view, [name]]) => html`
        <a href=${`#/${view}`} aria-current=${view === where.view ? "page" : null} data-testid=${`nav-${view}`}>
          ${name}${view === "inbox" && unread > 0 && html` <span class="count" data-testid="unread">${unread}</span>`}</a>`)}
      </nav>
      <${Account} />
      <${Time} known=${state.clock} />
      <button type="button" class="plain" aria-label="Keys" title="Keys (?)" onClick=${() => setHelp(true)}>?</button>
    </header>
    <${Link} link=${state.link} />
    <${Frozen} known=${state.clock} />
    <main id="view" data-account=${state.account?.id ?? "all"} data-loaded=${String(state.loaded)}><h1 class="hidden">${VIEWS[where.view][0]}</h1><${Guarded} key=${where.view}>
      <${View} id=${where.id} /></${Guarded}></main>
    <div class="notices" role="status" aria-live="polite" data-testid="notice">
      ${state.notice && html`<p class=${state.notice.isProblem ? "problem" : ""}>${state.notice.text}</p>`}
    </div>
    ${help && html`<${Help} close=${() => setHelp(false)} />`}`;
}

// Whatever goes wrong in a view, the page goes on.
function Guarded({ children }) {
  const [problem, again] = useErrorBoundary();
  if (!problem) return children;
  return html`<div class="empty" role="alert" data-testid="broken"><h2>This view has a defect</h2><p>${String(problem)}</p>
    <p><button type="button" onClick=${again}>Show it again</button></p></div>`;
}

function Account() {
  const { accounts, account } = store;
  const known = account && !accounts.some((each) => each.id === account.id) ? [account, ...accounts] : accounts;
  const choose = (event) => {
    const found = known.find((each) => each.id === event.target.value);
    store.choose(found ? { id: found.id, token: found.token } : null);
  };
  return html`<label class="account">Account
    <select onChange=${choose} value=${account?.id ?? ""} data-testid="account">
      <option value="">all</option>
      ${known.map((each) => html`<option value=${each.id}>${each.token} · ${parseInt(each.id.slice(4), 16)}</option>`)}
    </select></label>`;
}

function Time({ known }) {
  const [, tick] = useState(0);
  useEffect(() => {
    const timer = setInterval(() => tick((count) => count + 1), 1000);
    const look = setInterval(() => store.link === "live" && !document.hidden && store.look().catch(() => {}), 3000);
    return () => {
      clearInterval(timer);
      clearInterval(look);
    };
  }, []);
  if (!known) return null;
  const now = new Date(accountNow(known)).toISOString();
  const ahead = known.aheadSeconds;
  return html`<a class="time" href="#/controls" data-testid="clock" title="The account's clock, in UTC">
    ${clock(now).slice(0, 19)} ${ahead >= 1 && html`<strong>${duration(ahead)} ahead</strong>`}</a>`;
}

function Frozen({ known }) {
  const others = store.account ? [] : store.accounts.filter((each) => each.clock.frozen);
  if (!known?.frozen && !others.length) return null;
  if (!known?.frozen) {
    return html`<div class="frozen" role="status" data-testid="frozen"><strong>The clock of
      ${others.slice(0, 3).map((each) => html` <button type="button" onClick=${() => store.choose({ id: each.id, token: each.token })}>${each.token}</button>`)}${others.length > 3 && ` and ${others.length - 3} more`} is frozen.</strong>${" "}
      Nothing of it happens by itself.</div>`;
  }
  return html`<div class="frozen" role="status" data-testid="frozen"><strong>The clock is frozen.</strong>${" "}
    Nothing happens by itself: no delivery, no webhook, no retry.${" "}
    <button type="button" onClick=${() => store.act("POST", "/clock/advance", { seconds: 3 })}>Advance 3 s</button>${" "}
    <button type="button" onClick=${() => store.act("POST", "/clock/resume")}>Resume</button></div>`;
}

function Link({ link }) {
  if (link === "guarded") return html`<${Key} />`;
  const told = link === "lost" ? "The sandbox does not answer. Trying again …" : "";
  return html`<div class=${told ? "lost" : "live"} role="alert" data-testid="link" data-link=${link}>${told}</div>`;
}

function Key() {
  const enter = (event) => {
    event.preventDefault();
    rememberControlToken(new FormData(event.target).get("token"));
    store.tried = true;
    store.start();
  };
  return html`<form class="lost" onSubmit=${enter} data-testid="control-token">
    <label>This sandbox asks for its control token <input name="token" type="password" required pattern="[\x21-\x7e]+" title="printable ASCII without spaces" autofocus /></label>
    ${store.tried && "That was not it."}
    <button>Enter</button></form>`;
}

function Help({ close }) {
  const dialog = useRef(null);
  useEffect(() => dialog.current.showModal(), []);
  return html`<dialog ref=${dialog} onClose=${close} aria-labelledby="keys" data-testid="help">
    <h2 id="keys">Keys</h2>
    <dl class="keys">${KEYS.map(([key, what]) => html`<dt><kbd>${key}</kbd></dt><dd>${what}</dd>`)}</dl>
    <form method="dialog"><button autofocus>Close</button></form></dialog>`;
}

function shortcut(event, setHelp) {
  const { target, key } = event;
  if (key === "Escape" && target.matches("input, textarea, select")) target.blur();
  if (isElsewhere(event)) return;
  const view = Object.keys(VIEWS)[Number(key) - 1];
  if (view) location.hash = `#/${view}`;
  else if (key === "?") setHelp(true);
  else if (key === "/") {
    event.preventDefault();
    document.querySelector("[data-search]")?.focus();
  }
}

const app = document.getElementById("app");
app.replaceChildren();
render(html`<${App} />`, app);
store.start();
