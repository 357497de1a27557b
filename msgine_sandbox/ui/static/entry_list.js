// Requests or webhook attempts that the page has, newest first: those of the feed, and pages of the
// server's list, each loaded when it is wanted.

import { newestFirst } from "./message_list.js";

const MOST_ENTRIES = 10_000; // older ones are dropped

export class EntryList {
  // With `parameters` it has what the server finds for them, and `matches` says whether an entry of
  // the feed belongs to that.
  constructor(path, parameters = "", matches = () => true) {
    this.path = path;
    this.parameters = parameters;
    this.matches = matches;
    this.items = [];
    this.total = 0; // of the server, which may have more than the page
    this.isComplete = false; // whether there are no older ones to load
    this.isLoading = false;
  }

  // The path of the page with so many of the entries that are older than those that it has.
  nextPage(limit) {
    const before = this.items.length ? `&before=${this.items.at(-1).id}` : "";
    const count = Math.min(limit, MOST_ENTRIES - this.items.length);
    const parameters = this.parameters && `&${this.parameters}`;
    return `${this.path}?view=summary&limit=${count}${before}${parameters}`;
  }

  // Add a page; `isOlder` if it continues after the last item.
  addPage({ data, total }, isOlder) {
    const newerCount = isOlder ? this.items.length : 0; // the total of a page begins below them
    this.items = withoutRepeats(this.items, data);
    this.total = Math.max(this.items.length, newerCount + total);
    this.isComplete = data.length === total || this.items.length >= MOST_ENTRIES;
  }

  finishLoading() {
    this.isLoading = false;
  }

  // Add entries of the feed, oldest first.
  add(entries) {
    const added = entries.filter(this.matches).reverse();
    if (!added.length) return;
    // Newest first by their ids: a request that took long comes after later ones.
    const all = newestFirst(withoutRepeats(added, this.items));
    this.total += all.length - this.items.length;
    this.items = all.slice(0, MOST_ENTRIES);
  }

  // Keep only some, and count no others.
  filter(isKept) {
    const kept = this.items.filter(isKept);
    if (kept.length === this.items.length) return;
    this.total -= this.items.length - kept.length;
    this.items = kept;
  }
}

// Whether a request was answered with an error, or not at all.
export function isRefused({ status }) {
  return status === null || status >= 400;
}

// Whether it stands among the messages: it would have changed something, as a send.
export function isRefusedCall(entry) {
  return entry.method === "POST" && isRefused(entry);
}

// Newest first; an entry that is in both is taken from `newer`.
export function withoutRepeats(newer, older) {
  const ids = new Set(newer.map(({ id }) => id));
  return [...newer, ...older.filter(({ id }) => !ids.has(id))];
}
