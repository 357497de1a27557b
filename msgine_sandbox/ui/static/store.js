// What the page knows: filled by lists, kept up by the feed, told to whoever draws once a frame.
import { control } from "./calls.js";
import { Feed } from "./feed.js";
import { kept } from "./kept.js";
import { useEffect, useReducer } from "./preact.js";
import { Read } from "./read.js";

const FIRST = 100; // messages that are there before all others
const CHUNK = 1000;
const MOST = 10_000;
const ACCOUNT = "msgine-account";

class Store {
  constructor() {
    const account = kept(sessionStorage, ACCOUNT);
    this.account = account?.id ? account : null;
    this.link = "connecting";
    this.accounts = [];
    this.clock = null;
    this.notice = null;
    this.read = new Read(() => this.changed());
    this.listeners = new Set();
    this.about = new Set(); // those who want to hear of single messages and requests; null is of all
    this.empty();
    this.drawing = false;
  }

  empty() {
    this.messages = [];
    this.known = new Map();
    this.total = 0;
    this.early = new Map(); // statuses of messages that are not there yet, while a list is on its way
    this.requests = [];
    this.requestTotal = 0;
    this.attempts = [];
    this.attemptTotal = 0;
    this.loaded = false;
  }

  // Drawing

  changed() {
    if (this.drawing) return;
    this.drawing = true;
    const draw = () => {
      this.drawing = false;
      for (const listener of this.listeners) listener();
    };
    // A page that nobody sees draws no frames, but its title still counts.
    if (document.hidden) setTimeout(draw, 200);
    else requestAnimationFrame(draw);
  }

  set(values) {
    Object.assign(this, values);
    this.changed();
  }

  say(text, isProblem = false) {
    this.set({ notice: { text, isProblem } });
    clearTimeout(this.silence);
    this.silence = setTimeout(() => this.set({ notice: null }), 6000);
  }

  // Beginning, and beginning anew

  start() {
    this.feed?.stop();
    this.empty();
    this.feed = new Feed(this.account, {
      events: (happened) => this.take(happened),
      link: (link) => this.linked(link),
    });
    this.changed();
  }

  choose(account) {
    sessionStorage.setItem(ACCOUNT, JSON.stringify(account));
    this.account = account;
    this.start();
  }

  linked(link) {
    const before = this.link;
    this.set({ link });
    if (link === "unknown") this.lose();
    else if (link === "live") this.catchUp(before);
  }

  // The account is not there any more, or is another's by now, as after a restart.
  lose() {
    this.say(`The account ${this.account?.token} is not there any more; all accounts are shown`, true);
    this.choose(null);
  }

  // Who was gone gets what it missed from the feed, or a gap where that is not kept; who had heard of
  // nothing yet cannot say what it missed, and reads everything anew.
  catchUp(before) {
    if (before === "lost" && this.loaded && this.feed.latest) {
      this.look().catch(() => {});
      return;
    }
    this.anew();
  }

  anew() {
    this.empty();
    this.load();
    this.tell(null);
  }

  tell(touched) {
    for (const listener of this.about) listener(touched);
  }

  async load() {
    const round = (this.round = {});
    this.loading = true;
    try {
      await this.loadMessages(FIRST);
      this.set({ loaded: true });
      const [requests, attempts] = await Promise.all([
        this.control("GET", `/requests?limit=${CHUNK}`),
        this.control("GET", `/webhooks/attempts?limit=${CHUNK}`),
        this.look(),
      ]);
      if (round !== this.round) return;
      this.requests = joined(this.requests, requests.data);
      this.requestTotal = Math.max(requests.total, this.requests.length);
      this.attempts = joined(this.attempts, attempts.data);
      this.attemptTotal = Math.max(attempts.total, this.attempts.length);
      this.changed();
      while (round === this.round && this.messages.length < Math.min(this.total, MOST)) {
        const oldest = this.messages.at(-1)?.id;
        if (!oldest || !(await this.loadMessages(CHUNK, oldest))) break;
      }
    } catch (problem) {
      if (problem.status === 404) this.lose();
      else if (problem.status !== undefined) this.say(problem.message, true); // else the feed says that nobody answers
    } finally {
      if (round === this.round) {
        this.loading = false;
        this.early.clear();
      }
    }
  }

  async loadMessages(limit, before) {
    const { account } = this;
    const beforeIt = before ? `&before=${before}` : "";
    const found = await this.control("GET", `/messages?limit=${limit}${beforeIt}`);
    if (account !== this.account) return 0;
    const fresh = found.data.filter((message) => !this.known.has(message.id));
    for (const message of fresh) {
      this.known.set(message.id, message);
      for (const status of this.early.get(message.id) ?? []) this.moved(status);
    }
    this.messages = before ? [...this.messages, ...fresh] : newestFirst([...this.messages, ...fresh]);
    this.total = Math.max(this.messages.length, (before ? this.messages.length - fresh.length : 0) + found.total);
    this.changed();
    return found.data.length;
  }

  async look() {
    const [clock, newest, own] = await Promise.all([
      this.control("GET", "/clock"),
      control("GET", "/accounts?limit=200"),
      this.account ? this.control("GET", "/accounts") : { data: [] },
    ]);
    const at = performance.now();
    if (this.account && own.data[0]?.token !== this.account.token) {
      this.lose();
      return;
    }
    const accounts = joined(own.data, newest.data);
    for (const account of accounts) account.clock.at = at;
    this.set({ clock: { ...clock, at }, accounts });
  }

  // Each account's time is its own; a message is as old as its account has it.
  clockOf(id) {
    return this.accounts.find((each) => each.id === id)?.clock ?? this.clock;
  }

  control(method, path, body) {
    return control(method, path, { account: this.account, body });
  }

  // A call that changes something: what is wrong with it is said, and what it changes is looked at.
  async act(method, path, body, done) {
    try {
      const content = await this.control(method, path, body);
      if (done) this.say(done);
      await this.look();
      return content;
    } catch (problem) {
      this.say(problem.status ? problem.message : "The sandbox does not answer", true);
      return null;
    }
  }

  // What happened

  take(happened) {
    const fresh = { message: [], request: [], webhook: [] };
    const touched = new Set();
    for (const { kind, data } of happened) {
      if (kind === "gap") {
        this.anew();
        return;
      }
      if (kind === "message" && !this.known.has(data.id)) {
        this.known.set(data.id, data);
        fresh.message.push(data);
        if (!this.accounts.some((each) => each.id === data.accountId)) this.lookSoon();
      } else if (kind === "status") {
        this.moved(data);
        touched.add(data.messageId);
      } else if (kind === "request") {
        fresh.request.push(data);
      } else if (kind === "webhook") {
        fresh.webhook.push(data);
        touched.add(data.messageId);
      } else if (kind === "emptied") {
        this.emptied(data.accountId);
        fresh.message = fresh.message.filter((each) => each.accountId !== data.accountId);
      } else if (kind === "warning") {
        this.warned(data);
        touched.add(data.requestId);
      }
    }
    this.total += fresh.message.length;
    this.messages = newestFirst([...fresh.message.reverse(), ...this.messages]);
    for (const { id } of this.messages.splice(MOST)) this.known.delete(id);
    this.requests = joined(fresh.request.reverse(), this.requests).slice(0, MOST);
    this.attempts = joined(fresh.webhook.reverse(), this.attempts).slice(0, MOST);
    this.requestTotal += fresh.request.length;
    this.attemptTotal += fresh.webhook.length;
    if (touched.size) this.tell(touched);
    this.changed();
  }

  emptied(accountId) {
    const gone = new Set(this.messages.filter((each) => each.accountId === accountId).map((each) => each.id));
    for (const id of gone) this.known.delete(id);
    this.total = Math.max(this.total - gone.size, 0);
    this.messages = this.messages.filter((each) => !gone.has(each.id));
    this.attempts = this.attempts.filter((each) => !gone.has(each.messageId));
    this.attemptTotal = this.attempts.length;
    this.tell(null);
  }

  moved(event) {
    const { messageId, to, status, reason, messageStatus } = event;
    const message = this.known.get(messageId);
    if (!message) {
      if (this.loading) this.early.set(messageId, [...(this.early.get(messageId) ?? []), event]);
      return;
    }
    message.status = messageStatus ?? message.status;
    const recipient = message.recipients.find((each) => each.to === to);
    if (recipient) Object.assign(recipient, { status, reason });
  }

  warned({ requestId, warnings }) {
    const request = this.requests.find((each) => each.id === requestId);
    if (request) request.warnings = warnings;
  }

  lookSoon() {
    this.looking ??= setTimeout(() => {
      this.looking = null;
      this.look().catch(() => {});
    }, 100);
  }
}

// Identifiers grow with time, so the order of their texts is that of acceptance.
function newestFirst(messages) {
  for (let i = 1; i < messages.length; i++) {
    if (messages[i - 1].id < messages[i].id) return messages.sort((a, b) => (a.id < b.id ? 1 : -1));
  }
  return messages;
}

function joined(newer, older) {
  const ids = new Set(newer.map((each) => each.id));
  return [...newer, ...older.filter((each) => !ids.has(each.id))];
}

export const store = new Store();

export function useStore() {
  const [, draw] = useReducer((count) => count + 1, 0);
  useEffect(() => {
    store.listeners.add(draw);
    return () => store.listeners.delete(draw);
  }, []);
  return store;
}
