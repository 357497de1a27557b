// The header of the page: links to the views, the choice of the account, and its clock.
import { accountTitle, knownAccount } from "./accounts.js";
import { isRefused } from "./entry_list.js";
import { clockNow, formatCount, formatDuration, formatTime } from "./format.js";
import { html, useEffect, useState } from "./preact.js";
import { ROOT } from "./root.js";
import { store } from "./store.js";
import { useTick } from "./time.js";

const SEARCH_AFTER_MS = 200; // without another key
const REFRESH_MS = 3000; // of the clock, and of what an account's rate limits have left

export function Header({ views, view, unread, openHelp }) {
  // On a narrow window all but the name of the view is behind a button.
  const [isOpen, setOpen] = useState(false);
  useEffect(() => setOpen(false), [view, store.account?.id]);
  return html`<header class=${`top ${isOpen ? "open" : ""}`}>
    <a class="brand" href="#/inbox">
      <img src=${`${ROOT}/ui/icon.svg`} alt="" width="24" height="24" />
      <span class="name">msgine-sandbox</span></a>
    <button type="button" class="menu" aria-expanded=${String(isOpen)} data-testid="menu"
      onClick=${() => setOpen(!isOpen)}>${views[view][0]}
      ${view === "inbox" && unread !== "" && html` <span class="count">${unread}</span>`}
      ${" "}▾</button>
    <nav aria-label="Views" onClick=${() => setOpen(false)}>
      ${Object.entries(views).map(([id, [name]]) => html`
      <a href=${`#/${id}`} aria-current=${id === view ? "page" : null} data-testid=${`nav-${id}`}>
        ${name}
        ${id === "inbox" && unread !== ""
          && html` <span class="count" data-testid="unread">${unread}</span>`}
        ${id === "requests" && html`<${RequestCounts} />`}</a>`)}
    </nav>
    <${AccountChoice} accounts=${store.accounts} account=${store.account} />
    <${Clock} clock=${store.clock} />
    <button type="button" class="plain help" aria-label="Keyboard shortcuts"
      title="Keyboard shortcuts (?)" onClick=${openHelp}>?</button>
  </header>`;
}

// How many of the loaded requests were refused, and how many have warnings.
function RequestCounts() {
  const { items, isComplete } = store.requests;
  const counts = [
    ["refused", "bad", items.filter(isRefused).length],
    ["with warnings", "warning", items.filter(({ warnings }) => warnings.length).length],
  ];
  return counts.map(([what, kind, count]) => count > 0 && html` <span class=${`count ${kind}`}
    title=${what} data-testid=${`count-${kind}`}>${formatCount(count)}${isComplete ? "" : "+"}
    <span class="hidden"> ${what}</span></span>`);
}

// A field that suggests accounts while one types.
function AccountChoice({ accounts, account }) {
  const [text, setText] = useState(null); // while it is being typed
  const chosenText = account ? nameOf(knownAccount(account.id) ?? account) : "";
  // Of very many accounts, the page has only the newest.
  useEffect(() => {
    if (!text?.trim() || store.hasAllAccounts) return undefined;
    const timer = setTimeout(() => store.findAccounts(text.trim()), SEARCH_AFTER_MS);
    return () => clearTimeout(timer);
  }, [text]);
  const begin = () => {
    setText(""); // so that the browser suggests every account
    store.refreshAccounts().catch(() => {});
  };
  const choose = async () => {
    const typed = (text ?? "").trim();
    setText(null);
    if (!typed || typed === chosenText) return; // left without a choice
    await store.refreshAccounts().catch(() => {});
    if (!findAccount(store.accounts, typed)) await store.findAccounts(typed);
    const chosen = findAccount(store.accounts, typed);
    if (chosen) store.chooseAccount({ id: chosen.id, token: chosen.token });
    else store.notify(`There is no account ${typed}`, true);
  };
  const onKeyDown = (event) => {
    if (event.key === "Enter") event.target.blur();
    else if (event.key === "Escape") setText(null);
  };
  return html`<label class="account"><span class="hidden">Account</span>
    <input list="accounts" value=${text ?? chosenText} autocomplete="off" spellcheck="false"
      placeholder=${(text !== null && chosenText) || "all accounts"} title=${chosenText}
      data-testid="account"
      onFocus=${begin} onInput=${(event) => setText(event.target.value)}
      onBlur=${choose} onKeyDown=${onKeyDown} />
    <datalist id="accounts">${accounts.map((each) => html`
      <option key=${each.id} value=${nameOf(each)} />`)}</datalist></label>
    ${account && html`<button type="button" class="plain" data-testid="all-accounts"
      aria-label="All accounts" title="All accounts"
      onClick=${() => store.chooseAccount(null)}>×</button>`}`;
}

// The account that is suggested so or has that name or token, or the newest one with that text.
function findAccount(accounts, text) {
  return accounts.find((each) => [nameOf(each), each.token, each.name].includes(text))
    ?? accounts.find((each) => accountTitle(each).toLowerCase().includes(text.toLowerCase()));
}

// Masked tokens can be equal; ids such as acc_0000000000000001 count the accounts.
function nameOf(account) {
  return `${accountTitle(account)} · ${parseInt(account.id.slice("acc_".length), 16)}`;
}

function Clock({ clock }) {
  useTick();
  useEffect(() => {
    const refreshing = setInterval(() => {
      if (store.connection === "live" && !document.hidden) {
        store.refreshClock().catch(() => {}); // the feed reports a lost connection
      }
    }, REFRESH_MS);
    return () => clearInterval(refreshing);
  }, []);
  if (!clock) return null;
  const now = new Date(clockNow(clock)).toISOString();
  const time = formatTime(now).slice(11, 19); // to the second, the rest is in the title
  const isAhead = clock.aheadSeconds >= 1;
  return html`<a class="time" href="#/controls" data-testid="clock"
      title=${`The account's clock: ${formatTime(now)}`}>
    ${time} UTC${" "}
    ${isAhead && html`<strong>${formatDuration(clock.aheadSeconds)} ahead</strong>`}</a>`;
}
