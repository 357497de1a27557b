// The entry point: the route in the address, and what is around every view.
import { About } from "./about.js";
import { ConnectionBanner } from "./banners.js";
import { Header } from "./header.js";
import { ShortcutsDialog, useShortcuts } from "./keyboard.js";
import { html, render, useEffect, useErrorBoundary, useState } from "./preact.js";
import {
  accountInAddress, addressOf, NO_ID, replaceAccount, replaceAddress, useRoute,
} from "./route.js";
import { store, useStore } from "./store.js";
import { visibleText } from "./text.js";
import { applyTheme } from "./theme.js";
import { TimeBar } from "./time.js";
import { VIEWS } from "./views.js";

function App() {
  const { account, clock, connection, isLoaded, list, messages, notice, readMessages } = useStore();
  const { view, id, namesNoView, parameters } = useRoute(VIEWS);
  useEffect(() => {
    if (!namesNoView) return;
    replaceAddress(addressOf(view, id, parameters));
    store.notify("The address names no view; showing the inbox", true);
  }, [namesNoView]);
  useAccountInAddress(account);
  const [isHelpOpen, setHelpOpen] = useState(false);
  useShortcuts(Object.keys(VIEWS), () => setHelpOpen(true));

  const [name, View] = VIEWS[view];
  const unreadCount = messages.filter((message) => !readMessages.has(message)).length;
  // Older messages, which are not loaded, can be unread as well.
  const unread = unreadCount === 0 ? "" : `${unreadCount}${list.isComplete ? "" : "+"}`;
  useEffect(() => {
    const opened = id ? titleOf(id) : view === "playground" && store.call;
    document.title =
      `${unread ? `(${unread}) ` : ""}${name}${opened ? `, ${opened}` : ""} · msgine-sandbox`;
  });

  return html`
    <${Header} views=${VIEWS} view=${view} unread=${unread} openHelp=${() => setHelpOpen(true)} />
    <${ConnectionBanner} connection=${connection} />
    <${TimeBar} clock=${clock} />
    <main id="view" data-account=${account?.id ?? "all"} data-loaded=${String(isLoaded)}>
      <h1 class="hidden">${name}</h1>
      ${connection === "unauthorized"
        ? html`<div class="empty" data-testid="locked"><h2>Nothing can be shown yet</h2>
            <p>The control token is needed to see what is in this sandbox.</p></div>`
        : html`<${ErrorBoundary} key=${view}>
          <${View} id=${id} parameters=${parameters} /></${ErrorBoundary}>`}</main>
    <${About} connection=${connection} />
    <div class="notices" role="status" aria-live="polite" data-testid="notice">
      ${notice && html`<p class=${notice.isProblem ? "problem" : ""}>
        ${visibleText(notice.text)}</p>`}
    </div>
    ${isHelpOpen && html`<${ShortcutsDialog} close=${() => setHelpOpen(false)} />`}`;
}

// What tells apart the entries of the browser's history.
function titleOf(id) {
  const { attempts, messages, opened } = store;
  const item = opened?.id === id ? opened
    : [...messages, ...attempts.items].find((each) => each.id === id);
  if (!item) return id === NO_ID ? "not found" : id;
  const { status, method, path, event, url, to } = item;
  if (method || event) return `${status ?? "no response"} ${method ?? event} ${path ?? url}`;
  const text = item.subject ?? item.title ?? item.message;
  return `${text.slice(0, 40)} to ${to[0] ?? "nobody"}`;
}

// The address names the chosen account. One that names another, as a link or "back" does, chooses
// that. What is no account is not taken for the one that was chosen before.
function useAccountInAddress(account) {
  const inAddress = accountInAddress();
  useEffect(() => {
    if (inAddress === (account?.id ?? null)) return;
    if (inAddress) store.chooseAccount({ id: inAddress, token: "" }, true);
    else if (inAddress === "") {
      store.chooseAccount(null);
      store.notify("The address names no valid account; showing all accounts", true);
    } else replaceAccount(account.id, true);
  }, [inAddress, account?.id]);
}

// An exception in one view leaves the other views usable.
function ErrorBoundary({ children }) {
  const [error, reset] = useErrorBoundary();
  if (!error) return children;
  return html`<div class="empty" role="alert" data-testid="broken">
    <h2>This view failed</h2><p>${String(error)}</p>
    <p><button type="button" onClick=${reset}>Try again</button></p></div>`;
}

applyTheme(); // before anything is shown
const app = document.getElementById("app");
app.replaceChildren();
render(html`<${App} />`, app);
store.start();
