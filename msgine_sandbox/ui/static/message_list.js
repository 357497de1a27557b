// Messages that the page has, newest first: those of the feed, and pages of the server's list, each
// loaded when the one before has been scrolled through.

const MOST_MESSAGES = 10_000; // older ones are dropped

export class MessageList {
  constructor(parameters = "") {
    this.parameters = parameters; // of the server's list, such as "&q=code"
    this.items = [];
    this.total = 0; // of the server, which may have more than the page
    this.isComplete = false; // whether there are no older ones to load
    this.byId = new Map();
    this.incoming = []; // from the feed, oldest first, until merge()
    this.isLoading = false;
    // By message: statuses from the feed that came before the message itself. While a page of the
    // list is being fetched, it may hold the status from before.
    this.earlyStatuses = new Map();
    this.deletedIds = new Set(); // while loading: such a page may hold these messages, too
  }

  // The path of the page with so many of the messages that are older than those that it has.
  nextPage(limit) {
    const before = this.items.length ? `&before=${this.items.at(-1).id}` : "";
    const count = Math.min(limit, MOST_MESSAGES - this.items.length);
    return `/messages?view=summary&limit=${count}${before}${this.parameters}`;
  }

  // Add a page; `isOlder` if it continues after the last item.
  addPage({ data, total, totalIsMinimum = false }, isOlder) {
    const isNew = ({ id }) => !this.byId.has(id) && !this.deletedIds.has(id);
    const added = data.filter(isNew);
    for (const message of added) {
      this.byId.set(message.id, message);
      for (const status of this.earlyStatuses.get(message.id) ?? []) this.applyStatus(status);
    }
    const newerCount = isOlder ? this.items.length : 0; // the total of a page begins below them
    this.items = [...this.items, ...added];
    if (!isOlder) this.items = newestFirst(this.items);
    this.total = Math.max(this.items.length, newerCount + total);
    const isLast = !data.length || (data.length === total && !totalIsMinimum);
    this.isComplete = isLast || this.items.length >= MOST_MESSAGES;
  }

  finishLoading() {
    this.isLoading = false;
    this.earlyStatuses.clear();
    this.deletedIds.clear();
  }

  // Add a message of the feed; return whether it is new here.
  add(message) {
    if (this.byId.has(message.id)) return false;
    this.byId.set(message.id, message);
    this.incoming.push(message);
    return true;
  }

  // Show what add() has collected. One merge for many events keeps the page responsive.
  merge() {
    this.total += this.incoming.length;
    this.items = newestFirst([...this.incoming.reverse(), ...this.items]);
    this.incoming = [];
    for (const { id } of this.items.splice(MOST_MESSAGES)) this.byId.delete(id);
    if (this.items.length >= MOST_MESSAGES) this.isComplete = true;
  }

  applyStatus(event) {
    const { messageId, to, status, reason, messageStatus } = event;
    const message = this.byId.get(messageId);
    if (!message) {
      if (!this.isLoading) return;
      this.earlyStatuses.set(messageId, [...(this.earlyStatuses.get(messageId) ?? []), event]);
      return;
    }
    message.status = messageStatus ?? message.status;
    const recipient = message.recipients.find((each) => each.to === to);
    if (recipient) Object.assign(recipient, { status, reason });
  }

  // Remove an account's messages up to an id; return the ids of the removed items.
  removeAccount(accountId, upTo) {
    const isRemoved = (message) => message.accountId === accountId && message.id <= (upTo ?? "");
    const removedIds = new Set([...this.byId.values()].filter(isRemoved).map(({ id }) => id));
    this.remove(removedIds);
    return removedIds;
  }

  // Remove messages, of which the page need not have all.
  remove(ids) {
    const isKept = ({ id }) => !ids.has(id);
    for (const id of ids) {
      this.byId.delete(id);
      if (this.isLoading) this.deletedIds.add(id);
    }
    this.items = this.items.filter(isKept);
    this.incoming = this.incoming.filter(isKept);
    this.total = Math.max(this.total - ids.size, this.items.length);
  }
}

// Sort in place, if necessary: ids grow with the time of acceptance, and so does their text.
export function newestFirst(messages) {
  for (let i = 1; i < messages.length; i++) {
    if (messages[i - 1].id < messages[i].id) {
      return messages.sort((a, b) => (a.id < b.id ? 1 : -1));
    }
  }
  return messages;
}
