// The header of the page: links to the views, the choice of the account, and its clock.
import { clockNow, formatDuration, formatTime } from "./format.js";
import { html, useEffect, useState } from "./preact.js";
import { store } from "./store.js";

const TICK_MS = 1000;
const REFRESH_MS = 3000; // another client may move or freeze a clock, which is no event of the feed

export function Header({ views, view, unread, openHelp }) {
  return html`<header class="top">
    <a class="brand" href="#/inbox">
      <img src="/ui/icon.svg" alt="" width="24" height="24" /> msgine-sandbox</a>
    <nav aria-label="Views">${Object.entries(views).map(([id, [name]]) => html`
      <a href=${`#/${id}`} aria-current=${id === view ? "page" : null} data-testid=${`nav-${id}`}>
        ${name}
        ${id === "inbox" && unread !== ""
          && html` <span class="count" data-testid="unread">${unread}</span>`}</a>`)}
    </nav>
    <${AccountChoice} accounts=${store.accounts} account=${store.account} />
    <${Clock} clock=${store.clock} />
    <a class="plain" href="/docs/" data-testid="docs">Docs</a>
    <button type="button" class="plain" aria-label="Keyboard shortcuts"
      title="Keyboard shortcuts (?)" onClick=${openHelp}>?</button>
  </header>`;
}

function AccountChoice({ accounts, account }) {
  // The chosen account may not be loaded yet, or be older than the accounts that are.
  const isMissing = account && !accounts.some(({ id }) => id === account.id);
  const options = isMissing ? [account, ...accounts] : accounts;
  const choose = (event) => {
    const chosen = options.find(({ id }) => id === event.target.value);
    store.chooseAccount(chosen ? { id: chosen.id, token: chosen.token } : null);
  };
  return html`<label class="account">Account
    <select onChange=${choose} value=${account?.id ?? ""} data-testid="account">
      <option value="">all</option>
      ${options.map(({ id, token }) => html`
        <option value=${id}>${token} · ${accountNumber(id)}</option>`)}
    </select></label>`;
}

// Masked tokens can be equal; ids such as acc_0000000000000001 count the accounts.
function accountNumber(id) {
  return parseInt(id.slice("acc_".length), 16);
}

function Clock({ clock }) {
  const [, tick] = useState(0);
  useEffect(() => {
    const ticking = setInterval(() => tick((count) => count + 1), TICK_MS);
    const refreshing = setInterval(() => {
      if (store.connection === "live" && !document.hidden) {
        store.refreshAccounts().catch(() => {}); // the feed reports a lost connection
      }
    }, REFRESH_MS);
    return () => {
      clearInterval(ticking);
      clearInterval(refreshing);
    };
  }, []);
  if (!clock) return null;
  const time = formatTime(new Date(clockNow(clock)).toISOString()).slice(0, 19); // to the second
  const isAhead = clock.aheadSeconds >= 1;
  return html`<a class="time" href="#/controls" data-testid="clock"
      title="The account's clock, in UTC">
    ${time}${" "}
    ${isAhead && html`<strong>${formatDuration(clock.aheadSeconds)} ahead</strong>`}</a>`;
}
