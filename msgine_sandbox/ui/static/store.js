// The page's state: loaded from the control API, kept current by the feed, rendered once a frame.
import { callControlApi } from "./api.js";
import { chosenAccount, ReadMessages } from "./browser_storage.js";
import { Definitions } from "./definitions.js";
import { Feed } from "./feed.js";
import { MessageList, MOST_MESSAGES } from "./message_list.js";
import { useEffect, useReducer } from "./preact.js";

const FIRST_PAGE = 100; // messages; few, so that the page shows something soon
const PAGE = 1000; // messages, requests or webhook attempts
const MOST_ENTRIES = 10_000; // requests or webhook attempts that the page holds
const NOTICE_MS = 6000;

class Store {
  constructor() {
    const account = chosenAccount.get();
    this.account = account?.id ? account : null; // null is all accounts
    this.connection = "connecting"; // or a state of the feed
    this.accounts = [];
    this.clock = null; // of the chosen account, or the default of new accounts
    this.notice = null;
    this.definitions = new Definitions();
    this.readMessages = new ReadMessages(() => this.scheduleRender());
    this.renderListeners = new Set();
    this.changeListeners = new Set(); // called with the ids that changed, or null for all
    this.isRenderScheduled = false;
    this.clear();
  }

  clear() {
    this.list = new MessageList();
    this.requests = [];
    this.requestTotal = 0;
    this.attempts = []; // of webhooks
    this.attemptTotal = 0;
    this.isLoaded = false;
  }

  get messages() {
    return this.list.items;
  }

  // Rendering

  scheduleRender() {
    if (this.isRenderScheduled) return;
    this.isRenderScheduled = true;
    const render = () => {
      this.isRenderScheduled = false;
      for (const listener of this.renderListeners) listener();
    };
    // A hidden tab gets no animation frames, but its title shows the number of unread messages.
    if (document.hidden) setTimeout(render, 200);
    else requestAnimationFrame(render);
  }

  set(values) {
    Object.assign(this, values);
    this.scheduleRender();
  }

  notify(text, isProblem = false) {
    this.set({ notice: { text, isProblem } });
    clearTimeout(this.noticeTimer);
    this.noticeTimer = setTimeout(() => this.set({ notice: null }), NOTICE_MS);
  }

  // Connection and account

  start() {
    this.feed?.stop();
    this.clear();
    this.feed = new Feed(this.account, {
      onEvents: (events) => this.applyEvents(events),
      onState: (state) => this.setConnection(state),
    });
    this.scheduleRender();
  }

  chooseAccount(account) {
    chosenAccount.set(account);
    this.account = account;
    this.start();
  }

  setConnection(connection) {
    this.set({ connection });
    if (connection !== "live") return;
    // After a lost connection, the feed sends what was missed, or a gap. A page that had no event
    // yet cannot know where it continues, so it loads everything.
    if (this.isLoaded && this.feed.continues) this.refreshAccounts().catch(() => {});
    else this.reload();
  }

  // The account's id is unknown or belongs to another token, for example after a restart.
  dropAccount() {
    this.notify(`The account ${this.account?.token} no longer exists; showing all accounts`, true);
    this.chooseAccount(null);
  }

  // Loading

  reload() {
    this.clear();
    this.load();
    this.reportChange(null);
  }

  async load() {
    const { list } = this; // clear() makes a new one, which ends this load
    list.isLoading = true;
    try {
      await Promise.all([this.definitions.load(), this.loadPage(list, FIRST_PAGE)]);
      if (list !== this.list) return;
      this.set({ isLoaded: true });
      const [requests, attempts] = await Promise.all([
        this.control("GET", `/requests?view=summary&limit=${PAGE}`),
        this.control("GET", `/webhooks/attempts?view=summary&limit=${PAGE}`),
        this.refreshAccounts(),
      ]);
      if (list !== this.list) return;
      this.requests = withoutRepeats(this.requests, requests.data);
      this.requestTotal = Math.max(requests.total, this.requests.length);
      this.attempts = withoutRepeats(this.attempts, attempts.data);
      this.attemptTotal = Math.max(attempts.total, this.attempts.length);
      this.scheduleRender();
      while (list === this.list && list.items.length < Math.min(list.total, MOST_MESSAGES)) {
        const oldest = list.items.at(-1)?.id;
        if (!oldest || !(await this.loadPage(list, PAGE, oldest))) break;
      }
    } catch (error) {
      if (list !== this.list) return;
      if (error.status === 404) this.dropAccount();
      else if (error.status !== undefined) this.notify(error.message, true);
      // Without a status the sandbox did not respond, which the feed reports.
    } finally {
      list.finishLoading();
    }
  }

  async loadPage(list, limit, before) {
    const page = await this.control(
      "GET", `/messages?view=summary&limit=${limit}${before ? `&before=${before}` : ""}`,
    );
    list.addPage(page, before !== undefined);
    this.scheduleRender();
    return page.data.length;
  }

  async refreshAccounts() {
    const { account } = this;
    const [clock, newest, own] = await Promise.all([
      this.control("GET", "/clock"),
      callControlApi("GET", "/accounts?limit=200"),
      account ? this.control("GET", "/accounts").catch(noneIfUnknown) : { data: [] },
    ]);
    if (account !== this.account) return; // another one was chosen meanwhile
    if (account && own.data[0]?.token !== account.token) {
      this.dropAccount();
      return;
    }
    const readAt = performance.now();
    const accounts = withoutRepeats(own.data, newest.data);
    for (const each of accounts) each.clock.readAt = readAt;
    this.set({ clock: { ...clock, readAt }, accounts });
  }

  refreshAccountsSoon() {
    this.refreshTimer ??= setTimeout(() => {
      this.refreshTimer = null;
      this.refreshAccounts().catch(() => {});
    }, 100);
  }

  // Every account has a clock of its own, which decides how old its messages are.
  clockOf(accountId) {
    return this.accounts.find(({ id }) => id === accountId)?.clock ?? this.clock;
  }

  // Requests

  control(method, path, body) {
    return callControlApi(method, path, { account: this.account, body });
  }

  // Make a request for a user: report an error, or success with `doneText`, as a notice. Return
  // the response's content, or null after an error.
  async controlWithNotice(method, path, body, doneText) {
    try {
      const content = await this.control(method, path, body);
      if (doneText) this.notify(doneText);
      await this.refreshAccounts();
      return content;
    } catch (error) {
      this.notify(error.status ? error.message : "The sandbox is not responding", true);
      return null;
    }
  }

  // Events of the feed

  applyEvents(events) {
    if (events.some(({ kind }) => kind === "gap")) {
      this.reload(); // the server no longer has some of the events since the last connection
      return;
    }
    const requests = [];
    const attempts = [];
    const changedIds = new Set();
    const deletedIds = new Set();
    for (const { kind, data } of events) {
      if (kind === "message") this.addMessage(data);
      else if (kind === "status") this.list.applyStatus(data);
      else if (kind === "request") requests.push(data);
      else if (kind === "webhook") attempts.push(data);
      else if (kind === "warning") this.applyWarnings(data);
      else if (kind === "emptied") this.emptyAccount(data);
      else if (kind === "deleted") for (const id of data.messageIds) deletedIds.add(id);
      if (kind === "status" || kind === "webhook") changedIds.add(data.messageId);
      if (kind === "warning") changedIds.add(data.requestId);
    }
    this.list.merge();
    this.requests = withoutRepeats(requests.reverse(), this.requests).slice(0, MOST_ENTRIES);
    this.attempts = withoutRepeats(attempts.reverse(), this.attempts).slice(0, MOST_ENTRIES);
    this.requestTotal += requests.length;
    this.attemptTotal += attempts.length;
    if (deletedIds.size) {
      this.list.remove(deletedIds);
      this.removeAttempts(deletedIds);
      for (const id of deletedIds) changedIds.add(id);
    }
    if (changedIds.size) this.reportChange(changedIds);
    this.scheduleRender();
  }

  addMessage(message) {
    const isNew = this.list.add(message);
    if (isNew && !this.accounts.some(({ id }) => id === message.accountId)) {
      this.refreshAccountsSoon();
    }
  }

  emptyAccount({ accountId, upTo }) {
    this.removeAttempts(this.list.removeAccount(accountId, upTo));
    this.reportChange(null);
  }

  removeAttempts(messageIds) {
    const left = this.attempts.filter(({ messageId }) => !messageIds.has(messageId));
    if (left.length === this.attempts.length) return;
    this.attempts = left;
    this.attemptTotal = left.length;
  }

  applyWarnings({ requestId, warnings }) {
    const request = this.requests.find(({ id }) => id === requestId);
    if (request) request.warnings = warnings;
  }

  reportChange(changedIds) {
    for (const listener of this.changeListeners) listener(changedIds);
  }
}

// Newest first; an entry that is in both is taken from `newer`.
function withoutRepeats(newer, older) {
  const ids = new Set(newer.map(({ id }) => id));
  return [...newer, ...older.filter(({ id }) => !ids.has(id))];
}

function noneIfUnknown(error) {
  if (error.status === 404) return { data: [] };
  throw error;
}

export const store = new Store();

// Render the calling component again whenever the store changes.
export function useStore() {
  const [, render] = useReducer((count) => count + 1, 0);
  useEffect(() => {
    store.renderListeners.add(render);
    return () => store.renderListeners.delete(render);
  }, []);
  return store;
}
