// The entry point: the views, the route in the address, and what is around every view.
import { ClockBanner, ConnectionBanner } from "./banners.js";
import { Controls } from "./controls.js";
import { Coverage } from "./coverage.js";
import { Header } from "./header.js";
import { Inbox } from "./inbox.js";
import { ShortcutsDialog, useShortcuts } from "./keyboard.js";
import { Playground } from "./playground.js";
import { html, render, useEffect, useErrorBoundary, useState } from "./preact.js";
import { Requests } from "./requests.js";
import { store, useStore } from "./store.js";
import { Webhooks } from "./webhooks.js";

// By the first part of the route: the name and the component.
const VIEWS = {
  inbox: ["Inbox", Inbox],
  requests: ["Requests", Requests],
  webhooks: ["Webhooks", Webhooks],
  controls: ["Controls", Controls],
  playground: ["Playground", Playground],
  coverage: ["Coverage", Coverage],
};
// Under `--answers observed`, the id of a message is a UUID.
const ID = /^((msg|req)_[0-9a-f]{16}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12})$/;

// The route is the fragment of the address, such as #/inbox/msg_018f3a5b00c1d2e3. Whatever is not
// a view or an id is ignored: anybody can link to the page, and ids become parts of paths.
function currentRoute() {
  const [, view, id] = location.hash.split("/");
  return {
    view: Object.hasOwn(VIEWS, view ?? "") ? view : "inbox",
    id: ID.test(id ?? "") ? id : null,
  };
}

function useRoute() {
  const [route, setRoute] = useState(currentRoute());
  useEffect(() => {
    const onChange = () => setRoute(currentRoute());
    addEventListener("hashchange", onChange);
    return () => removeEventListener("hashchange", onChange);
  }, []);
  return route;
}

function App() {
  const { account, clock, connection, isLoaded, list, messages, notice, readMessages } = useStore();
  const { view, id } = useRoute();
  const [isHelpOpen, setHelpOpen] = useState(false);
  useShortcuts(Object.keys(VIEWS), () => setHelpOpen(true));

  const [name, View] = VIEWS[view];
  const unreadCount = messages.filter((message) => !readMessages.has(message)).length;
  // Older messages, which are not loaded, can be unread as well.
  const unread = unreadCount === 0 ? "" : `${unreadCount}${list.isComplete ? "" : "+"}`;
  useEffect(() => {
    document.title = `${unread ? `(${unread}) ` : ""}${name} · msgine-sandbox`;
  });

  return html`
    <${Header} views=${VIEWS} view=${view} unread=${unread} openHelp=${() => setHelpOpen(true)} />
    <${ConnectionBanner} connection=${connection} />
    <${ClockBanner} clock=${clock} />
    <main id="view" data-account=${account?.id ?? "all"} data-loaded=${String(isLoaded)}>
      <h1 class="hidden">${name}</h1>
      ${connection === "unauthorized"
        ? html`<div class="empty" data-testid="locked"><h2>Nothing can be shown yet</h2>
            <p>The control token is needed to see what is in this sandbox.</p></div>`
        : html`<${ErrorBoundary} key=${view}><${View} id=${id} /></${ErrorBoundary}>`}</main>
    <div class="notices" role="status" aria-live="polite" data-testid="notice">
      ${notice && html`<p class=${notice.isProblem ? "problem" : ""}>${notice.text}</p>`}
    </div>
    ${isHelpOpen && html`<${ShortcutsDialog} close=${() => setHelpOpen(false)} />`}`;
}

// An exception in one view leaves the other views usable.
function ErrorBoundary({ children }) {
  const [error, reset] = useErrorBoundary();
  if (!error) return children;
  return html`<div class="empty" role="alert" data-testid="broken">
    <h2>This view failed</h2><p>${String(error)}</p>
    <p><button type="button" onClick=${reset}>Try again</button></p></div>`;
}

const app = document.getElementById("app");
app.replaceChildren();
render(html`<${App} />`, app);
store.start();
