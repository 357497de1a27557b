// The page's state: loaded from the control API, kept current by the feed, rendered once a frame.
import { callControlApi } from "./api.js";
import { chosenAccount, ReadMessages } from "./browser_storage.js";
import { Definitions } from "./definitions.js";
import { EntryList, isRefusedCall, withoutRepeats } from "./entry_list.js";
import { Feed } from "./feed.js";
import { MessageList } from "./message_list.js";
import { useEffect, useReducer } from "./preact.js";
import { accountInAddress, replaceAccount } from "./route.js";

const FIRST_PAGE = 100; // messages, requests or webhook attempts; few, to show something soon
const PAGE = 500;
const MOST_ACCOUNTS = 1000; // of the newest ones
const SOON_MS = 100; // one request for several events that come close together
const CLOCK_MS = 300; // the same for what is due next
const ALL_CLOCKS_MS = 1500; // which takes the longer the more accounts there are
const NOTICE_MS = 6000;

// The events that can change what is due next.
const MOVING = new Set(["message", "status", "webhook", "emptied", "deleted"]);

class Store {
  constructor() {
    const stored = chosenAccount.get();
    const id = accountInAddress() ?? stored?.id;
    // Null is all accounts; the token of one that only the address names is read with its clock.
    this.account = id ? { id, token: stored?.id === id ? stored.token : "" } : null;
    this.opened = null; // the message, request or attempt that is open
    this.call = null; // that of the playground's form
    this.connection = "connecting"; // or a state of the feed
    this.accounts = [];
    this.foundAccounts = []; // by the latest search, which is not repeated
    this.hasAllAccounts = false; // until the first list says so
    this.clock = null; // of the chosen account, or the default of new accounts
    this.notice = null;
    this.definitions = new Definitions();
    this.readMessages = new ReadMessages(() => this.scheduleRender());
    this.renderListeners = new Set();
    this.changeListeners = new Set(); // called with the ids that changed, or null for all
    this.isRenderScheduled = false;
    this.changeCounts = {}; // how often others changed something, such as `faults`
    this.clear();
  }

  clear() {
    this.list = new MessageList();
    this.found = null; // the list of a search, while not all messages are loaded
    this.requests = new EntryList("/requests");
    this.refusals = new EntryList("/requests", "method=POST&outcome=refused", isRefusedCall);
    this.attempts = new EntryList("/webhooks/attempts");
    this.foundAttempts = null; // the list of those that filters leave
    this.isLoaded = false;
  }

  get messages() {
    return this.list.items;
  }

  get lists() {
    return this.found ? [this.list, this.found] : [this.list];
  }

  get attemptLists() {
    return this.foundAttempts ? [this.attempts, this.foundAttempts] : [this.attempts];
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

  // What is open and belongs to another account is closed.
  chooseAccount(account, keepsOpen = [account?.id, undefined].includes(this.opened?.accountId)) {
    chosenAccount.set(account);
    this.account = account;
    replaceAccount(account?.id, keepsOpen || !account);
    this.start();
  }

  setConnection(connection) {
    this.set({ connection });
    if (connection !== "live") return;
    // After a lost connection, the feed sends what was missed, or a gap. A page that had no event
    // yet cannot know where it continues, so it loads everything.
    if (!this.isLoaded || !this.feed.continues) {
      this.reload();
      return;
    }
    this.refreshAccounts().catch(() => {});
    this.reportChange(null); // what is open may not have been loaded meanwhile
  }

  // The account's id is unknown or belongs to another token, for example after a restart.
  dropAccount() {
    const { id, token } = this.account;
    this.notify(`The account ${token || id} no longer exists; showing all accounts`, true);
    this.chooseAccount(null);
  }

  // Loading

  reload() {
    this.clear();
    this.load();
    this.reportChange(null);
  }

  async load() {
    const { list, requests, refusals, attempts } = this; // clear() makes new ones
    await this.try(async () => {
      await Promise.all([
        this.definitions.load(),
        this.loadMore(list, FIRST_PAGE),
        this.loadMore(refusals, FIRST_PAGE),
      ]);
      if (list !== this.list) return;
      this.set({ isLoaded: true });
      await Promise.all([
        this.loadMore(requests, FIRST_PAGE),
        this.loadMore(attempts, FIRST_PAGE),
        this.refreshAccounts(),
      ]);
    }, () => list === this.list);
  }

  // Load what follows a list's last item, unless this is being done.
  loadOlder(list) {
    if (list.isLoading || list.isComplete || !this.isLoaded) return;
    this.try(() => this.loadMore(list, PAGE), () => true);
  }

  async loadMore(list, limit) {
    const isOlder = list.items.length > 0;
    list.isLoading = true;
    try {
      list.addPage(await this.control("GET", list.nextPage(limit)), isOlder);
    } catch (error) {
      if (error.status === 400) list.isComplete = true; // to ask again does not help
      throw error;
    } finally {
      list.finishLoading();
    }
    this.scheduleRender();
  }

  // Search on the server, which may have messages that the page has not loaded.
  search(parameters) {
    if (this.found?.parameters === parameters) return;
    this.found = new MessageList(parameters);
    this.loadOlder(this.found);
    this.scheduleRender();
  }

  async try(load, isWanted) {
    try {
      await load();
    } catch (error) {
      if (!isWanted()) return;
      if (error.status === 404) this.dropAccount();
      else if (error.status !== undefined) this.notify(error.message, true);
      // Without a status the sandbox did not respond, which the feed reports.
    }
  }

  async refreshAccounts() {
    const { account } = this;
    const [newest] = await Promise.all([
      callControlApi("GET", `/accounts?limit=${MOST_ACCOUNTS}`), this.refreshClock(),
    ]);
    if (account !== this.account) return; // another one was chosen meanwhile
    this.hasAllAccounts = newest.data.length === newest.total;
    this.setAccounts(withoutRepeats(newest.data, this.foundAccounts));
  }

  // Add those accounts whose name or token has a text.
  async findAccounts(text) {
    await this.try(async () => {
      const path = `/accounts?limit=20&q=${encodeURIComponent(text)}`;
      this.foundAccounts = (await callControlApi("GET", path)).data;
      this.setAccounts(withoutRepeats(this.accounts, this.foundAccounts));
    }, () => true);
  }

  // The clock and what the chosen account has left; all other accounts stay as they are.
  async refreshClock() {
    const { account } = this;
    const [clock, own] = await Promise.all([
      this.control("GET", "/clock"),
      account ? this.control("GET", "/accounts").catch(noneIfUnknown) : { data: [] },
    ]);
    if (account !== this.account) return; // another one was chosen meanwhile
    if (account) {
      const token = own.data[0]?.token;
      if (!token || (account.token && account.token !== token)) {
        this.dropAccount();
        return;
      }
      account.token = token;
      chosenAccount.set(account);
    }
    this.set({ clock: { ...clock, readAt: performance.now() } });
    this.setAccounts(withoutRepeats(own.data, this.accounts));
  }

  // The chosen account may be older than the newest ones.
  setAccounts(accounts) {
    const known = accounts.some(({ id }) => id === this.account?.id);
    const own = known ? [] : this.accounts.filter(({ id }) => id === this.account?.id);
    const readAt = performance.now();
    for (const { clock } of accounts) clock.readAt ??= readAt;
    this.set({ accounts: [...accounts, ...own] });
  }

  refreshAccountsSoon() {
    this.refreshTimer ??= setTimeout(() => {
      this.refreshTimer = null;
      this.refreshAccounts().catch(() => {});
    }, SOON_MS);
  }

  // What is due next changes with every message and status.
  refreshClockSoon() {
    if (document.hidden) return;
    this.clockTimer ??= setTimeout(() => {
      this.clockTimer = null;
      this.refreshClock().catch(() => {});
    }, this.account ? CLOCK_MS : ALL_CLOCKS_MS);
  }

  // Every account has a clock of its own, which decides how old its messages are.
  clockOf(accountId) {
    return this.accounts.find(({ id }) => id === accountId)?.clock ?? this.clock;
  }

  // Requests

  control(method, path, body, account = this.account) {
    return callControlApi(method, path, { account, body });
  }

  // Make a request for a user: report an error, or success with `doneText`, as a notice. Return
  // the response's content, or null after an error.
  async controlWithNotice(method, path, body, doneText, account = this.account) {
    try {
      const content = await this.control(method, path, body, account);
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
      else if (kind === "status") for (const list of this.lists) list.applyStatus(data);
      else if (kind === "request") requests.push(data);
      else if (kind === "webhook") attempts.push(data);
      else if (kind === "warning") this.applyWarnings(data);
      else if (kind === "changed") this.applyChange(data.what);
      else if (kind === "emptied") this.emptyAccount(data);
      else if (kind === "deleted") for (const id of data.messageIds) deletedIds.add(id);
      if (data.accountId && !this.isKnown(data.accountId)) this.refreshAccountsSoon();
      if (kind === "status" || kind === "webhook") changedIds.add(data.messageId);
      if (kind === "warning") changedIds.add(data.requestId);
    }
    if (events.some(({ kind }) => MOVING.has(kind))) this.refreshClockSoon();
    for (const list of this.lists) list.merge();
    this.requests.add(requests);
    for (const { id, warnings } of requests) {
      if (warnings.length) this.applyWarnings({ requestId: id, warnings });
    }
    for (const list of this.attemptLists) list.add(attempts);
    this.refusals.add(requests);
    if (deletedIds.size) {
      for (const list of this.lists) list.remove(deletedIds);
      this.keepAttempts(({ messageId }) => !deletedIds.has(messageId));
      for (const id of deletedIds) changedIds.add(id);
    }
    if (changedIds.size) this.reportChange(changedIds);
    this.scheduleRender();
  }

  addMessage(message) {
    this.list.add(message);
    this.found?.add(message);
  }

  isKnown(accountId) {
    return this.accounts.some(({ id }) => id === accountId);
  }

  // A control call of somebody changed something; `what` is the first word of its path.
  applyChange(what) {
    const isAll = what === "reset" || what === "scenario";
    for (const name of isAll ? ["faults", "webhooks"] : [what]) {
      this.changeCounts[name] = (this.changeCounts[name] ?? 0) + 1;
    }
    if (isAll || what === "requests") this.reloadSoon();
    else if (what === "clock" || what === "account") this.refreshAccountsSoon();
  }

  reloadSoon() {
    this.reloadTimer ??= setTimeout(() => {
      this.reloadTimer = null;
      this.reload();
    }, SOON_MS);
  }

  emptyAccount({ accountId, upTo }) {
    if (!this.list.isComplete) {
      this.reload(); // how many of the messages that are not loaded are gone is not known
      return;
    }
    const removedIds = this.list.removeAccount(accountId, upTo);
    this.found?.remove(removedIds);
    this.keepAttempts(({ messageId }) => !removedIds.has(messageId));
    this.reportChange(null);
  }

  keepAttempts(isKept) {
    for (const list of this.attemptLists) list.filter(isKept);
  }

  applyWarnings({ requestId, warnings }) {
    for (const { items } of [this.requests, this.refusals]) {
      const request = items.find(({ id }) => id === requestId);
      if (request) request.warnings = warnings;
    }
    for (const { items } of this.lists) {
      const message = items.find((each) => each.requestId === requestId);
      if (message) message.warnings = warnings.length;
    }
  }

  reportChange(changedIds) {
    for (const listener of this.changeListeners) listener(changedIds);
  }
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
