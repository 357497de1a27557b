// The messages that the page has, newest first, built from pages of the list and from the feed.

export const MOST_MESSAGES = 10_000; // older ones are dropped

export class MessageList {
  constructor() {
    this.items = [];
    this.total = 0; // of the server, which may have more than the page
    this.byId = new Map();
    this.incoming = []; // from the feed, oldest first, until merge()
    this.isLoading = false;
    // By message: statuses from the feed that came before the message itself. While a page of the
    // list is being fetched, it may hold the status from before.
    this.earlyStatuses = new Map();
  }

  // Add a page of the list; `isOlder` if it continues after the last item.
  addPage({ data, total }, isOlder) {
    const added = data.filter((message) => !this.byId.has(message.id));
    for (const message of added) {
      this.byId.set(message.id, message);
      for (const status of this.earlyStatuses.get(message.id) ?? []) this.applyStatus(status);
    }
    const newerCount = isOlder ? this.items.length : 0; // the total of a page begins below them
    this.items = [...this.items, ...added];
    if (!isOlder) this.items = newestFirst(this.items);
    this.total = Math.max(this.items.length, newerCount + total);
  }

  finishLoading() {
    this.isLoading = false;
    this.earlyStatuses.clear();
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

  // Return the ids of the removed items.
  removeAccount(accountId) {
    const isRemoved = (message) => message.accountId === accountId;
    const isKept = (message) => !isRemoved(message);
    const removedIds = this.items.filter(isRemoved).map(({ id }) => id);
    for (const id of removedIds) this.byId.delete(id);
    this.items = this.items.filter(isKept);
    this.incoming = this.incoming.filter(isKept);
    this.total = Math.max(this.total - removedIds.length, 0);
    return new Set(removedIds);
  }
}

// Sort in place, if necessary: ids grow with the time of acceptance, and so does their text.
function newestFirst(messages) {
  for (let i = 1; i < messages.length; i++) {
    if (messages[i - 1].id < messages[i].id) {
      return messages.sort((a, b) => (a.id < b.id ? 1 : -1));
    }
  }
  return messages;
}
